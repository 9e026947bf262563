//! Cutting what is too long (`reference/ingest-protocol.md` §11.13).

use serde_json::{Map, Value};

use crate::meta::{Meta, Path};

/// Bound of a text, in characters.
#[derive(Clone, Copy)]
pub(crate) struct Limit {
    max: usize,
    allowance: usize,
}

impl Limit {
    pub(crate) const fn new(max: usize) -> Self {
        Self { max, allowance: 0 }
    }

    pub(crate) fn max(self) -> usize {
        self.max
    }

    /// A text that is longer by no more than `allowance` stays whole.
    pub(crate) const fn with_allowance(max: usize, allowance: usize) -> Self {
        Self { max, allowance }
    }
}

/// Bounds of free content: levels of nesting, and bytes of estimated JSON.
#[derive(Clone, Copy)]
pub(crate) struct Bag {
    pub(crate) depth: usize,
    pub(crate) bytes: usize,
}

const ELLIPSIS: &str = "...";

/// Cuts a text to its limit.
pub(crate) fn text(text: &mut String, limit: Limit, at: &Path<'_>, meta: &mut Meta) {
    // Bytes are never fewer than characters, so most texts need no counting.
    if text.len() <= limit.max + limit.allowance {
        return;
    }
    let length = text.chars().count();
    if length > limit.max + limit.allowance {
        let end = text.char_indices().nth(limit.max - ELLIPSIS.len()).map_or(text.len(), |(at, _)| at);
        text.truncate(end);
        text.push_str(ELLIPSIS);
        meta.length(at, length);
    }
}

/// Cuts free content to its bounds.
pub(crate) fn bag(value: &mut Value, bag: Bag, at: &Path<'_>, meta: &mut Meta) {
    let mut left = bag.bytes;
    if !measure(value, bag.depth, &mut left) {
        let mut left = bag.bytes;
        shrink(value, bag.depth, &mut left, at, meta);
    }
}

/// Cuts an object of free contents to a bound for all of them together, dropping the longest ones.
pub(crate) fn total(map: &mut Map<String, Value>, bytes: usize, at: &Path<'_>, meta: &mut Meta) {
    let mut left = bytes;
    let fits = |key: &str, value: &Value, left: &mut usize| {
        take(left, key.len() + KEY_BYTES).is_some() && measure(value, usize::MAX, left)
    };
    if map.iter().all(|(key, value)| fits(key, value, &mut left)) {
        return;
    }
    let (mut left, before) = (bytes, map.len());
    let entries = shortest_first(map).into_iter();
    map.extend(entries.take_while(|(key, value)| fits(key, value, &mut left)));
    meta.length(at, before);
}

/// Takes the entries out of an object: one that is long is not to cost the others.
fn shortest_first(map: &mut Map<String, Value>) -> Vec<(String, Value)> {
    let mut entries: Vec<_> = std::mem::take(map).into_iter().collect();
    entries.sort_by_cached_key(|(key, value)| key.len() + size_of(value));
    entries
}

/// Estimated bytes of JSON.
pub(crate) fn size_of(value: &Value) -> usize {
    let mut left = usize::MAX;
    measure(value, usize::MAX, &mut left);
    usize::MAX - left
}

/// Estimated bytes of JSON of an object.
pub(crate) fn size(map: &Map<String, Value>) -> usize {
    map.iter().map(|(key, value)| key.len() + KEY_BYTES + size_of(value)).sum()
}

/// Quotes, colon and comma around a key.
const KEY_BYTES: usize = 4;
/// Brackets around a list or object, quotes around a text.
const FENCE_BYTES: usize = 2;
/// A number, a boolean or null; near enough.
const SCALAR_BYTES: usize = 5;

fn take(left: &mut usize, bytes: usize) -> Option<()> {
    *left = left.checked_sub(bytes)?;
    Some(())
}

/// Whether a value keeps the bounds; takes its estimated size from what is left.
fn measure(value: &Value, depth: usize, left: &mut usize) -> bool {
    match value {
        Value::String(text) => take(left, text.len() + FENCE_BYTES).is_some(),
        Value::Array(items) => {
            depth > 0
                && take(left, FENCE_BYTES + items.len()).is_some()
                && items.iter().all(|item| measure(item, depth - 1, left))
        }
        Value::Object(map) => {
            depth > 0
                && take(left, FENCE_BYTES).is_some()
                && map
                    .iter()
                    .all(|(key, value)| take(left, key.len() + KEY_BYTES).is_some() && measure(value, depth - 1, left))
        }
        _ => take(left, SCALAR_BYTES).is_some(),
    }
}

/// Cuts a value to the bounds; `false` when not even its beginning fits, so that it must go.
fn shrink(value: &mut Value, depth: usize, left: &mut usize, at: &Path<'_>, meta: &mut Meta) -> bool {
    if depth == 0 && (value.is_array() || value.is_object()) {
        *value = Value::String(value.to_string());
    }
    match value {
        Value::String(text) => shrink_text(text, left, at, meta),
        Value::Array(items) => {
            if take(left, FENCE_BYTES).is_none() {
                return false;
            }
            let before = items.len();
            let mut kept = 0;
            for item in items.iter_mut() {
                if take(left, 1).is_none() || !shrink(item, depth - 1, left, &at.index(kept), meta) {
                    break;
                }
                kept += 1;
            }
            items.truncate(kept);
            if kept < before {
                meta.length(at, before);
            }
            true
        }
        Value::Object(map) => {
            if take(left, FENCE_BYTES).is_none() {
                return false;
            }
            let before = map.len();
            for (key, mut value) in shortest_first(map) {
                if take(left, key.len() + KEY_BYTES).is_none()
                    || !shrink(&mut value, depth - 1, left, &at.key(&key), meta)
                {
                    break;
                }
                map.insert(key, value);
            }
            if map.len() < before {
                meta.length(at, before);
            }
            true
        }
        _ => take(left, SCALAR_BYTES).is_some(),
    }
}

fn shrink_text(text: &mut String, left: &mut usize, at: &Path<'_>, meta: &mut Meta) -> bool {
    if take(left, text.len() + FENCE_BYTES).is_some() {
        return true;
    }
    let Some(room) = left.checked_sub(FENCE_BYTES + ELLIPSIS.len()) else { return false };
    let length = text.chars().count();
    let end = (0..=room).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.truncate(end);
    text.push_str(ELLIPSIS);
    meta.length(at, length);
    *left = 0;
    true
}
