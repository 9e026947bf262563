//! The consumer of the log: it turns accepted records into issues and searchable events.
//!
//! A batch flows one way. [`prepare`] reads it from the log and computes, in parallel, what each record means:
//! canonical event, grouping, occurrence, row. [`apply`] then moves the stores: issues first, in one transaction with
//! the consumer's position and the dead letters of what cannot be handled, then the event rows, whose store keeps a
//! position of its own. After a crash each store resumes from its own position, so every record is applied exactly once
//! to each. The log is trimmed behind the slower. [`lanes`] lets the events of a project that floods wait behind those of
//! others. [`traces`] does the same for transactions, spans, logs and metrics, with the trace store in place of the event
//! store. [`letters`] replays dead letters when asked to, each of which
//! has its effect once ([`replays`]), and [`queue`] takes over what was handed in beside the server. What became of each
//! record is counted in the ledger, in the transaction of its effects; what was refused before it came to be a record is
//! read by [`outcomes`].

mod apply;
mod check_ins;
mod dead_letter;
mod facts;
mod files;
mod follow;
mod guard;
mod items;
mod jobs;
mod lanes;
mod ledger;
mod letters;
mod outcomes;
mod pace;
mod platform;
mod prepare;
mod queue;
mod replays;
mod retention;
mod rules;
mod sessions;
mod telemetry;
mod trace_items;
mod traces;
mod transactions;

use std::{sync::Arc, time::Duration};

use nuthatch_protocol::{Clock, Position, Topic};
use nuthatch_store::{
    BlobStore, DeadLetterStore, EventStore, FileStore, IssueStore, Log, MessageQueueStore, MonitorStore, OutcomeStore,
    ProjectFactStore, SessionStore, SettlementStore, StoreError, TraceStore, log::ReadLimit,
};
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::mpsc,
    task::{JoinSet, block_in_place},
};
use tokio_util::sync::CancellationToken;

use crate::{
    check_ins::CheckIns, files::FilesConsumer, follow::Consumer, items::Items, lanes::Lane, outcomes::OutcomesConsumer,
    prepare::ReadEvents, sessions::SessionsConsumer, trace_items::TraceItems, traces::TraceConsumer,
    transactions::Transactions,
};
pub use crate::{
    jobs::run_once as run_job,
    lanes::BACKLOG_BATCH_RECORDS,
    ledger::Entry,
    platform::{EventLookup, prepare_messages, row_id},
    prepare::{Batch, Dead, Filtered, Item, Meaning, Prepared, Stage, prepare},
    rules::{ProjectRules, Rules},
};

/// The consumer that keeps issues: its position lives in the metadata.
pub const ISSUES_CONSUMER: &str = "issues";

/// The consumer that keeps event rows: its position lives in the event store.
pub const EVENTS_CONSUMER: &str = "events";

/// The consumer that keeps outcomes: its position lives in the metadata.
pub const OUTCOMES_CONSUMER: &str = "outcomes";

/// The consumer that keeps check-ins: its position lives in the metadata.
pub const CHECK_INS_CONSUMER: &str = "check-ins";

/// The consumer that keeps sessions: its position lives in the metadata.
pub const SESSIONS_CONSUMER: &str = "sessions";
/// The consumer that keeps files and user reports: its position lives in the metadata.
pub const FILES_CONSUMER: &str = "files";

/// The consumer of transactions in the metadata.
pub const TRANSACTIONS_CONSUMER: &str = "transactions";

/// The consumer of spans, log lines and metrics in the metadata.
pub const TRACE_ITEMS_CONSUMER: &str = "trace-items";

/// The consumer that keeps rows of spans, log lines and metrics: its positions live in the trace store.
pub const TRACES_CONSUMER: &str = "traces";

/// The consumers of a topic that this crate runs; the log is not trimmed before each of them is past a record.
pub fn consumers(topic: Topic) -> &'static [&'static str] {
    match topic {
        Topic::IngestEvents | Topic::IngestEventsBacklog | Topic::IngestOccurrences => {
            &[ISSUES_CONSUMER, EVENTS_CONSUMER]
        }
        Topic::Outcomes => &[OUTCOMES_CONSUMER],
        Topic::IngestTransactions => &[TRANSACTIONS_CONSUMER, TRACES_CONSUMER],
        Topic::TraceItems => &[TRACE_ITEMS_CONSUMER, TRACES_CONSUMER],
        Topic::IngestAttachments => &[FILES_CONSUMER],
        Topic::IngestSessions => &[SESSIONS_CONSUMER],
        Topic::IngestMonitors => &[CHECK_INS_CONSUMER],
    }
}

