//! Pairs: an object, or a list of two-element lists (`reference/ingest-protocol.md` §11.1), is a list of pairs.

use serde_json::Value;

use crate::meta::{Meta, Notes, Path};

/// One of several pairs, with what is noted about its value.
pub(crate) struct Pair {
    pub(crate) name: Value,
    pub(crate) value: Value,
    pub(crate) notes: Notes,
}

/// Reads an object, or a list of `[key, value]`, as pairs; what is neither is noted and gives none. What is noted about
/// names that are not there stays where it is.
pub(crate) fn read(value: Value, at: &Path<'_>, meta: &mut Meta) -> Vec<Pair> {
    let mut sent = meta.lift_parts(at);
    let mut pairs = Vec::new();
    match value {
        Value::Null => {}
        Value::Object(map) => {
            let pair = |(name, value): (String, Value)| Pair { notes: sent.part(&name), name: name.into(), value };
            pairs.extend(map.into_iter().map(pair));
        }
        Value::Array(items) => {
            for (index, item) in items.into_iter().enumerate() {
                match item {
                    Value::Array(pair) => match <[Value; 2]>::try_from(pair) {
                        Ok([name, value]) => pairs.push(Pair { name, value, notes: sent.entry(index).part("1") }),
                        Err(other) => meta.invalid(at, "a pair", Value::Array(other)),
                    },
                    Value::Null => {}
                    other => meta.invalid(at, "a pair", other),
                }
            }
        }
        other => meta.invalid(at, "an object or a list of pairs", other),
    }
    meta.lay(at, sent.of_names());
    pairs
}

/// A pair as it is stored.
pub(crate) fn pair(key: Value, value: Value) -> Value {
    Value::Array(vec![key, value])
}
