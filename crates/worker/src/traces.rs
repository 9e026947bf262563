//! Consumers whose records become rows of the trace store.
//!
//! The metadata comes first: outcomes, letters and which transactions are new are one settlement with the consumer's
//! position. Then the rows go to the trace store, which keeps a position of its own. After a crash both go on from the
//! slower one: records that are settled are computed again for their rows alone, and a row of the same id replaces
//! itself.

use std::{collections::HashSet, marker::PhantomData, sync::Arc};

use nuthatch_protocol::{Fact, IngestRecord, Position, ProjectId, Topic, TraceItem};
use nuthatch_store::{
    StoreError,
    issues::ConsumerPosition,
    log::{ReadBatch, ReadLimit},
    settlements::{Counted, ItemKey, SeenItem, Settlement},
};
use rayon::prelude::*;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    TRACES_CONSUMER, Worker, compute, dead_letter,
    items::{self, Broken, Fate, Meaning},
    ledger::Entry,
    pace::Pace,
    replays::Replays,
    retry,
    rules::ProjectRules,
    telemetry,
};

/// A kind of records that become rows of the trace store.
pub(crate) trait TraceConsumer: Send + Sync + 'static {
    /// Under which its position in the metadata is kept.
    const NAME: &'static str;
    /// What it reads.
    const TOPIC: Topic;

    /// What a record means. Pure, and called in parallel.
    fn prepare(record: &IngestRecord, rules: &ProjectRules) -> Result<Meaning<Traced>, Broken>;
}

/// What a record brings to the trace store.
pub(crate) struct Traced {
    /// The rows.
    pub(crate) rows: Vec<TraceItem>,
    /// Under what it is remembered, if only the first record of an id brings its rows.
    pub(crate) once: Option<ItemKey>,
    /// The version that it names, which its project has from then on.
    pub(crate) release: Option<(ProjectId, String)>,
}

/// Bytes of records that are read at once. A transaction can become rows of many times its size, all of which are in memory.
const BATCH_BYTES: usize = 2 << 20;

/// Takes the records of one partition until told to stop, then commits.
pub(crate) async fn consume<C: TraceConsumer>(
    worker: Arc<Worker>,
    start: Position,
    stop: CancellationToken,
) -> Result<(), StoreError> {
    let Some(settled) = retry(&stop, || worker.issues.position(C::NAME, start)).await? else { return Ok(()) };
    let Some(stored) = retry(&stop, || worker.traces.position(start)).await? else { return Ok(()) };
    if settled != stored {
        tracing::info!(%settled, %stored, "stores differ, catching up");
    }
    let mut partition = Partition::<C> { worker, settled, stored, pace: Pace::new(), kind: PhantomData };
    // A log that lost its end must not give offsets again that the stores have applied.
    partition.release(&stop).await?;
    partition.run(&stop).await?;
    partition.commit(&stop).await
}

/// Where the stores are in a partition.
struct Partition<C> {
    worker: Arc<Worker>,
    /// The first record that the metadata does not include.
    settled: Position,
    /// The first record that was not given to the trace store.
    stored: Position,
    pace: Pace,
    kind: PhantomData<C>,
}

/// A batch, and what it means.
struct Prepared {
    /// The place of each record, and what became of it.
    fates: Vec<(Position, Fate<Traced>)>,
    replays: Replays,
}

impl<C: TraceConsumer> Partition<C> {
    async fn run(&mut self, stop: &CancellationToken) -> Result<(), StoreError> {
        let worker = self.worker.clone();
        let most = worker.options.batch;
        let limit = ReadLimit { bytes: most.bytes.min(BATCH_BYTES), ..most };
        while !stop.is_cancelled() {
            if self.pace.is_due(&worker.options) {
                self.commit(stop).await?;
            }
            let at = self.settled.min(self.stored);
            let Some(read) = retry(stop, || worker.log.read(at, limit)).await? else { break };
            if read.next == at {
                tokio::select! {
                    biased;
                    () = worker.log.wait(at) => {}
                    () = stop.cancelled() => {}
                    () = tokio::time::sleep(self.pace.left(&worker.options)), if self.pace.is_pending() => {}
                }
                continue;
            }
            let begun = Instant::now();
            let Some(prepared) = self.prepare(&read, stop).await? else { break };
            let is_settled = read.next <= self.settled || self.settle(&read, &prepared, stop).await?;
            if !is_settled || !(read.next <= self.stored || self.store(read.next, prepared, stop).await?) {
                break;
            }
            telemetry::processed(read.records.len() + read.damaged.len(), begun.elapsed());
        }
        Ok(())
    }

