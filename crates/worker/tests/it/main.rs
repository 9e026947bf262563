//! Every record is applied exactly once to each store, whatever fails and whenever the worker dies.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod attachments;
mod facts;
mod faults;
mod flood;
mod lanes;
mod ledger;
mod letters;
#[path = "../../../issues/tests/it/model.rs"]
mod model;
mod options;
mod reports;
mod sessions;
mod simulation;
#[path = "../../../issues/tests/it/state.rs"]
#[expect(dead_code, reason = "the tests of the engine use the rest")]
mod state;
mod traces;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use nuthatch_protocol::{
    DataCategory, EventId, IngestRecord, ItemAttributes, KeyId, Origin, Outcome, Outcomes, Position, ProjectId,
    PublicKey, Timestamp, Topic, record::IngestHeader,
};
use nuthatch_query::Expr;
use nuthatch_store::{
    DeadLetterStore, EventStore, IssueStore, Log, OutcomeStore, ProjectStore, StoreError, TraceStore,
    dead_letters::{Letter, LetterFilter, LetterQuery, LetterScope},
    events::EventQuery,
    issues::{IssueQuery, IssueSort},
    log::{NewRecord, ReadLimit},
    memory::{MemoryBlobs, MemoryEvents, MemoryLog, MemoryMeta, MemoryTraces},
    outcomes::{OutcomeGrouping, OutcomeQuery},
    projects::NewProject,
};
use nuthatch_worker::{EVENTS_CONSUMER, ISSUES_CONSUMER, Rules, TRACES_CONSUMER, Worker, WorkerOptions, consumers};
use tokio_util::sync::CancellationToken;

use faults::{Fault, Faults, Faulty, Witness, away, dies_at};
use traces::FaultyTraces;

const START: Position = Position { topic: Topic::IngestEvents, partition: 0, offset: 0 };
const NOW: Timestamp = Timestamp(1_790_000_000_000_000);

/// Time between two looks at the positions.
const LOOK: Duration = Duration::from_millis(1);

/// The stores, which outlive a worker.
struct Stores {
    log: Arc<MemoryLog>,
    meta: Arc<MemoryMeta>,
    events: Arc<MemoryEvents>,
    traces: Arc<MemoryTraces>,
    blobs: Arc<MemoryBlobs>,
    project: ProjectId,
    platform: nuthatch_issues::Options,
}

impl Stores {
    async fn new() -> Self {
        let meta = Arc::new(MemoryMeta::new());
        let organization_id = meta.create_organization("acme", "Acme", NOW).await.unwrap().id;
        let project = NewProject {
            organization_id,
            slug: "web".to_owned(),
            name: "Web".to_owned(),
            platform: None,
            first_key: PublicKey([1; 16]),
            created: NOW,
        };
        let project = meta.create_project(project).await.unwrap().0.id;
        Self {
            log: Arc::new(MemoryLog::new()),
            meta,
            events: Arc::new(MemoryEvents::new()),
            traces: Arc::new(MemoryTraces::new()),
            blobs: Arc::new(MemoryBlobs::new()),
            project,
            platform: nuthatch_issues::Options::default(),
        }
    }

    async fn accept(&self, id: u8, payload: &str) {
        self.accept_item(Topic::IngestEvents, "event", id, payload).await;
    }

    async fn accept_item(&self, topic: Topic, item_type: &str, id: u8, payload: &str) {
        self.append_item(topic, item_type, self.project, EventId([id; 16]), payload).await;
    }

    async fn accept_for(&self, project_id: ProjectId, event_id: EventId, payload: &str) {
        self.append_item(Topic::IngestEvents, "event", project_id, event_id, payload).await;
    }

