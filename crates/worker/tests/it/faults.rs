//! Stores that fail at a chosen operation.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use bytes::Bytes;
use nuthatch_issues::{
    Activity, Changes, Issue, Job, MessageKey, Needs, changes::Handled, history::HistoryEntry, open_period::OpenPeriod,
};
use nuthatch_protocol::{
    EventId, EventRow, Hash, IssueId, LetterId, Outcomes, Partition, Position, ProjectId, Timestamp, Topic,
    record::DeadLetter,
};
use nuthatch_store::{
    DeadLetterStore, EventStore, IssueStore, Log, OutcomeStore, StoreError,
    dead_letters::{LetterBounds, LetterFilter, LetterPage, LetterQuery, LetterScope, StoredLetter},
    events::{EventPage, EventQuery, EventStoreSize, EventSummary, StoredEvent, TagValues},
    issues::{ConsumerPosition, Decide, IssuePage, IssueQuery, ProjectTotals},
    log::{LogBounds, NewRecord, ReadBatch, ReadLimit, StoredRecord},
    memory::{MemoryEvents, MemoryLog, MemoryMeta},
    outcomes::{Books, OutcomeQuery, OutcomeSum},
};

/// What goes wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// From this operation on nothing works: the process is dead.
    Die { operation: u64 },
    /// This operation and the next ones fail in passing.
    Away { operation: u64, times: u64 },
}

/// The three stores, with one count of the operations that change something.
pub(crate) struct Faulty {
    events: Arc<MemoryEvents>,
    meta: Arc<MemoryMeta>,
    log: Arc<MemoryLog>,
    fault: Option<Fault>,
    operations: AtomicU64,
}

impl Faulty {
    pub(crate) fn new(
        events: Arc<MemoryEvents>,
        meta: Arc<MemoryMeta>,
        log: Arc<MemoryLog>,
        fault: Option<Fault>,
    ) -> Arc<Self> {
        Arc::new(Self { events, meta, log, fault, operations: AtomicU64::new(0) })
    }

