//! Stores that fail at a chosen operation.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use nuthatch_issues::{
    Activity, Changes, Issue, Job, MessageKey, Needs, changes::Handled, history::HistoryEntry, open_period::OpenPeriod,
};
use nuthatch_protocol::{
    EventId, EventRow, Hash, IssueId, LetterId, Partition, Position, ProjectId, SessionUpdate, Timestamp, Topic,
};
use nuthatch_store::{
    DeadLetterStore, EventStore, IssueStore, Log, MonitorStore, OutcomeStore, SessionStore, SettlementStore,
    StoreError,
    dead_letters::{LetterBounds, LetterFilter, LetterPage, LetterQuery, LetterScope, StoredLetter},
    event_groups::{EventGroups, Grouping},
    events::{EventPage, EventQuery, EventStoreSize, EventSummary, StoredEvent, TagValues},
    issues::{ConsumerPosition, Decide, IssuePage, IssueQuery},
    log::{LogBounds, NewRecord, ReadBatch, ReadLimit, StoredRecord},
    memory::{MemoryEvents, MemoryLog, MemoryMeta},
    monitors::{CheckInQuery, Monitor, ReceivedCheckIn, Run},
    outcomes::{Books, OutcomeQuery, OutcomeSum},
    sessions::{SessionQuery, SessionSum},
    settlements::{Counted, ItemKey, SeenItem, Settlement},
};

/// What happens to an operation of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing out of the ordinary.
    None,
    /// It takes so long to begin.
    Slow(Duration),
    /// It fails in passing, without effect.
    Fails,
    /// It takes effect, and the caller learns of a failure.
    AnswerLost,
    /// The process is dead: it has no effect, and no later one has.
    Dead,
}

/// Says what happens to an operation, by its number.
pub(crate) type Faults = Box<dyn Fn(u64) -> Fault + Send + Sync>;

/// From this operation on nothing works: the process is dead.
pub(crate) fn dies_at(operation: u64) -> Faults {
    Box::new(move |at| if at >= operation { Fault::Dead } else { Fault::None })
}

/// This operation and the next ones fail in passing.
pub(crate) fn away(operation: u64, times: u64) -> Faults {
    Box::new(move |at| if (operation..operation + times).contains(&at) { Fault::Fails } else { Fault::None })
}

/// Looks on while issues change.
pub(crate) trait Witness: Send + Sync {
    /// A transaction was asked for; what this returns comes back with [`Self::committed`].
    fn asked(&self) -> Timestamp;
    /// It took effect.
    fn committed(&self, asked: Timestamp, position: Option<ConsumerPosition>, changes: &Changes);
}

/// The three stores, with one count of the operations.
pub(crate) struct Faulty {
    events: Arc<MemoryEvents>,
    meta: Arc<MemoryMeta>,
    log: Arc<MemoryLog>,
    faults: Faults,
    witness: Option<Arc<dyn Witness>>,
    operations: AtomicU64,
}

impl Faulty {
    pub(crate) fn new(
        events: Arc<MemoryEvents>,
        meta: Arc<MemoryMeta>,
        log: Arc<MemoryLog>,
        faults: Faults,
        witness: Option<Arc<dyn Witness>>,
    ) -> Arc<Self> {
        Arc::new(Self { events, meta, log, faults, witness, operations: AtomicU64::new(0) })
    }

    pub(crate) async fn step<T>(
        &self,
        operation: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let away = || StoreError::Unavailable { store: "test", cause: "away".to_owned() };
        match (self.faults)(self.operations.fetch_add(1, Ordering::SeqCst)) {
            Fault::None => operation.await,
            Fault::Slow(pause) => {
                tokio::time::sleep(pause).await;
                operation.await
            }
            Fault::Fails => Err(away()),
            Fault::AnswerLost => operation.await.and_then(|_| Err(away())),
            Fault::Dead => Err(StoreError::Corrupt { store: "test", cause: "the process is dead".to_owned() }),
        }
    }
}

