//! Transactions (`reference/ingest-protocol.md` §11.12, §12.11, §12.12).

use nuthatch_protocol::{Event, EventId, IngestRecord, Level, Timestamp, record::IngestHeader};
use serde_json::{Map, Value, json};

use super::{browser_score, measurements, name, span, times};
use crate::{
    GeoLookup, event, json as reader,
    meta::{Meta, Path},
    refused::{Reason, Refused},
    shape::{self, Shape},
    time::{self, Shift},
    trim,
};

/// All spans of a transaction together, in bytes of estimated JSON; those beyond are cut off the end.
const MAX_SPANS_BYTES: usize = 800 << 10;

/// A transaction in normal form.
#[derive(Debug, Clone, PartialEq)]
pub struct Transaction {
    /// The canonical event, of type `transaction`, with its `spans`.
    pub event: Event,
    /// Spans that were sent and are not in it because they began or ended too long ago or in the future.
    pub untimely_spans: usize,
    /// Spans that were sent and are not in it because they were beyond the bound of all spans.
    pub cut_spans: usize,
}

/// Reads the payload of a transaction item and brings it into the normal form of [`Event`].
///
/// # Errors
///
/// Besides what no event survives: a transaction, or a span of it, without the ids and times that make it one, or a
/// transaction that began too long ago.
pub fn transaction(record: &IngestRecord, geo: Option<&dyn GeoLookup>) -> Result<Transaction, Refused> {
    match reader::read(&record.payload)? {
        Value::Object(map) => normalize(map, &record.header, geo),
        other => Err(Refused::not_an_object(&other)),
    }
}

fn normalize(
    mut event: Map<String, Value>,
    header: &IngestHeader,
    geo: Option<&dyn GeoLookup>,
) -> Result<Transaction, Refused> {
    let mut notes = Meta::new(event.remove("_meta"));
    let meta = &mut notes;
    let sent_spans = event.remove("spans");
    let sent_measurements = event.remove("measurements");
    check_times(&event)?;
    let ids = trace_ids(&event)?;
    let shift = event::interfaces(&mut event, header, Level::Info, geo, meta);
    let (start, end) = (time_of(&event, "start_timestamp"), time_of(&event, "timestamp"));
    let (Some(start), Some(end)) = (start.filter(|start| start.0 >= 0), end) else {
        return Err(invalid("start_timestamp".to_owned(), "a time after 1970"));
    };
    // The end was moved into the range, if need be; rows are kept by when they began.
    if time::out_of_range(start, header.received).is_some() {
        let expected = "a time of the last 30 days";
        return Err(Refused::in_json(Reason::Timestamp, "start_timestamp".to_owned(), expected));
    }
    name::normalize(&mut event, meta);
    trace_context(&mut event, ids, meta);
    profile_context(&mut event, header.attributes.profile_id);

    let mut spans = match sent_spans {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(spans)) => spans,
        Some(other) => {
            meta.invalid(&Path::top("spans"), "a list of spans", other);
            Vec::new()
        }
    };
    let sent = spans.len();
    read_spans(&mut spans, shift, header.received, meta)?;
    let timely = spans.len();
    let sdk = event.get("sdk").and_then(|sdk| sdk.get("name")?.as_str()).map(str::to_owned);
    let platform = event.get("platform").and_then(Value::as_str).map(str::to_owned);
    for span in spans.iter_mut().filter_map(Value::as_object_mut) {
        span::rename_app_start(span, event.get("sdk"));
        span::describe(span, platform.as_deref(), sdk.as_deref());
    }
    if let Some(root) = event.get_mut("contexts").and_then(|contexts| contexts.get_mut("trace")?.as_object_mut()) {
        times::exclusive(&mut spans, root, (start, end));
    }
    if let Some(breakdown) = times::span_ops(&spans) {
        event.insert("breakdowns".to_owned(), json!({ "span_ops": breakdown }));
    }
    cut(&mut spans, meta);

    let mut values = measurements::read(sent_measurements, &Path::top("measurements"), meta);
    measurements::derive(&mut values, micros(start, end));
    let browser = event.get("contexts").and_then(|contexts| contexts.get("browser")?.get("name")?.as_str());
    browser_score::add(&mut values, browser);
    if !values.is_empty() {
        event.insert("measurements".to_owned(), Value::Object(values));
    }
    let (untimely_spans, cut_spans) = (sent - timely, timely - spans.len());
    if !spans.is_empty() {
        event.insert("spans".to_owned(), Value::Array(spans));
    }
    Ok(Transaction { event: event::finish(event, "transaction", notes), untimely_spans, cut_spans })
}

fn invalid(path: String, expected: &str) -> Refused {
    Refused::in_json(Reason::InvalidTransaction, path, expected)
}

fn time_of(map: &Map<String, Value>, key: &str) -> Option<Timestamp> {
    map.get(key).and_then(shape::timestamp)
}