    fn step(&self) -> Result<(), StoreError> {
        let at = self.operations.fetch_add(1, Ordering::SeqCst);
        match self.fault {
            Some(Fault::Die { operation }) if at >= operation => {
                Err(StoreError::Corrupt { store: "test", cause: "the process is dead".to_owned() })
            }
            Some(Fault::Away { operation, times }) if (operation..operation + times).contains(&at) => {
                Err(StoreError::Unavailable { store: "test", cause: "away".to_owned() })
            }
            _ => Ok(()),
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
        self.step()?;
        self.log.append(topic, partition, records).await
    }

    async fn read(&self, from: Position, limit: ReadLimit) -> Result<ReadBatch, StoreError> {
        self.log.read(from, limit).await
    }

    async fn wait(&self, at: Position) {
        self.log.wait(at).await;
    }

    async fn find(&self, from: Position, key: [u8; 16]) -> Result<Option<StoredRecord>, StoreError> {
        self.log.find(from, key).await
    }

    async fn bounds(&self, topic: Topic, partition: Partition) -> Result<LogBounds, StoreError> {
        self.log.bounds(topic, partition).await
    }

    async fn release(&self, consumer: &str, position: Position) -> Result<(), StoreError> {
        self.step()?;
        self.log.release(consumer, position).await
    }

    async fn consumers(&self) -> Result<Vec<(String, Position)>, StoreError> {
        self.log.consumers().await
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
        self.step()?;
        self.meta.transact(needs, position, decide).await
    }

    async fn position(&self, consumer: &str, start: Position) -> Result<Position, StoreError> {
        self.meta.position(consumer, start).await
    }

    async fn handled(&self, keys: &[MessageKey]) -> Result<Vec<Handled>, StoreError> {
        self.meta.handled(keys).await
    }

    async fn kept_events(
        &self,
        after: Option<(ProjectId, EventId)>,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<Handled>, StoreError> {
        self.meta.kept_events(after, since, limit).await
    }

    async fn due(&self, job: Job, now: Timestamp, after: IssueId, limit: usize) -> Result<Vec<IssueId>, StoreError> {
        self.meta.due(job, now, after, limit).await
    }

    async fn open_periods(&self, id: IssueId) -> Result<Vec<OpenPeriod>, StoreError> {
        self.meta.open_periods(id).await
    }

    async fn history(&self, id: IssueId, limit: usize) -> Result<Vec<HistoryEntry>, StoreError> {
        self.meta.history(id, limit).await
    }

    async fn issue(&self, id: IssueId) -> Result<Option<Issue>, StoreError> {
        self.meta.issue(id).await
    }

    async fn issue_by_short_id(&self, project: ProjectId, short_id: u64) -> Result<Option<Issue>, StoreError> {
        self.meta.issue_by_short_id(project, short_id).await
    }

    async fn issue_of_hash(&self, project: ProjectId, hash: Hash) -> Result<Option<IssueId>, StoreError> {
        self.meta.issue_of_hash(project, hash).await
    }

    async fn hashes(&self, id: IssueId) -> Result<Vec<Hash>, StoreError> {
        self.meta.hashes(id).await
    }

    async fn issues(&self, query: &IssueQuery) -> Result<IssuePage, StoreError> {
        self.meta.issues(query).await
    }

    async fn hourly_counts(&self, ids: &[IssueId], from_hour: i64) -> Result<Vec<(IssueId, i64, u64)>, StoreError> {
        self.meta.hourly_counts(ids, from_hour).await
    }

    async fn activities(&self, id: IssueId, limit: usize) -> Result<Vec<Activity>, StoreError> {
        self.meta.activities(id, limit).await
    }

    async fn project_totals(&self, project: ProjectId) -> Result<ProjectTotals, StoreError> {
        self.meta.project_totals(project).await
    }

    async fn expire(&self, before: Timestamp) -> Result<(), StoreError> {
        self.meta.expire(before).await
    }
}

#[async_trait]
impl DeadLetterStore for Faulty {
    async fn take_letters(
        &self,
        letters: Vec<DeadLetter>,
        position: ConsumerPosition,
        bounds: LetterBounds,
    ) -> Result<u64, StoreError> {
        self.step()?;
        self.meta.take_letters(letters, position, bounds).await
    }

    async fn letters(&self, query: &LetterQuery) -> Result<LetterPage, StoreError> {
        self.meta.letters(query).await
    }

    async fn letter(&self, id: LetterId) -> Result<Option<StoredLetter>, StoreError> {
        self.meta.letter(id).await
    }

    async fn letter_counts(&self, scope: LetterScope) -> Result<Vec<(String, u64)>, StoreError> {
        self.meta.letter_counts(scope).await
    }

    async fn request_replay(&self, id: LetterId, record: Bytes) -> Result<(), StoreError> {
        self.meta.request_replay(id, record).await
    }

    async fn request_replays(&self, filter: &LetterFilter) -> Result<u64, StoreError> {
        self.meta.request_replays(filter).await
    }

    async fn requested_replays(&self, limit: usize) -> Result<Vec<StoredLetter>, StoreError> {
        self.meta.requested_replays(limit).await
    }

    async fn remove_letters(&self, ids: &[LetterId]) -> Result<u64, StoreError> {
        self.step()?;
        self.meta.remove_letters(ids).await
    }

    async fn remove_all_letters(&self, filter: &LetterFilter) -> Result<u64, StoreError> {
        self.meta.remove_all_letters(filter).await
    }

    async fn expire_letters(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.meta.expire_letters(before).await
    }
}

#[async_trait]
impl OutcomeStore for Faulty {
    async fn add_outcomes(
        &self,
        outcomes: Outcomes,
        records: u64,
        position: ConsumerPosition,
    ) -> Result<(), StoreError> {
        self.step()?;
        self.meta.add_outcomes(outcomes, records, position).await
    }

    async fn outcome_sums(&self, query: &OutcomeQuery) -> Result<Vec<OutcomeSum>, StoreError> {
        self.meta.outcome_sums(query).await
    }

    async fn roll_up_outcomes(&self, before: Timestamp) -> Result<(), StoreError> {
        self.meta.roll_up_outcomes(before).await
    }

    async fn expire_outcomes(&self, before: Timestamp) -> Result<(), StoreError> {
        self.meta.expire_outcomes(before).await
    }

    async fn books(&self) -> Result<Books, StoreError> {
        self.meta.books().await
    }
}

#[async_trait]
impl EventStore for Faulty {
    async fn upsert(&self, rows: Vec<EventRow>, position: Position) -> Result<(), StoreError> {
        self.step()?;
        self.events.upsert(rows, position).await
    }

    async fn commit(&self) -> Result<(), StoreError> {
        self.step()?;
        self.events.commit().await
    }

    async fn position(&self, start: Position) -> Result<Position, StoreError> {
        EventStore::position(&*self.events, start).await
    }

    async fn get(&self, project: ProjectId, id: EventId) -> Result<Option<StoredEvent>, StoreError> {
        self.events.get(project, id).await
    }

    async fn search(&self, query: &EventQuery, page: &EventPage) -> Result<Vec<EventSummary>, StoreError> {
        self.events.search(query, page).await
    }

    async fn count(&self, query: &EventQuery) -> Result<u64, StoreError> {
        self.events.count(query).await
    }

    async fn histogram(&self, query: &EventQuery, interval_secs: u32) -> Result<Vec<(Timestamp, u64)>, StoreError> {
        self.events.histogram(query, interval_secs).await
    }

    async fn tag_values(&self, query: &EventQuery, key: &str, limit: usize) -> Result<TagValues, StoreError> {
        self.events.tag_values(query, key, limit).await
    }

    async fn tag_keys(&self, query: &EventQuery) -> Result<Vec<(String, u64)>, StoreError> {
        self.events.tag_keys(query).await
    }

    async fn hashes(&self, query: &EventQuery, limit: usize) -> Result<Vec<Hash>, StoreError> {
        EventStore::hashes(&*self.events, query, limit).await
    }

    async fn drop_before(&self, time: Timestamp) -> Result<(), StoreError> {
        self.events.drop_before(time).await
    }

    async fn size(&self) -> Result<EventStoreSize, StoreError> {
        self.events.size().await
    }
}