    async fn append_item(
        &self,
        topic: Topic,
        item_type: &str,
        project_id: ProjectId,
        event_id: EventId,
        payload: &str,
    ) {
        let header = IngestHeader {
            project_id,
            key_id: KeyId(1),
            event_id,
            item_type: item_type.to_owned(),
            attributes: ItemAttributes::default(),
            blob: None,
            user_agent: None,
            client_hints: nuthatch_protocol::record::ClientHints::default(),
            letter_id: None,
            received: NOW,
            sent_at: None,
            client_ip: None,
            client: None,
            version: "7".to_owned(),
        };
        let value = IngestRecord { header, payload: Bytes::copy_from_slice(payload.as_bytes()) }.encode();
        let record = NewRecord { key: event_id.0, value };
        self.log.append(topic, 0, vec![record]).await.unwrap();
    }

    fn worker(&self, faults: Option<Faults>) -> Worker {
        self.worker_before(faults, None)
    }

    /// A worker whose transactions somebody sees.
    fn worker_before(&self, faults: Option<Faults>, witness: Option<Arc<dyn Witness>>) -> Worker {
        let faults = faults.unwrap_or_else(|| Box::new(|_| Fault::None));
        let faulty = Faulty::new(self.events.clone(), self.meta.clone(), self.log.clone(), faults, witness);
        Worker {
            log: faulty.clone(),
            issues: faulty.clone(),
            events: faulty.clone(),
            traces: Arc::new(FaultyTraces { traces: self.traces.clone(), faulty: faulty.clone() }),
            letters: faulty.clone(),
            queue: self.meta.clone(),
            outcomes: faulty.clone(),
            settlements: faulty.clone(),
            monitors: faulty.clone(),
            sessions: faulty,
            facts: self.meta.clone(),
            files: self.meta.clone(),
            blobs: self.blobs.clone(),
            rules: Arc::new(Rules::new(self.meta.clone())),
            clock: Arc::new(|| NOW),
            options: WorkerOptions {
                batch: ReadLimit { records: 4, bytes: 1 << 20 },
                commit_interval: Duration::ZERO,
                commit_max_events: 3,
                retention: Duration::from_hours(90 * 24),
                platform: self.platform,
            },
        }
    }

