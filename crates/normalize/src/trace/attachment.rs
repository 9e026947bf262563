//! What stands in front of the file of a trace's attachment (`reference/ingest-protocol.md` §7.2).

use nuthatch_protocol::{EventId, Timestamp, TraceId, record::IngestHeader};
use serde_json::{Map, Value};

use super::attributes;
use crate::{
    json,
    meta::{Meta, Path},
    refused::{Reason, Refused},
    shape,
    time::{self, Shift},
};

/// What an attachment of a trace says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceAttachment {
    /// The trace.
    pub trace_id: TraceId,
    /// Its own id: sent again, it is the same attachment.
    pub attachment_id: EventId,
    /// When it was made, by a corrected clock; when it was received, if that cannot be.
    pub timestamp: Timestamp,
    /// The name of its file, if it has one.
    pub filename: Option<String>,
    /// The media type of its file, if it says one.
    pub content_type: Option<String>,
    /// Its attributes, plain values under their names.
    pub attributes: Map<String, Value>,
}

/// Reads what stands in front of the file.
///
/// # Errors
///
/// What is no JSON object, or lacks the ids of trace and attachment or the time.
pub fn trace_attachment(meta: &[u8], header: &IngestHeader) -> Result<TraceAttachment, Refused> {
    let invalid = |key: &str, expected| Refused::in_json(Reason::InvalidTraceAttachment, key.to_owned(), expected);
    let sent = json::read(meta).and_then(|value| match value {
        Value::Object(map) => Ok(map),
        other => Err(Refused::not_an_object(&other)),
    });
    let mut sent = sent.map_err(|refused| Refused { reason: Reason::InvalidTraceAttachment, ..refused })?;
    let word = |key: &str| sent.get(key).and_then(Value::as_str);
    let trace_id = word("trace_id").and_then(|id| id.parse().ok());
    let trace_id = trace_id.ok_or_else(|| invalid("trace_id", "32 hex digits, not all zero"))?;
    let attachment_id = word("attachment_id").and_then(|id| id.parse().ok());
    let attachment_id = attachment_id.ok_or_else(|| invalid("attachment_id", "a UUID"))?;
    let (filename, content_type) = (word("filename").map(str::to_owned), word("content_type").map(str::to_owned));
    // Nothing is noted of what had to be left out: a file has no place for notes.
    let mut notes = Meta::new(None);
    if sent.get("timestamp").and_then(shape::timestamp).is_none() {
        return Err(invalid("timestamp", "a time"));
    }
    Shift::of_drift(header).apply(&mut sent, "timestamp", &Path::root(), &mut notes);
    let told = sent.get("timestamp").and_then(shape::timestamp);
    let timestamp = told.filter(|time| time::out_of_range(*time, header.received).is_none()).unwrap_or(header.received);
    let attributes = attributes::read(sent.remove("attributes"), &Path::top("attributes"), &mut notes);
    Ok(TraceAttachment { trace_id, attachment_id, timestamp, filename, content_type, attributes })
}
