//! Metrics that belong to traces (`reference/ingest-protocol.md` §7.14).

use serde_json::{Map, Value};

use super::container::Fault;
use crate::{
    meta::{Meta, Path},
    shape::{self, Field, Shape},
    trim::Limit,
};

const METRIC: &[Field] = &[
    ("attributes", Shape::Inner),
    ("name", Shape::Text(Limit::new(200))),
    ("span_id", Shape::Hex(16)),
    ("timestamp", Shape::Time),
    ("trace_id", Shape::Hex(32)),
    ("type", Shape::Inner),
    ("unit", Shape::Text(Limit::new(64))),
    ("value", Shape::Inner),
];

const TYPES: [&str; 3] = ["counter", "gauge", "distribution"];

/// What every metric must have.
const REQUIRED: [(&str, &str); 3] =
    [("timestamp", "a time"), ("trace_id", "32 hex digits, not all zero"), ("name", "a text")];

/// Brings a metric into the normal form; its attributes were read before.
pub(super) fn normalize(metric: &mut Map<String, Value>, at: &Path<'_>, meta: &mut Meta) -> Result<(), Fault> {
    metric.retain(|key, _| METRIC.iter().any(|(name, _)| name == key));
    shape::fields(metric, METRIC, at, meta);
    for (key, expected) in REQUIRED {
        if !metric.contains_key(key) {
            return Err(Fault::Invalid(Some(key), expected));
        }
    }
    if !metric.get("type").and_then(Value::as_str).is_some_and(|kind| TYPES.contains(&kind)) {
        return Err(Fault::Invalid(Some("type"), "counter, gauge or distribution"));
    }
    // One that is sent as text is meant as well (§22).
    let number = match metric.get("value") {
        Some(Value::String(text)) => text.trim().parse().ok().and_then(serde_json::Number::from_f64),
        Some(Value::Number(number)) => Some(number.clone()),
        _ => None,
    };
    let Some(number) = number else { return Err(Fault::Invalid(Some("value"), "a number")) };
    metric.insert("value".to_owned(), Value::Number(number));
    Ok(())
}
