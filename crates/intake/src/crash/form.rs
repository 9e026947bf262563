//! Form fields of crash reporters as an event (`reference/ingest-protocol.md` §2.5).

use serde_json::{Map, Value};

use super::merge;

/// Deepest nesting of a name like `sentry[a][b]`; deeper ones are extra data.
const DEPTH_MAX: usize = 16;

/// The event of a `form_data` item: a list of pairs of name and value. `None` when it is not one.
pub(super) fn event(payload: &[u8]) -> Option<Map<String, Value>> {
    let fields: Vec<(String, String)> = serde_json::from_slice(payload).ok()?;
    let (mut event, mut extra) = (Map::new(), Map::new());
    let (mut fragments, mut chunks) = (Vec::new(), Vec::new());
    for (name, value) in &fields {
        if let Some(number) = name.strip_prefix("sentry__").and_then(|number| number.parse::<u32>().ok()) {
            chunks.push((number, value.as_str()));
        } else if name == "sentry" || name.starts_with("sentry___") {
            fragments.push((name.as_str(), value.clone()));
        } else if let Some(path) = path(name) {
            put(&mut event, &path, value);
        } else {
            extra.insert(name.clone(), Value::from(value.as_str()));
        }
    }
    chunks.sort_by_key(|(number, _)| *number);
    if !chunks.is_empty() {
        fragments.push(("sentry__", chunks.into_iter().map(|(_, text)| text).collect()));
    }
    for (name, text) in fragments {
        match serde_json::from_str(&text) {
            Ok(Value::Object(fragment)) => merge(&mut event, fragment),
            // Kept where people find it.
            _ => {
                extra.insert(name.to_owned(), Value::from(text));
            }
        }
    }
    if !extra.is_empty() {
        let mut under = Map::new();
        under.insert("extra".to_owned(), Value::Object(extra));
        merge(&mut under, event);
        event = under;
    }
    Some(event)
}

/// The keys of `sentry[a][b]`.
fn path(name: &str) -> Option<Vec<&str>> {
    let inner = name.strip_prefix("sentry[")?.strip_suffix(']')?;
    let keys: Vec<&str> = inner.split("][").collect();
    let is_plain = keys.iter().all(|key| !key.is_empty() && !key.contains(['[', ']']));
    (is_plain && keys.len() <= DEPTH_MAX).then_some(keys)
}

/// Sets a value at a path, over whatever stands in the way.
fn put(object: &mut Map<String, Value>, path: &[&str], value: &str) {
    match path {
        [] => {}
        [key] => {
            object.insert((*key).to_owned(), Value::from(value));
        }
        [key, rest @ ..] => {
            let slot = object.entry(*key).or_insert_with(|| Value::Object(Map::new()));
            if !slot.is_object() {
                *slot = Value::Object(Map::new());
            }
            if let Value::Object(inner) = slot {
                put(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(fields: &[(&str, &str)]) -> Value {
        Value::Object(event(json!(fields).to_string().as_bytes()).expect("a list of pairs"))
    }

    #[test]
    fn every_way_to_name_a_field_is_understood() {
        for (fields, expected) in [
            (&[("sentry", r#"{"release":"1"}"#)][..], json!({"release": "1"})),
            (&[("sentry[user][id]", "7"), ("sentry[release]", "1")], json!({"user": {"id": "7"}, "release": "1"})),
            (&[("sentry__2", ":\"1\"}"), ("sentry__1", "{\"release\"")], json!({"release": "1"})),
            (&[("sentry__10", "}"), ("sentry__9", "{\"a\":1")], json!({"a": 1})),
            (
                &[("sentry", r#"{"tags":{"a":"1"}}"#), ("sentry___x", r#"{"tags":{"b":"2"}}"#)],
                json!({"tags": {"a": "1", "b": "2"}}),
            ),
            (&[("prod", "App"), ("ver", "1.0")], json!({"extra": {"prod": "App", "ver": "1.0"}})),
            (&[("x", "1"), ("sentry[extra][y]", "2")], json!({"extra": {"x": "1", "y": "2"}})),
            (&[("sentry[event_id]", "a"), ("sentry", r#"{"event_id":"b"}"#)], json!({"event_id": "b"})),
            (&[("sentry", "nonsense"), ("sentry[", "x")], json!({"extra": {"sentry": "nonsense", "sentry[": "x"}})),
            (&[("sentry[a]", "1"), ("sentry[a][b]", "2")], json!({"a": {"b": "2"}})),
            (&[], json!({})),
        ] {
            assert_eq!(read(fields), expected, "{fields:?}");
        }
    }

    proptest! {
        #[test]
        fn any_fields_are_read(fields in proptest::collection::vec(("(sentry)?[\\[\\]_0-9a-z]{0,12}", ".{0,20}"), 0..8)) {
            prop_assert!(event(json!(fields).to_string().as_bytes()).is_some());
        }
    }
}
