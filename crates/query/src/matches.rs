//! The in-memory executor: whether a row meets a condition. It is the oracle that every event store is tested against.

use nuthatch_protocol::{EventId, EventRow, Timestamp};

use crate::{
    Expr, Op, Term, Value,
    field::{Field, Text},
    pattern::Pattern,
    words::contains,
};

/// Whether a row meets a condition.
///
/// * Values (`level`, `release`, tags, …) are compared as a whole and with case; patterns without. With a number they
///   are compared as numbers, if they are; with a time never.
/// * Texts (`title`, `message`, `stack`, …) are searched by words ([`mod@crate::words`]). One of several values has to
///   be contained; of a pattern every piece between the stars. They know no order.
/// * The time knows equality and order, the id only equality.
pub fn matches(expr: &Expr, row: &EventRow) -> bool {
    match expr {
        Expr::And(parts) => parts.iter().all(|part| matches(part, row)),
        Expr::Or(parts) => parts.iter().any(|part| matches(part, row)),
        Expr::Not(part) => !matches(part, row),
        Expr::Term(term) => holds(term, row),
    }
}

fn holds(term: &Term, row: &EventRow) -> bool {
    match Field::named(&term.key) {
        Field::Texts(texts) => texts.iter().any(|text| text_matches(&term.op, *text, row)),
        Field::Time => time_matches(&term.op, row.timestamp),
        Field::Id => match &term.op {
            Op::Exists => true,
            Op::In(values) => values.iter().any(|value| id_of(value) == Some(row.event_id)),
            _ => false,
        },
        field => field.value(row).is_some_and(|value| value_matches(&term.op, &value)),
    }
}

fn text_matches(op: &Op, text: Text, row: &EventRow) -> bool {
    let text = text.of(row);
    match op {
        Op::Exists => !text.is_empty(),
        Op::Contains(sought) => contains(text, sought),
        Op::In(values) => values.iter().any(|value| contains(text, &value.to_text())),
        Op::Like(pattern) => Pattern::new(pattern).pieces().iter().all(|piece| contains(text, piece)),
        Op::Lt(_) | Op::Le(_) | Op::Gt(_) | Op::Ge(_) => false,
    }
}

/// The event id that a value names.
pub fn id_of(value: &Value) -> Option<EventId> {
    match value {
        Value::Text(text) => text.parse().ok(),
        Value::Number(_) | Value::Time(_) => None,
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

/// Whether a value that is compared as a whole meets a comparison.
pub fn value_matches(op: &Op, value: &str) -> bool {
    let number = |other: &Value, test: fn(&f64, &f64) -> bool| match other {
        Value::Number(other) => value.parse().is_ok_and(|value: f64| test(&value, other)),
        Value::Text(_) | Value::Time(_) => false,
    };
    match op {
        Op::Exists => true,
        Op::In(values) => values.iter().any(|other| match other {
            Value::Text(text) => text == value,
            other => number(other, f64::eq),
        }),
        Op::Like(pattern) => Pattern::new(pattern).matches(value),
        Op::Contains(sought) => contains(value, sought),
        Op::Lt(other) => number(other, f64::lt),
        Op::Le(other) => number(other, f64::le),
        Op::Gt(other) => number(other, f64::gt),
        Op::Ge(other) => number(other, f64::ge),
    }
}
