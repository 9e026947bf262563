//! What the trace store keeps of spans, log lines and metrics: the names that people search by.

use std::collections::BTreeMap;

use bytes::Bytes;
use md5::{Digest, Md5};
use nuthatch_protocol::{
    AttributeValue, Event, EventId, Level, SpanId, Timestamp, TraceId, TraceItem, TraceItemKind, record::IngestHeader,
};
use serde_json::{Map, Value};

use crate::row;

/// Most attributes of one row, which is as many as are searched; the body has them all. The server's names come first.
const MAX_ATTRIBUTES: usize = 128;
/// Longest text of an attribute, in bytes; the body has the rest.
const MAX_TEXT_BYTES: usize = 8 << 10;

/// Longest text of what the spans of a transaction have from it, in bytes. Of names that are searched as a whole, the 200
/// characters that they have at most (`reference/ingest-protocol.md` §11.2).
fn max_shared_bytes(name: &str) -> usize {
    if ["release", "transaction"].contains(&name) { 800 } else { 200 }
}

/// What spans of a transaction have in common with it.
const SHARED: [&str; 24] = [
    "browser",
    "browser.name",
    "device",
    "device.class",
    "device.family",
    "dist",
    "environment",
    "geo.country_code",
    "os",
    "os.name",
    "platform",
    "profile.id",
    "release",
    "replayId",
    "sdk.name",
    "sdk.version",
    "server_name",
    "transaction",
    "transaction.op",
    "user",
    "user.email",
    "user.id",
    "user.ip",
    "user.username",
];

/// The names that attributes of spans, log lines and metrics are searched by, and what SDKs call them.
const ALIASES: [(&str, &[&str]); 17] = [
    ("dist", &["sentry.dist"]),
    ("environment", &["sentry.environment"]),
    ("geo.country_code", &["user.geo.country_code"]),
    ("origin", &["sentry.origin"]),
    ("platform", &["sentry.platform"]),
    ("profile.id", &["sentry.profile_id", "sentry.profiler_id", "profile_id"]),
    ("release", &["sentry.release"]),
    ("replayId", &["sentry.replay_id", "replay_id"]),
    ("sdk.name", &["sentry.sdk.name"]),
    ("sdk.version", &["sentry.sdk.version"]),
    ("severity_number", &["sentry.severity_number"]),
    ("transaction", &["sentry.segment.name", "sentry.transaction"]),
    ("transaction.op", &["sentry.segment.op"]),
    ("user.email", &["user.email"]),
    ("user.id", &["user.id"]),
    ("user.ip", &["client.address", "user.ip_address"]),
    ("user.username", &["user.name"]),
];

/// The rows of a canonical transaction: its root span with the whole event, and one for each of its spans.
pub fn transaction_items(header: &IngestHeader, event: &Event) -> Vec<TraceItem> {
    let Some(root) = root(header, event) else { return Vec::new() };
    let spans = event.0.get("spans").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut items = Vec::with_capacity(spans.len() + 1);
    let (segment, transaction) = (root.span_id.map(|id| id.to_string()), header.event_id.to_string());
    for span in spans.iter().filter_map(Value::as_object) {
        let mut attributes = Attributes::default();
        attributes.text("transaction.span_id", segment.as_deref());
        attributes.text("transaction.event_id", Some(&transaction));
        attributes.span(span);
        for name in SHARED {
            match root.attributes.get(name) {
                // Each of thousands of spans gets them.
                Some(AttributeValue::Text(text)) => {
                    attributes.text(name, Some(shortened(text, max_shared_bytes(name))));
                }
                Some(value) => attributes.put(name, value.clone()),
                None => {}
            }
        }
        attributes.data(span.get("data"));
        attributes.data(span.get("tags"));
        items.extend(row_of(header, TraceItemKind::Span, 0, span, attributes));
    }
    items.insert(0, root);
    items
}

/// The row of a span, log line or metric in normal form that came by itself; its place is that in its container. `None`
/// when it is not in normal form.
pub fn trace_item(
    header: &IngestHeader,
    kind: TraceItemKind,
    place: usize,
    item: &Map<String, Value>,
) -> Option<TraceItem> {
    let mut attributes = Attributes::default();
    match kind {
        TraceItemKind::Span => attributes.span(item),
        TraceItemKind::Log => {
            attributes.value("severity", item.get("level"));
            attributes.value("severity_number", item.get("severity_number"));
        }
        TraceItemKind::Metric => {
            attributes.double("value", item.get("value"));
            attributes.value("unit", item.get("unit"));
            attributes.value("metric.type", item.get("type"));
        }
    }
    let data = item.get(if kind == TraceItemKind::Span { "data" } else { "attributes" });
    for (name, aliases) in ALIASES {
        attributes.value(name, aliases.iter().find_map(|alias| data?.get(*alias)));
    }
    let user = [("id", "user.id"), ("username", "user.username"), ("email", "user.email"), ("ip", "user.ip")];
    let user = user.iter().find_map(|(prefix, name)| Some(format!("{prefix}:{}", attributes.0.get(*name)?.as_text()?)));
    attributes.text("user", user.as_deref());
    attributes.data(data);
    attributes.data(item.get("tags"));
    row_of(header, kind, place, item, attributes)
}

