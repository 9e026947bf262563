//! The endpoints beside envelopes and events. Each reads what its clients send and makes envelopes of it, which go the
//! way of all envelopes (`reference/ingest-protocol.md` §2.3–§2.10).

pub(crate) mod attachments;
pub(crate) mod crash_page;
pub(crate) mod cron;
pub(crate) mod items;
pub(crate) mod log_drain;
pub(crate) mod minidump;
pub(crate) mod nel;
pub(crate) mod otlp;
pub(crate) mod playstation;
pub(crate) mod security;
pub(crate) mod unreal;
pub(crate) mod upload;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use nuthatch_protocol::{Envelope, EventId, Item, ItemAttributes, ItemType, ProjectId};
use serde_json::Value;

use crate::{Intake, IntakeConfig, body::Room, multipart::Part, refusal::Refusal};

/// Most entries of a container that is made here; more make several.
const ENTRIES_MAX: usize = 1000;

/// Most bytes of such a container, where its entries are that small.
const CONTAINER_BYTES: usize = 4 << 20;

/// Memory that a byte of JSON takes when it is read: a list of numbers takes so much.
pub(crate) const JSON_UNFOLDING: usize = 16;

/// Media types of containers (§7.12).
const LOGS: &str = "application/vnd.sentry.items.log+json";
pub(crate) const SPANS: &str = "application/vnd.sentry.items.span.v2+json";

/// The project in a path.
pub(crate) fn project_id(text: &str) -> Result<ProjectId, Refusal> {
    text.parse().map_err(|_| Refusal::ProjectId)
}

/// The media type of a body: lower case, without parameters; empty when it has none.
pub(crate) fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    nuthatch_protocol::media_type(value)
}

/// What a client is told that would try again forever: not that there was too much (§9.4). That the server is out of room is
/// no limit of theirs, and what they send then is not to be lost in silence (§22).
fn without_limits<T>(answer: Result<T, Refusal>, accepted: T) -> Result<T, Refusal> {
    match answer {
        Err(Refusal::RateLimited) => Ok(accepted),
        Err(Refusal::LogFull) => Err(Refusal::Unavailable),
        answer => answer,
    }
}

/// The id as crash reporters expect it: text, with dashes.
fn uuid(id: EventId) -> Response {
    let hex = id.to_string();
    let mut text = String::with_capacity(36);
    for (index, digit) in hex.chars().enumerate() {
        if [8, 12, 16, 20].contains(&index) {
            text.push('-');
        }
        text.push(digit);
    }
    ([(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))], text).into_response()
}

/// A file as an attachment.
fn attachment(part: Part, attachment_type: Option<&str>) -> Item {
    let attributes = ItemAttributes {
        content_type: part.content_type,
        filename: part.filename,
        attachment_type: attachment_type.map(str::to_owned),
        ..ItemAttributes::default()
    };
    Item { attributes, ..Item::new(ItemType::Attachment, part.bytes) }
}

/// Envelopes with containers of entries (JSON texts), none of them too large. At least one envelope, so that who sends nothing is
/// still told whether they may send.
fn containers(item_type: &ItemType, content_type: &str, entries: Vec<String>) -> Vec<Envelope> {
    let mut containers: Vec<(u32, String)> = Vec::new();
    for entry in entries {
        match containers.last_mut() {
            Some((count, text)) if (*count as usize) < ENTRIES_MAX && text.len() + entry.len() < CONTAINER_BYTES => {
                *count += 1;
                text.push(',');
                text.push_str(&entry);
            }
            _ => containers.push((1, format!("{{\"items\":[{entry}"))),
        }
    }
    if containers.is_empty() {
        return vec![Envelope::default()];
    }
    let envelopes = containers.into_iter().map(|(count, text)| {
        let attributes = ItemAttributes {
            content_type: Some(content_type.to_owned()),
            item_count: Some(count),
            ..ItemAttributes::default()
        };
        let item = Item { attributes, ..Item::new(item_type.clone(), text + "]}") };
        Envelope { items: vec![item], ..Envelope::default() }
    });
    envelopes.collect()
}

/// One attribute of a log line or a span (§7.12).
fn attribute(value: impl Into<Value>) -> Option<Value> {
    let value = value.into();
    let kind = match &value {
        Value::String(_) => "string",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "double",
        Value::Number(_) => "integer",
        Value::Null => return None,
        Value::Array(_) | Value::Object(_) => {
            return Some(serde_json::json!({ "value": value.to_string(), "type": "string" }));
        }
    };
    Some(serde_json::json!({ "value": value, "type": kind }))
}

/// A random id, in hex: for log lines that belong to no trace.
fn random_trace_id(intake: &Intake) -> String {
    (intake.inner.new_event_id)().to_string()
}

/// Reads a body as JSON, once there is room for it.
async fn parse_json(body: &Bytes, room: &mut Room, config: &IntakeConfig) -> Result<Value, Refusal> {
    room.grow(body.len() * JSON_UNFOLDING, config).await?;
    json(body)
}

/// Reads JSON. There must be room for it.
fn json(body: &Bytes) -> Result<Value, Refusal> {
    if body.trim_ascii().is_empty() {
        return Err(Refusal::Empty);
    }
    serde_json::from_slice(body).map_err(|error| Refusal::Store(error.to_string()))
}

/// Reports that came as one object or as a list of them.
fn reports(value: Value, reports_max: usize) -> Result<Vec<Value>, Refusal> {
    match value {
        Value::Array(reports) if reports.len() > reports_max => Err(Refusal::TooManyReports { reports_max }),
        Value::Array(reports) => Ok(reports),
        report => Ok(vec![report]),
    }
}
