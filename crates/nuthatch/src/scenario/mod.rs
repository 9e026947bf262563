//! Scenarios of the issue platform: a state, messages, and what comes of them. `nuthatch explain occurrences` runs one on
//! in-memory stores with a clock of its own; the tests run them on the embedded store, too.

mod report;
mod setup;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Context as _;
use bytes::Bytes;
use nuthatch_issues::{
    Changes, Job, MessageResult, Options, Routed, Snapshot, changes::EventFate, process_occurrence_batch,
};
use nuthatch_protocol::{EventPath, Message, Partition, Position, Timestamp, Topic};
use nuthatch_store::{
    EventStore as _, MetaStore,
    log::{ReadBatch, StoredRecord},
    memory::{MemoryEvents, MemoryLog, MemoryMeta},
};
use nuthatch_worker::{EventLookup, Rules, prepare_messages};
use serde::Deserialize;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

pub use self::setup::Setup;
use report::Report;

/// A scenario, as far as it is needed to run it.
#[derive(Debug, Deserialize)]
pub struct Scenario {
    /// The state before the first message.
    pub setup: Setup,
    /// What arrives.
    messages: Vec<Arrival>,
}

#[derive(Debug, Deserialize)]
struct Arrival {
    value: Option<Value>,
    raw: Option<String>,
    job: Option<String>,
    #[serde(default = "first_batch")]
    batch: u64,
    #[serde(default)]
    partition: Partition,
}

fn first_batch() -> u64 {
    1
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    ///
    /// What is wrong, and where.
    pub fn read(bytes: &[u8]) -> anyhow::Result<Self> {
        serde_json::from_slice(bytes).context("this is no scenario")
    }

    /// Runs it on a store that holds [`Setup::seed`] and nothing else. The result has the format of `expect`.
    ///
    /// # Errors
    ///
    /// What of the scenario cannot be run.
    pub async fn run(self, store: &dyn MetaStore) -> anyhow::Result<Value> {
        let (events, log) = (MemoryEvents::new(), MemoryLog::new());
        let now = self.setup.now;
        self.setup.fill(store, &events).await?;
        let options = self.setup.options();
        let mut report = Report::new(&self.setup);
        let mut batches: BTreeMap<u64, Vec<Arrival>> = BTreeMap::new();
        for arrival in self.messages {
            batches.entry(arrival.batch).or_default().push(arrival);
        }
        let mut next: BTreeMap<Partition, u64> = BTreeMap::new();
        for (number, arrivals) in batches {
            let now = self.setup.batch_times.get(&number.to_string()).copied().unwrap_or(now);
            let mut records = Vec::new();
            for arrival in arrivals {
                if let Some(job) = &arrival.job {
                    handle(store, &events, &log, std::mem::take(&mut records), &options, now, &mut report).await?;
                    run_job(store, job, now, &mut report).await?;
                    continue;
                }
                let offset = next.entry(arrival.partition).or_default();
                let position =
                    Position { topic: Topic::IngestOccurrences, partition: arrival.partition, offset: *offset };
                *offset += 1;
                let value = match (arrival.value, arrival.raw) {
                    (Some(value), None) => Bytes::from(value.to_string()),
                    (None, Some(raw)) => Bytes::from(raw),
                    _ => anyhow::bail!("a message of batch {number} needs one of `value`, `raw` and `job`"),
                };
                records.push(StoredRecord { position, key: [0; 16], value });
            }
            handle(store, &events, &log, records, &options, now, &mut report).await?;
        }
        report.finish(store, next).await
    }
}

async fn handle(
    store: &dyn MetaStore,
    events: &MemoryEvents,
    log: &MemoryLog,
    records: Vec<StoredRecord>,
    options: &Options,
    now: Timestamp,
    report: &mut Report,
) -> anyhow::Result<()> {
    let Some(last) = records.last() else { return Ok(()) };
    let next = last.position;
    let read = ReadBatch { records, damaged: Vec::new(), next };
    // A scenario knows no options of projects: they are as usual.
    let rules = Rules::new(Arc::new(MemoryMeta::new()));
    let lookup = EventLookup { events, log, rules: &rules };
    let batch = prepare_messages(read, lookup, now, &CancellationToken::new()).await?.context("told to stop")?;
    report.fell_back(batch.items.iter().filter(|item| item.is_legacy).count());
    for dead in &batch.dead {
        let reason = &dead.letter.header.reason;
        report.dropped(reason);
        // What neither schema takes was refused by the current one, too.
        report.fell_back(usize::from(reason == "event_schema_invalid"));
    }
    let (rows, messages): (Vec<_>, Vec<Routed>) = batch.items.into_iter().map(|item| (item.row, item.routed)).unzip();
    let messages: Arc<[Routed]> = messages.into();
    let needs = nuthatch_issues::needs(&messages, now);
    let decided = Arc::new(Mutex::new(Vec::new()));
    let (decide, options) = ((messages.clone(), decided.clone()), *options);
    let changes = store.transact(
        needs,
        None,
        Box::new(move |snapshot: &Snapshot| {
            let (messages, decided) = decide;
            let outcome = process_occurrence_batch(&messages, snapshot, &options, now);
            *decided.lock().unwrap_or_else(PoisonError::into_inner) = outcome.results;
            outcome.changes
        }),
    );
    let changes: Changes = changes.await?;
    let results = std::mem::take(&mut *decided.lock().unwrap_or_else(PoisonError::into_inner));
    for (routed, result) in messages.iter().zip(&results) {
        match result {
            MessageResult::Dropped(reason) => report.dropped(reason.as_str()),
            MessageResult::Refused(reason) => report.dropped(reason.as_str()),
            MessageResult::Duplicate => report.dropped("duplicate"),
            MessageResult::Pruned => report.dropped("pruned"),
            _ => {}
        }
        if let Message::Occurrence(occurrence) = &routed.message
            && result.fate(&routed.message).is_some_and(EventFate::is_stored)
        {
            report.stored(occurrence, occurrence.path == EventPath::Full);
            report.streamed(occurrence, *result);
        }
    }
    report.happened(changes.activities);
    let kept = rows.into_iter().zip(messages.iter().zip(&results)).filter_map(|(row, (routed, result))| {
        let fate = result.fate(&routed.message)?;
        row.filter(|row| row.shows.is_some() && fate.is_stored())
    });
    events.upsert(kept.collect(), next).await?;
    Ok(())
}

async fn run_job(store: &dyn MetaStore, name: &str, now: Timestamp, report: &mut Report) -> anyhow::Result<()> {
    let job = Job::ALL.into_iter().find(|job| job.as_str() == name);
    let job = job.with_context(|| format!("there is no job {name:?}"))?;
    let ids = store.due(job, now, nuthatch_protocol::IssueId(0), usize::MAX).await?;
    let needs = nuthatch_issues::Needs { issues: ids.clone(), ..nuthatch_issues::Needs::default() };
    let decide = Box::new(move |snapshot: &Snapshot| nuthatch_issues::run_job(job, snapshot, &ids, now));
    report.happened(store.transact(needs, None, decide).await?.activities);
    Ok(())
}
