//! Replays dead letters when asked to.
//!
//! Only this process writes the log, so whoever wants a replay leaves a request with the letter
//! ([`nuthatch_store::DeadLetterStore`]). Here it is carried out: append, then remove the letter. A crash in between
//! appends twice, and the second is taken for the repetition it is.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use nuthatch_protocol::{LetterId, Partition, Topic};
use nuthatch_store::{StoreError, dead_letters::StoredLetter, log::NewRecord};
use tokio_util::sync::CancellationToken;

use crate::{Worker, dead_letter, retry, telemetry};

/// Time between two looks for replays that were asked for.
const LOOK: Duration = Duration::from_millis(500);

/// Letters that are replayed together.
const REPLAYED_AT_ONCE: usize = 32;

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
            biased;
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
        let record = dead_letter::replayed(&letter, record);
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
