//! Log lines (`reference/ingest-protocol.md` §7.13).

use nuthatch_protocol::trace_item::log_level;
use serde_json::{Map, Value};

use super::container::Fault;
use crate::{
    meta::{Meta, Path},
    shape::{self, Field, Shape},
    trim::Limit,
};

const BODY: Limit = Limit::with_allowance(64 << 10, 200);

const LOG: &[Field] = &[
    ("attributes", Shape::Inner),
    ("body", Shape::Line(BODY)),
    ("level", Shape::Text(Limit::new(32))),
    ("severity_number", Shape::Integer),
    ("span_id", Shape::Hex(16)),
    ("timestamp", Shape::Time),
    ("trace_id", Shape::Hex(32)),
];

/// What every log line must have.
const REQUIRED: [(&str, &str); 3] =
    [("timestamp", "a time"), ("trace_id", "32 hex digits, not all zero"), ("body", "a text")];

/// Brings a log line into the normal form; its attributes were read before.
pub(super) fn normalize(log: &mut Map<String, Value>, at: &Path<'_>, meta: &mut Meta) -> Result<(), Fault> {
    log.retain(|key, _| LOG.iter().any(|(name, _)| name == key));
    shape::fields(log, LOG, at, meta);
    for (key, expected) in REQUIRED {
        if !log.contains_key(key) {
            return Err(Fault::Invalid(Some(key), expected));
        }
    }
    let level = match log.get("level").and_then(Value::as_str) {
        Some(word) => word.to_ascii_lowercase(),
        None => log.get("severity_number").and_then(Value::as_i64).and_then(log_level).unwrap_or("info").to_owned(),
    };
    log.insert("level".to_owned(), Value::String(level));
    Ok(())
}
