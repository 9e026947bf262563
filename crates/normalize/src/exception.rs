//! Exceptions (`reference/ingest-protocol.md` §11.3).

use serde_json::{Map, Value, json};

use crate::{
    mechanism,
    meta::{Meta, Path},
    shape::{self, Ends, Field, Shape},
    stacktrace,
    trim::Limit,
};

const TYPE: Limit = Limit::with_allowance(256, 20);
const MESSAGE: Limit = Limit::with_allowance(8192, 200);

/// The cause of all is first, what was raised is last.
const ENDS: Ends = Ends { first: 100, last: 400 };

const EXCEPTION: &[Field] = &[
    ("mechanism", Shape::Inner),
    ("module", Shape::Text(Limit::new(256))),
    ("raw_stacktrace", Shape::Inner),
    ("stacktrace", Shape::Inner),
    ("thread_id", Shape::Id),
    ("type", Shape::Text(TYPE)),
    ("value", Shape::Json(MESSAGE)),
];

pub(crate) fn normalize(event: &mut Map<String, Value>, meta: &mut Meta) {
    if let Some(value) = event.get_mut("exception") {
        shape::value_list(value, ENDS, &Path::top("exception"), meta, exception);
    }
}

fn exception(map: &mut Map<String, Value>, at: &Path<'_>, meta: &mut Meta) -> bool {
    shape::fields(map, EXCEPTION, at, meta);
    if !map.contains_key("type") {
        split_value(map);
    }
    if !map.contains_key("type") && !map.contains_key("value") {
        if !map.is_empty() {
            let error = json!(["missing_attribute", { "attribute": "type or value" }]);
            meta.error_with_original(at, error, Value::Object(std::mem::take(map)));
        }
        return false;
    }
    mechanism::normalize_in(map, at, meta);
    stacktrace::normalize_in(map, at, meta);
    true
}

/// `ValueError: no such order` as a value alone: the type is in it.
fn split_value(map: &mut Map<String, Value>) {
    let Some(text) = map.get("value").and_then(Value::as_str) else { return };
    let Some((kind, rest)) = text.split_once(':') else { return };
    let is_word = !kind.is_empty() && kind.chars().all(|c| c.is_alphanumeric() || c == '_');
    if !is_word || text.contains('\n') || !rest.starts_with(char::is_whitespace) {
        return;
    }
    let (kind, rest) = (Value::from(kind), rest.trim().to_owned());
    map.insert("type".to_owned(), kind);
    if rest.is_empty() {
        map.remove("value");
    } else {
        map.insert("value".to_owned(), Value::String(rest));
    }
}
