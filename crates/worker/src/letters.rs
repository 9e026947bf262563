//! The consumer of the dead-letter topic: it keeps letters where people can read them, and replays them when asked to.
//!
//! Only this process writes the log, so whoever wants a replay leaves a request with the letter
//! ([`nuthatch_store::DeadLetterStore`]). Here it is carried out: append, then remove the letter. A crash in between
//! appends twice, which the issue platform takes for the repetition it is.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use nuthatch_protocol::{LetterId, Partition, Position, Topic, record::DeadLetter};
use nuthatch_store::{
    StoreError,
    dead_letters::{LetterBounds, StoredLetter},
    issues::ConsumerPosition,
    log::{NewRecord, ReadBatch},
};
use tokio_util::sync::CancellationToken;

use crate::{LETTERS_CONSUMER, Worker, dead_letter, retry, telemetry};

/// Time between two looks for replays that were asked for.
const LOOK: Duration = Duration::from_millis(500);

/// Letters that are replayed together.
const REPLAYED_AT_ONCE: usize = 32;

/// Takes the letters of one partition until told to stop.
pub(crate) async fn take(worker: Arc<Worker>, start: Position, stop: CancellationToken) -> Result<(), StoreError> {
    let Some(mut at) = retry(&stop, || worker.issues.position(LETTERS_CONSUMER, start)).await? else { return Ok(()) };
    loop {
        // Also before the first one: a log that lost its end must not give offsets again that were taken.
        if retry(&stop, || worker.log.release(LETTERS_CONSUMER, at)).await?.is_none() {
            return Ok(());
        }
        let read = loop {
            let Some(read) = retry(&stop, || worker.log.read(at, worker.options.batch)).await? else { return Ok(()) };
            if read.next != at {
                break read;
            }
            tokio::select! {
                () = worker.log.wait(at) => {}
                () = stop.cancelled() => {}
            }
            if stop.is_cancelled() {
                return Ok(());
            }
        };
        at = read.next;
        let letters = decode(&worker, read);
        let position = ConsumerPosition { consumer: LETTERS_CONSUMER.to_owned(), position: at };
        let take = || worker.letters.take_letters(letters.clone(), position.clone(), LetterBounds::default());
        let Some(dropped) = retry(&stop, take).await? else { return Ok(()) };
        if dropped > 0 {
            tracing::warn!(dropped, "the dead-letter list is full, the oldest letters were dropped");
            telemetry::letters_dropped(dropped);
        }
    }
}

/// The letters of a batch. What is no letter any more is one itself.
fn decode(worker: &Worker, read: ReadBatch) -> Vec<DeadLetter> {
    let now = worker.clock.now();
    let records = read.records.into_iter().map(|record| {
        DeadLetter::decode(&record.value)
            .unwrap_or_else(|error| dead_letter::unreadable(record.position, error.to_string(), now))
    });
    let damaged = read.damaged.into_iter().map(|record| dead_letter::unreadable(record.position, record.reason, now));
    records.chain(damaged).collect()
}

/// Replays what was asked for until told to stop.
pub(crate) async fn replay(worker: Arc<Worker>, stop: CancellationToken) -> Result<(), StoreError> {
    loop {
        let requested = retry(&stop, || worker.letters.requested_replays(REPLAYED_AT_ONCE)).await?;
        let Some(requested) = requested else { return Ok(()) };
        if !requested.is_empty() {
            if !append(&worker, requested, &stop).await? {
                return Ok(());
            }
            continue;
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => return Ok(()),
        }
    }
}

/// Gives the records to their topics again and removes the letters; whether it was not told to stop meanwhile.
async fn append(worker: &Worker, letters: Vec<StoredLetter>, stop: &CancellationToken) -> Result<bool, StoreError> {
    let ids: Vec<LetterId> = letters.iter().map(|stored| stored.letter.id).collect();
    let mut places: BTreeMap<(Topic, Partition), Vec<NewRecord>> = BTreeMap::new();
    for StoredLetter { letter, record } in letters {
        let source = letter.header.source;
        // The log may have been given fewer partitions since.
        let partition = source.partition % worker.log.partitions(source.topic);
        let record = dead_letter::keyed(&letter.header, record);
        places.entry((source.topic, partition)).or_default().push(record);
    }
    for ((topic, partition), records) in places {
        if retry(stop, || worker.log.append(topic, partition, records.clone())).await?.is_none() {
            return Ok(false);
        }
    }
    let Some(removed) = retry(stop, || worker.letters.remove_letters(&ids)).await? else { return Ok(false) };
    telemetry::letters_replayed(removed);
    Ok(true)
}
