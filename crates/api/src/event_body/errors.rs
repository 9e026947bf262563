//! What was wrong with an event as it came (`reference/ingest-protocol.md` §11.16).

use std::collections::BTreeMap;

use axum::body::Bytes;
use nuthatch_protocol::Event;
use serde_json::{
    Map, Value,
    value::{RawValue, to_raw_value},
};

use super::frame::text;
use crate::shape::event::EventError;

/// Most errors that are shown.
const ERRORS_MAX: usize = 100;

/// The errors the event carries and those noted in its `_meta`, at most [`ERRORS_MAX`]. Only events of detectors carry any:
/// those that SDKs write are not taken (§12.1).
pub(super) fn errors(event: &Event) -> Vec<EventError> {
    let carried = event.0.get("errors").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut errors: Vec<EventError> = carried.iter().filter_map(carried_error).take(ERRORS_MAX).collect();
    if let Some(notes) = event.0.get("_meta") {
        noted(notes, "", &mut errors);
    }
    errors
}

/// The canonical JSON of an event with its [`errors`] among its members; all else stays byte for byte. Without errors it is
/// what is stored.
///
/// # Errors
///
/// The stored bytes are not the JSON they should be.
pub(crate) fn with_errors(stored: Bytes) -> Result<Bytes, serde_json::Error> {
    let errors = errors(&serde_json::from_slice(&stored)?);
    if errors.is_empty() {
        return Ok(stored);
    }
    let flat = errors.into_iter().map(|EventError { kind, mut data, .. }| {
        data.insert("type".to_owned(), Value::from(kind));
        Value::Object(data)
    });
    let flat = to_raw_value(&flat.collect::<Vec<_>>())?;
    let mut members: BTreeMap<String, &RawValue> = serde_json::from_slice(&stored)?;
    members.insert("errors".to_owned(), &flat);
    serde_json::to_vec(&members).map(Bytes::from)
}

fn carried_error(error: &Value) -> Option<EventError> {
    let kind = text(error, "type")?;
    let mut data = error.as_object().cloned().unwrap_or_default();
    data.remove("type");
    Some(EventError { message: message(&kind).to_owned(), kind, data })
}

/// Collects `err` of every node below; `path` names the value the node is about.
fn noted(node: &Value, path: &str, errors: &mut Vec<EventError>) {
    let Some(members) = node.as_object() else { return };
    if let Some(note) = members.get("") {
        for error in note.get("err").and_then(Value::as_array).map_or(&[][..], Vec::as_slice) {
            if errors.len() < ERRORS_MAX {
                errors.extend(noted_error(error, path, note.get("val")));
            }
        }
    }
    for (key, below) in members.iter().filter(|(key, _)| !key.is_empty()) {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        noted(below, &path, errors);
    }
}

/// An error is its kind, or a pair of kind and details.
fn noted_error(error: &Value, path: &str, original: Option<&Value>) -> Option<EventError> {
    let (kind, details) = match error {
        Value::String(kind) => (kind.clone(), None),
        Value::Array(pair) => (pair.first()?.as_str()?.to_owned(), pair.get(1)),
        _ => return None,
    };
    let mut data: Map<String, Value> = details.and_then(Value::as_object).cloned().unwrap_or_default();
    data.insert("name".to_owned(), Value::from(path));
    data.extend(original.map(|value| ("value".to_owned(), value.clone())));
    Some(EventError { message: message(&kind).to_owned(), kind, data })
}

/// The kind of an error in words.
fn message(kind: &str) -> &str {
    match kind {
        "invalid_data" => "a value was not what its place asks for and was left out",
        "missing_attribute" => "a value that must be there is missing",
        "invalid_attribute" => "a name that is not known was left out",
        "value_too_long" => "a value was too long and was shortened",
        "past_timestamp" => "the time of the event was too far in the past",
        "future_timestamp" => "the time of the event was in the future",
        "clock_drift" => "the clock of the client was wrong; times were corrected",
        other => other,
    }
}
