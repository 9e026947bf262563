//! Holds the end of a history against the model.

use std::collections::{BTreeMap, BTreeSet};

use nuthatch_issues::{Changes, MessageResult, Routed};
use nuthatch_protocol::{
    EventId, Hash, IngestRecord, IssueId, Message, OrganizationId, Position, ProjectId, Timestamp, Topic,
};
use nuthatch_query::Expr;
use nuthatch_store::{
    DeadLetterStore, EventStore, IssueStore,
    dead_letters::{LetterFilter, LetterQuery, LetterScope},
    events::EventQuery,
    issues::{IssueQuery, IssueSort},
    log::{ReadBatch, StoredRecord},
    memory::{MemoryEvents, MemoryLog},
};
use nuthatch_worker::{EventLookup, ISSUES_CONSUMER, Meaning, Prepared, Rules, Stage, prepare, prepare_messages};
use tokio_util::sync::CancellationToken;

use super::{
    plan::PROJECTS,
    tally::Tally,
    world::{TOPICS, World},
};
use crate::{model, state::State};

/// What the model says the stores should hold.
struct Expected {
    state: State,
    /// Rows of events: their hashes.
    rows: BTreeMap<(ProjectId, EventId), Vec<Hash>>,
    /// Records that cannot be handled.
    refused: BTreeSet<Position>,
    /// What was stored before: where occurrences find the events they name.
    events: MemoryEvents,
    rules: Rules,
    tally: Tally,
}

/// The event of a record, if it is one.
async fn prepared(record: &StoredRecord, rules: &Rules) -> Option<Box<Prepared>> {
    let record = IngestRecord::decode(&record.value).ok()?;
    let rules = rules.of(record.header.project_id).await.unwrap();
    match prepare(&record, &rules, Stage::New) {
        Ok(Meaning::Event(prepared)) => Some(prepared),
        Ok(Meaning::Filtered(_)) | Err(_) => None,
    }
}

/// Handles the log in the order in which the worker committed it, one record at a time, and compares.
pub(crate) async fn ends_like_the_model(world: &World) -> Tally {
    let mut state = State::with_projects(&PROJECTS);
    state.options = world.plan.options();
    let mut expected = Expected {
        state,
        rows: BTreeMap::new(),
        refused: BTreeSet::new(),
        events: MemoryEvents::new(),
        rules: Rules::new(world.meta.clone()),
        tally: world.tally(),
    };
    let records: BTreeMap<Position, StoredRecord> = world
        .appended()
        .into_iter()
        .map(|(position, sent)| (position, StoredRecord { position, key: sent.record.key, value: sent.record.value }))
        .collect();
    // Occurrences find every event that was accepted, whether it was applied before them or not.
    for record in records.values().filter(|record| record.position.topic.is_events()) {
        if let Some(event) = prepared(record, &expected.rules).await {
            expected.events.upsert(vec![event.row()], record.position).await.unwrap();
        }
    }
    let mut applied: BTreeMap<(Topic, u16), u64> = BTreeMap::new();
    for commit in world.journal() {
        let Some(at) = commit.position else {
            expected.age(&commit.changes);
            continue;
        };
        assert_eq!(at.consumer, ISSUES_CONSUMER);
        let from = applied.entry((at.position.topic, at.position.partition)).or_default();
        assert!(*from < at.position.offset, "{} is applied twice", at.position);
        let records_of = at.position.offset - *from;
        assert_eq!(
            commit.changes.outcomes.quantity(),
            records_of,
            "each record in front of {} is counted",
            at.position
        );
        for offset in std::mem::replace(from, at.position.offset)..at.position.offset {
            let record = &records[&Position { offset, ..at.position }];
            expected.handle(record, commit.now).await;
        }
        expected.state.check();
    }
    for topic in TOPICS {
        for partition in 0..world.plan.partitions {
            let sent = records.keys().filter(|at| (at.topic, at.partition) == (topic, partition)).count() as u64;
            let reached = applied.get(&(topic, partition)).copied().unwrap_or_default();
            assert_eq!(reached, sent, "all of {topic}/{partition} is applied");
        }
    }
    expected.compare(world).await;
    expected.tally
}

impl Expected {
    /// A job ran, on the time its round began.
    fn age(&mut self, changes: &Changes) {
        for issue in &changes.updated {
            model::grow_old(&mut self.state, issue.id, issue.state_since);
            self.tally.count("aged", 1);
        }
    }

