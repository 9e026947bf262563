//! Threads (`reference/ingest-protocol.md` §11.5).

use serde_json::{Map, Value};

use crate::{
    meta::{Meta, Path},
    shape::{self, Ends, FREE, Field, Shape},
    stacktrace,
    trim::Limit,
};

/// The main one is usually first.
const ENDS: Ends = Ends { first: 1000, last: 1000 };

const THREAD: &[Field] = &[
    ("crashed", Shape::Boolean),
    ("current", Shape::Boolean),
    ("held_locks", Shape::Object(FREE)),
    ("id", Shape::Id),
    ("main", Shape::Boolean),
    ("name", Shape::Text(Limit::new(1024))),
    ("raw_stacktrace", Shape::Inner),
    ("stacktrace", Shape::Inner),
    ("state", Shape::Text(Limit::new(256))),
];

pub(crate) fn normalize(event: &mut Map<String, Value>, meta: &mut Meta) {
    if let Some(value) = event.get_mut("threads") {
        shape::value_list(value, ENDS, &Path::top("threads"), meta, |map, at, meta| {
            shape::fields(map, THREAD, at, meta);
            stacktrace::normalize_in(map, at, meta);
            held_locks(map, &at.key("held_locks"), meta);
            !map.is_empty()
        });
    }
}

/// Locks by their addresses.
fn held_locks(thread: &mut Map<String, Value>, at: &Path<'_>, meta: &mut Meta) {
    let Some(Value::Object(locks)) = thread.get_mut("held_locks") else { return };
    locks.retain(|address, value| stacktrace::lock(value, &at.key(address), meta));
    if locks.is_empty() {
        thread.remove("held_locks");
    }
}
