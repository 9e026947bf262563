//! Lists of issues: every condition on every issue, then sort and cut.

use std::cmp::Reverse;

use nuthatch_issues::{Assignee, Issue};
use nuthatch_protocol::ProjectId;

use super::State;
use crate::issues::{HITS_MAX, IssueCondition, IssuePage, IssueQuery, IssueTest, PAGE_MAX, searchable_text};

impl State {
    pub(super) fn page(&self, query: &IssueQuery) -> IssuePage {
        let projects: Vec<ProjectId> = self
            .projects
            .values()
            .filter(|project| project.organization_id == query.organization)
            .map(|project| project.id)
            .filter(|id| query.projects.is_empty() || query.projects.contains(id))
            .collect();
        let mut matching: Vec<&Issue> = self
            .issues
            .values()
            .filter(|issue| projects.contains(&issue.project_id))
            .filter(|issue| query.seen_since.is_none_or(|time| issue.last_seen >= time))
            .filter(|issue| query.filter.iter().all(|condition| self.holds(condition, issue)))
            .collect();
        let key = |issue: &Issue| (query.sort.value(issue), issue.id);
        matching.sort_by_key(|issue| Reverse(key(issue)));

        let limit = query.limit.min(PAGE_MAX);
        let (start, end) = match query.cursor {
            Some(cursor) if cursor.backwards => {
                let end = matching.partition_point(|issue| key(issue) > (cursor.value, cursor.id));
                (end.saturating_sub(limit), end)
            }
            cursor => {
                let start = cursor
                    .map_or(0, |cursor| matching.partition_point(|issue| key(issue) >= (cursor.value, cursor.id)));
                (start, matching.len().min(start + limit))
            }
        };
        IssuePage {
            issues: matching[start..end].iter().copied().cloned().collect(),
            has_previous: start > 0,
            has_next: end < matching.len(),
            hits: (matching.len() as u64).min(HITS_MAX),
        }
    }

    fn holds(&self, condition: &IssueCondition, issue: &Issue) -> bool {
        let holds = match &condition.test {
            IssueTest::Ids(ids) => ids.contains(&issue.id),
            IssueTest::Status(status) => issue.status == *status,
            IssueTest::Substatus(any) => issue.substatus.is_some_and(|substatus| any.contains(&substatus)),
            IssueTest::Types(any) => any.contains(&issue.type_id),
            IssueTest::Level(any) => any.contains(&issue.level),
            IssueTest::Platform(any) => any.contains(&issue.platform),
            IssueTest::Priority(any) => any.contains(&issue.priority),
            IssueTest::AssignedToAny { users, teams, nobody } => match issue.assignee {
                Some(Assignee::User(user)) => users.contains(&user),
                Some(Assignee::Team(team)) => teams.contains(&team),
                None => *nobody,
            },
            IssueTest::Unhandled => issue.unhandled,
            IssueTest::Text(text) => searchable_text(issue).contains(&text.to_lowercase()),
            IssueTest::Hashes(hashes) => {
                self.owned.get(&issue.id).is_some_and(|owned| owned.iter().any(|hash| hashes.contains(hash)))
            }
            IssueTest::FirstRelease(any) => issue.first_release.as_ref().is_some_and(|release| any.contains(release)),
            IssueTest::TimesSeenAtLeast(count) => issue.times_seen >= *count,
            IssueTest::FirstSeenSince(time) => issue.first_seen >= *time,
            IssueTest::LastSeenSince(time) => issue.last_seen >= *time,
        };
        holds != condition.negated
    }
}
