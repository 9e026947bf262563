//! The consumer of the topic `outcomes`: what was decided before the worker saw it goes into the ledger.

use std::sync::Arc;

use async_trait::async_trait;
use nuthatch_protocol::{Outcomes, Topic};
use nuthatch_store::{SettlementStore, StoreError, log::ReadBatch, settlements::Settlement};

use crate::{OUTCOMES_CONSUMER, Worker, follow::Consumer, ledger::Entry};

/// Adds up what the records say.
pub(crate) struct OutcomesConsumer(pub(crate) Arc<dyn SettlementStore>);

#[async_trait]
impl Consumer for OutcomesConsumer {
    const NAME: &'static str = OUTCOMES_CONSUMER;
    const TOPIC: Topic = Topic::Outcomes;

    async fn take(
        &self,
        worker: &Worker,
        read: &ReadBatch,
        mut settlement: Settlement,
    ) -> Result<Settlement, StoreError> {
        // A record that cannot be read stands for one unit of nobody, so that it shows.
        let nobody = Entry::unreadable(worker.clock.now());
        for record in &read.records {
            match Outcomes::decode(&record.value) {
                Ok(decoded) => settlement.outcomes.extend(decoded),
                Err(error) => {
                    tracing::warn!(source = %record.position, %error, "a record of outcomes cannot be read");
                    settlement.outcomes.add(nobody.invalid("invalid_record"), 1);
                }
            }
        }
        for record in &read.damaged {
            tracing::warn!(source = %record.position, reason = record.reason, "a record of outcomes is damaged");
            settlement.outcomes.add(nobody.invalid("damaged_record"), 1);
        }
        self.0.settle(settlement.clone()).await?;
        Ok(settlement)
    }
}