#[async_trait]
impl Log for Faulty {
    fn partitions(&self, topic: Topic) -> Partition {
        self.log.partitions(topic)
    }

    async fn append(
        &self,
        topic: Topic,
        partition: Partition,
        records: Vec<NewRecord>,
    ) -> Result<Position, StoreError> {
        self.step(self.log.append(topic, partition, records)).await
    }

    async fn read(&self, from: Position, limit: ReadLimit) -> Result<ReadBatch, StoreError> {
        self.step(self.log.read(from, limit)).await
    }

    async fn wait(&self, at: Position) {
        self.log.wait(at).await;
    }

    async fn find(&self, from: Position, key: [u8; 16]) -> Result<Option<StoredRecord>, StoreError> {
        self.step(self.log.find(from, key)).await
    }

    async fn bounds(&self, topic: Topic, partition: Partition) -> Result<LogBounds, StoreError> {
        self.step(self.log.bounds(topic, partition)).await
    }

    async fn release(&self, consumer: &str, position: Position) -> Result<(), StoreError> {
        self.step(self.log.release(consumer, position)).await
    }

    async fn consumers(&self) -> Result<Vec<(String, Position)>, StoreError> {
        self.step(self.log.consumers()).await
    }

    fn has_room(&self) -> bool {
        self.log.has_room()
    }

    fn health(&self) -> Result<(), String> {
        self.log.health()
    }
}

#[async_trait]
impl IssueStore for Faulty {
    async fn transact(
        &self,
        needs: Needs,
        position: Option<ConsumerPosition>,
        decide: Decide,
    ) -> Result<Changes, StoreError> {
        let asked = self.witness.as_ref().map(|witness| witness.asked());
        let transaction = async {
            let changes = self.meta.transact(needs, position.clone(), decide).await?;
            if let (Some(witness), Some(asked)) = (&self.witness, asked) {
                witness.committed(asked, position, &changes);
            }
            Ok(changes)
        };
        self.step(transaction).await
    }

    async fn position(&self, consumer: &str, start: Position) -> Result<Position, StoreError> {
        self.step(self.meta.position(consumer, start)).await
    }

    async fn handled(&self, keys: &[MessageKey]) -> Result<Vec<Handled>, StoreError> {
        self.step(self.meta.handled(keys)).await
    }

    async fn kept_events(
        &self,
        after: Option<(ProjectId, EventId)>,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<Handled>, StoreError> {
        self.step(self.meta.kept_events(after, since, limit)).await
    }

    async fn due(&self, job: Job, now: Timestamp, after: IssueId, limit: usize) -> Result<Vec<IssueId>, StoreError> {
        self.step(self.meta.due(job, now, after, limit)).await
    }

    async fn open_periods(&self, id: IssueId) -> Result<Vec<OpenPeriod>, StoreError> {
        self.step(self.meta.open_periods(id)).await
    }

    async fn history(&self, id: IssueId, limit: usize) -> Result<Vec<HistoryEntry>, StoreError> {
        self.step(self.meta.history(id, limit)).await
    }

    async fn issue(&self, id: IssueId) -> Result<Option<Issue>, StoreError> {
        self.step(self.meta.issue(id)).await
    }

    async fn issue_by_short_id(&self, project: ProjectId, short_id: u64) -> Result<Option<Issue>, StoreError> {
        self.step(self.meta.issue_by_short_id(project, short_id)).await
    }

    async fn issue_of_hash(&self, project: ProjectId, hash: Hash) -> Result<Option<IssueId>, StoreError> {
        self.step(self.meta.issue_of_hash(project, hash)).await
    }

    async fn hashes(&self, id: IssueId) -> Result<Vec<Hash>, StoreError> {
        self.step(self.meta.hashes(id)).await
    }

    async fn issues(&self, query: &IssueQuery) -> Result<IssuePage, StoreError> {
        self.step(self.meta.issues(query)).await
    }

    async fn hourly_counts(&self, ids: &[IssueId], from_hour: i64) -> Result<Vec<(IssueId, i64, u64)>, StoreError> {
        self.step(self.meta.hourly_counts(ids, from_hour)).await
    }

    async fn activities(&self, id: IssueId, limit: usize) -> Result<Vec<Activity>, StoreError> {
        self.step(self.meta.activities(id, limit)).await
    }

    async fn expire(&self, before: Timestamp) -> Result<(), StoreError> {
        self.step(self.meta.expire(before)).await
    }
}

#[async_trait]
impl DeadLetterStore for Faulty {
    async fn cut_letters(&self, bounds: LetterBounds) -> Result<u64, StoreError> {
        self.step(self.meta.cut_letters(bounds)).await
    }

