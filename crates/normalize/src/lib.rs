//! Lenient input to canonical event (`reference/ingest-protocol.md` §11, §12).
//!
//! [`normalize`] never rejects an event because a field has the wrong shape: what cannot be read becomes absent,
//! and `_meta` says so with the original value. Only a payload that is no JSON object, or that breaks a bound, is
//! [`Refused`]. The result depends on the record alone, so that a replay gives the same bytes.
//!
//! What a project wants kept out is decided on the canonical event: [`filter`] says which events are dropped, then
//! [`scrub`] takes out of the others what says too much about people.
//!
//! One module per interface, each changing its part of the tree in place; [`meta`] is the one place that writes
//! `_meta`, [`shape`] reads scalars and collections, [`trim`] cuts what is too long.

mod breadcrumbs;
mod check_in;
mod contexts;
mod event;
mod exception;
pub mod filter;
mod json;
mod logentry;
mod meta;
mod problem;
mod refused;
mod release;
mod request;
pub mod scrub;
mod shape;
mod stacktrace;
mod tags;
mod threads;
mod time;
mod trim;
mod user;

pub use check_in::check_in;
pub use json::{MAX_DEPTH, MAX_PAYLOAD_BYTES};
pub use problem::Problem;
pub use refused::{Reason, Refused};

use nuthatch_protocol::{Event, IngestRecord};
use serde_json::Value;

/// Reads the payload of an accepted event item and brings it into the normal form of [`Event`].
///
/// Refuses only what is no JSON object, is nested deeper than [`MAX_DEPTH`] or larger than [`MAX_PAYLOAD_BYTES`].
pub fn normalize(record: &IngestRecord) -> Result<Event, Refused> {
    match json::read(&record.payload)? {
        Value::Object(map) => Ok(event::normalize(map, &record.header)),
        other => Err(Refused::not_an_object(&other)),
    }
}
