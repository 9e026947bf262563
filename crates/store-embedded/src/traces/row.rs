//! What is stored of an item beside its body: JSON of a tuple, so that it compresses with the bodies around it.

use std::{borrow::Cow, collections::BTreeMap};

use bytes::Bytes;
use nuthatch_protocol::{AttributeValue, EventId, ProjectId, SpanId, Timestamp, TraceId, TraceItem, TraceItemKind};
use nuthatch_store::StoreError;
use serde::{Deserialize, Serialize};

use super::STORE;

type Row<'a> = (
    (ProjectId, u8, EventId, EventId, Option<u64>, Option<u64>, bool, Option<EventId>),
    (i64, Option<u64>, i64),
    Cow<'a, str>,
    BTreeMap<Cow<'a, str>, Stored<'a>>,
);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Stored<'a> {
    Boolean(bool),
    Integer(i64),
    Double(f64),
    Text(Cow<'a, str>),
}

impl<'a> Stored<'a> {
    /// Numbers that JSON has no words for are left out.
    fn of(value: &'a AttributeValue) -> Option<Self> {
        Some(match value {
            AttributeValue::Boolean(value) => Self::Boolean(*value),
            AttributeValue::Integer(number) => Self::Integer(*number),
            AttributeValue::Double(number) if number.is_finite() => Self::Double(*number),
            AttributeValue::Double(_) => return None,
            AttributeValue::Text(text) => Self::Text(Cow::Borrowed(text)),
        })
    }

    fn into_value(self) -> AttributeValue {
        match self {
            Self::Boolean(value) => AttributeValue::Boolean(value),
            Self::Integer(number) => AttributeValue::Integer(number),
            Self::Double(number) => AttributeValue::Double(number),
            Self::Text(text) => AttributeValue::Text(text.into_owned()),
        }
    }
}

/// Number of a kind in terms and rows.
pub(super) fn kind_number(kind: TraceItemKind) -> u8 {
    match kind {
        TraceItemKind::Span => 0,
        TraceItemKind::Log => 1,
        TraceItemKind::Metric => 2,
    }
}

fn kind_of(number: u8) -> Result<TraceItemKind, StoreError> {
    Ok(match number {
        0 => TraceItemKind::Span,
        1 => TraceItemKind::Log,
        2 => TraceItemKind::Metric,
        _ => return Err(STORE.damaged(format!("a row of kind {number}"))),
    })
}

/// A short id as a number.
pub(super) fn short(id: SpanId) -> u64 {
    u64::from_be_bytes(id.0)
}

/// All of an item but its body.
pub(super) fn encode(item: &TraceItem) -> Vec<u8> {
    let ids = (
        item.project_id,
        kind_number(item.kind),
        item.id,
        EventId(item.trace_id.0),
        item.span_id.map(short),
        item.parent_span_id.map(short),
        item.is_segment,
        item.event_id,
    );
    let attributes = item.attributes.iter();
    let stored = attributes.filter_map(|(key, value)| Some((Cow::Borrowed(key.as_str()), Stored::of(value)?)));
    let row: Row<'_> =
        (ids, (item.timestamp.0, item.duration_us, item.received.0), Cow::Borrowed(&item.name), stored.collect());
    // Texts and finite numbers always serialise; an empty row would be reported as damage when read.
    serde_json::to_vec(&row).unwrap_or_default()
}

/// The item again.
pub(super) fn decode(row: &[u8], body: Bytes) -> Result<TraceItem, StoreError> {
    let (ids, (timestamp, duration_us, received), name, attributes): Row<'_> =
        serde_json::from_slice(row).map_err(|error| STORE.damaged(format!("a row: {error}")))?;
    let (project_id, kind, id, trace_id, span_id, parent_span_id, is_segment, event_id) = ids;
    let span = |id: u64| SpanId(id.to_be_bytes());
    Ok(TraceItem {
        project_id,
        kind: kind_of(kind)?,
        id,
        trace_id: TraceId(trace_id.0),
        span_id: span_id.map(span),
        parent_span_id: parent_span_id.map(span),
        is_segment,
        event_id,
        timestamp: Timestamp(timestamp),
        duration_us,
        received: Timestamp(received),
        name: name.into_owned(),
        attributes: attributes.into_iter().map(|(key, value)| (key.into_owned(), value.into_value())).collect(),
        body,
    })
}
