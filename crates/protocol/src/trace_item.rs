//! The row that the trace store keeps of a span, a log line or a metric.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::{EventId, ProjectId, SpanId, Timestamp, TraceId};

/// What a trace item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TraceItemKind {
    /// A span.
    Span,
    /// A log line.
    Log,
    /// A metric.
    Metric,
}

/// Words of log lines, by severity.
const LOG_LEVELS: [&str; 6] = ["trace", "debug", "info", "warn", "error", "fatal"];

/// The word for a severity number of OpenTelemetry, which has four numbers a word from 1 on
/// (`reference/ingest-protocol.md` §2.10); `None` for other numbers.
pub fn log_level(severity: i64) -> Option<&'static str> {
    let number = usize::try_from(severity).ok()?.checked_sub(1)?;
    LOG_LEVELS.get(number / 4).copied()
}

/// The word that a severity text of OpenTelemetry means, if it means one.
pub fn log_level_of_text(text: &str) -> Option<&'static str> {
    match text.to_ascii_lowercase().as_str() {
        "warning" => Some("warn"),
        "information" => Some("info"),
        word => LOG_LEVELS.into_iter().find(|known| *known == word),
    }
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum AttributeValue {
    /// Text; also lists and objects, as JSON.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number.
    Double(f64),
    /// Yes or no.
    Boolean(bool),
}

impl AttributeValue {
    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Integer(_) | Self::Double(_) | Self::Boolean(_) => None,
        }
    }
}

/// A span, a log line or a metric, as the trace store keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceItem {
    /// With `kind` and `id` the identity of the row.
    pub project_id: ProjectId,
    /// With `project_id` and `id` the identity of the row.
    pub kind: TraceItemKind,
    /// Of a span it is made of the ids of trace and span, so that the last one wins; of a log line or a metric, of the
    /// record's id and its place in it.
    pub id: EventId,
    /// The trace.
    pub trace_id: TraceId,
    /// The span; of a log line or metric, the one it was written in.
    pub span_id: Option<SpanId>,
    /// The parent of a span.
    pub parent_span_id: Option<SpanId>,
    /// Whether a span is the root of its service's part of the trace: a transaction.
    pub is_segment: bool,
    /// Id of the transaction event, for root spans that came as one.
    pub event_id: Option<EventId>,
    /// Start of a span, time of a log line or metric; decides the time partition.
    pub timestamp: Timestamp,
    /// Length of a span, in microseconds.
    pub duration_us: Option<u64>,
    /// When the server received it.
    pub received: Timestamp,
    /// Span: description or name. Log line: body. Metric: name.
    pub name: String,
    /// Under the names that people search by: `span.op`, `span.status`, `transaction`, `release`, `environment`,
    /// `severity`, `value`, `measurements.lcp`, tags, data and attributes as sent.
    pub attributes: BTreeMap<String, AttributeValue>,
    /// Canonical JSON. Of the root span of a transaction: the whole event.
    pub body: Bytes,
}
