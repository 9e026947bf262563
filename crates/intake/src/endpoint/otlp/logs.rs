//! Log records of OTLP as log lines (`reference/ingest-protocol.md` §2.10, §7.13).

use nuthatch_protocol::trace_item::{log_level, log_level_of_text};
use serde_json::{Map, Value, json};

use super::{
    attributes::{add, hex, json as value, secs},
    schema::LogRecord,
};
use crate::endpoint::attribute;

/// Maps one record; `shared` are the attributes of its resource and scope. `random` makes the id of a trace for a
/// record that belongs to none.
pub(super) fn line(record: &LogRecord, shared: &Map<String, Value>, random: impl FnOnce() -> String) -> Value {
    let mut attributes = shared.clone();
    add(&mut attributes, "", &record.attributes);
    if let Some(origin) = attribute("auto.otlp.logs") {
        attributes.insert("sentry.origin".to_owned(), origin);
    }
    let is_valid = record.trace_id.len() == 16 && record.trace_id.iter().any(|byte| *byte != 0);
    let remark = if record.trace_id.is_empty() { "trace_id.missing" } else { "trace_id.invalid" };
    let nanos = if record.time_unix_nano == 0 { record.observed_time_unix_nano } else { record.time_unix_nano };
    let mut line = json!({
        "timestamp": secs(nanos),
        "trace_id": if is_valid { hex(&record.trace_id) } else { random() },
        "level": level(record),
        "body": body(record),
        "attributes": attributes,
    });
    if !is_valid {
        line["_meta"] = json!({ "trace_id": { "": { "rem": [[remark, "s"]] } } });
    }
    if record.span_id.len() == 8 {
        line["span_id"] = hex(&record.span_id).into();
    }
    if record.severity_number != 0 {
        line["severity_number"] = record.severity_number.into();
    }
    line
}

fn level(record: &LogRecord) -> &'static str {
    log_level(record.severity_number.into()).or_else(|| log_level_of_text(&record.severity_text)).unwrap_or("info")
}

/// A text as it is. Others as JSON, because a line needs a text and a structured one says something too.
fn body(record: &LogRecord) -> String {
    match record.body.as_ref().and_then(value) {
        Some(Value::String(text)) => text,
        Some(other) => other.to_string(),
        None => String::new(),
    }
}
