//! What the names of fields mean for a span, a log line or a metric (`reference/web-api.md` §4.1), and which of their
//! attributes can be searched. Adapters index what is said here, so that they and the executor cannot disagree.

use std::{borrow::Cow, cmp::Ordering};

use nuthatch_protocol::{AttributeValue, EventId, TraceItem};

use crate::{
    FREE_TEXT,
    row::{Found, Row},
};

/// Most attributes of an item that are searched, in the order of their keys.
pub const ATTRIBUTES_MAX: usize = 128;
/// Longest key of an attribute that is searched, in bytes.
pub const KEY_BYTES_MAX: usize = 200;
/// Longest value that is compared as a whole, in bytes; of a longer one this much.
pub const VALUE_BYTES_MAX: usize = 1024;

/// What a field name refers to in a trace item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemField<'a> {
    /// The name of the span or metric, the body of the log line: searched by words, grouped as a whole.
    Name,
    /// Start of a span, time of a log line or metric.
    Time,
    /// The item: its own id or that of its span.
    Id,
    /// The trace.
    Trace,
    /// The span.
    Span,
    /// The span around it.
    Parent,
    /// How long a span took, in milliseconds.
    Duration,
    /// Whether a span is the root of its service's part of the trace.
    Segment,
    /// Number of the project.
    Project,
    /// An attribute, of one type or any.
    Attribute(&'a str, Option<AttributeType>),
}

/// Type of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AttributeType {
    /// True or false.
    Boolean,
    /// Numbers.
    Number,
    /// Texts.
    Text,
}

impl<'a> ItemField<'a> {
    /// What a name refers to. `tags[name]` and `tags[name,number]` are always the attribute.
    pub fn named(key: &'a str) -> Self {
        if let Some(name) = key.strip_prefix("tags[").and_then(|rest| rest.strip_suffix(']')) {
            let typed = name.rsplit_once(',').and_then(|(name, word)| {
                let of_type = match word.trim() {
                    "number" => AttributeType::Number,
                    "string" => AttributeType::Text,
                    "boolean" => AttributeType::Boolean,
                    _ => return None,
                };
                Some(Self::Attribute(name, Some(of_type)))
            });
            return typed.unwrap_or(Self::Attribute(name, None));
        }
        match key {
            FREE_TEXT | "message" | "name" | "span.name" | "metric.name" => Self::Name,
            "timestamp" | "timestamp_precise" | "precise.start_ts" => Self::Time,
            "id" | "sentry.item_id" => Self::Id,
            "trace" | "trace_id" => Self::Trace,
            "span_id" => Self::Span,
            "parent_span" | "parent_span_id" => Self::Parent,
            "span.duration" | "transaction.duration" => Self::Duration,
            "is_transaction" | "is_segment" => Self::Segment,
            "project.id" | "project_id" => Self::Project,
            key => Self::Attribute(key, None),
        }
    }

    /// The value of an item that is grouped, counted and measured by; `None` when it has none. Ids have none.
    pub fn value(self, item: &TraceItem) -> Option<FieldValue> {
        match self {
            Self::Name => (!item.name.is_empty()).then(|| FieldValue::Text(cut(&item.name).to_owned())),
            Self::Time => Some(FieldValue::Text(item.timestamp.to_string())),
            Self::Id => None,
            Self::Trace => Some(FieldValue::Text(item.trace_id.to_string())),
            Self::Span => item.span_id.map(|id| FieldValue::Text(id.to_string())),
            Self::Parent => item.parent_span_id.map(|id| FieldValue::Text(id.to_string())),
            Self::Duration => item.duration_us.map(|us| FieldValue::Number(milliseconds(us))),
            Self::Segment => Some(FieldValue::Boolean(item.is_segment)),
            Self::Project => Some(FieldValue::Number(item.project_id.0 as f64)),
            Self::Attribute(key, wanted) => {
                let value = match attribute(item, key)? {
                    AttributeValue::Text(text) => FieldValue::Text(cut(text).to_owned()),
                    AttributeValue::Integer(number) => FieldValue::Number(*number as f64),
                    AttributeValue::Double(number) => FieldValue::Number(*number),
                    AttributeValue::Boolean(value) => FieldValue::Boolean(*value),
                };
                wanted.is_none_or(|wanted| wanted == value.of_type()).then_some(value)
            }
        }
    }
}

impl Row for TraceItem {
    fn field<'a>(&'a self, key: &'a str) -> Found<'a> {
        match ItemField::named(key) {
            ItemField::Name => Found::Words(vec![&self.name]),
            ItemField::Time => Found::Time(self.timestamp),
            ItemField::Id => Found::Ids(Some(self.id), self.span_id),
            ItemField::Trace => Found::Ids(Some(EventId(self.trace_id.0)), None),
            ItemField::Span => Found::Ids(None, self.span_id),
            ItemField::Parent => Found::Ids(None, self.parent_span_id),
            field => field.value(self).map_or(Found::Absent, FieldValue::found),
        }
    }
}

/// Microseconds as the milliseconds that durations are compared and shown in.
pub fn milliseconds(us: u64) -> f64 {
    us as f64 / 1000.0
}

/// A value to group by, as it comes out of a store.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldValue {
    /// True or false.
    Boolean(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
}

impl FieldValue {
    /// Its type.
    pub fn of_type(&self) -> AttributeType {
        match self {
            Self::Boolean(_) => AttributeType::Boolean,
            Self::Number(_) => AttributeType::Number,
            Self::Text(_) => AttributeType::Text,
        }
    }

    /// As what conditions are tested on.
    pub fn found<'a>(self) -> Found<'a> {
        match self {
            Self::Boolean(value) => Found::Boolean(value),
            Self::Number(number) => Found::Number(number),
            Self::Text(text) => Found::Text(Cow::Owned(text)),
        }
    }
}

impl Eq for FieldValue {}

impl PartialOrd for FieldValue {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for FieldValue {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Boolean(a), Self::Boolean(b)) => a.cmp(b),
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            _ => self.of_type().cmp(&other.of_type()),
        }
    }
}

/// The attributes of an item that are searched: those with a value and a plain name, at most [`ATTRIBUTES_MAX`].
pub fn attributes(item: &TraceItem) -> impl Iterator<Item = (&str, &AttributeValue)> {
    let is_searched = |key: &str, value: &AttributeValue| {
        let has_value = match value {
            AttributeValue::Text(text) => !text.is_empty(),
            AttributeValue::Double(number) => number.is_finite(),
            AttributeValue::Integer(_) | AttributeValue::Boolean(_) => true,
        };
        has_value && !key.is_empty() && key.len() <= KEY_BYTES_MAX && !key.chars().any(char::is_control)
    };
    let all = item.attributes.iter().map(|(key, value)| (key.as_str(), value));
    all.filter(move |(key, value)| is_searched(key, value)).take(ATTRIBUTES_MAX)
}

fn attribute<'a>(item: &'a TraceItem, key: &str) -> Option<&'a AttributeValue> {
    attributes(item).find(|(name, _)| *name == key).map(|(_, value)| value)
}

/// As much of a text as is compared.
pub fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(VALUE_BYTES_MAX)).unwrap_or(text)
}