fn micros(start: Timestamp, end: Timestamp) -> u64 {
    end.0.saturating_sub(start.0).max(0) as u64
}

/// A transaction has a start and an end, in this order. Checked as sent: moving keeps them apart.
fn check_times(event: &Map<String, Value>) -> Result<(), Refused> {
    let time = |key: &str| {
        time_of(event, key).filter(|time| time.0 >= 0).ok_or_else(|| invalid(key.to_owned(), "a time after 1970"))
    };
    if time("timestamp")? < time("start_timestamp")? {
        return Err(invalid("timestamp".to_owned(), "a time that is not before start_timestamp"));
    }
    Ok(())
}

/// The ids of trace and root span, which nothing may trim away.
fn trace_ids(event: &Map<String, Value>) -> Result<[(&'static str, Value); 2], Refused> {
    let contexts = event.get("contexts").or_else(|| event.get("sentry.interfaces.Contexts"));
    let trace = contexts.and_then(|contexts| contexts.get("trace"));
    let id = |key: &'static str, digits: usize| {
        let mut value = trace.and_then(|trace| trace.get(key)).cloned().unwrap_or_default();
        shape::apply(Shape::Hex(digits), &mut value, &Path::top(key), &mut Meta::new(None));
        let expected = if digits == 32 { "32 hex digits, not all zero" } else { "16 hex digits, not all zero" };
        if value.is_null() { Err(invalid(format!("contexts.trace.{key}"), expected)) } else { Ok((key, value)) }
    };
    Ok([id("trace_id", 32)?, id("span_id", 16)?])
}

fn trace_context(event: &mut Map<String, Value>, ids: [(&'static str, Value); 2], meta: &mut Meta) {
    let contexts = event.entry("contexts").or_insert_with(|| json!({}));
    let Some(contexts) = contexts.as_object_mut() else { return };
    let trace = contexts.entry("trace").or_insert_with(|| json!({ "type": "trace" }));
    let Some(trace) = trace.as_object_mut() else { return };
    trace.extend(ids.map(|(key, id)| (key.to_owned(), id)));
    let top = Path::top("contexts");
    let at = top.key("trace");
    if let Some(op) = trace.get_mut("op") {
        shape::apply(Shape::Text(span::OP), op, &at.key("op"), meta);
    }
    if trace.get("op").is_none_or(Value::is_null) {
        trace.insert("op".to_owned(), "default".into());
    }
    span::status(trace, &at, meta);
    trace.entry("status").or_insert_with(|| "unknown".into());
}

/// Names the profile that came with the transaction and no other: what an SDK says but did not send can never be shown
/// (§7.10).
fn profile_context(event: &mut Map<String, Value>, profile_id: Option<EventId>) {
    let Some(contexts) = event.get_mut("contexts").and_then(Value::as_object_mut) else { return };
    if let Some(id) = profile_id {
        let profile = contexts.entry("profile").or_insert_with(|| json!({ "type": "profile" }));
        if let Some(profile) = profile.as_object_mut() {
            profile.insert("profile_id".to_owned(), id.to_string().into());
        }
    } else if let Some(profile) = contexts.get_mut("profile").and_then(Value::as_object_mut)
        && profile.remove("profile_id").is_some()
        && profile.keys().all(|key| key == "type")
    {
        contexts.remove("profile");
    }
}

/// Brings every span into the normal form; one that is none spoils the transaction.
fn read_spans(spans: &mut Vec<Value>, shift: Shift, received: Timestamp, meta: &mut Meta) -> Result<(), Refused> {
    let at = Path::top("spans");
    let mut sent = meta.lift_parts(&at);
    let (mut kept, mut index) = (0, 0);
    let mut fault = None;
    spans.retain_mut(|value| {
        let at_span = at.index(kept);
        meta.lay(&at_span, sent.entry(index));
        let stays = match value {
            _ if fault.is_some() => Ok(false),
            Value::Object(span) => {
                span::normalize(span, shift, &at_span, meta).map(|()| span::is_timely(span, received))
            }
            _ => Err(span::Fault { key: None, expected: "an object" }),
        };
        let stays = stays.unwrap_or_else(|found| {
            let key = found.key.map(|key| format!(".{key}")).unwrap_or_default();
            fault = Some(invalid(format!("spans.{index}{key}"), found.expected));
            false
        });
        if !stays {
            meta.give_up(&at_span, &at);
        }
        index += 1;
        kept += usize::from(stays);
        stays
    });
    fault.map_or(Ok(()), Err)
}

fn cut(spans: &mut Vec<Value>, meta: &mut Meta) {
    let before = spans.len();
    let mut bytes = 0;
    let fits = |span: &Value| {
        bytes += trim::size_of(span) + 1;
        bytes <= MAX_SPANS_BYTES
    };
    let kept = spans.iter().map(fits).take_while(|fits| *fits).count();
    if kept < before {
        spans.truncate(kept);
        meta.length(&Path::top("spans"), before);
    }
}
