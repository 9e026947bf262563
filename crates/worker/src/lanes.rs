//! How the two lanes of events share the stores. Projects that send more than their share have their events in the
//! backlog (`nuthatch_intake` decides); everybody else's go first, and wait for at most one batch of the backlog.
//!
//! The backlog's batches are small, and before each it looks whether the other lane has records that are not applied. If
//! so, it lets one batch of them go first. So the lanes alternate while both have records, and neither starves.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use nuthatch_protocol::{Partition, Position, Topic};
use nuthatch_store::{Log, StoreError, log::ReadLimit};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::retry;

/// Most records of a batch of the backlog: what an event of the other lane waits for at most.
pub const BACKLOG_BATCH_RECORDS: usize = 256;

/// What a consumer of a topic owes the others.
pub(crate) enum Lane {
    /// Nothing: it goes as it can.
    Own,
    /// Somebody looks at how far it is.
    Regular(Arc<Progress>),
    /// It lets others go first.
    Backlog(Vec<Ahead>),
}

/// A partition of the regular lane, and how far it is.
pub(crate) type Ahead = (Position, Arc<Progress>);

/// How far a consumer is.
#[derive(Default)]
pub(crate) struct Progress {
    /// The offset in front of which everything is applied.
    applied: AtomicU64,
    /// A batch was applied.
    moved: Notify,
}

/// The lanes of events, by where they begin.
pub(crate) fn lanes(log: &dyn Log) -> Vec<(Position, Lane)> {
    let starts = |topic| (0..log.partitions(topic)).map(move |partition| start(topic, partition));
    let (mut lanes, mut ahead) = (Vec::new(), Vec::new());
    for start in starts(Topic::IngestEvents) {
        let progress = Arc::new(Progress::default());
        ahead.push((start, progress.clone()));
        lanes.push((start, Lane::Regular(progress)));
    }
    lanes.extend(starts(Topic::IngestEventsBacklog).map(|start| (start, Lane::Backlog(ahead.clone()))));
    lanes
}

fn start(topic: Topic, partition: Partition) -> Position {
    Position { topic, partition, offset: 0 }
}

impl Lane {
    /// How much is read at once.
    pub(crate) fn batch(&self, most: ReadLimit) -> ReadLimit {
        match self {
            Self::Backlog(_) => ReadLimit { records: most.records.min(BACKLOG_BATCH_RECORDS), ..most },
            Self::Own | Self::Regular(_) => most,
        }
    }

    /// Tells how far this consumer is.
    pub(crate) fn applied(&self, position: Position) {
        if let Self::Regular(progress) = self {
            progress.applied.store(position.offset, Ordering::SeqCst);
            progress.moved.notify_waiters();
        }
    }

    /// Before a batch is applied: lets others have one first, if they have something to apply. Returns at once when told
    /// to stop.
    pub(crate) async fn wait(&self, log: &dyn Log, stop: &CancellationToken) -> Result<(), StoreError> {
        let Self::Backlog(ahead) = self else { return Ok(()) };
        for (start, progress) in ahead {
            let mut moved = std::pin::pin!(progress.moved.notified());
            // Registered before looking, so that a batch in between is not missed.
            moved.as_mut().enable();
            let reached = progress.applied.load(Ordering::SeqCst);
            let bounds = retry(stop, || log.bounds(start.topic, start.partition)).await?;
            if bounds.is_some_and(|bounds| bounds.next > reached) {
                tokio::select! {
                    biased;
                    () = moved => {}
                    () = stop.cancelled() => {}
                }
            }
        }
        Ok(())
    }
}
