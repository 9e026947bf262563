//! The consumer of the topic `ingest-sessions` (`reference/ingest-protocol.md` §17).

use std::sync::Arc;

use async_trait::async_trait;
use nuthatch_normalize::{Reason, Refused, read_session};
use nuthatch_protocol::{IngestRecord, Outcome, SessionUpdate, Timestamp, Topic};
use nuthatch_store::{
    SessionStore, StoreError,
    settlements::{Counted, Settlement},
};

use crate::{
    SESSIONS_CONSUMER,
    items::{Broken, ItemConsumer, Meaning},
    rules::ProjectRules,
};

/// Merges updates of sessions.
pub(crate) struct SessionsConsumer(pub(crate) Arc<dyn SessionStore>);

#[async_trait]
impl ItemConsumer for SessionsConsumer {
    type Effect = SessionUpdate;
    const NAME: &'static str = SESSIONS_CONSUMER;
    const TOPIC: Topic = Topic::IngestSessions;

    fn prepare(
        &self,
        record: &IngestRecord,
        rules: &ProjectRules,
        _now: Timestamp,
    ) -> Result<Meaning<SessionUpdate>, Broken> {
        let became =
            |outcome, reason: String| Meaning { effects: Vec::new(), outcomes: record.units().became(outcome, reason) };
        let session = match read_session(record) {
            Ok(session) => session,
            // Devices that were away send old ones by the hundred, and no replay makes them younger.
            Err(Refused { reason: Reason::Timestamp, .. }) => {
                return Ok(became(Outcome::Invalid, Reason::Timestamp.as_str().to_owned()));
            }
            Err(Refused { reason, message, place }) => return Err(Broken { reason: reason.as_str(), message, place }),
        };
        Ok(match rules.filter(&session.context, record.header.client_ip) {
            None => Meaning::one(record, session.update),
            Some(reason) => became(Outcome::Filtered, reason.as_str().to_owned()),
        })
    }

    async fn apply(&self, updates: Vec<Counted<SessionUpdate>>, settlement: Settlement) -> Result<(), StoreError> {
        self.0.apply_sessions(updates, settlement).await
    }
}