/// The root span of a transaction.
fn root(header: &IngestHeader, event: &Event) -> Option<TraceItem> {
    let trace = event.get(&["contexts", "trace"])?.as_object()?;
    let time = |key: &str| event.get(&[key]).and_then(Value::as_f64).and_then(Timestamp::from_secs_f64);
    let (start, end) = (time("start_timestamp")?, time("timestamp")?);
    let name = event.text(&["transaction"]).unwrap_or_default();
    let mut attributes = Attributes::default();
    attributes.text("transaction.event_id", Some(&header.event_id.to_string()));
    for (key, value) in [
        ("transaction", event.get(&["transaction"])),
        ("transaction.op", trace.get("op")),
        ("transaction.status", trace.get("status")),
        ("transaction.source", event.get(&["transaction_info", "source"])),
        ("span.op", trace.get("op")),
        ("span.status", trace.get("status")),
        ("span.description", event.get(&["transaction"])),
        ("span.self_time", trace.get("exclusive_time")),
        ("origin", trace.get("origin")),
        ("platform", event.get(&["platform"])),
        ("sdk.name", event.get(&["sdk", "name"])),
        ("sdk.version", event.get(&["sdk", "version"])),
        ("profile.id", event.get(&["contexts", "profile", "profile_id"])),
        ("http.method", event.get(&["request", "method"])),
        ("user.id", event.get(&["user", "id"])),
        ("user.email", event.get(&["user", "email"])),
        ("user.username", event.get(&["user", "username"])),
        ("user.ip", event.get(&["user", "ip_address"])),
        ("geo.country_code", event.get(&["user", "geo", "country_code"])),
    ] {
        attributes.value(key, value);
    }
    for (key, value) in
        row::tags(event, event.text(&["level"]).and_then(|word| word.parse().ok()).unwrap_or(Level::Info))
    {
        attributes.text(&key, Some(&value));
    }
    attributes.measurements(event.get(&["measurements"]));
    for (name, measured) in event.get(&["breakdowns", "span_ops"]).and_then(Value::as_object).into_iter().flatten() {
        attributes.double(&format!("spans.{}", name.strip_prefix("ops.").unwrap_or(name)), measured.get("value"));
    }
    attributes.data(trace.get("data"));
    let id = |key: &str| trace.get(key).and_then(Value::as_str);
    let (trace_id, span_id): (TraceId, SpanId) = (id("trace_id")?.parse().ok()?, id("span_id")?.parse().ok()?);
    Some(TraceItem {
        project_id: header.project_id,
        kind: TraceItemKind::Span,
        id: span_row_id(trace_id, span_id),
        trace_id,
        span_id: Some(span_id),
        parent_span_id: id("parent_span_id").and_then(|id| id.parse().ok()),
        is_segment: true,
        event_id: Some(header.event_id),
        timestamp: start,
        duration_us: Some(duration(start, end)),
        received: header.received,
        name: name.to_owned(),
        attributes: attributes.0,
        body: Bytes::from(event.to_json()),
    })
}

fn row_of(
    header: &IngestHeader,
    kind: TraceItemKind,
    place: usize,
    item: &Map<String, Value>,
    attributes: Attributes,
) -> Option<TraceItem> {
    let text = |key: &str| item.get(key).and_then(Value::as_str);
    let time = |key: &str| item.get(key).and_then(Value::as_f64).and_then(Timestamp::from_secs_f64);
    let trace_id: TraceId = text("trace_id")?.parse().ok()?;
    let span_id: Option<SpanId> = text("span_id").and_then(|id| id.parse().ok());
    let end = time("timestamp")?;
    let is_span = kind == TraceItemKind::Span;
    let timestamp = if is_span { time("start_timestamp")? } else { end };
    let name = match kind {
        TraceItemKind::Span => text("description").or_else(|| text("name")),
        TraceItemKind::Log => text("body"),
        TraceItemKind::Metric => text("name"),
    };
    Some(TraceItem {
        project_id: header.project_id,
        kind,
        id: if is_span { span_row_id(trace_id, span_id?) } else { entry_row_id(header.event_id, kind, place) },
        trace_id,
        span_id,
        parent_span_id: text("parent_span_id").and_then(|id| id.parse().ok()),
        is_segment: is_span && item.get("is_segment") == Some(&Value::Bool(true)),
        event_id: None,
        timestamp,
        duration_us: is_span.then(|| duration(timestamp, end)),
        received: header.received,
        name: name.unwrap_or_default().to_owned(),
        attributes: attributes.0,
        // A map with text keys and finite numbers always serialises.
        body: serde_json::to_vec(item).unwrap_or_default().into(),
    })
}

