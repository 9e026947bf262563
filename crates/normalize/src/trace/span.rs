//! Spans (`reference/ingest-protocol.md` §7.15, §11.12).

use nuthatch_protocol::Timestamp;
use serde_json::{Map, Value};

use super::description;
use crate::{
    meta::{Meta, Path},
    pairs::{self, Pair},
    shape::{self, Field, Shape},
    time::{self, Shift},
    trim::{self, Bag, Limit},
};

/// Bound of an operation.
pub(super) const OP: Limit = Limit::new(128);
/// Detectors compare whole queries, so a description may be long.
const DESCRIPTION: Limit = Limit::with_allowance(16 << 10, 200);
/// Call stacks and bindings of queries are in the data of a span.
const DATA: Bag = Bag { depth: 7, bytes: 64 << 10 };
/// What nobody knows of a span together, in bytes of estimated JSON.
const UNKNOWN_BYTES: usize = 16 << 10;
const SMALL: Bag = Bag { depth: 3, bytes: 8 << 10 };
const WORD: Limit = Limit::new(128);
const TAG: Limit = Limit::new(200);

const SPAN: &[Field] = &[
    ("data", Shape::Object(DATA)),
    ("description", Shape::Text(DESCRIPTION)),
    ("exclusive_time", Shape::Inner),
    ("fingerprint", Shape::Any(SMALL)),
    ("hash", Shape::Text(WORD)),
    ("is_segment", Shape::Boolean),
    ("kind", Shape::Text(WORD)),
    ("links", Shape::Any(DATA)),
    ("measurements", Shape::Inner),
    ("name", Shape::Text(DESCRIPTION)),
    ("op", Shape::Text(OP)),
    ("origin", Shape::Text(WORD)),
    ("parent_span_id", Shape::Hex(16)),
    ("platform", Shape::Text(WORD)),
    ("profile_id", Shape::Uuid),
    ("received", Shape::Time),
    ("same_process_as_parent", Shape::Boolean),
    ("segment_id", Shape::Hex(16)),
    ("sentry_tags", Shape::Object(SMALL)),
    ("span_id", Shape::Hex(16)),
    ("start_timestamp", Shape::Time),
    ("status", Shape::Inner),
    ("tags", Shape::Inner),
    ("timestamp", Shape::Time),
    ("trace_id", Shape::Hex(32)),
];

/// What every span must have.
const REQUIRED: [(&str, &str); 4] = [
    ("trace_id", "32 hex digits, not all zero"),
    ("span_id", "16 hex digits, not all zero"),
    ("start_timestamp", "a time"),
    ("timestamp", "a time"),
];

/// Why something is no span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    /// The key whose value is wrong; none when it is no object.
    pub(super) key: Option<&'static str>,
    /// What should be there.
    pub(super) expected: &'static str,
}

/// Brings a span into the normal form. One from before 1970 has no times afterwards ([`is_timely`]).
pub(super) fn normalize(
    span: &mut Map<String, Value>,
    shift: Shift,
    at: &Path<'_>,
    meta: &mut Meta,
) -> Result<(), Fault> {
    shape::fields(span, SPAN, at, meta);
    bound_unknown(span, at, meta);
    for (key, expected) in REQUIRED {
        if !span.contains_key(key) {
            return Err(Fault { key: Some(key), expected });
        }
    }
    match times(span) {
        Some((start, end)) if start <= end => {}
        _ => return Err(Fault { key: Some("timestamp"), expected: "a time that is not before start_timestamp" }),
    }
    shift.apply(span, "start_timestamp", at, meta);
    shift.apply(span, "timestamp", at, meta);
    tags(span, at, meta);
    status(span, at, meta);
    if !span.get("exclusive_time").is_some_and(is_duration) {
        span.remove("exclusive_time");
    }
    if !span.contains_key("op") {
        let told = span.get("data").and_then(|data| data.get("sentry.op")?.as_str()).filter(|op| !op.is_empty());
        let op = told.unwrap_or_else(|| infer_op(span)).to_owned();
        span.insert("op".to_owned(), Value::String(op));
    }
    Ok(())
}

