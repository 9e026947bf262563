//! Tags (`reference/ingest-protocol.md` §11.11, §12.7).

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::{
    meta::{Meta, Path},
    pairs::{self, Pair},
    shape::{self, Shape},
    trim::Limit,
};

const MAX_KEY_CHARS: usize = 200;
const MAX_VALUE_CHARS: usize = 200;
/// Most tags of one event; a search index has a price for each key.
const MAX_TAGS: usize = 200;

/// Keys that the server derives itself.
const RESERVED: [&str; 6] = ["release", "dist", "user", "filename", "function", "device.class"];
/// Fields of the event that are stored as tags and replace a tag of that name. They have a limit of their own.
const MOVED: [&str; 2] = ["server_name", "site"];
/// Bound of what is moved.
pub(crate) const MOVED_VALUE: Limit = Limit::new(256);

pub(crate) fn normalize(event: &mut Map<String, Value>, meta: &mut Meta) {
    let at = Path::top("tags");
    let incoming = pairs::read(event.remove("tags").unwrap_or_default(), &at, meta);
    let before = incoming.len();
    let mut seen = HashSet::with_capacity(before);
    let mut tags = Vec::with_capacity(before.min(MAX_TAGS) + MOVED.len());
    for Pair { name: key, mut value, notes } in incoming {
        let Some(key) = read_key(key, &at, meta) else { continue };
        if RESERVED.contains(&key.as_str()) || is_moved(&key, event) || !seen.insert(key.clone()) {
            continue;
        }
        if key == "environment" {
            if !event.contains_key("environment") && shape::lenient(&mut value).is_ok() {
                event.insert(key, value);
                meta.lay(&Path::top("environment"), notes);
            }
            continue;
        }
        if tags.len() == MAX_TAGS {
            meta.length(&at, before);
            break;
        }
        let at_pair = at.index(tags.len());
        let at_value = at_pair.key("1");
        meta.lay(&at_value, notes);
        if MOVED.contains(&key.as_str()) {
            shape::apply(Shape::Lenient(MOVED_VALUE), &mut value, &at_value, meta);
        } else {
            read_value(&mut value, &at_value, meta);
        }
        tags.push(pairs::pair(Value::String(key), value));
    }
    for key in MOVED {
        if let Some(value) = event.remove(key) {
            meta.rename(&Path::top(key), &at.index(tags.len()).key("1"));
            tags.push(pairs::pair(key.into(), value));
        }
    }
    if !tags.is_empty() {
        event.insert("tags".to_owned(), Value::Array(tags));
    }
}

/// Whether a tag is replaced by a field of the event.
fn is_moved(key: &str, event: &Map<String, Value>) -> bool {
    MOVED.contains(&key) && event.contains_key(key)
}

fn read_key(mut key: Value, at: &Path<'_>, meta: &mut Meta) -> Option<String> {
    if shape::lenient(&mut key).is_ok()
        && let Some(text) = key.as_str()
    {
        let text = text.trim().replace(' ', "-");
        let is_legal = |c: char| c.is_ascii_alphanumeric() || "_.:-".contains(c);
        if !text.is_empty() && text.len() <= MAX_KEY_CHARS && text.chars().all(is_legal) {
            return Some(text);
        }
    }
    meta.invalid(at, "a tag name of letters, digits and _.:-, at most 200", key);
    None
}

/// A value that cannot be read stays as null: the name of the tag is worth something.
fn read_value(value: &mut Value, at: &Path<'_>, meta: &mut Meta) {
    if value.is_null() {
        return;
    }
    if shape::lenient(value).is_err() {
        return meta.invalid(at, "a text", value.take());
    }
    let Some(text) = value.as_str() else { return };
    let trimmed = text.trim();
    if trimmed.is_empty() {
        *value = Value::Null;
    } else if trimmed.contains('\n') || trimmed.chars().nth(MAX_VALUE_CHARS).is_some() {
        meta.invalid(at, "a tag value of one line, at most 200 characters", value.take());
    } else if trimmed.len() < text.len() {
        *value = Value::from(trimmed);
    }
}
