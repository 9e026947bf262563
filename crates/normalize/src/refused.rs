//! Why a payload cannot become an event.

use std::fmt;

use serde_json::Value;

/// A payload that cannot become an event. It goes to the dead letters with these words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// Stable word for the cause.
    pub reason: Reason,
    /// What was wrong, for people.
    pub message: String,
    /// Byte offset or path in the payload, if there is one to tell.
    pub place: Option<String>,
}

/// Stable words for the causes of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Not JSON, even when read leniently.
    InvalidJson,
    /// JSON, but not an object.
    NotAnObject,
    /// Nested deeper than [`crate::MAX_DEPTH`].
    TooDeep,
    /// Larger than [`crate::MAX_PAYLOAD_BYTES`].
    TooLarge,
    /// A check-in that names no monitor.
    NoMonitor,
    /// A security report of no known kind.
    SecurityReportType,
    /// A security report whose content makes no sense.
    SecurityReport,
    /// Feedback that says nothing.
    EmptyFeedback,
    /// A segment of a replay that does not say which one it is (`reference/ingest-protocol.md` §7.7).
    InvalidReplay,
    /// Not what a session item has to be.
    InvalidSession,
    /// Of a time that is not taken.
    Timestamp,
    /// A transaction without the times and ids that make it one (`reference/ingest-protocol.md` §11.12).
    InvalidTransaction,
    /// A span without the times and ids that make it one (§7.15).
    InvalidSpan,
    /// A log line without time, trace or body (§7.13).
    InvalidLog,
    /// A metric without time, trace, name or value (§7.14).
    InvalidTraceMetric,
    /// An attachment that does not say to which trace it belongs (§7.2).
    InvalidTraceAttachment,
    /// More entries than [`crate::MAX_ENTRIES`] in one container.
    TooManyEntries,
}

impl Reason {
    /// The word used in dead letters, metrics and outcomes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidJson => "invalid_json",
            Self::NotAnObject => "not_an_object",
            Self::TooDeep => "too_deep",
            Self::TooLarge => "too_large",
            Self::NoMonitor => "no_monitor",
            Self::SecurityReportType => "security_report_type",
            Self::SecurityReport => "security_report",
            Self::EmptyFeedback => "empty_feedback",
            Self::InvalidReplay => "invalid_replay",
            Self::InvalidSession => "invalid_session",
            Self::Timestamp => "timestamp",
            Self::InvalidTransaction => "invalid_transaction",
            Self::InvalidSpan => "invalid_span",
            Self::InvalidLog => "invalid_log",
            Self::InvalidTraceMetric => "invalid_trace_metric",
            Self::InvalidTraceAttachment => "invalid_trace_attachment",
            Self::TooManyEntries => "too_many_entries",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Refused {
    /// Something at a path of the JSON is not what it must be.
    pub(crate) fn in_json(reason: Reason, path: String, expected: &str) -> Self {
        Self { reason, message: format!("{path}: expected {expected}"), place: Some(path) }
    }

    pub(crate) fn at(reason: Reason, message: impl Into<String>, offset: usize) -> Self {
        Self { reason, message: message.into(), place: Some(format!("byte {offset}")) }
    }

    pub(crate) fn of(reason: Reason, message: impl Into<String>, place: &str) -> Self {
        Self { reason, message: message.into(), place: Some(place.to_owned()) }
    }

    pub(crate) fn not_an_object(value: &Value) -> Self {
        let found = match value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a text",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        let message = format!("an event is a JSON object, found {found}");
        Self { reason: Reason::NotAnObject, message, place: Some("byte 0".to_owned()) }
    }
}
