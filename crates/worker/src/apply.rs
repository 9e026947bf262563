//! Moves the stores: issues and dead letters in one transaction with the position, then event rows.

use std::{
    collections::HashMap,
    sync::{Arc, mpsc as sync_mpsc},
};

use nuthatch_issues::{
    MessageKey, MessageResult, Routed, Snapshot,
    changes::{EventFate, Handled},
    flood::KEPT_OF,
    message_key, process_occurrence_batch,
};
use nuthatch_normalize::Reason;
use nuthatch_protocol::{EventRow, Fact, Facts, Message, Outcomes, Position, Timestamp, record::DeadLetter};
use nuthatch_store::{StoreError, issues::ConsumerPosition, log::StoredRecord};
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    Backoff, EVENTS_CONSUMER, ISSUES_CONSUMER, Worker,
    dead_letter::{self, Refusal},
    facts::ENVIRONMENT,
    lanes::Lane,
    ledger::Entry,
    pace::Pace,
    prepare::{Batch, Dead, Filtered, Item},
    retry, telemetry,
};

/// The applying side of one partition.
pub(crate) struct Apply {
    worker: Arc<Worker>,
    /// Where the partition begins.
    start: Position,
    /// What the issues include.
    issues_at: Position,
    /// What the event store was given.
    events_at: Position,
    pace: Pace,
    lane: Lane,
}

/// A batch as the transaction needs it, however often it is tried.
struct Work {
    messages: Vec<Routed>,
    /// The records of the messages.
    records: Vec<StoredRecord>,
    /// Where the messages are counted.
    entries: Vec<Entry>,
    /// The environments that the messages' events name, and when these happened.
    environments: Vec<Option<(String, Timestamp)>>,
    /// Records that their projects do not want.
    filtered: Vec<Filtered>,
    /// Records that are no messages.
    dead: Vec<Dead>,
    /// The position behind the batch.
    next: Position,
}

impl Work {
    /// A batch, and the rows of its messages.
    fn of(batch: Batch) -> (Arc<Self>, Vec<Option<EventRow>>) {
        let Batch { items, filtered, dead, next } = batch;
        let (messages, records, entries, environments) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut work = Self { messages, records, entries, environments, filtered, dead, next };
        let mut rows = Vec::with_capacity(items.len());
        for Item { routed, record, row, entry, .. } in items {
            work.messages.push(routed);
            work.records.push(record);
            work.entries.push(entry);
            work.environments.push(row.as_ref().and_then(|row| {
                let (_, name) = row.tags.iter().find(|(key, _)| key == ENVIRONMENT)?;
                Some((name.clone(), row.timestamp))
            }));
            rows.push(row);
        }
        (Arc::new(work), rows)
    }

    /// The records that are not applied yet and cannot be handled: by their form, or because the platform says so.
    fn letters(&self, fresh: usize, results: &[MessageResult], applied: Position, now: Timestamp) -> Vec<DeadLetter> {
        // Reports of a kind that no version knows are counted, but no replay makes events of them.
        let is_kept = |dead: &&Dead| dead.letter.header.reason != Reason::SecurityReportType.as_str();
        let dead = self.dead(applied).filter(is_kept).map(|dead| dead.letter.clone());
        let refused = self.messages[fresh..].iter().zip(&self.records[fresh..]).zip(results);
        let refused = refused.filter_map(|((routed, record), result)| {
            let MessageResult::Refused(reason) = result else { return None };
            let event_id = match &routed.message {
                Message::Occurrence(occurrence) => Some(occurrence.event_id),
                Message::StatusChange(_) | Message::Unknown(_) => None,
            };
            let refusal = Refusal {
                project_id: Some(routed.message.project_id()),
                event_id,
                reason: reason.as_str().to_owned(),
                message: reason.to_string(),
                place: None,
                entry: None,
            };
            Some(dead_letter::letter(record, refusal, now))
        });
        dead.chain(refused).collect()
    }

    /// Records that are not applied yet and are no messages.
    fn dead(&self, applied: Position) -> impl Iterator<Item = &Dead> {
        self.dead.iter().filter(move |dead| dead.letter.header.source >= applied)
    }

    /// Records that are not applied yet and that their projects do not want.
    fn filtered(&self, applied: Position) -> impl Iterator<Item = &Filtered> {
        self.filtered.iter().filter(move |filtered| filtered.position >= applied)
    }

