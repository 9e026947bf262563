//! Attributes of OTLP as attributes of items (`reference/ingest-protocol.md` §2.10, §7.12).

use serde_json::{Map, Value};

use super::schema::{AnyValue, Data, KeyValue, Resource, Scope};
use crate::endpoint::attribute;

/// The attributes that all entries of a resource and scope share.
pub(super) fn shared(resource: Option<&Resource>, scope: Option<&Scope>) -> Map<String, Value> {
    let mut shared = Map::new();
    if let Some(resource) = resource {
        add(&mut shared, "resource.", &resource.attributes);
    }
    if let Some(scope) = scope {
        add(&mut shared, "instrumentation.", &scope.attributes);
        for (name, text) in [("instrumentation.name", &scope.name), ("instrumentation.version", &scope.version)] {
            if let Some(text) = attribute(text.as_str()).filter(|_| !text.is_empty()) {
                shared.insert(name.to_owned(), text);
            }
        }
    }
    shared
}

/// Adds attributes under a prefix. Those without a value are left out.
pub(super) fn add(to: &mut Map<String, Value>, prefix: &str, attributes: &[KeyValue]) {
    for KeyValue { key, value } in attributes {
        if let Some(value) = value.as_ref().and_then(json).and_then(attribute) {
            to.insert(format!("{prefix}{key}"), value);
        }
    }
}

/// A value as JSON; none for bytes that are not text, and for numbers that JSON does not have.
pub(super) fn json(value: &AnyValue) -> Option<Value> {
    Some(match value.data.as_ref()? {
        Data::StringValue(text) => text.as_str().into(),
        Data::BoolValue(truth) => (*truth).into(),
        Data::IntValue(number) => (*number).into(),
        Data::DoubleValue(number) => serde_json::Number::from_f64(*number)?.into(),
        Data::BytesValue(bytes) => str::from_utf8(bytes).ok()?.into(),
        Data::ArrayValue(list) => list.values.iter().map(|value| json(value).unwrap_or_default()).collect(),
        Data::KvlistValue(map) => {
            let entries = map.values.iter();
            let entries = entries.map(|KeyValue { key, value }| (key.clone(), value.as_ref().and_then(json)));
            Value::Object(entries.map(|(key, value)| (key, value.unwrap_or_default())).collect())
        }
    })
}

/// An id in hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Nanoseconds as seconds, as exactly as a float says them.
pub(super) fn secs(nanos: u64) -> f64 {
    (nanos / 1_000_000_000) as f64 + (nanos % 1_000_000_000) as f64 / 1e9
}