/// Batches that are prepared ahead of the one being applied.
const PREPARED_AHEAD: usize = 2;

/// First and longest pause before a store that is unavailable is tried again.
const RETRY_PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// How the worker works.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// Largest batch.
    pub batch: ReadLimit,
    /// Longest time until a processed event can be searched.
    pub commit_interval: Duration,
    /// Most events between two commits of the event store.
    pub commit_max_events: usize,
    /// How long events, dead letters and outcomes are kept.
    pub retention: Duration,
    /// Rules of the issue platform.
    pub platform: nuthatch_issues::Options,
}

/// The consumer of the log.
pub struct Worker {
    /// What was accepted.
    pub log: Arc<dyn Log>,
    /// Issues.
    pub issues: Arc<dyn IssueStore>,
    /// Event rows.
    pub events: Arc<dyn EventStore>,
    /// Spans, log lines and metrics.
    pub traces: Arc<dyn TraceStore>,
    /// Dead letters.
    pub letters: Arc<dyn DeadLetterStore>,
    /// Messages that were handed in beside the server.
    pub queue: Arc<dyn MessageQueueStore>,
    /// What became of everything.
    pub outcomes: Arc<dyn OutcomeStore>,
    /// Which files there are.
    pub files: Arc<dyn FileStore>,
    /// The bytes of files.
    pub blobs: Arc<dyn BlobStore>,
    /// What projects have.
    pub facts: Arc<dyn ProjectFactStore>,
    /// What batches leave in the books.
    pub settlements: Arc<dyn SettlementStore>,
    /// Monitors and their check-ins.
    pub monitors: Arc<dyn MonitorStore>,
    /// Sessions.
    pub sessions: Arc<dyn SessionStore>,
    /// What projects do to their events.
    pub rules: Arc<Rules>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How.
    pub options: WorkerOptions,
}

impl Worker {
    /// Works until told to stop, then finishes the batch in hand and commits. Faults of the stores are retried, with
    /// the order kept; only damage that retrying cannot mend ends the worker.
    ///
    /// # Errors
    ///
    /// The store error that ended it.
    pub async fn run(self, stop: CancellationToken) -> Result<(), StoreError> {
        let worker = Arc::new(self);
        let mut tasks = JoinSet::new();
        for partition in 0..worker.log.partitions(Topic::IngestOccurrences) {
            let start = Position { topic: Topic::IngestOccurrences, partition, offset: 0 };
            tasks.spawn(worker.clone().consume(start, Lane::Own, stop.clone()));
        }
        for (start, lane) in lanes::lanes(&*worker.log) {
            tasks.spawn(worker.clone().consume(start, lane, stop.clone()));
        }
        worker.trace::<Transactions>(&mut tasks, &stop);
        worker.trace::<TraceItems>(&mut tasks, &stop);
        tasks.spawn(jobs::run(worker.clone(), stop.clone()));
        worker.follow(&mut tasks, OutcomesConsumer(worker.settlements.clone()), &stop);
        worker.follow(&mut tasks, Items(CheckIns(worker.monitors.clone())), &stop);
        tasks.spawn(check_ins::give_up(worker.clone(), stop.clone()));
        worker.follow(&mut tasks, Items(SessionsConsumer(worker.sessions.clone())), &stop);
        let files = FilesConsumer { files: worker.files.clone(), blobs: worker.blobs.clone() };
        worker.follow(&mut tasks, files, &stop);
        tasks.spawn(letters::replay(worker.clone(), stop.clone()));
        tasks.spawn(queue::run(worker.clone(), stop.clone()));
        tasks.spawn(facts::look_through(worker.clone(), stop.clone()));
        tasks.spawn(retention::run(worker.clone(), stop.clone()));
        let mut result = Ok(());
        while let Some(ended) = tasks.join_next().await {
            let ended = ended
                .unwrap_or_else(|error| Err(StoreError::Unavailable { store: "worker", cause: error.to_string() }));
            if ended.is_err() && result.is_ok() {
                result = ended;
                stop.cancel();
            }
        }
        result
    }

    /// Starts a consumer on each partition of its topic.
    fn follow<C: Consumer>(
        self: &Arc<Self>,
        tasks: &mut JoinSet<Result<(), StoreError>>,
        consumer: C,
        stop: &CancellationToken,
    ) {
        let consumer = Arc::new(consumer);
        for partition in 0..self.log.partitions(C::TOPIC) {
            let start = Position { topic: C::TOPIC, partition, offset: 0 };
            tasks.spawn(follow::follow(self.clone(), consumer.clone(), start, stop.clone()));
        }
    }

