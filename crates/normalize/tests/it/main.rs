//! What normalisation must do for whoever reads the event afterwards.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod broken_json;
mod cases;
mod feedback;
mod filter;
mod geo;
mod hostile;
mod mutations;
mod replay;
mod scrub;
mod security;
mod session;
mod sizes;
mod times;
mod trace;
mod user_agents;

use std::net::IpAddr;

use bytes::Bytes;
use nuthatch_normalize::{Refused, normalize};
use nuthatch_protocol::{EventId, IngestRecord, ItemAttributes, KeyId, ProjectId, Timestamp, record::IngestHeader};
use serde_json::Value;

/// 2026-11-20T00:00:00Z
const RECEIVED: i64 = 1_795_132_800;

fn record(payload: impl Into<Bytes>) -> IngestRecord {
    IngestRecord {
        header: IngestHeader {
            project_id: ProjectId(7),
            key_id: KeyId(3),
            event_id: EventId([0xab; 16]),
            item_type: "event".to_owned(),
            attributes: ItemAttributes::default(),
            blob: None,
            user_agent: None,
            client_hints: nuthatch_protocol::record::ClientHints::default(),
            letter_id: None,
            received: Timestamp::from_secs(RECEIVED),
            sent_at: None,
            client_ip: Some(IpAddr::from([203, 0, 113, 9])),
            client: Some("sentry.test/1.0".to_owned()),
            version: "7".to_owned(),
        },
        payload: payload.into(),
    }
}

fn read(payload: impl Into<Bytes>) -> Value {
    Value::Object(normalize(&record(payload), None).unwrap().0)
}

fn refused(payload: impl Into<Bytes>) -> Refused {
    normalize(&record(payload), None).unwrap_err()
}