    /// Computes the batch on all cores. `None` when told to stop meanwhile.
    async fn prepare(&self, read: &ReadBatch, stop: &CancellationToken) -> Result<Option<Prepared>, StoreError> {
        let now = self.worker.clock.now();
        let decoded: Vec<_> = read.records.iter().map(|record| (record, IngestRecord::decode(&record.value))).collect();
        let headers = decoded.iter().filter_map(|(_, decoded)| Some(&decoded.as_ref().ok()?.header));
        let projects: HashSet<_> = headers.map(|header| header.project_id).collect();
        let Some(rules) = retry(stop, || self.worker.rules.of_all(projects.clone())).await? else { return Ok(None) };
        let asked = Replays::among(&decoded);
        let Some(replays) = retry(stop, || asked.clone().known(&*self.worker.settlements)).await? else {
            return Ok(None);
        };
        let fates = compute(|| {
            let prepare = |(record, decoded)| {
                let prepare = |record: &IngestRecord, rules: &ProjectRules| C::prepare(record, rules);
                let record: &nuthatch_store::log::StoredRecord = record;
                (record.position, items::prepare(prepare, record, decoded, &rules, &replays, now))
            };
            decoded.into_par_iter().map(prepare).collect()
        });
        Ok(Some(Prepared { fates, replays }))
    }

    /// Settles what is not settled yet; whether it was not told to stop meanwhile.
    async fn settle(
        &mut self,
        read: &ReadBatch,
        prepared: &Prepared,
        stop: &CancellationToken,
    ) -> Result<bool, StoreError> {
        let (worker, now) = (&self.worker, self.worker.clock.now());
        let records = read.next.offset.saturating_sub(self.settled.offset);
        let consumer = ConsumerPosition { consumer: C::NAME.to_owned(), position: read.next };
        let mut settlement = Settlement { replays: prepared.replays.taken(now), ..Settlement::of(consumer, records) };
        let (mut once, mut found) = (Vec::new(), 0);
        for damaged in read.damaged.iter().filter(|damaged| damaged.position >= self.settled) {
            found += 1;
            dead_letter::settle_damaged(damaged, &mut settlement, now);
        }
        for (position, meaning) in prepared.fates.iter().filter(|(position, _)| *position >= self.settled) {
            found += 1;
            match meaning {
                Ok(meaning) => {
                    settlement.outcomes.extend(meaning.outcomes.clone());
                    for effect in &meaning.effects {
                        if let Some(release) = &effect.what.release {
                            settlement.releases.entry(release.clone()).or_insert(effect.units.origin.received);
                        }
                        for row in &effect.what.rows {
                            if let Some(fact) = Fact::of_item(row) {
                                settlement.facts.saw(row.project_id, fact, row.timestamp);
                            }
                        }
                        match effect.what.once {
                            Some(key) => {
                                let what = SeenItem { key, position: *position };
                                once.push(Counted { what, units: effect.units.clone() });
                            }
                            None => settlement.outcomes.extend(effect.accepted()),
                        }
                    }
                }
                Err(lost) => {
                    let (letter, lost) = &**lost;
                    settlement.letters.push(letter.clone());
                    settlement.outcomes.extend(lost.clone());
                }
            }
        }
        settlement.outcomes.add(Entry::missing(now), records.saturating_sub(found));
        telemetry::filtered_units(&settlement.outcomes);
        let settle = || worker.settlements.settle_once(once.clone(), settlement.clone());
        if retry(stop, settle).await?.is_none() {
            return Ok(false);
        }
        dead_letter::report(worker, &settlement.letters, stop).await?;
        self.settled = read.next;
        Ok(true)
    }

    /// Gives the rows to the trace store that it was not given yet; whether it was not told to stop meanwhile.
    async fn store(
        &mut self,
        next: Position,
        prepared: Prepared,
        stop: &CancellationToken,
    ) -> Result<bool, StoreError> {
        let worker = &self.worker;
        let new = prepared.fates.into_iter().filter(|(position, _)| *position >= self.stored);
        let effects: Vec<(Position, Traced)> = new
            .filter_map(|(position, meaning)| Some((position, meaning.ok()?.effects)))
            .flat_map(|(position, effects)| effects.into_iter().map(move |effect| (position, effect.what)))
            .collect();
        let keys: Vec<ItemKey> = effects.iter().filter_map(|(_, traced)| traced.once).collect();
        let Some(first) = retry(stop, || worker.settlements.first_positions(&keys)).await? else { return Ok(false) };
        let is_first = |(at, traced): &(Position, Traced)| traced.once.is_none_or(|key| first.get(&key) == Some(at));
        let kept = effects.into_iter().filter(is_first);
        let rows: Vec<TraceItem> = kept.flat_map(|(_, traced)| traced.rows).collect();
        if retry(stop, || worker.traces.upsert(rows.clone(), next)).await?.is_none() {
            return Ok(false);
        }
        self.pace.added(rows.len());
        self.stored = next;
        Ok(true)
    }

    async fn commit(&mut self, stop: &CancellationToken) -> Result<(), StoreError> {
        if self.pace.is_pending() {
            let begun = Instant::now();
            // At shutdown there is one more try: what is not committed is replayed at the next start.
            if retry(stop, || self.worker.traces.commit()).await?.is_none() {
                return Ok(());
            }
            telemetry::committed(begun.elapsed());
        }
        self.pace.committed();
        self.release(stop).await
    }

    /// Tells the log what is applied for good. Uncommitted rows are not: at a commit there are none.
    async fn release(&self, stop: &CancellationToken) -> Result<(), StoreError> {
        for (consumer, position) in [(C::NAME, self.settled), (TRACES_CONSUMER, self.stored)] {
            retry(stop, || self.worker.log.release(consumer, position)).await?;
        }
        Ok(())
    }
}
