//! Issues in memory: gives snapshots and applies changes, checking that they keep what they promise.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use nuthatch_issues::{
    Activity, Changes, Issue, MessageKey, MessageResult, Needs, Options, Outcome, Routed, Snapshot, Status,
    changes::{Handled, OrganizationState, ProjectState, Sightings},
    history::HistoryEntry,
    needs,
    open_period::OpenPeriod,
    process_occurrence_batch,
    quota::Usage,
};
use nuthatch_protocol::{Hash, IssueId, OrganizationId, ProjectId, Timestamp, TypeId};

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct State {
    pub(crate) projects: BTreeMap<ProjectId, u64>,
    pub(crate) features: BTreeSet<String>,
    pub(crate) options: Options,
    pub(crate) hashes: BTreeMap<(ProjectId, Hash), Option<IssueId>>,
    pub(crate) issues: BTreeMap<IssueId, Issue>,
    pub(crate) handled: BTreeMap<MessageKey, Handled>,
    pub(crate) hours: BTreeMap<(IssueId, i64), u64>,
    pub(crate) users: BTreeSet<(IssueId, u64)>,
    pub(crate) activities: Vec<Activity>,
    pub(crate) history: Vec<HistoryEntry>,
    pub(crate) periods: BTreeMap<(IssueId, u32), OpenPeriod>,
    pub(crate) sightings: BTreeMap<(ProjectId, Hash), Sightings>,
    pub(crate) occurrences: BTreeMap<(ProjectId, Hash), BTreeMap<i64, u64>>,
    pub(crate) created: BTreeMap<(ProjectId, TypeId), BTreeMap<i64, u64>>,
    pub(crate) releases: BTreeMap<(ProjectId, String), Timestamp>,
}

const ORGANIZATION: OrganizationId = OrganizationId(1);

impl State {
    pub(crate) fn with_projects(projects: &[u64]) -> Self {
        Self { projects: projects.iter().map(|id| (ProjectId(*id), 0)).collect(), ..Self::default() }
    }

    pub(crate) fn snapshot(&self, needs: &Needs) -> Snapshot {
        let hashes: Vec<_> = needs.hashes.iter().filter_map(|key| Some((*key, *self.hashes.get(key)?))).collect();
        let ids = hashes.iter().filter_map(|(_, id)| *id).chain(needs.issues.iter().copied());
        let project = |id: ProjectId| {
            let last_short_id = *self.projects.get(&id)?;
            Some((id, ProjectState { organization_id: ORGANIZATION, last_short_id, resolve_age_hours: None }))
        };
        let usage = |granules: &BTreeMap<i64, u64>| -> Vec<Usage> {
            granules.iter().map(|(start_secs, count)| Usage { start_secs: *start_secs, count: *count }).collect()
        };
        let issues: HashMap<_, Issue> = ids.filter_map(|id| Some((id, self.issues.get(&id)?.clone()))).collect();
        let hours = issues.values().filter(|issue| issue.awaits_escalation()).map(|issue| {
            let hours = self.hours.range((issue.id, i64::MIN)..=(issue.id, i64::MAX));
            (issue.id, hours.map(|((_, hour), count)| (*hour, *count)).collect())
        });
        let organization = OrganizationState { features: self.features.clone(), ..OrganizationState::default() };
        Snapshot {
            projects: needs.projects.iter().filter_map(|id| project(*id)).collect(),
            organizations: [(ORGANIZATION, organization)].into(),
            known_users: self.users.iter().copied().collect(),
            hours: hours.collect(),
            issues,
            hashes: hashes.into_iter().collect(),
            handled: needs.messages.iter().filter_map(|key| Some((*key, self.handled.get(key)?.at))).collect(),
            sightings: needs.sighted.iter().filter_map(|key| Some((*key, *self.sightings.get(key)?))).collect(),
            occurrences: needs.sighted.iter().filter_map(|k| Some((*k, usage(self.occurrences.get(k)?)))).collect(),
            created: needs.created.iter().filter_map(|key| Some((*key, usage(self.created.get(key)?)))).collect(),
            releases: needs.releases.iter().filter_map(|k| Some((k.clone(), *self.releases.get(k)?))).collect(),
            actors: [].into(),
            last_issue_id: self.issues.last_key_value().map(|(id, _)| *id).unwrap_or_default(),
        }
    }

    pub(crate) fn process(&mut self, messages: &[Routed], now: Timestamp) -> Outcome {
        let outcome = process_occurrence_batch(messages, &self.snapshot(&needs(messages, now)), &self.options, now);
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
        self.history.extend_from_slice(&changes.history);
        self.periods.extend(changes.periods.iter().map(|(id, period)| ((*id, period.number), period.clone())));
        for (project, hash, sightings) in &changes.sightings {
            match sightings {
                Some(sightings) => self.sightings.insert((*project, *hash), *sightings),
                None => self.sightings.remove(&(*project, *hash)),
            };
        }
        for (project, hash, usage) in &changes.occurrences {
            *self.occurrences.entry((*project, *hash)).or_default().entry(usage.start_secs).or_default() += usage.count;
        }
        for (project, id, usage) in &changes.quotas {
            *self.created.entry((*project, *id)).or_default().entry(usage.start_secs).or_default() += usage.count;
        }
        for (project, version, date) in &changes.releases {
            let former = self.releases.insert((*project, version.clone()), *date);
            assert_eq!(former, None, "a release becomes known once");
        }
        for handled in &changes.handled {
            self.handled.insert(handled.key, *handled);
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
            let periods: Vec<_> = self.periods.range((*id, 0)..=(*id, u32::MAX)).map(|(_, period)| period).collect();
            assert_eq!(periods.last().copied(), issue.open_period.as_ref(), "the latest period is the issue's");
            assert!(
                periods.windows(2).all(|pair| pair[0].ended.is_some_and(|end| end <= pair[1].started)),
                "no overlap"
            );
            assert!(
                periods.iter().all(|period| period.ended.is_none_or(|end| period.started <= end)),
                "no end before the start"
            );
            // Archiving a resolved issue leaves its period closed.
            let is_open = periods.last().is_some_and(|period| period.ended.is_none());
            assert!(!is_open || issue.status != Status::Resolved, "no period of a resolved issue is open");
        }
        for ((project, _), owner) in &self.hashes {
            assert!(owner.is_none_or(|id| self.issues[&id].project_id == *project));
        }
    }
}
