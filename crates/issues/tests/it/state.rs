//! Issues in memory: gives snapshots and applies changes, checking that they keep what they promise.

use std::collections::{BTreeMap, BTreeSet};

use nuthatch_issues::{
    Activity, Changes, Issue, MessageResult, Needs, Outcome, Routed, Snapshot, needs, process_occurrence_batch,
};
use nuthatch_protocol::{EventId, Hash, IssueId, Position, ProjectId, Timestamp};

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct State {
    pub(crate) projects: BTreeMap<ProjectId, u64>,
    pub(crate) hashes: BTreeMap<(ProjectId, Hash), Option<IssueId>>,
    pub(crate) issues: BTreeMap<IssueId, Issue>,
    pub(crate) counted: BTreeMap<(ProjectId, EventId), (Position, Timestamp)>,
    pub(crate) hours: BTreeMap<(IssueId, i64), u64>,
    pub(crate) users: BTreeSet<(IssueId, u64)>,
    pub(crate) activities: Vec<Activity>,
}

impl State {
    pub(crate) fn with_projects(projects: &[u64]) -> Self {
        Self { projects: projects.iter().map(|id| (ProjectId(*id), 0)).collect(), ..Self::default() }
    }

    pub(crate) fn snapshot(&self, needs: &Needs) -> Snapshot {
        let hashes: Vec<_> = needs.hashes.iter().filter_map(|key| Some((*key, *self.hashes.get(key)?))).collect();
        let ids = hashes.iter().filter_map(|(_, id)| *id).chain(needs.issues.iter().copied());
        let projects = needs.hashes.iter().map(|key| key.0).chain(needs.occurrences.iter().map(|key| key.0));
        Snapshot {
            projects: projects.filter_map(|id| Some((id, *self.projects.get(&id)?))).collect(),
            issues: ids.filter_map(|id| Some((id, self.issues.get(&id)?.clone()))).collect(),
            hashes: hashes.into_iter().collect(),
            counted: needs.occurrences.iter().filter_map(|key| Some((*key, self.counted.get(key)?.0))).collect(),
            last_issue_id: self.issues.last_key_value().map(|(id, _)| *id).unwrap_or_default(),
            types: [].into(),
        }
    }

    pub(crate) fn process(&mut self, messages: &[Routed], now: Timestamp) -> Outcome {
        let outcome = process_occurrence_batch(messages, &self.snapshot(&needs(messages)), now);
        assert_eq!(outcome.results.len(), messages.len());
        self.apply(&outcome.changes);
        outcome
    }

    /// Handles one message as a batch of its own.
    pub(crate) fn one(&mut self, message: Routed, now: Timestamp) -> MessageResult {
        self.process(&[message], now).results[0]
    }

    pub(crate) fn apply(&mut self, changes: &Changes) {
        for issue in &changes.created {
            let last = self.issues.last_key_value().map_or(0, |(id, _)| id.0);
            assert_eq!(issue.id.0, last + 1, "ids are dense");
            let short_id = self.projects.get_mut(&issue.project_id).unwrap();
            *short_id += 1;
            assert_eq!(issue.short_id, *short_id, "short ids are dense");
            self.issues.insert(issue.id, issue.clone());
        }
        for issue in &changes.updated {
            let user_count = self.issues[&issue.id].user_count;
            self.issues.insert(issue.id, Issue { user_count, ..issue.clone() });
        }
        for (project, hash, id) in &changes.hashes {
            assert!(self.issues.contains_key(id));
            let former = self.hashes.insert((*project, *hash), Some(*id));
            assert!(!matches!(former, Some(Some(_))), "an owned hash is left alone");
        }
        for count in &changes.counts {
            *self.hours.entry((count.issue_id, count.hour)).or_default() += count.count;
        }
        for user in &changes.users {
            if self.users.insert(*user) {
                self.issues.get_mut(&user.0).unwrap().user_count += 1;
            }
        }
        self.activities.extend_from_slice(&changes.activities);
        for (project, id, position, at) in &changes.counted {
            let former = self.counted.insert((*project, *id), (position.unwrap(), *at));
            assert_eq!(former, None, "a message is handled once");
        }
    }

    /// What holds for every state.
    pub(crate) fn check(&self) {
        for (id, issue) in &self.issues {
            assert_eq!(*id, issue.id);
            let hours: u64 = self.hours.iter().filter(|((issue, _), _)| issue == id).map(|(_, count)| count).sum();
            assert_eq!(issue.times_seen, hours, "every event is in an hour");
            let users = self.users.iter().filter(|(issue, _)| issue == id).count();
            assert_eq!(issue.user_count, users as u64);
            assert!(self.hashes.values().any(|owner| *owner == Some(*id)), "an issue owns a hash");
            assert!(issue.first_seen <= issue.last_seen);
            assert_eq!(issue.substatus.map_or(issue.status, nuthatch_issues::Substatus::status), issue.status);
            assert_eq!(issue.resolved_at.is_some(), issue.substatus.is_none());
        }
        for ((project, _), owner) in &self.hashes {
            assert!(owner.is_none_or(|id| self.issues[&id].project_id == *project));
        }
    }
}
