//! Takes over the messages that were handed in beside the server ([`nuthatch_store::MessageQueueStore`]): append, then
//! remove. A crash in between appends twice, which the issue platform takes for the repetition it is.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use nuthatch_protocol::{Partition, Topic};
use nuthatch_store::{StoreError, log::NewRecord, message_queue::QueuedMessage};
use tokio_util::sync::CancellationToken;

use crate::{Worker, retry};

/// Time between two looks for messages.
const LOOK: Duration = Duration::from_millis(500);

/// Messages that are taken over together.
const TAKEN_AT_ONCE: usize = 256;

/// Takes messages over until told to stop.
pub(crate) async fn run(worker: Arc<Worker>, stop: CancellationToken) -> Result<(), StoreError> {
    while !stop.is_cancelled() {
        let Some(queued) = retry(&stop, || worker.queue.queued_messages(TAKEN_AT_ONCE)).await? else { return Ok(()) };
        let Some(last) = queued.last().map(|queued| queued.number) else {
            tokio::select! {
                biased;
                () = tokio::time::sleep(LOOK) => {}
                () = stop.cancelled() => {}
            }
            continue;
        };
        for (partition, records) in by_partition(&worker, queued) {
            let append = || worker.log.append(Topic::IngestOccurrences, partition, records.clone());
            if retry(&stop, append).await?.is_none() {
                return Ok(());
            }
        }
        if retry(&stop, || worker.queue.unqueue_messages(last)).await?.is_none() {
            return Ok(());
        }
    }
    Ok(())
}

fn by_partition(worker: &Worker, queued: Vec<QueuedMessage>) -> BTreeMap<Partition, Vec<NewRecord>> {
    let mut places: BTreeMap<Partition, Vec<NewRecord>> = BTreeMap::new();
    for QueuedMessage { record, .. } in queued {
        // The log may have been given fewer partitions since.
        let partition = record.partition % worker.log.partitions(Topic::IngestOccurrences);
        places.entry(partition).or_default().push(NewRecord { key: record.key, value: record.value.into() });
    }
    places
}
