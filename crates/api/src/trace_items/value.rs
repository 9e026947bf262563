//! The values of the cells of a table.

use nuthatch_protocol::{AttributeValue, ProjectId, Timestamp, TraceItem, TraceItemKind};
use nuthatch_query::{FieldValue, ItemField, item_field::milliseconds};
use nuthatch_store::{projects::Project, traces::Aggregate};
use serde_json::{Value, json};

use super::column::Measure;

/// Slug of a project.
fn slug(projects: &[Project], id: ProjectId) -> Value {
    let project = projects.iter().find(|project| project.id == id);
    project.map_or(Value::Null, |project| json!(project.slug))
}

/// The value of an attribute.
pub(crate) fn attribute(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::Text(text) => json!(text),
        AttributeValue::Integer(number) => json!(number),
        AttributeValue::Double(number) => json!(number),
        AttributeValue::Boolean(value) => json!(value),
    }
}

/// When a span ended; of what has no length, when it was.
pub(crate) fn end(item: &TraceItem) -> Timestamp {
    item.timestamp.plus(std::time::Duration::from_micros(item.duration_us.unwrap_or_default()))
}

/// What an item shows in a column.
pub(crate) fn of_item(item: &TraceItem, field: &str, projects: &[Project]) -> Value {
    let text = |text: Option<String>| text.map_or(Value::Null, Value::from);
    match field {
        "project" | "project.name" | "project.slug" => return slug(projects, item.project_id),
        "project.id" | "project_id" => return json!(item.project_id.0),
        "precise.start_ts" => return json!(item.timestamp.as_secs_f64()),
        "precise.finish_ts" => return json!(end(item).as_secs_f64()),
        "timestamp_precise" => return json!(item.timestamp.0.saturating_mul(1000)),
        "sentry.item_id" => return json!(item.id.to_string()),
        _ => {}
    }
    match ItemField::named(field) {
        ItemField::Name => json!(item.name),
        ItemField::Time => json!(item.timestamp.to_string()),
        ItemField::Id => json!(shown_id(item)),
        ItemField::Trace => json!(item.trace_id.to_string()),
        ItemField::Span => text(item.span_id.map(|id| id.to_string())),
        ItemField::Parent => text(item.parent_span_id.map(|id| id.to_string())),
        ItemField::Duration => item.duration_us.map_or(Value::Null, |us| json!(milliseconds(us))),
        ItemField::Segment => json!(item.is_segment),
        ItemField::Project => json!(item.project_id.0),
        ItemField::Attribute(key, _) => match (item.attributes.get(key), key) {
            (Some(value), _) => attribute(value),
            (None, "span.description") if item.kind == TraceItemKind::Span => json!(item.name),
            (None, "transaction.span_id") if item.is_segment => text(item.span_id.map(|id| id.to_string())),
            (None, "event_id" | "transaction.event_id") => match item.event_id {
                Some(id) => json!(id.to_string()),
                None => item.attributes.get("transaction.event_id").map_or(Value::Null, attribute),
            },
            // Rows of before it was kept by this name.
            (None, "transaction.status") if item.is_segment => of_item(item, "span.status", projects),
            (None, _) => Value::Null,
        },
    }
}

/// The id that an item is shown with: of a span that of the span.
pub(crate) fn shown_id(item: &TraceItem) -> String {
    match (item.kind, item.span_id) {
        (TraceItemKind::Span, Some(span)) => span.to_string(),
        _ => item.id.to_string(),
    }
}

/// What a group shows in the column of a field.
pub(crate) fn of_group(value: Option<&FieldValue>, field: &str, projects: &[Project]) -> Value {
    match (value, field) {
        (None, _) => Value::Null,
        (Some(FieldValue::Number(id)), "project" | "project.name" | "project.slug") => {
            slug(projects, ProjectId(*id as u64))
        }
        (Some(FieldValue::Number(number)), _) => number_json(*number),
        (Some(FieldValue::Text(text)), _) => json!(text),
        (Some(FieldValue::Boolean(value)), _) => json!(value),
    }
}

/// What a group shows in the column of a function; rates are over a period of so many seconds.
pub(crate) fn of_measure(measured: Option<f64>, measure: &Measure, period_secs: f64) -> Value {
    match (measured, &measure.aggregate, measure.per_secs) {
        (None, ..) => Value::Null,
        (Some(count), _, Some(secs)) => json!(count * f64::from(secs) / period_secs.max(1.0)),
        (Some(secs), Aggregate::LastSeen, None) => {
            Timestamp::from_secs_f64(secs).map_or(Value::Null, |time| json!(time))
        }
        (Some(number), ..) => number_json(number),
    }
}

/// Whole numbers without a fraction.
fn number_json(number: f64) -> Value {
    // Beyond this, not every whole number is a float.
    const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() < WHOLE_MAX { json!(number as i64) } else { json!(number) }
}

/// Type of a value, for columns whose type is not known before.
pub(crate) fn type_of(value: &Value) -> Option<&'static str> {
    match value {
        Value::Bool(_) => Some("boolean"),
        Value::Number(_) => Some("number"),
        Value::String(_) => Some("string"),
        _ => None,
    }
}