fn duration(start: Timestamp, end: Timestamp) -> u64 {
    end.0.saturating_sub(start.0).max(0) as u64
}

/// One row for a span, however often it is sent.
fn span_row_id(trace: TraceId, span: SpanId) -> EventId {
    EventId(Md5::new().chain_update(trace.0).chain_update(span.0).finalize().into())
}

/// One row for an entry, however often its record is read.
fn entry_row_id(record: EventId, kind: TraceItemKind, place: usize) -> EventId {
    let kind = if kind == TraceItemKind::Log { b"log" } else { b"met" };
    EventId(
        Md5::new()
            .chain_update(record.0)
            .chain_update(kind)
            .chain_update((place as u64).to_be_bytes())
            .finalize()
            .into(),
    )
}

/// As much of the beginning of a text as has at most so many bytes.
fn shortened(text: &str, bytes_max: usize) -> &str {
    let end = (0..=bytes_max.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or_default()]
}

/// Attributes of a row; the first value of a name stays.
#[derive(Default)]
struct Attributes(BTreeMap<String, AttributeValue>);

impl Attributes {
    fn put(&mut self, name: &str, value: AttributeValue) {
        if self.0.len() < MAX_ATTRIBUTES && !self.0.contains_key(name) {
            self.0.insert(name.to_owned(), value);
        }
    }

    fn text(&mut self, name: &str, text: Option<&str>) {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return };
        self.put(name, AttributeValue::Text(shortened(text, MAX_TEXT_BYTES).to_owned()));
    }

    /// A number that is one even where it happens to be whole.
    fn double(&mut self, name: &str, value: Option<&Value>) {
        if let Some(double) = value.and_then(Value::as_f64) {
            self.put(name, AttributeValue::Double(double));
        }
    }

    fn value(&mut self, name: &str, value: Option<&Value>) {
        match value {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) => self.text(name, Some(text)),
            Some(Value::Bool(yes)) => self.put(name, AttributeValue::Boolean(*yes)),
            Some(Value::Number(number)) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => self.put(name, AttributeValue::Integer(whole)),
                (None, Some(double)) => self.put(name, AttributeValue::Double(double)),
                (None, None) => {}
            },
            Some(list_or_object) => self.text(name, Some(&list_or_object.to_string())),
        }
    }

    /// What every span says about itself.
    fn span(&mut self, span: &Map<String, Value>) {
        let tag = |key: &str| span.get("sentry_tags").and_then(|tags| tags.get(key));
        for (name, value) in [
            ("span.op", span.get("op")),
            ("span.status", span.get("status")),
            ("span.description", span.get("description")),
            ("span.kind", span.get("kind")),
            ("span.category", tag("category")),
            ("span.group", tag("group")),
            ("span.normalized_description", tag("description")),
            ("span.system", tag("system")),
            ("origin", span.get("origin")),
            ("platform", span.get("platform").or_else(|| tag("platform"))),
            ("profile.id", span.get("profile_id")),
            ("transaction.span_id", span.get("segment_id")),
        ] {
            self.value(name, value);
        }
        self.double("span.self_time", span.get("exclusive_time"));
        self.measurements(span.get("measurements"));
        let described = ["category", "description", "group", "system"];
        for (name, value) in span.get("sentry_tags").and_then(Value::as_object).into_iter().flatten() {
            if !described.contains(&name.as_str()) {
                self.value(name, Some(value));
            }
        }
    }

    fn measurements(&mut self, measurements: Option<&Value>) {
        for (name, measured) in measurements.and_then(Value::as_object).into_iter().flatten() {
            self.double(&format!("measurements.{name}"), measured.get("value"));
        }
    }

    /// Data, attributes or tags, as they were sent.
    fn data(&mut self, data: Option<&Value>) {
        for (name, value) in data.and_then(Value::as_object).into_iter().flatten() {
            self.value(name, Some(value));
        }
    }
}