    /// Reads a record alone and lets the model handle it.
    async fn handle(&mut self, record: &StoredRecord, now: Timestamp) {
        let position = record.position;
        let read = if position.topic.is_events() {
            prepared(record, &self.rules).await.map(|ready| {
                let message = nuthatch_grouping::occurrence(&ready.header, &ready.event, &ready.grouping);
                (Message::Occurrence(Box::new(message)), Some(ready.row()))
            })
        } else {
            let next = Position { offset: position.offset + 1, ..position };
            let read = ReadBatch { records: vec![record.clone()], damaged: Vec::new(), next };
            let log = MemoryLog::new();
            let lookup = EventLookup { events: &self.events, log: &log, rules: &self.rules };
            let batch = prepare_messages(read, lookup, now, &CancellationToken::new()).await.unwrap().unwrap();
            batch.items.into_iter().next().map(|item| (item.routed.message, item.row))
        };
        let Some((message, row)) = read else {
            self.refused.insert(position);
            self.tally.count("unreadable", 1);
            return;
        };
        let routed = Routed { message, position: Some(position) };
        let result = model::handle(&mut self.state, &routed, now);
        self.tally.count(name(result), 1);
        if matches!(result, MessageResult::Refused(_)) {
            self.refused.insert(position);
        }
        if let (Some(row), Some(fate)) = (row, result.fate(&routed.message)) {
            let hashes = if fate.is_counted() { row.hashes.clone() } else { Vec::new() };
            if fate.is_stored() {
                self.rows.insert((row.project_id, row.event_id), hashes);
            }
        }
    }

    async fn compare(&self, world: &World) {
        let state = &self.state;
        let meta = &world.meta;
        let query = IssueQuery {
            organization: OrganizationId(1),
            projects: Vec::new(),
            filter: Vec::new(),
            seen_since: None,
            sort: IssueSort::LastSeen,
            cursor: None,
            limit: 100,
        };
        assert_eq!(meta.issues(&query).await.unwrap().hits, state.issues.len() as u64, "issues");
        for (id, issue) in &state.issues {
            assert_eq!(meta.issue(*id).await.unwrap().as_ref(), Some(issue));
            let of = |at: IssueId| at == *id;
            let mut activities = meta.activities(*id, usize::MAX).await.unwrap();
            activities.sort_by_key(|activity| activity.at);
            let mut expected: Vec<_> =
                state.activities.iter().filter(|activity| of(activity.issue_id)).cloned().collect();
            expected.sort_by_key(|activity| activity.at);
            assert_eq!(activities.len(), expected.len(), "activities of {id}");
            for activity in &expected {
                assert!(activities.contains(activity), "{activity:?}");
            }
            let mut history = meta.history(*id, usize::MAX).await.unwrap();
            history.reverse();
            let expected: Vec<_> = state.history.iter().filter(|entry| of(entry.issue_id)).cloned().collect();
            assert_eq!(history, expected, "history of {id}");
            let expected: Vec<_> =
                state.periods.range((*id, 0)..=(*id, u32::MAX)).map(|(_, period)| period.clone()).collect();
            assert_eq!(meta.open_periods(*id).await.unwrap(), expected, "open periods of {id}");
            let expected: Vec<_> = state
                .hours
                .iter()
                .filter(|((issue, _), _)| of(*issue))
                .map(|((id, hour), n)| (*id, *hour, *n))
                .collect();
            assert_eq!(meta.hourly_counts(&[*id], i64::MIN).await.unwrap(), expected, "events of {id} by the hour");
        }
        for ((project, hash), owner) in &state.hashes {
            assert_eq!(meta.issue_of_hash(*project, *hash).await.unwrap(), *owner, "the owner of {hash}");
        }
        let keys: Vec<_> = state.handled.keys().copied().collect();
        let mut handled = meta.handled(&keys).await.unwrap();
        handled.sort_by_key(|handled| handled.key);
        assert_eq!(handled, state.handled.values().copied().collect::<Vec<_>>(), "handled messages");
        self.compare_events(world).await;
        self.compare_letters(world).await;
    }

    async fn compare_events(&self, world: &World) {
        let projects = PROJECTS.map(ProjectId).to_vec();
        let query = EventQuery { projects, hashes: None, from: None, until: None, filter: Expr::all() };
        assert_eq!(world.events.count(&query).await.unwrap(), self.rows.len() as u64, "stored events");
        for ((project, id), hashes) in &self.rows {
            let stored = world.events.get(*project, *id).await.unwrap();
            assert_eq!(stored.map(|event| event.summary.hashes), Some(hashes.clone()), "event {id}");
        }
    }

    async fn compare_letters(&self, world: &World) {
        let filter = LetterFilter { scope: LetterScope::Installation, reason: None };
        let letters = world.meta.letters(&LetterQuery { filter, cursor: None, limit: 100 }).await.unwrap().letters;
        assert_eq!(letters.len(), self.refused.len(), "dead letters");
        let sources: BTreeSet<_> = letters.into_iter().map(|letter| letter.header.source).collect();
        assert_eq!(sources, self.refused, "dead letters");
    }
}

fn name(result: MessageResult) -> String {
    match result {
        MessageResult::Created(_) => "created".to_owned(),
        MessageResult::Updated(_) => "updated".to_owned(),
        MessageResult::Sample(_) => "sample".to_owned(),
        MessageResult::Thinned(_) => "thinned".to_owned(),
        MessageResult::Regressed(_) => "regressed".to_owned(),
        MessageResult::StatusChanged(_) => "status changed".to_owned(),
        MessageResult::Duplicate => "duplicate".to_owned(),
        MessageResult::Pruned => "pruned".to_owned(),
        MessageResult::Dropped(reason) => format!("dropped: {}", reason.as_str()),
        MessageResult::Refused(_) => "refused".to_owned(),
    }
}