fn bound_unknown(span: &mut Map<String, Value>, at: &Path<'_>, meta: &mut Meta) {
    let is_known = |key: &str| SPAN.iter().any(|(name, _)| *name == key);
    let names: Vec<String> = span.keys().filter(|key| !is_known(key)).cloned().collect();
    let mut unknown: Map<_, _> = names.into_iter().filter_map(|name| span.remove_entry(&name)).collect();
    trim::total(&mut unknown, UNKNOWN_BYTES, at, meta);
    span.append(&mut unknown);
}

/// Start and end.
pub(super) fn times(span: &Map<String, Value>) -> Option<(Timestamp, Timestamp)> {
    let time = |key: &str| span.get(key).and_then(shape::timestamp);
    Some((time("start_timestamp")?, time("timestamp")?))
}

/// Whether it began and ended in the range of times that are kept: each week of rows is an index of its own.
pub(super) fn is_timely(span: &Map<String, Value>, received: Timestamp) -> bool {
    let is_kept = |time| time::out_of_range(time, received).is_none();
    times(span).is_some_and(|(start, end)| is_kept(start) && is_kept(end))
}

fn is_duration(value: &Value) -> bool {
    value.as_f64().is_some_and(|millis| millis >= 0.0)
}

/// Tags of a span are an object of texts.
fn tags(span: &mut Map<String, Value>, at: &Path<'_>, meta: &mut Meta) {
    let Some(sent) = span.remove("tags") else { return };
    let at = at.key("tags");
    let mut tags = Map::new();
    for Pair { name, mut value, notes } in pairs::read(sent, &at, meta) {
        let Value::String(key) = name else { continue };
        meta.lay(&at.key(&key), notes);
        shape::apply(Shape::Lenient(TAG), &mut value, &at.key(&key), meta);
        if !value.is_null() {
            tags.entry(key).or_insert(value);
        }
    }
    if !tags.is_empty() {
        span.insert("tags".to_owned(), Value::Object(tags));
    }
}

/// The words of a status, in the order of gRPC's numbers.
const STATUSES: [&str; 17] = [
    "ok",
    "cancelled",
    "unknown",
    "invalid_argument",
    "deadline_exceeded",
    "not_found",
    "already_exists",
    "permission_denied",
    "resource_exhausted",
    "failed_precondition",
    "aborted",
    "out_of_range",
    "unimplemented",
    "internal_error",
    "unavailable",
    "data_loss",
    "unauthenticated",
];

/// Brings `status` to its word; one that nobody knows is removed.
pub(super) fn status(map: &mut Map<String, Value>, at: &Path<'_>, meta: &mut Meta) {
    let Some(value) = map.remove("status") else { return };
    match status_word(&value) {
        Some(word) => {
            map.insert("status".to_owned(), word.into());
        }
        None if value.is_null() => {}
        None => meta.invalid(&at.key("status"), "a status such as ok", value),
    }
}

fn status_word(value: &Value) -> Option<&'static str> {
    let number = match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => {
            let word = text.trim().to_ascii_lowercase();
            let word = match word.as_str() {
                "success" => "ok",
                "unknown_error" => "unknown",
                "failure" | "error" => "internal_error",
                other => other,
            };
            if let Some(known) = STATUSES.iter().find(|known| **known == word) {
                return Some(known);
            }
            word.parse().ok()
        }
        _ => None,
    };
    STATUSES.get(usize::try_from(number?).ok()?).copied()
}

