//! The consumer of the topic `outcomes`: what was decided before the worker saw it goes into the ledger.

use std::sync::Arc;

use nuthatch_protocol::{DataCategory, Outcomes, Position, Timestamp};
use nuthatch_store::{StoreError, issues::ConsumerPosition, log::ReadBatch};
use tokio_util::sync::CancellationToken;

use crate::{OUTCOMES_CONSUMER, Worker, ledger::Entry, retry};

/// Takes the outcomes of one partition until told to stop.
pub(crate) async fn take(worker: Arc<Worker>, start: Position, stop: CancellationToken) -> Result<(), StoreError> {
    let Some(mut at) = retry(&stop, || worker.issues.position(OUTCOMES_CONSUMER, start)).await? else { return Ok(()) };
    loop {
        // Also before the first one: a log that lost its end must not give offsets again that were taken.
        if retry(&stop, || worker.log.release(OUTCOMES_CONSUMER, at)).await?.is_none() {
            return Ok(());
        }
        let read = loop {
            let Some(read) = retry(&stop, || worker.log.read(at, worker.options.batch)).await? else { return Ok(()) };
            if read.next != at {
                break read;
            }
            tokio::select! {
                biased;
                () = worker.log.wait(at) => {}
                () = stop.cancelled() => {}
            }
            if stop.is_cancelled() {
                return Ok(());
            }
        };
        let records = read.next.offset.saturating_sub(at.offset);
        at = read.next;
        let outcomes = sum(&read, records, worker.clock.now());
        let position = ConsumerPosition { consumer: OUTCOMES_CONSUMER.to_owned(), position: at };
        let add = async || {
            // A failed try may have taken effect, with only the answer missing.
            if worker.issues.position(OUTCOMES_CONSUMER, start).await? == position.position {
                return Ok(());
            }
            worker.outcomes.add_outcomes(outcomes.clone(), records, position.clone()).await
        };
        if retry(&stop, add).await?.is_none() {
            return Ok(());
        }
    }
}

/// What the records of a batch say. One that cannot be read stands for one unit of nobody, so that it shows.
fn sum(read: &ReadBatch, records: u64, now: Timestamp) -> Outcomes {
    let mut outcomes = Outcomes::default();
    let nobody = Entry::nameless(DataCategory::Unknown, None, now);
    for record in &read.records {
        match Outcomes::decode(&record.value) {
            Ok(decoded) => outcomes.extend(decoded),
            Err(error) => {
                tracing::warn!(source = %record.position, %error, "a record of outcomes cannot be read");
                outcomes.add(nobody.invalid("invalid_record"), 1);
            }
        }
    }
    for record in &read.damaged {
        tracing::warn!(source = %record.position, reason = record.reason, "a record of outcomes is damaged");
        outcomes.add(nobody.invalid("damaged_record"), 1);
    }
    outcomes.add(Entry::missing(now), records.saturating_sub((read.records.len() + read.damaged.len()) as u64));
    outcomes
}
