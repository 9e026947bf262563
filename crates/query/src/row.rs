//! What conditions are tested on: rows that have fields.

use std::borrow::Cow;

use nuthatch_protocol::{EventId, SpanId, Timestamp};

use crate::{Op, Pattern, Value, words::contains};

/// A row that has fields.
pub trait Row {
    /// What a name stands for in this row.
    fn field<'a>(&'a self, key: &'a str) -> Found<'a>;
}

/// What the name of a field stands for in a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Found<'a> {
    /// Nothing: no condition on it holds.
    Absent,
    /// Texts that are searched by words; one of them has to meet the condition.
    Words(Vec<&'a str>),
    /// A text that is compared as a whole.
    Text(Cow<'a, str>),
    /// A number.
    Number(f64),
    /// True or false.
    Boolean(bool),
    /// A point in time.
    Time(Timestamp),
    /// Ids, one of which has to be meant.
    Ids(Option<EventId>, Option<SpanId>),
}

impl Found<'_> {
    /// Whether it meets a comparison.
    pub fn meets(&self, op: &Op) -> bool {
        match self {
            Self::Absent => false,
            Self::Words(texts) => texts.iter().any(|text| words_match(op, text)),
            Self::Text(text) => text_matches(op, text),
            Self::Number(number) => number_matches(op, *number),
            Self::Boolean(value) => boolean_matches(op, *value),
            Self::Time(time) => time_matches(op, *time),
            Self::Ids(long, short) => ids_match(op, *long, *short),
        }
    }
}

fn words_match(op: &Op, text: &str) -> bool {
    match op {
        Op::Exists => !text.is_empty(),
        Op::Contains(sought) => contains(text, sought),
        Op::In(values) => values.iter().any(|value| contains(text, &value.to_text())),
        Op::Like(pattern) => Pattern::new(pattern).pieces().iter().all(|piece| contains(text, piece)),
        Op::Lt(_) | Op::Le(_) | Op::Gt(_) | Op::Ge(_) => false,
    }
}

/// Whether a text that is compared as a whole meets a comparison.
pub fn text_matches(op: &Op, text: &str) -> bool {
    let number = |other: &Value, test: fn(&f64, &f64) -> bool| match other {
        Value::Number(other) => text.parse().is_ok_and(|value: f64| test(&value, other)),
        Value::Text(_) | Value::Time(_) => false,
    };
    match op {
        Op::Exists => true,
        Op::In(values) => values.iter().any(|other| match other {
            Value::Text(other) => text == other,
            other => number(other, f64::eq),
        }),
        Op::Like(pattern) => Pattern::new(pattern).matches(text),
        Op::Contains(sought) => contains(text, sought),
        Op::Lt(other) => number(other, f64::lt),
        Op::Le(other) => number(other, f64::le),
        Op::Gt(other) => number(other, f64::gt),
        Op::Ge(other) => number(other, f64::ge),
    }
}

fn number_matches(op: &Op, number: f64) -> bool {
    let against = |other: &Value, test: fn(&f64, &f64) -> bool| match other {
        Value::Number(other) => test(&number, other),
        Value::Text(text) => text.parse().is_ok_and(|other: f64| test(&number, &other)),
        Value::Time(_) => false,
    };
    match op {
        Op::Exists => true,
        Op::In(values) => values.iter().any(|other| against(other, f64::eq)),
        Op::Like(pattern) => Pattern::new(pattern).matches(&number.to_string()),
        Op::Contains(sought) => contains(&number.to_string(), sought),
        Op::Lt(other) => against(other, f64::lt),
        Op::Le(other) => against(other, f64::le),
        Op::Gt(other) => against(other, f64::gt),
        Op::Ge(other) => against(other, f64::ge),
    }
}

fn boolean_matches(op: &Op, value: bool) -> bool {
    let text = if value { "true" } else { "false" };
    match op {
        Op::Exists => true,
        Op::In(values) => values.iter().any(|other| match other {
            Value::Text(other) => other.eq_ignore_ascii_case(text) || other == if value { "1" } else { "0" },
            Value::Number(other) => f64::eq(other, &f64::from(u8::from(value))),
            Value::Time(_) => false,
        }),
        Op::Like(pattern) => Pattern::new(pattern).matches(text),
        Op::Contains(_) | Op::Lt(_) | Op::Le(_) | Op::Gt(_) | Op::Ge(_) => false,
    }
}

/// Whether a time meets a comparison.
pub fn time_matches(op: &Op, time: Timestamp) -> bool {
    let against = |value: &Value, test: fn(&Timestamp, &Timestamp) -> bool| match value {
        Value::Time(other) => test(&time, other),
        Value::Text(_) | Value::Number(_) => false,
    };
    match op {
        Op::Exists => true,
        Op::In(values) => values.iter().any(|value| against(value, Timestamp::eq)),
        Op::Lt(value) => against(value, Timestamp::lt),
        Op::Le(value) => against(value, Timestamp::le),
        Op::Gt(value) => against(value, Timestamp::gt),
        Op::Ge(value) => against(value, Timestamp::ge),
        Op::Like(_) | Op::Contains(_) => false,
    }
}

fn ids_match(op: &Op, long: Option<EventId>, short: Option<SpanId>) -> bool {
    match op {
        Op::Exists => long.is_some() || short.is_some(),
        Op::In(values) => values
            .iter()
            .any(|value| long.is_some() && id_of(value) == long || short.is_some() && span_id_of(value) == short),
        _ => false,
    }
}

/// The id that a value names: 32 hex digits.
pub fn id_of(value: &Value) -> Option<EventId> {
    match value {
        Value::Text(text) => text.parse().ok(),
        Value::Number(_) | Value::Time(_) => None,
    }
}

/// The short id that a value names: 16 hex digits.
pub fn span_id_of(value: &Value) -> Option<SpanId> {
    match value {
        Value::Text(text) => text.parse().ok(),
        Value::Number(_) | Value::Time(_) => None,
    }
}
