//! Issues: snapshots, changes, counters, positions.

use async_trait::async_trait;
use nuthatch_issues::{Activity, Changes, Issue, IssueType, Needs, Snapshot};
use nuthatch_protocol::{EventId, Hash, IssueId, Position, ProjectId, Timestamp};

use super::{MemoryMeta, State};
use crate::{
    IssueStore, StoreError,
    issues::{ConsumerPosition, Decide, HASHES_MAX, IssuePage, IssueQuery, ProjectTotals},
};

impl State {
    fn snapshot(&self, needs: &Needs) -> Snapshot {
        let projects = needs.hashes.iter().map(|(project, _)| *project);
        let projects = projects.chain(needs.occurrences.iter().map(|(project, _)| *project));
        let hashes = needs.hashes.iter().filter_map(|key| Some((*key, *self.hashes.get(key)?)));
        let hashes: std::collections::HashMap<_, _> = hashes.collect();
        let issues = hashes.values().flatten().chain(&needs.issues);
        let error = IssueType::error();
        Snapshot {
            projects: projects
                .filter(|id| self.projects.contains_key(id))
                .map(|id| (id, self.last_short_id(id)))
                .collect(),
            issues: issues.filter_map(|id| Some((*id, self.issues.get(id)?.clone()))).collect(),
            hashes,
            counted: needs.occurrences.iter().filter_map(|key| Some((*key, self.counted.get(key)?.0?))).collect(),
            last_issue_id: self.issues.last_key_value().map(|(id, _)| *id).unwrap_or_default(),
            types: [(error.id, error)].into(),
        }
    }

    fn last_short_id(&self, project: ProjectId) -> u64 {
        let issues = self.issues.values().filter(|issue| issue.project_id == project);
        issues.map(|issue| issue.short_id).max().unwrap_or_default()
    }

    /// Refuses changes that cannot be applied, before any is.
    fn check(&self, changes: &Changes) -> Result<(), StoreError> {
        for issue in &changes.created {
            if !self.projects.contains_key(&issue.project_id) {
                return Err(StoreError::NotFound("the project of a new issue"));
            }
            let is_same = |other: &Issue| {
                other.id == issue.id || (other.project_id, other.short_id) == (issue.project_id, issue.short_id)
            };
            if self.issues.values().any(is_same) {
                return Err(StoreError::Conflict("the id of a new issue"));
            }
        }
        let updated = changes.updated.iter().map(|issue| issue.id);
        let named = updated
            .chain(changes.hashes.iter().map(|(_, _, id)| *id))
            .chain(changes.counts.iter().map(|count| count.issue_id))
            .chain(changes.users.iter().map(|(id, _)| *id))
            .chain(changes.activities.iter().map(|activity| activity.issue_id));
        let exists = |id: &IssueId| self.issues.contains_key(id) || changes.created.iter().any(|new| new.id == *id);
        if named.into_iter().all(|id| exists(&id)) { Ok(()) } else { Err(StoreError::NotFound("the issue")) }
    }

    fn apply(&mut self, changes: &Changes) {
        for issue in &changes.created {
            self.issues.insert(issue.id, Issue { user_count: 0, ..issue.clone() });
        }
        for issue in &changes.updated {
            if let Some(stored) = self.issues.get_mut(&issue.id) {
                *stored = Issue { user_count: stored.user_count, ..issue.clone() };
            }
        }
        for (project, hash, issue) in &changes.hashes {
            let key = (*project, *hash);
            if let Some(Some(former)) = self.hashes.insert(key, Some(*issue)) {
                self.owned.entry(former).or_default().retain(|owned| *owned != key);
            }
            self.owned.entry(*issue).or_default().push(key);
        }
        for count in &changes.counts {
            *self.hours.entry((count.issue_id, count.hour)).or_default() += count.count;
        }
        for user in &changes.users {
            if self.issue_users.insert(*user)
                && let Some(issue) = self.issues.get_mut(&user.0)
            {
                issue.user_count += 1;
            }
        }
        self.activities.extend_from_slice(&changes.activities);
        for (project, event, position, at) in &changes.counted {
            self.counted.entry((*project, *event)).or_insert((*position, *at));
        }
    }
}

