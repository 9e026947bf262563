//! Lenient input to canonical event (`reference/ingest-protocol.md` §11, §12).
//!
//! [`normalize`] never rejects an event because a field has the wrong shape: what cannot be read becomes absent,
//! and `_meta` says so with the original value. Only a payload that is no JSON object, or that breaks a bound, is
//! [`Refused`]. The result depends on the record alone, so that a replay gives the same bytes.
//!
//! [`transaction`] and [`trace_items`] do the same for transactions, and for spans, logs and metrics that come by
//! themselves.
//!
//! What a project wants kept out is decided on the canonical event: [`filter`] says which events are dropped, then
//! [`scrub`] takes out of the others what says too much about people.
//!
//! One module per interface, each changing its part of the tree in place; [`meta`] is the one place that writes
//! `_meta`, [`shape`] reads scalars and collections, [`trim`] cuts what is too long.

mod breadcrumbs;
mod check_in;
mod contexts;
mod debug_meta;
mod event;
mod exception;
pub mod filter;
mod geo;
mod http;
mod json;
mod logentry;
mod mechanism;
mod meta;
mod pairs;
mod problem;
mod refused;
mod release;
mod replay;
mod request;
pub mod scrub;
mod sdk;
mod security;
mod session;
mod shape;
mod stacktrace;
mod system_names;
mod tags;
mod threads;
mod time;
mod trace;
mod trim;
mod user;
pub mod user_agent;

pub use check_in::check_in;
pub use geo::{GeoLookup, Place};
pub use json::{MAX_DEPTH, MAX_PAYLOAD_BYTES};
pub use problem::Problem;
pub use refused::{Reason, Refused};
pub use replay::{ReplayEvent, replay_event};
pub use session::{Session, read_session, session_user};
pub use trace::{
    BrokenEntry, Entry, MAX_ENTRIES, TraceAttachment, TraceItems, Transaction, trace_attachment, trace_items,
    transaction,
};

use nuthatch_protocol::{Event, IngestRecord, ItemType};
use serde_json::Value;

use crate::event::Kind;

/// Reads the payload of an accepted item that is an event or becomes one (`event`, `security`, `raw_security`,
/// `feedback`), and brings it into the normal form of [`Event`]. `geo` tells where users are, if anybody knows.
///
/// Refuses only what is no JSON object, is nested deeper than [`MAX_DEPTH`] or larger than [`MAX_PAYLOAD_BYTES`], security
/// reports that cannot be understood, and feedback without a text.
pub fn normalize(record: &IngestRecord, geo: Option<&dyn GeoLookup>) -> Result<Event, Refused> {
    let header = &record.header;
    let map = match json::read(&record.payload)? {
        Value::Object(map) => map,
        other => return Err(Refused::not_an_object(&other)),
    };
    match ItemType::from(header.item_type.as_str()) {
        ItemType::RawSecurity => event::normalize(security::event(map, header)?, header, Kind::Inferred, geo),
        ItemType::Feedback => event::normalize(map, header, Kind::Feedback, geo),
        _ => event::normalize(map, header, Kind::Inferred, geo),
    }
}