    async fn letters(&self, query: &LetterQuery) -> Result<LetterPage, StoreError> {
        self.step(self.meta.letters(query)).await
    }

    async fn letter(&self, id: LetterId) -> Result<Option<StoredLetter>, StoreError> {
        self.step(self.meta.letter(id)).await
    }

    async fn letter_counts(&self, scope: LetterScope) -> Result<Vec<(String, u64)>, StoreError> {
        self.step(self.meta.letter_counts(scope)).await
    }

    async fn request_replay(&self, id: LetterId, record: Bytes) -> Result<(), StoreError> {
        self.step(self.meta.request_replay(id, record)).await
    }

    async fn request_replays(&self, filter: &LetterFilter) -> Result<u64, StoreError> {
        self.step(self.meta.request_replays(filter)).await
    }

    async fn requested_replays(&self, limit: usize) -> Result<Vec<StoredLetter>, StoreError> {
        self.step(self.meta.requested_replays(limit)).await
    }

    async fn remove_letters(&self, ids: &[LetterId]) -> Result<u64, StoreError> {
        self.step(self.meta.remove_letters(ids)).await
    }

    async fn remove_all_letters(&self, filter: &LetterFilter) -> Result<u64, StoreError> {
        self.step(self.meta.remove_all_letters(filter)).await
    }

    async fn expire_letters(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.step(self.meta.expire_letters(before)).await
    }
}

#[async_trait]
impl SettlementStore for Faulty {
    async fn settle(&self, settlement: Settlement) -> Result<(), StoreError> {
        self.step(self.meta.settle(settlement)).await
    }

    async fn settle_once(&self, items: Vec<Counted<SeenItem>>, settlement: Settlement) -> Result<(), StoreError> {
        self.step(self.meta.settle_once(items, settlement)).await
    }

    async fn first_positions(&self, keys: &[ItemKey]) -> Result<HashMap<ItemKey, Position>, StoreError> {
        self.step(self.meta.first_positions(keys)).await
    }

    async fn forget_items(&self, before: Timestamp) -> Result<(), StoreError> {
        self.step(self.meta.forget_items(before)).await
    }
}

#[async_trait]
impl MonitorStore for Faulty {
    async fn apply_check_ins(
        &self,
        check_ins: Vec<Counted<ReceivedCheckIn>>,
        settlement: Settlement,
    ) -> Result<(), StoreError> {
        self.step(self.meta.apply_check_ins(check_ins, settlement)).await
    }

    async fn give_up_check_ins(&self, before: Timestamp, consumer: ConsumerPosition) -> Result<(), StoreError> {
        self.step(self.meta.give_up_check_ins(before, consumer)).await
    }

    async fn monitors(&self, projects: &[ProjectId]) -> Result<Vec<Monitor>, StoreError> {
        self.step(self.meta.monitors(projects)).await
    }

    async fn check_ins(&self, query: &CheckInQuery) -> Result<Vec<Run>, StoreError> {
        self.step(self.meta.check_ins(query)).await
    }

    async fn delete_monitor(&self, id: EventId) -> Result<(), StoreError> {
        self.step(self.meta.delete_monitor(id)).await
    }