#[async_trait]
impl IssueStore for MemoryMeta {
    async fn transact(
        &self,
        needs: Needs,
        position: Option<ConsumerPosition>,
        decide: Decide,
    ) -> Result<Changes, StoreError> {
        let mut state = self.lock();
        let changes = decide(&state.snapshot(&needs));
        state.check(&changes)?;
        state.apply(&changes);
        if let Some(position) = position {
            state.move_to(position);
        }
        Ok(changes)
    }

    async fn position(&self, consumer: &str, start: Position) -> Result<Position, StoreError> {
        let state = self.lock();
        let offset = state.positions.get(&(consumer.to_owned(), start.topic, start.partition));
        Ok(offset.map_or(start, |offset| Position { offset: *offset, ..start }))
    }

    async fn counted(&self, ids: &[(ProjectId, EventId)]) -> Result<Vec<(ProjectId, EventId, Position)>, StoreError> {
        let state = self.lock();
        let found = ids.iter().filter_map(|key| Some((key.0, key.1, state.counted.get(key)?.0?)));
        Ok(found.collect())
    }

    async fn issue(&self, id: IssueId) -> Result<Option<Issue>, StoreError> {
        Ok(self.lock().issues.get(&id).cloned())
    }

    async fn issue_by_short_id(&self, project: ProjectId, short_id: u64) -> Result<Option<Issue>, StoreError> {
        let state = self.lock();
        let mut issues = state.issues.values();
        Ok(issues.find(|issue| (issue.project_id, issue.short_id) == (project, short_id)).cloned())
    }

    async fn issue_of_hash(&self, project: ProjectId, hash: Hash) -> Result<Option<IssueId>, StoreError> {
        Ok(self.lock().hashes.get(&(project, hash)).copied().flatten())
    }

    async fn hashes(&self, id: IssueId) -> Result<Vec<Hash>, StoreError> {
        let state = self.lock();
        let owned = state.owned.get(&id).into_iter().flatten();
        Ok(owned.map(|(_, hash)| *hash).take(HASHES_MAX).collect())
    }

    async fn issues(&self, query: &IssueQuery) -> Result<IssuePage, StoreError> {
        Ok(self.lock().page(query))
    }

    async fn hourly_counts(&self, ids: &[IssueId], from_hour: i64) -> Result<Vec<(IssueId, i64, u64)>, StoreError> {
        let state = self.lock();
        let counts = state.hours.iter().filter(|((id, hour), _)| ids.contains(id) && *hour >= from_hour);
        Ok(counts.map(|((id, hour), count)| (*id, *hour, *count)).collect())
    }

    async fn activities(&self, id: IssueId, limit: usize) -> Result<Vec<Activity>, StoreError> {
        let state = self.lock();
        let mut activities: Vec<_> = state.activities.iter().filter(|activity| activity.issue_id == id).collect();
        activities.sort_by_key(|activity| activity.at);
        Ok(activities.into_iter().rev().take(limit).cloned().collect())
    }

    async fn project_totals(&self, project: ProjectId) -> Result<ProjectTotals, StoreError> {
        let state = self.lock();
        let issues: Vec<_> = state.issues.values().filter(|issue| issue.project_id == project).collect();
        Ok(ProjectTotals {
            issues: issues.len() as u64,
            events: issues.iter().map(|issue| issue.times_seen).sum(),
            first_event: issues.iter().map(|issue| issue.first_seen).min(),
        })
    }

    async fn expire(&self, before: Timestamp) -> Result<(), StoreError> {
        let mut state = self.lock();
        state.counted.retain(|_, (_, at)| at.hours() >= before.hours());
        state.hours.retain(|(_, hour), _| *hour >= before.hours());
        Ok(())
    }
}
