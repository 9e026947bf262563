//! The SDK (`reference/ingest-protocol.md` §11.11).

use serde_json::{Map, Value};

use crate::{
    meta::{Meta, Path},
    shape::{self, FREE, Field, Shape},
    trim::Limit,
};

const TEXT: Shape = Shape::Lenient(Limit::new(256));
/// Most packages, integrations, features of one SDK.
const MAX_ENTRIES: usize = 1000;

const SDK: &[Field] = &[
    ("client_ip", TEXT),
    ("features", Shape::Inner),
    ("integrations", Shape::Inner),
    ("name", TEXT),
    ("packages", Shape::Inner),
    ("settings", Shape::Object(FREE)),
    ("version", TEXT),
];
const PACKAGE: &[Field] = &[("name", TEXT), ("version", TEXT)];

pub(crate) fn normalize(event: &mut Map<String, Value>, meta: &mut Meta) {
    let Some(value) = event.get_mut("sdk") else { return };
    let at = Path::top("sdk");
    let Value::Object(map) = value else {
        meta.invalid(&at, "an object", value.take());
        event.remove("sdk");
        return;
    };
    shape::fields(map, SDK, &at, meta);
    for key in ["features", "integrations"] {
        list(map, key, &at, meta, |mut items, at, meta| {
            items.retain_mut(|item| {
                shape::apply(TEXT, item, at, meta);
                !item.is_null()
            });
            items
        });
    }
    list(map, "packages", &at, meta, |items, at, meta| {
        shape::objects(items, at, meta, &mut |map, at, meta| {
            shape::fields(map, PACKAGE, at, meta);
            !map.is_empty()
        })
    });
    if map.is_empty() {
        event.remove("sdk");
    }
}

/// Reads a list of the SDK; an empty one goes.
fn list(
    map: &mut Map<String, Value>,
    key: &str,
    at: &Path<'_>,
    meta: &mut Meta,
    read: impl Fn(Vec<Value>, &Path<'_>, &mut Meta) -> Vec<Value>,
) {
    let at = at.key(key);
    let items = match map.remove(key) {
        None => return,
        Some(Value::Array(mut items)) => {
            if items.len() > MAX_ENTRIES {
                meta.length(&at, items.len());
                items.truncate(MAX_ENTRIES);
            }
            read(items, &at, meta)
        }
        Some(other) => return meta.invalid(&at, "a list", other),
    };
    if !items.is_empty() {
        map.insert(key.to_owned(), Value::Array(items));
    }
}