    /// Starts a consumer of the trace store on each partition of its topic.
    fn trace<C: TraceConsumer>(
        self: &Arc<Self>,
        tasks: &mut JoinSet<Result<(), StoreError>>,
        stop: &CancellationToken,
    ) {
        for partition in 0..self.log.partitions(C::TOPIC) {
            let start = Position { topic: C::TOPIC, partition, offset: 0 };
            tasks.spawn(traces::consume::<C>(self.clone(), start, stop.clone()));
        }
    }

    async fn consume(self: Arc<Self>, start: Position, lane: Lane, stop: CancellationToken) -> Result<(), StoreError> {
        let limit = lane.batch(self.options.batch);
        let mut apply = apply::Apply::resume(self.clone(), start, lane, &stop).await?;
        let (sender, receiver) = mpsc::channel(PREPARED_AHEAD);
        let (at, decided) = (apply.next(), apply.decided());
        let reading = tokio::spawn(self.clone().read_and_prepare(at, decided, limit, sender, stop.clone()));
        let applied = apply.run(receiver, &stop).await;
        if applied.is_err() {
            stop.cancel();
        }
        let read = reading
            .await
            .unwrap_or_else(|error| Err(StoreError::Unavailable { store: "worker", cause: error.to_string() }));
        applied.and(read)
    }

    /// Reads batches in order and computes what they mean, ahead of the applying side. The issues include what is before
    /// `decided`.
    async fn read_and_prepare(
        self: Arc<Self>,
        mut at: Position,
        decided: Position,
        limit: ReadLimit,
        sender: mpsc::Sender<prepare::Batch>,
        stop: CancellationToken,
    ) -> Result<(), StoreError> {
        while !stop.is_cancelled() {
            let Some(read) = retry(&stop, || self.log.read(at, limit)).await? else { break };
            if read.next.offset == at.offset {
                tokio::select! {
                    biased;
                    () = self.log.wait(at) => {}
                    () = stop.cancelled() => {}
                }
                continue;
            }
            at = read.next;
            let now = self.clock.now();
            let batch = if at.topic == Topic::IngestOccurrences {
                let lookup = EventLookup { events: &*self.events, log: &*self.log, rules: &self.rules };
                let Some(batch) = prepare_messages(read, lookup, now, &stop).await? else { break };
                batch
            } else {
                let read = ReadEvents::new(read, now);
                let Some(rules) = retry(&stop, || self.rules.of_all(read.projects())).await? else { break };
                compute(|| read.prepare(&rules, decided, now))
            };
            if sender.send(batch).await.is_err() {
                break;
            }
        }
        Ok(())
    }
}

/// Computes without keeping other tasks from this thread. A runtime of one thread has no other to give them to, and
/// does everything in one order, which is what a simulation needs.
fn compute<T>(work: impl FnOnce() -> T) -> T {
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::MultiThread => block_in_place(work),
        _ => work(),
    }
}

/// Repeats a call while the store is unavailable, with growing pauses. `None` when told to stop meanwhile. The call may
/// have taken effect all the same, so it must be one that can be repeated.
async fn retry<T, F: Future<Output = Result<T, StoreError>>>(
    stop: &CancellationToken,
    mut call: impl FnMut() -> F,
) -> Result<Option<T>, StoreError> {
    let mut backoff = Backoff::default();
    loop {
        match call().await {
            Ok(value) => return Ok(Some(value)),
            Err(StoreError::Unavailable { store, cause }) => {
                if !backoff.pause(store, &cause, stop).await {
                    return Ok(None);
                }
            }
            Err(error) => return Err(error),
        }
    }
}

/// Pauses between tries, each twice as long as the one before.
struct Backoff(Duration);

impl Default for Backoff {
    fn default() -> Self {
        Self(RETRY_PAUSE.0)
    }
}

impl Backoff {
    /// Waits before the next try; whether there is to be one.
    async fn pause(&mut self, store: &'static str, cause: &str, stop: &CancellationToken) -> bool {
        tracing::warn!(store, cause, pause_ms = self.0.as_millis(), "store is unavailable, will try again");
        telemetry::retried(store);
        tokio::select! {
            biased;
            () = tokio::time::sleep(self.0) => {
                self.0 = (self.0 * 2).min(RETRY_PAUSE.1);
                true
            }
            () = stop.cancelled() => false,
        }
    }
}