    /// Runs a worker until it has done everything there is to do, or fails.
    async fn drain(&self, faults: Option<Faults>) -> Result<(), StoreError> {
        let stop = CancellationToken::new();
        let mut running = tokio::spawn(self.worker(faults).run(stop.clone()));
        loop {
            if self.is_settled().await {
                stop.cancel();
                return running.await.unwrap();
            }
            tokio::select! {
                ended = &mut running => return ended.unwrap(),
                // With paused time the clock only moves while everybody waits.
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// No replay is waiting, and every consumer is at the end of its topic.
    async fn is_settled(&self) -> bool {
        if !self.meta.requested_replays(1).await.unwrap().is_empty() {
            return false;
        }
        for topic in Topic::ALL {
            let start = Position { topic, ..START };
            let end = self.log.bounds(topic, 0).await.unwrap().next;
            for consumer in consumers(topic) {
                let at = match *consumer {
                    EVENTS_CONSUMER => self.events.position(start).await.unwrap(),
                    TRACES_CONSUMER => self.traces.position(start).await.unwrap(),
                    consumer => self.meta.position(consumer, start).await.unwrap(),
                };
                if at.offset != end {
                    return false;
                }
            }
        }
        true
    }

    async fn counted(&self) -> u64 {
        let organization = self.meta.project(self.project).await.unwrap().unwrap().organization_id;
        let query = IssueQuery {
            organization,
            projects: Vec::new(),
            filter: Vec::new(),
            seen_since: None,
            sort: IssueSort::LastSeen,
            cursor: None,
            limit: 100,
        };
        self.meta.issues(&query).await.unwrap().issues.iter().map(|issue| issue.times_seen).sum()
    }

    async fn searchable(&self) -> u64 {
        let query =
            EventQuery { projects: vec![self.project], hashes: None, from: None, until: None, filter: Expr::all() };
        self.events.count(&query).await.unwrap()
    }

    /// What the ledger says, by outcome and reason.
    async fn ledger(&self) -> BTreeMap<(Outcome, String), u64> {
        self.ledger_of(DataCategory::Error).await
    }

    async fn ledger_of(&self, category: DataCategory) -> BTreeMap<(Outcome, String), u64> {
        let query = OutcomeQuery {
            projects: vec![self.project],
            keys: vec![KeyId(1)],
            categories: vec![category],
            outcomes: Vec::new(),
            reasons: Vec::new(),
            from_minute: NOW.secs() / 60,
            until_minute: NOW.secs() / 60 + 1,
            interval_minutes: 1,
            by: OutcomeGrouping { outcome: true, reason: true, ..OutcomeGrouping::default() },
        };
        let sums = self.meta.outcome_sums(&query).await.unwrap().into_iter();
        sums.map(|sum| ((sum.group.outcome.unwrap(), sum.group.reason.unwrap()), sum.quantity)).collect()
    }

    /// The dead letters, newest first.
    async fn dead(&self) -> Vec<Letter> {
        let filter = LetterFilter { scope: LetterScope::Installation, reason: None };
        self.meta.letters(&LetterQuery { filter, cursor: None, limit: 100 }).await.unwrap().letters
    }
}

/// Eight good events of three issues, two of them sent twice, and two that cannot be handled.
async fn history() -> Stores {
    let stores = Stores::new().await;
    for quantity in [2, 3] {
        let origin = Origin { received: NOW, project_id: Some(stores.project), key_id: Some(KeyId(1)) };
        let mut outcomes = Outcomes::default();
        outcomes.add(origin.key(DataCategory::Error, Outcome::ClientDiscard, "before_send"), quantity);
        let record = NewRecord { key: [0; 16], value: outcomes.encode() };
        stores.log.append(Topic::Outcomes, 0, vec![record]).await.unwrap();
    }
    for id in 1..=8 {
        stores.accept(id, &format!(r#"{{"message":"problem {}"}}"#, ["a", "b", "c"][usize::from(id) % 3])).await;
        if id % 4 == 0 {
            stores.accept(id, r#"{"message":"problem a"}"#).await;
            stores.accept(100 + id, "not json").await;
        }
    }
    stores
}

async fn assert_exact(stores: &Stores, what: &str) {
    assert_eq!(stores.counted().await, 8, "{what}: counted by issues");
    assert_eq!(stores.searchable().await, 8, "{what}: stored events");
    let dead = stores.dead().await;
    assert_eq!(dead.len(), 2, "{what}: dead letters");
    assert!(dead.iter().all(|letter| letter.header.reason == "invalid_json"));
    let ledger = [
        ((Outcome::Accepted, String::new()), 8),
        ((Outcome::Invalid, "duplicate".to_owned()), 2),
        ((Outcome::Invalid, "invalid_json".to_owned()), 2),
        ((Outcome::ClientDiscard, "before_send".to_owned()), 5),
    ];
    assert_eq!(stores.ledger().await, BTreeMap::from(ledger), "{what}: the ledger");
    assert_eq!(stores.meta.books().await.unwrap().imbalances(), [], "{what}: the books");
}

#[tokio::test]
async fn repetitions_count_once_and_bad_events_wait_as_dead_letters() {
    let stores = history().await;
    stores.drain(None).await.unwrap();
    assert_exact(&stores, "undisturbed").await;
}

#[tokio::test]
async fn a_worker_that_dies_between_any_two_store_operations_is_taken_up_exactly() {
    let mut deaths = 0;
    for operation in 0.. {
        let stores = history().await;
        if stores.drain(Some(dies_at(operation))).await.is_ok() {
            break;
        }
        deaths += 1;
        stores.drain(None).await.unwrap();
        assert_exact(&stores, &format!("died at operation {operation}")).await;
    }
    assert!(deaths > 10, "only {deaths} deaths were tried");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_for_a_while_delays_and_loses_nothing() {
    for operation in 0..40 {
        let stores = history().await;
        stores.drain(Some(away(operation, 3))).await.unwrap();
        assert_exact(&stores, &format!("away at operation {operation}")).await;
    }
}
