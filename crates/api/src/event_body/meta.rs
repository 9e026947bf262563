//! `_meta` of the API: the notes of the canonical event, moved to where the answer shows the values.

use nuthatch_protocol::Event;
use serde_json::{Map, Value, json};

use super::frame::RENAMED;
use crate::shape::event::EventTag;

/// Members below which names are the sender's, not ours, and stay as they are.
const FREE: [&str; 8] = ["vars", "data", "headers", "cookies", "env", "params", "meta", "registers"];

/// Members of the event that the answer shows under another name, or the same.
const MEMBERS: [(&str, &str); 8] = [
    ("user", "user"),
    ("contexts", "contexts"),
    ("extra", "context"),
    ("modules", "packages"),
    ("sdk", "sdk"),
    ("release", "release"),
    ("dist", "dist"),
    ("platform", "platform"),
];

/// The notes for an answer with these entries (by the names the canonical event has for them) and these tags.
pub(super) fn meta(event: &Event, entries: &[&str], tags: &[EventTag]) -> Map<String, Value> {
    let Some(notes) = event.0.get("_meta").and_then(Value::as_object) else { return Map::new() };
    let mut shown = Map::new();
    for (key, name) in MEMBERS {
        shown.extend(notes.get(key).map(|note| (name.to_owned(), note.clone())));
    }
    let in_entries: Map<String, Value> = entries
        .iter()
        .enumerate()
        .filter_map(|(index, key)| Some((index.to_string(), json!({ "data": renamed(notes.get(*key)?) }))))
        .collect();
    if !in_entries.is_empty() {
        shown.insert("entries".to_owned(), Value::Object(in_entries));
    }
    let in_tags = tag_notes(event, notes, tags);
    if !in_tags.is_empty() {
        shown.insert("tags".to_owned(), Value::Object(in_tags));
    }
    shown
}

/// Notes on tags, moved from the order of the event to the order of the answer.
fn tag_notes(event: &Event, notes: &Map<String, Value>, tags: &[EventTag]) -> Map<String, Value> {
    let pairs = event.0.get("tags").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let Some(notes) = notes.get("tags").and_then(Value::as_object) else { return Map::new() };
    let moved = notes.iter().filter_map(|(index, note)| {
        let key = pairs.get(index.parse::<usize>().ok()?)?.get(0)?.as_str()?;
        let at = tags.iter().position(|tag| tag.key == key)?;
        let mut parts = Map::new();
        for (from, to) in [("0", "key"), ("1", "value"), ("", "")] {
            parts.extend(note.get(from).map(|part| (to.to_owned(), part.clone())));
        }
        Some((at.to_string(), Value::Object(parts)))
    });
    moved.collect()
}

/// The notes with the names the API has for members of frames, exceptions and requests.
fn renamed(note: &Value) -> Value {
    let Some(members) = note.as_object() else { return note.clone() };
    let members = members.iter().map(|(key, below)| {
        let name = RENAMED.iter().find(|(from, _)| from == key).map_or(key.as_str(), |(_, to)| to);
        let below = if key.is_empty() || FREE.contains(&key.as_str()) { below.clone() } else { renamed(below) };
        (name.to_owned(), below)
    });
    Value::Object(members.collect())
}