    /// What becomes of each record that is not applied yet. Those that are left over are not in the log any more.
    fn outcomes(&self, fresh: usize, results: &[MessageResult], applied: Position, now: Timestamp) -> Outcomes {
        let decided = self.entries[fresh..].iter().zip(results).map(|(entry, result)| entry.of_result(*result));
        let dead = self.dead(applied).map(|dead| dead.entry.invalid(&dead.letter.header.reason));
        let mut outcomes = Outcomes::default();
        let mut counted = 0;
        let filtered = self.filtered(applied).map(|filtered| filtered.entry.filtered(filtered.reason.as_str()));
        for key in decided.chain(dead).chain(filtered) {
            outcomes.add(key, 1);
            counted += 1;
        }
        outcomes.add(Entry::missing(now), (self.next.offset - applied.offset).saturating_sub(counted));
        outcomes
    }

    /// What the events that are kept show that their projects have.
    fn facts(&self, fresh: usize, results: &[MessageResult]) -> Facts {
        let mut facts = Facts::default();
        let named = self.messages[fresh..].iter().zip(&self.environments[fresh..]).zip(results);
        for ((Routed { message, .. }, environment), result) in named {
            if let Some((name, at)) = environment
                && result.fate(message).is_some_and(EventFate::is_stored)
            {
                facts.saw(message.project_id(), Fact::Environment(name.clone()), *at);
            }
        }
        facts
    }
}

impl Apply {
    /// Takes up where the stores are.
    pub(crate) async fn resume(
        worker: Arc<Worker>,
        start: Position,
        lane: Lane,
        stop: &CancellationToken,
    ) -> Result<Self, StoreError> {
        let issues_at = retry(stop, || worker.issues.position(ISSUES_CONSUMER, start)).await?.unwrap_or(start);
        let events_at = retry(stop, || worker.events.position(start)).await?.unwrap_or(start);
        if issues_at != events_at {
            tracing::info!(issues = %issues_at, events = %events_at, "stores differ, catching up");
        }
        let resumed = Self { worker, start, issues_at, events_at, pace: Pace::new(), lane };
        // A log that lost its end must not give offsets again that the stores have applied.
        resumed.release(stop).await?;
        resumed.lane.applied(resumed.next());
        Ok(resumed)
    }

    /// The first record that a store has not applied.
    pub(crate) fn next(&self) -> Position {
        self.issues_at.min(self.events_at)
    }

    /// The first record that nothing was decided about.
    pub(crate) fn decided(&self) -> Position {
        self.issues_at
    }

    /// Applies batches until there are no more, then commits.
    pub(crate) async fn run(
        &mut self,
        mut batches: mpsc::Receiver<Batch>,
        stop: &CancellationToken,
    ) -> Result<(), StoreError> {
        loop {
            let left = self.pace.left(&self.worker.options);
            tokio::select! {
                biased;
                batch = batches.recv() => match batch {
                    Some(batch) => {
                        self.lane.wait(&*self.worker.log, stop).await?;
                        self.apply(batch, stop).await?;
                        self.lane.applied(self.next());
                    }
                    None => break,
                },
                () = tokio::time::sleep(left), if self.pace.is_pending() => {}
            }
            if self.pace.is_due(&self.worker.options) {
                self.commit(stop).await?;
            }
        }
        self.commit(stop).await
    }

    async fn apply(&mut self, batch: Batch, stop: &CancellationToken) -> Result<(), StoreError> {
        let begun = Instant::now();
        let next = batch.next;
        let count = batch.items.len() + batch.filtered.len() + batch.dead.len();
        let (work, rows) = Work::of(batch);
        let Some(fates) = self.settle(&work, stop).await? else { return Ok(()) };
        if next > self.events_at {
            let rows: Vec<EventRow> = rows
                .into_iter()
                .zip(&work.records)
                .zip(&fates)
                .filter(|((_, record), _)| record.position >= self.events_at)
                .filter_map(|((row, _), fate)| kept_row(row?, *fate))
                .collect();
            let added = rows.len();
            if retry(stop, || self.worker.events.upsert(rows.clone(), next)).await?.is_none() {
                return Ok(());
            }
            self.pace.added(added);
            self.events_at = next;
        }
        telemetry::processed(count, begun.elapsed());
        Ok(())
    }

