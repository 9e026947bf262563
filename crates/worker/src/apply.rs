//! Moves the stores: issues in one transaction with the position, then event rows, then the dead letters' topic.

use std::{
    collections::HashMap,
    sync::{Arc, mpsc as sync_mpsc},
    time::Instant,
};

use nuthatch_issues::{
    MessageKey, MessageResult, RefuseReason, Routed,
    changes::{EventFate, Handled},
    message_key, process_occurrence_batch,
};
use nuthatch_protocol::{EventRow, Message, Position, Topic, record::DeadLetter};
use nuthatch_store::{StoreError, issues::ConsumerPosition};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    EVENTS_CONSUMER, ISSUES_CONSUMER, Worker,
    dead_letter::{self, Refusal},
    prepare::{Batch, Item},
    retry, telemetry,
};

/// The applying side of one partition.
pub(crate) struct Apply {
    worker: Arc<Worker>,
    /// What the issues include.
    issues_at: Position,
    /// What the event store was given.
    events_at: Position,
    /// Rows given to the event store and not committed.
    uncommitted: usize,
    committed: Instant,
}

/// What became of a batch's messages.
struct Verdict {
    /// For each message: what becomes of its event.
    fates: Vec<EventFate>,
    /// What the platform refused: number of the message and why.
    refused: Vec<(usize, RefuseReason)>,
}

impl Apply {
    /// Takes up where the stores are.
    pub(crate) async fn resume(
        worker: Arc<Worker>,
        start: Position,
        stop: &CancellationToken,
    ) -> Result<Self, StoreError> {
        let issues_at = retry(stop, || worker.issues.position(ISSUES_CONSUMER, start)).await?.unwrap_or(start);
        let events_at = retry(stop, || worker.events.position(start)).await?.unwrap_or(start);
        if issues_at != events_at {
            tracing::info!(issues = %issues_at, events = %events_at, "stores differ, catching up");
        }
        let resumed = Self { worker, issues_at, events_at, uncommitted: 0, committed: Instant::now() };
        // A log that lost its end must not give offsets again that the stores have applied.
        resumed.release(stop).await?;
        Ok(resumed)
    }

    /// The first record that a store has not applied.
    pub(crate) fn next(&self) -> Position {
        self.issues_at.min(self.events_at)
    }

    /// Applies batches until there are no more, then commits.
    pub(crate) async fn run(
        &mut self,
        mut batches: mpsc::Receiver<Batch>,
        stop: &CancellationToken,
    ) -> Result<(), StoreError> {
        loop {
            let due = self.worker.options.commit_interval.saturating_sub(self.committed.elapsed());
            tokio::select! {
                batch = batches.recv() => match batch {
                    Some(batch) => self.apply(batch, stop).await?,
                    None => break,
                },
                () = tokio::time::sleep(due), if self.uncommitted > 0 => {}
            }
            let full = self.uncommitted >= self.worker.options.commit_max_events;
            let old = self.committed.elapsed() >= self.worker.options.commit_interval;
            if self.uncommitted > 0 && (full || old) {
                self.commit(stop).await?;
            }
        }
        self.commit(stop).await
    }

    async fn apply(&mut self, batch: Batch, stop: &CancellationToken) -> Result<(), StoreError> {
        let begun = Instant::now();
        let Batch { items, dead, next } = batch;
        let count = items.len() + dead.len();

        // Refused by form: on the list before the position moves past it. A replay writes it again; the list knows a
        // letter by its source.
        self.bury(dead, stop).await?;

        let messages: Arc<[Routed]> = items.iter().map(|item| item.routed.clone()).collect();
        let fresh = messages.partition_point(|message| message.position.is_some_and(|at| at < self.issues_at));
        let mut verdict = self.replayed(&messages[..fresh], stop).await?;
        if next > self.issues_at {
            let Some(decided) = retry(stop, || self.decide(messages.clone(), fresh, next)).await? else {
                return Ok(());
            };
            verdict.fates.extend(decided.fates);
            verdict.refused.extend(decided.refused);
            self.issues_at = next;
        }

        let now = self.worker.clock.now();
        let letters = verdict.refused.iter().map(|(number, reason)| {
            let Item { routed, record, .. } = &items[*number];
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
            };
            dead_letter::letter(record, refusal, now)
        });
        self.bury(letters.collect(), stop).await?;

