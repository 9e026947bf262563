//! The consumer of check-ins: they are kept with their monitors (`reference/ingest-protocol.md` §7.11, §18).

use std::sync::Arc;

use async_trait::async_trait;
use nuthatch_protocol::{IngestRecord, Timestamp, Topic};
use nuthatch_store::{
    MonitorStore, StoreError,
    monitors::ReceivedCheckIn,
    settlements::{Counted, Settlement},
};

use crate::{
    CHECK_INS_CONSUMER,
    items::{Broken, ItemConsumer, Meaning},
    rules::ProjectRules,
};

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
        _now: Timestamp,
    ) -> Result<Meaning<ReceivedCheckIn>, Broken> {
        let check_in = nuthatch_normalize::check_in(&record.payload)?;
        let header = &record.header;
        let received = ReceivedCheckIn {
            project_id: header.project_id,
            record_id: header.event_id,
            received: header.received,
            check_in,
        };
        Ok(Meaning::one(record, received))
    }

    async fn apply(&self, effects: Vec<Counted<ReceivedCheckIn>>, settlement: Settlement) -> Result<(), StoreError> {
        self.0.apply_check_ins(effects, settlement).await
    }
}
