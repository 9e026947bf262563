//! What came of a scenario, in the format of its `expect`.

use std::collections::{BTreeMap, BTreeSet};

use nuthatch_issues::{Activity, Issue, MessageResult};
use nuthatch_protocol::{EventId, Hash, IssueId, Occurrence, Partition, ProjectId, Timestamp};
use nuthatch_store::MetaStore;
use serde_json::{Map, Value, json};

use super::setup::{Group, Setup, hash_of};

/// What is gathered while it runs.
pub(super) struct Report {
    groups: Vec<Group>,
    occurrences: BTreeSet<(ProjectId, EventId)>,
    events: BTreeSet<(ProjectId, EventId)>,
    stream: Vec<(IssueId, Value)>,
    activities: Vec<Activity>,
    dropped: BTreeMap<String, u64>,
    fallbacks: usize,
}

impl Report {
    pub(super) fn new(setup: &Setup) -> Self {
        Self {
            groups: setup.groups.clone(),
            occurrences: BTreeSet::new(),
            events: BTreeSet::new(),
            stream: Vec::new(),
            activities: Vec::new(),
            dropped: BTreeMap::new(),
            fallbacks: 0,
        }
    }

    pub(super) fn dropped(&mut self, reason: &str) {
        *self.dropped.entry(reason.to_owned()).or_default() += 1;
    }

    pub(super) fn fell_back(&mut self, events: usize) {
        self.fallbacks += events;
    }

    /// The record of an occurrence was stored, and its event when the message brought one.
    pub(super) fn stored(&mut self, occurrence: &Occurrence, with_event: bool) {
        self.occurrences.insert((occurrence.project_id, occurrence.id));
        if with_event {
            self.events.insert((occurrence.project_id, occurrence.event_id));
        }
    }

    /// The row for the search store, when there is an issue.
    pub(super) fn streamed(&mut self, occurrence: &Occurrence, result: MessageResult) {
        let (id, is_new, is_regression) = match result {
            MessageResult::Created(id) => (id, true, false),
            MessageResult::Updated(id) | MessageResult::Sample(id) => (id, false, false),
            MessageResult::Regressed(id) => (id, false, true),
            _ => return,
        };
        let row = json!({
            "occurrence_id": occurrence.id, "event_id": occurrence.event_id, "group": null, "is_new": is_new,
            "is_regression": is_regression, "primary_hash": occurrence.hashes.first(),
        });
        self.stream.push((id, row));
    }

    pub(super) fn happened(&mut self, activities: Vec<Activity>) {
        self.activities.extend(activities);
    }

    pub(super) async fn finish(
        self,
        store: &dyn MetaStore,
        committed: BTreeMap<Partition, u64>,
    ) -> anyhow::Result<Value> {
        // Those of the setup have the first ids.
        let mut names: BTreeMap<IssueId, String> = BTreeMap::new();
        let alive = self.groups.iter().filter(|group| group.is_alive());
        names.extend((1..).map(IssueId).zip(alive.map(|group| group.name.clone())));
        let known = names.len() as u64;
        let mut issues = Vec::new();
        let mut owned: BTreeSet<(ProjectId, Hash)> = BTreeSet::new();
        let mut id = IssueId(1);
        while let Some(issue) = store.issue(id).await? {
            let name = names.entry(id).or_insert_with(|| format!("new-{}", id.0 - known)).clone();
            let mut hashes = store.hashes(id).await?;
            hashes.sort_unstable();
            owned.extend(hashes.iter().map(|hash| (issue.project_id, *hash)));
            let periods = store.open_periods(id).await?;
            let periods = periods.iter().map(|period| {
                json!({"open": period.ended.is_none(), "highest_seen_priority": period.highest_priority.number()})
            });
            issues.push(described(&name, &issue, &hashes, &periods.collect::<Vec<_>>()));
            id.0 += 1;
        }
        for group in self.groups.iter().filter(|group| !group.is_alive()) {
            issues.push(gone(group, &owned));
        }
        let stream = self.stream.into_iter().map(|(id, mut row)| {
            row["group"] = names.get(&id).cloned().into();
            row
        });
        let activities = self.activities.iter().map(|activity| {
            json!({
                "group": names.get(&activity.issue_id), "type": activity.kind.number(), "data": activity.data,
            })
        });
        let committed: Map<String, Value> =
            committed.into_iter().map(|(partition, offset)| (partition.to_string(), offset.into())).collect();
        Ok(json!({
            "issues": issues,
            "occurrences_stored": self.occurrences.len(),
            "events_stored": self.events.len(),
            "eventstream": stream.collect::<Vec<_>>(),
            "activities": activities.collect::<Vec<_>>(),
            "dropped": self.dropped,
            "schema_fallbacks": self.fallbacks,
            "committed": committed,
        }))
    }
}

fn described(name: &str, issue: &Issue, hashes: &[Hash], open_periods: &[Value]) -> Value {
    json!({
        "ref": name,
        "project_id": issue.project_id,
        "type": issue.type_id,
        "title": issue.title,
        "status": issue.status.number(),
        "substatus": issue.substatus.map(nuthatch_issues::Substatus::number),
        "priority": issue.priority.number(),
        "level": issue.level,
        "culprit": issue.culprit,
        "times_seen": issue.times_seen,
        "first_seen": written(issue.first_seen),
        "last_seen": written(issue.last_seen),
        "assignee": issue.assignee.map(nuthatch_issues::Assignee::text),
        "first_release": issue.first_release,
        "hashes": hashes,
        "open_periods": open_periods,
    })
}

/// A group that is being deleted or merged: as it was, without the hashes that others took over.
fn gone(group: &Group, owned: &BTreeSet<(ProjectId, Hash)>) -> Value {
    let hashes = group.fingerprints.iter().map(|part| hash_of(part));
    let mut hashes: Vec<Hash> = hashes.filter(|hash| !owned.contains(&(group.project_id, *hash))).collect();
    hashes.sort_unstable();
    let periods = group
        .open_periods
        .iter()
        .map(|period| json!({"open": period.ended.is_none(), "highest_seen_priority": period.highest_seen_priority}));
    json!({
        "ref": group.name, "project_id": group.project_id, "type": group.type_id, "title": group.title,
        "status": group.status, "substatus": group.substatus, "priority": group.priority, "level": group.level,
        "culprit": group.culprit, "times_seen": group.times_seen, "first_seen": written(group.first_seen),
        "last_seen": written(group.last_seen), "assignee": null, "first_release": null, "hashes": hashes,
        "open_periods": periods.collect::<Vec<_>>(),
    })
}

/// RFC 3339 with all six digits of the fraction, or none.
fn written(time: Timestamp) -> String {
    let text = time.to_string();
    let Some((whole, fraction)) = text.trim_end_matches('Z').split_once('.') else { return text };
    format!("{whole}.{fraction:0<6}Z")
}