    async fn expire_check_ins(&self, before: Timestamp) -> Result<(), StoreError> {
        self.step(self.meta.expire_check_ins(before)).await
    }
}

#[async_trait]
impl SessionStore for Faulty {
    async fn apply_sessions(
        &self,
        updates: Vec<Counted<SessionUpdate>>,
        settlement: Settlement,
    ) -> Result<(), StoreError> {
        self.step(self.meta.apply_sessions(updates, settlement)).await
    }

    async fn session_sums(&self, query: &SessionQuery) -> Result<Vec<SessionSum>, StoreError> {
        self.step(self.meta.session_sums(query)).await
    }

    async fn expire_sessions(&self, states_before: Timestamp, counts_before: Timestamp) -> Result<(), StoreError> {
        self.step(self.meta.expire_sessions(states_before, counts_before)).await
    }
}

#[async_trait]
impl OutcomeStore for Faulty {
    async fn outcome_sums(&self, query: &OutcomeQuery) -> Result<Vec<OutcomeSum>, StoreError> {
        self.step(self.meta.outcome_sums(query)).await
    }

    async fn roll_up_outcomes(&self, before: Timestamp) -> Result<(), StoreError> {
        self.step(self.meta.roll_up_outcomes(before)).await
    }

    async fn expire_outcomes(&self, before: Timestamp) -> Result<(), StoreError> {
        self.step(self.meta.expire_outcomes(before)).await
    }

    async fn books(&self) -> Result<Books, StoreError> {
        self.step(self.meta.books()).await
    }
}

#[async_trait]
impl EventStore for Faulty {
    async fn upsert(&self, rows: Vec<EventRow>, position: Position) -> Result<(), StoreError> {
        self.step(self.events.upsert(rows, position)).await
    }

    async fn commit(&self) -> Result<(), StoreError> {
        self.step(self.events.commit()).await
    }

    async fn position(&self, start: Position) -> Result<Position, StoreError> {
        self.step(EventStore::position(&*self.events, start)).await
    }

    async fn get(&self, project: ProjectId, id: EventId) -> Result<Option<StoredEvent>, StoreError> {
        self.step(self.events.get(project, id)).await
    }

    async fn primary_hashes(&self, project: ProjectId, ids: &[EventId]) -> Result<HashMap<EventId, Hash>, StoreError> {
        self.step(self.events.primary_hashes(project, ids)).await
    }

    async fn search(&self, query: &EventQuery, page: &EventPage) -> Result<Vec<EventSummary>, StoreError> {
        self.step(self.events.search(query, page)).await
    }

    async fn count(&self, query: &EventQuery) -> Result<u64, StoreError> {
        self.step(self.events.count(query)).await
    }

    async fn histogram(&self, query: &EventQuery, interval_secs: u32) -> Result<Vec<(Timestamp, u64)>, StoreError> {
        self.step(self.events.histogram(query, interval_secs)).await
    }

    async fn tag_values(&self, query: &EventQuery, key: &str, limit: usize) -> Result<TagValues, StoreError> {
        self.step(self.events.tag_values(query, key, limit)).await
    }

    async fn tag_keys(&self, query: &EventQuery) -> Result<Vec<(String, u64)>, StoreError> {
        self.step(self.events.tag_keys(query)).await
    }

    async fn hashes(&self, query: &EventQuery, limit: usize) -> Result<Vec<(ProjectId, Hash)>, StoreError> {
        self.step(EventStore::hashes(&*self.events, query, limit)).await
    }

    async fn groups(&self, query: &EventQuery, grouping: &Grouping) -> Result<EventGroups, StoreError> {
        self.step(self.events.groups(query, grouping)).await
    }

    async fn drop_before(&self, time: Timestamp) -> Result<(), StoreError> {
        self.step(self.events.drop_before(time)).await
    }

    async fn size(&self) -> Result<EventStoreSize, StoreError> {
        self.step(self.events.size()).await
    }
}
