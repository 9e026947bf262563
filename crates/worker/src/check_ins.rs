//! The consumer of check-ins: they are kept with their monitors (`reference/ingest-protocol.md` §7.11, §18).

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use nuthatch_protocol::{IngestRecord, Position, Timestamp, Topic};
use nuthatch_store::{
    MonitorStore, StoreError,
    issues::ConsumerPosition,
    monitors::{DESCRIPTION_WAIT, ReceivedCheckIn},
    settlements::{Counted, Settlement},
};
use tokio_util::sync::CancellationToken;

use crate::{
    CHECK_INS_CONSUMER, Worker,
    items::{Broken, ItemConsumer, Meaning},
    retry,
    rules::ProjectRules,
};

/// Time between two looks for check-ins that have waited too long for their monitor.
const LOOK: Duration = Duration::from_secs(15);

/// Keeps check-ins.
pub(crate) struct CheckIns(pub(crate) Arc<dyn MonitorStore>);

#[async_trait]
impl ItemConsumer for CheckIns {
    type Effect = ReceivedCheckIn;
    const NAME: &'static str = CHECK_INS_CONSUMER;
    const TOPIC: Topic = Topic::IngestMonitors;

    fn prepare(
        &self,
        record: &IngestRecord,
        _rules: &ProjectRules,
        now: Timestamp,
    ) -> Result<Meaning<ReceivedCheckIn>, Broken> {
        let check_in = nuthatch_normalize::check_in(&record.payload)?;
        let header = &record.header;
        let received = ReceivedCheckIn {
            project_id: header.project_id,
            record_id: header.event_id,
            received: header.received,
            handled: now,
            check_in,
        };
        Ok(Meaning::one(record, received))
    }

    async fn apply(&self, effects: Vec<Counted<ReceivedCheckIn>>, settlement: Settlement) -> Result<(), StoreError> {
        self.0.apply_check_ins(effects, settlement).await
    }
}

/// Gives up those that have waited too long for their monitor, until told to stop.
pub(crate) async fn give_up(worker: Arc<Worker>, stop: CancellationToken) -> Result<(), StoreError> {
    let position = Position { topic: Topic::IngestMonitors, partition: 0, offset: 0 };
    let consumer = ConsumerPosition { consumer: CHECK_INS_CONSUMER.to_owned(), position };
    loop {
        let before = worker.clock.now().minus(DESCRIPTION_WAIT);
        if retry(&stop, || worker.monitors.give_up_check_ins(before, consumer.clone())).await?.is_none() {
            return Ok(());
        }
        tokio::select! {
            biased;
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => return Ok(()),
        }
    }
}
