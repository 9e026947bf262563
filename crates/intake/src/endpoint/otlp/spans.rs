//! Spans of OTLP as spans of version 2 (`reference/ingest-protocol.md` §2.10, §7.15). What is wrong with a span is
//! left in it, and found where spans are read.

use serde_json::{Map, Value, json};

use super::{
    attributes::{add, hex, json as value, secs},
    schema::{Event, KeyValue, Span},
};
use crate::endpoint::attribute;

/// Names of the kinds, from 1.
const KINDS: [&str; 5] = ["internal", "server", "client", "producer", "consumer"];
/// Code of a status that is an error.
const STATUS_ERROR: i32 = 2;
/// Bit of the flags of a link whose trace is kept.
const SAMPLED: u32 = 1;
/// Bits of the flags that say whether the parent is in another process: that it is known, and that it is.
const REMOTE: u32 = 0x300;

/// Most events of a span that are kept.
const EVENTS_MAX: usize = 100;
/// The name of an event that tells of an exception, and what its attributes begin with.
const EXCEPTION: &str = "exception";

/// Maps one span; `shared` are the attributes of its resource and scope.
pub(super) fn span(span: &Span, shared: &Map<String, Value>) -> Value {
    let mut attributes = shared.clone();
    add(&mut attributes, "", &span.attributes);
    events(&mut attributes, &span.events);
    let status = span.status.clone().unwrap_or_default();
    if let Some(message) = attribute(status.message.as_str()).filter(|_| !status.message.is_empty()) {
        attributes.insert("sentry.status.message".to_owned(), message);
    }
    let kind = usize::try_from(span.kind).ok().and_then(|kind| KINDS.get(kind.checked_sub(1)?));
    let links = span.links.iter().map(|link| {
        let mut attributes = Map::new();
        add(&mut attributes, "", &link.attributes);
        json!({
            "trace_id": hex(&link.trace_id),
            "span_id": hex(&link.span_id),
            "sampled": link.flags & SAMPLED != 0,
            "attributes": attributes,
        })
    });
    let links: Vec<Value> = links.collect();
    let name = if span.name.is_empty() { inferred_name(span).unwrap_or_default() } else { span.name.as_str() };
    let has_parent = !span.parent_span_id.is_empty();
    let mut mapped = json!({
        "trace_id": hex(&span.trace_id),
        "span_id": hex(&span.span_id),
        "name": name,
        "status": if status.code == STATUS_ERROR { "error" } else { "ok" },
        "is_segment": !has_parent || span.flags & REMOTE == REMOTE,
        "start_timestamp": secs(span.start_time_unix_nano),
        "end_timestamp": secs(span.end_time_unix_nano),
        "attributes": attributes,
    });
    if has_parent {
        mapped["parent_span_id"] = hex(&span.parent_span_id).into();
    }
    if let Some(kind) = kind {
        mapped["kind"] = (*kind).into();
    }
    if !links.is_empty() {
        mapped["links"] = links.into();
    }
    mapped
}

/// Adds what happened during a span: `span.events`, a list with the JSON of each, and what the last exception says of itself
/// as attributes of the span, under its own names.
fn events(to: &mut Map<String, Value>, events: &[Event]) {
    if events.is_empty() {
        return;
    }
    let told = events.iter().take(EVENTS_MAX).map(|event| {
        let mut told = json!({ "name": event.name, "time": secs(event.time_unix_nano) });
        let attributes = event.attributes.iter();
        let attributes = attributes.filter_map(|it| Some((it.key.clone(), value(it.value.as_ref()?)?)));
        let attributes: Map<String, Value> = attributes.collect();
        if !attributes.is_empty() {
            told["attributes"] = attributes.into();
        }
        told.to_string()
    });
    let told: Vec<String> = told.collect();
    to.insert("span.events".to_owned(), json!({ "value": told, "type": "array" }));
    if let Some(dropped) = events.len().checked_sub(EVENTS_MAX).filter(|dropped| *dropped > 0)
        && let Some(dropped) = attribute(dropped)
    {
        to.insert("span.events.dropped".to_owned(), dropped);
    }
    let exception = events.iter().rfind(|event| event.name == EXCEPTION);
    for KeyValue { key, value: said } in exception.into_iter().flat_map(|event| &event.attributes) {
        let is_about_it = key.strip_prefix(EXCEPTION).is_some_and(|rest| rest.starts_with('.'));
        if is_about_it
            && !to.contains_key(key)
            && let Some(said) = said.as_ref().and_then(value).and_then(attribute)
        {
            to.insert(key.clone(), said);
        }
    }
}

/// What a span without a name does, by its attributes.
fn inferred_name(span: &Span) -> Option<&'static str> {
    let has = |is_it: fn(&str) -> bool| span.attributes.iter().any(|attribute| is_it(&attribute.key));
    if has(|key| key == "db" || key.starts_with("db.")) {
        return Some("db");
    }
    let is_http = has(|key| key == "http.request.method" || key == "http.method");
    is_http.then_some(match span.kind {
        2 => "http.server",
        3 => "http.client",
        _ => "http",
    })
}