/// The operation of a span that does not tell it, from what else it says about itself (§12.11).
fn infer_op(span: &Map<String, Value>) -> &'static str {
    let has = |key: &str| span.get("data").is_some_and(|data| data.get(key).is_some());
    let kind = span.get("kind").and_then(Value::as_str);
    if has("db.system") || has("db.system.name") {
        "db"
    } else if has("http.request.method") || has("http.method") {
        match kind {
            Some("server") => "http.server",
            Some("client") => "http.client",
            _ => "http",
        }
    } else if has("messaging.system") {
        "message"
    } else if has("rpc.service") {
        "rpc"
    } else {
        "default"
    }
}

/// Old SDKs of React Native call the start of an app differently (§12.12).
pub(super) fn rename_app_start(span: &mut Map<String, Value>, sdk: Option<&Value>) {
    let text = |key: &str| sdk.and_then(|sdk| sdk.get(key)?.as_str());
    if text("name") != Some("sentry.javascript.react-native") {
        return;
    }
    let mut version = text("version").unwrap_or_default().split('.').map(|part| part.parse::<u32>().ok());
    let version = (version.next().flatten(), version.next().flatten());
    let is_old = matches!(version, (Some(3), _) | (Some(4), Some(0..=4)));
    if is_old && let Some(Value::String(op)) = span.get_mut("op") {
        match op.as_str() {
            "app_start_cold" => "app.start.cold".clone_into(op),
            "app_start_warm" => "app.start.warm".clone_into(op),
            _ => {}
        }
    }
}

/// Writes down beside the span what groups it with others: category, cleaned description and its hash (§12.13), and what
/// detectors ask for.
pub(super) fn describe(span: &mut Map<String, Value>, platform: Option<&str>, sdk: Option<&str>) {
    let data = span.get("data").and_then(Value::as_object);
    let op = span.get("op").and_then(Value::as_str).unwrap_or_default();
    let text = span.get("description").and_then(Value::as_str);
    let cleaned = description::clean(op, text, data);
    let system = data.and_then(|data| ["db.system", "db.system.name"].iter().find_map(|key| data.get(*key)?.as_str()));
    let found = [
        ("category", op.split('.').next().filter(|op| *op != "default").map(str::to_owned)),
        ("group", cleaned.as_deref().map(description::group)),
        ("description", cleaned),
        ("platform", platform.map(str::to_owned)),
        ("sdk.name", sdk.map(str::to_owned)),
        ("system", system.map(str::to_owned)),
    ];
    let mut tags = match span.remove("sentry_tags") {
        Some(Value::Object(tags)) => tags,
        _ => Map::new(),
    };
    for (key, value) in found {
        match value {
            Some(value) => tags.insert(key.to_owned(), Value::String(value)),
            None if ["platform", "sdk.name"].contains(&key) => None,
            None => tags.remove(key),
        };
    }
    if !tags.is_empty() {
        span.insert("sentry_tags".to_owned(), Value::Object(tags));
    }
}

/// The span of version 1 that an entry of a container stands for; its attributes were read before.
pub(super) fn of_entry(entry: &mut Map<String, Value>, attributes: Map<String, Value>) {
    if let Some(end) = entry.remove("end_timestamp") {
        entry.insert("timestamp".to_owned(), end);
    }
    let text = |key: &str| attributes.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let described = text("sentry.description").or_else(|| entry.get("name")?.as_str()).map(str::to_owned);
    let moved = [
        ("op", text("sentry.op").map(str::to_owned)),
        ("origin", text("sentry.origin").map(str::to_owned)),
        ("platform", text("sentry.platform").map(str::to_owned)),
        ("segment_id", text("sentry.segment.id").map(str::to_owned)),
        ("description", described),
    ];
    let more = text("sentry.status").filter(|word| STATUSES.contains(word)).map(str::to_owned);
    for (key, value) in moved {
        if let Some(value) = value {
            entry.entry(key).or_insert(Value::String(value));
        }
    }
    if let Some(word) = more {
        entry.insert("status".to_owned(), Value::String(word));
    }
    if !attributes.is_empty() {
        entry.insert("data".to_owned(), Value::Object(attributes));
    }
}