        if next > self.events_at {
            let rows: Vec<EventRow> = items
                .into_iter()
                .zip(&verdict.fates)
                .filter(|(item, _)| item.record.position >= self.events_at)
                .filter_map(|(item, fate)| kept_row(item.row?, *fate))
                .collect();
            let added = rows.len();
            if retry(stop, || self.worker.events.upsert(rows.clone(), next)).await?.is_none() {
                return Ok(());
            }
            self.uncommitted += added.max(1);
            self.events_at = next;
        }
        telemetry::processed(count, begun.elapsed());
        Ok(())
    }

    /// Messages that the issues already include: what became of their events, unless another record brought them.
    async fn replayed(&self, messages: &[Routed], stop: &CancellationToken) -> Result<Verdict, StoreError> {
        let mut verdict = Verdict { fates: Vec::with_capacity(messages.len()), refused: Vec::new() };
        if messages.is_empty() {
            return Ok(verdict);
        }
        let keys: Vec<MessageKey> = messages.iter().map(|routed| message_key(&routed.message)).collect();
        let handled: HashMap<MessageKey, Handled> = retry(stop, || self.worker.issues.handled(&keys))
            .await?
            .unwrap_or_default()
            .into_iter()
            .map(|handled| (handled.key, handled))
            .collect();
        for (key, message) in keys.iter().zip(messages) {
            let handled = handled.get(key).filter(|handled| handled.position == message.position);
            verdict.fates.push(handled.map_or(EventFate::None, |handled| handled.fate));
        }
        Ok(verdict)
    }

    /// Lets the issue platform decide on the messages from `fresh` on, and moves the position with its changes.
    async fn decide(&self, messages: Arc<[Routed]>, fresh: usize, next: Position) -> Result<Verdict, StoreError> {
        let now = self.worker.clock.now();
        let needs = nuthatch_issues::needs(&messages[fresh..], now);
        let options = self.worker.options.platform;
        let (sender, results) = sync_mpsc::sync_channel(1);
        let batch = messages.clone();
        let position = ConsumerPosition { consumer: ISSUES_CONSUMER.to_owned(), position: next };
        self.worker
            .issues
            .transact(
                needs,
                Some(position),
                Box::new(move |snapshot| {
                    let outcome = process_occurrence_batch(&batch[fresh..], snapshot, &options, now);
                    // The receiver outlives the call; if it is gone nobody wants the results.
                    let _ = sender.send((outcome.results, outcome.counters));
                    outcome.changes
                }),
            )
            .await?;
        let (results, counters) = results.recv().unwrap_or_default();
        telemetry::decided(&counters);
        let mut verdict = Verdict { fates: Vec::with_capacity(results.len()), refused: Vec::new() };
        for (number, result) in (fresh..).zip(results) {
            verdict.fates.push(result.fate(&messages[number].message).unwrap_or(EventFate::None));
            if let MessageResult::Refused(reason) = result {
                verdict.refused.push((number, reason));
            }
        }
        Ok(verdict)
    }

    async fn bury(&self, letters: Vec<DeadLetter>, stop: &CancellationToken) -> Result<(), StoreError> {
        if letters.is_empty() {
            return Ok(());
        }
        for letter in &letters {
            let header = &letter.header;
            tracing::warn!(source = %header.source, reason = header.reason, message = header.message, "record refused");
            telemetry::dead_letter(&header.reason);
        }
        let records: Vec<_> = letters.iter().map(dead_letter::record).collect();
        retry(stop, || self.worker.log.append(Topic::DeadLetters, 0, records.clone())).await?;
        Ok(())
    }

    async fn commit(&mut self, stop: &CancellationToken) -> Result<(), StoreError> {
        let begun = Instant::now();
        if self.uncommitted > 0 {
            // At shutdown there is one more try: what is not committed is replayed at the next start.
            if retry(stop, || self.worker.events.commit()).await?.is_none() {
                return Ok(());
            }
            telemetry::committed(begun.elapsed());
        }
        self.uncommitted = 0;
        self.committed = Instant::now();
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

/// The row as it is stored. An event that belongs to no issue has no hashes.
fn kept_row(row: EventRow, fate: EventFate) -> Option<EventRow> {
    match fate {
        EventFate::Counted => Some(row),
        EventFate::Kept => Some(EventRow { hashes: Vec::new(), ..row }),
        EventFate::None => None,
    }
}
