//! Consumers whose effects are one transaction a batch: reading in order, settling, releasing.

use std::sync::Arc;

use async_trait::async_trait;
use nuthatch_protocol::{Outcomes, Position, Topic};
use nuthatch_store::{StoreError, issues::ConsumerPosition, log::ReadBatch, settlements::Settlement};
use tokio_util::sync::CancellationToken;

use crate::{Worker, dead_letter, ledger::Entry, retry};

/// Something that consumes a topic.
#[async_trait]
pub(crate) trait Consumer: Send + Sync + 'static {
    /// Under which its positions are kept.
    const NAME: &'static str;
    /// What it reads.
    const TOPIC: Topic;

    /// The parts in which a batch is taken, one after the other.
    fn parts(read: ReadBatch) -> Vec<ReadBatch> {
        vec![read]
    }

    /// Adds to the settlement what became of the records, and applies it with their effects in one transaction; returns
    /// what was applied. Called again after a failure, which may have taken effect all the same.
    async fn take(&self, worker: &Worker, read: &ReadBatch, settlement: Settlement) -> Result<Settlement, StoreError>;
}

/// Reads a partition until told to stop.
pub(crate) async fn follow<C: Consumer>(
    worker: Arc<Worker>,
    consumer: Arc<C>,
    start: Position,
    stop: CancellationToken,
) -> Result<(), StoreError> {
    let Some(mut at) = retry(&stop, || worker.issues.position(C::NAME, start)).await? else { return Ok(()) };
    loop {
        // Also before the first one: a log that lost its end must not give offsets again that were taken.
        if retry(&stop, || worker.log.release(C::NAME, at)).await?.is_none() {
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
        for read in C::parts(read) {
            let records = read.next.offset.saturating_sub(at.offset);
            at = read.next;
            let mut outcomes = Outcomes::default();
            let found = (read.records.len() + read.damaged.len()) as u64;
            outcomes.add(Entry::missing(worker.clock.now()), records.saturating_sub(found));
            let consumer_position = ConsumerPosition { consumer: C::NAME.to_owned(), position: at };
            let settlement = Settlement { outcomes, ..Settlement::of(consumer_position, records) };
            let settled = retry(&stop, || consumer.take(&worker, &read, settlement.clone())).await?;
            let Some(settled) = settled else { return Ok(()) };
            dead_letter::report(&worker, &settled.letters, &stop).await?;
        }
    }
}