    /// What becomes of the messages' events: decided now, or before a crash. `None` when told to stop meanwhile.
    async fn settle(
        &mut self,
        work: &Arc<Work>,
        stop: &CancellationToken,
    ) -> Result<Option<Vec<EventFate>>, StoreError> {
        let mut backoff = Backoff::default();
        loop {
            let fresh = work.records.partition_point(|record| record.position < self.issues_at);
            let Some(mut fates) = self.replayed(&work.messages[..fresh], stop).await? else { return Ok(None) };
            if work.next <= self.issues_at {
                return Ok(Some(fates));
            }
            match self.decide(work, fresh, stop).await {
                Ok(decided) => {
                    self.issues_at = work.next;
                    fates.extend(decided);
                    return Ok(Some(fates));
                }
                Err(StoreError::Unavailable { store, cause }) => {
                    if !backoff.pause(store, &cause, stop).await {
                        return Ok(None);
                    }
                    // Perhaps it took effect, and only the answer is missing.
                    let at = retry(stop, || self.worker.issues.position(ISSUES_CONSUMER, self.start)).await?;
                    let Some(at) = at else { return Ok(None) };
                    self.issues_at = at;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Messages that the issues already include: what became of their events, unless another record brought them.
    async fn replayed(
        &self,
        messages: &[Routed],
        stop: &CancellationToken,
    ) -> Result<Option<Vec<EventFate>>, StoreError> {
        if messages.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let keys: Vec<MessageKey> = messages.iter().map(|routed| message_key(&routed.message)).collect();
        let Some(handled) = retry(stop, || self.worker.issues.handled(&keys)).await? else { return Ok(None) };
        let handled: HashMap<MessageKey, Handled> = handled.into_iter().map(|handled| (handled.key, handled)).collect();
        let fate = |(key, message): (&MessageKey, &Routed)| {
            let handled = handled.get(key).filter(|handled| handled.position == message.position);
            handled.map_or(EventFate::None, |handled| handled.fate)
        };
        Ok(Some(keys.iter().zip(messages).map(fate).collect()))
    }

    /// Lets the issue platform decide on the messages from `fresh` on. Its changes, the dead letters, what became of
    /// each record, and the position are one transaction.
    async fn decide(
        &self,
        work: &Arc<Work>,
        fresh: usize,
        stop: &CancellationToken,
    ) -> Result<Vec<EventFate>, StoreError> {
        let now = self.worker.clock.now();
        let needs = nuthatch_issues::needs(&work.messages[fresh..], now);
        let (options, applied) = (self.worker.options.platform, self.issues_at);
        let (sender, results) = sync_mpsc::sync_channel(1);
        let position = ConsumerPosition { consumer: ISSUES_CONSUMER.to_owned(), position: work.next };
        let decided = work.clone();
        let decide = move |snapshot: &Snapshot| {
            let outcome = process_occurrence_batch(&decided.messages[fresh..], snapshot, &options, now);
            let mut changes = outcome.changes;
            changes.letters = decided.letters(fresh, &outcome.results, applied, now);
            changes.outcomes = decided.outcomes(fresh, &outcome.results, applied, now);
            changes.facts = decided.facts(fresh, &outcome.results);
            // The receiver outlives the call; if it is gone nobody wants the results.
            let _ = sender.send((outcome.results, outcome.counters));
            changes
        };
        let changes = self.worker.issues.transact(needs, Some(position), Box::new(decide)).await?;
        let (results, counters) = results.recv().unwrap_or_default();
        telemetry::decided(&counters);
        telemetry::filtered(work.filtered(applied));
        dead_letter::report(&self.worker, &changes.letters, stop).await?;
        let fates = work.messages[fresh..].iter().zip(results);
        Ok(fates.map(|(routed, result)| result.fate(&routed.message).unwrap_or(EventFate::None)).collect())
    }

    async fn commit(&mut self, stop: &CancellationToken) -> Result<(), StoreError> {
        let begun = Instant::now();
        if self.pace.is_pending() {
            // At shutdown there is one more try: what is not committed is replayed at the next start.
            if retry(stop, || self.worker.events.commit()).await?.is_none() {
                return Ok(());
            }
            telemetry::committed(begun.elapsed());
        }
        self.pace.committed();
        self.release(stop).await
    }

    /// Tells the log what is applied for good. Uncommitted rows are not: at a commit there are none.
    async fn release(&self, stop: &CancellationToken) -> Result<(), StoreError> {
        for (consumer, position) in [(ISSUES_CONSUMER, self.issues_at), (EVENTS_CONSUMER, self.events_at)] {
            retry(stop, || self.worker.log.release(consumer, position)).await?;
        }
        Ok(())
    }
}

/// The tag of an event that is kept for several.
const SAMPLE_TAG: &str = "sampled";

/// The row as it is stored. An event that belongs to no issue has no hashes; one that is kept for several says so.
fn kept_row(mut row: EventRow, fate: EventFate) -> Option<EventRow> {
    match fate {
        EventFate::Counted => {}
        EventFate::Kept => row.hashes.clear(),
        EventFate::Sample => {
            row.tags.retain(|(key, _)| key != SAMPLE_TAG);
            row.tags.push((SAMPLE_TAG.to_owned(), format!("1 of {KEPT_OF}")));
        }
        EventFate::None | EventFate::Thinned => return None,
    }
    Some(row)
}
