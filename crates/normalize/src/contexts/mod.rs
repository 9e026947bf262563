//! Contexts (`reference/ingest-protocol.md` §11.9, §12.8, §12.10).

mod device;
mod feedback;
mod os;
mod response;
mod runtime;

use std::sync::LazyLock;

use nuthatch_protocol::EventId;
use regex::{Captures, Regex};
use serde_json::{Map, Value, json};

use crate::{
    meta::{Meta, Path},
    shape::{self, Field, Shape},
    trim::{self, Bag, Limit},
    user_agent,
};

pub(crate) use self::feedback::normalize as normalize_feedback;

const CONTEXT: Bag = Bag { depth: 7, bytes: 8 << 10 };
/// Longest name of a context, in bytes.
const MAX_NAME_BYTES: usize = 200;
/// Most contexts of one event.
const MAX_CONTEXTS: usize = 100;

const TEXT: Shape = Shape::Lenient(Limit::new(1024));

/// Fields of contexts that tags, names of issues and pages are made of, so that they must be what they are called.
const BROWSER: &[Field] = &[("name", TEXT), ("version", TEXT)];
const APP: &[Field] = &[
    ("app_build", TEXT),
    ("app_identifier", TEXT),
    ("app_name", TEXT),
    ("app_version", TEXT),
    ("build_type", TEXT),
    ("device_app_hash", TEXT),
    ("in_foreground", Shape::Boolean),
    ("start_type", TEXT),
];
const GPU: &[Field] = &[("id", TEXT), ("name", TEXT), ("vendor_id", TEXT), ("vendor_name", TEXT), ("version", TEXT)];
const MONITOR: &[Field] = &[("id", TEXT), ("slug", TEXT)];
const TRACE: &[Field] = &[
    ("op", Shape::Text(Limit::new(128))),
    ("origin", TEXT),
    ("parent_span_id", Shape::Hex(16)),
    ("sampled", Shape::Boolean),
    ("span_id", Shape::Hex(16)),
    ("trace_id", Shape::Hex(32)),
];

const REPLAY: &[Field] = &[("replay_id", Shape::Uuid)];

const PROFILE: &[Field] = &[("profile_id", Shape::Uuid), ("profiler_id", Shape::Uuid)];

/// Reads the contexts that were sent and fills in those that the request tells, and the `replay` that the trace of the
/// envelope names (§15). The request must have been read before.
pub(crate) fn normalize(event: &mut Map<String, Value>, replay: Option<EventId>, meta: &mut Meta) {
    let at = Path::top("contexts");
    let mut contexts = match event.remove("contexts") {
        Some(Value::Object(contexts)) => contexts,
        None => Map::new(),
        Some(other) => {
            meta.invalid(&at, "an object", other);
            Map::new()
        }
    };
    let (before, mut kept) = (contexts.len(), 0);
    contexts.retain(|alias, value| {
        if alias.len() > MAX_NAME_BYTES {
            meta.invalid(&at, "a name of at most 200 bytes", Value::Null);
            return false;
        }
        let stays = kept < MAX_CONTEXTS && alias != "reprocessing" && context(alias, value, &at.key(alias), meta);
        kept += usize::from(stays);
        stays
    });
    if before > MAX_CONTEXTS {
        meta.length(&at, before);
    }
    if let Some(replay) = replay.filter(|_| contexts.len() < MAX_CONTEXTS) {
        contexts.insert("replay".to_owned(), json!({ "type": "replay", "replay_id": replay.to_string() }));
    }
    for (alias, mut found) in user_agent::contexts(event, &contexts) {
        if contexts.len() < MAX_CONTEXTS && context(alias, &mut found, &at.key(alias), meta) {
            contexts.insert(alias.to_owned(), found);
        }
    }
    if !contexts.is_empty() {
        event.insert("contexts".to_owned(), Value::Object(contexts));
    }
}

/// Brings one context into shape and says whether anything is left of it.
fn context(alias: &str, value: &mut Value, at: &Path<'_>, meta: &mut Meta) -> bool {
    let Value::Object(map) = value else {
        if !value.is_null() {
            meta.invalid(at, "an object", value.take());
        }
        return false;
    };
    map.retain(|_, value| !shape::is_empty(value));
    if map.keys().all(|key| key == "type") {
        return false;
    }
    if !map.get("type").is_some_and(Value::is_string) {
        map.insert("type".to_owned(), alias.into());
    }
    match map.get("type").and_then(Value::as_str).unwrap_or(alias) {
        "os" | "client_os" => os::normalize(map, at, meta),
        "runtime" => runtime::normalize(map, at, meta),
        "browser" => {
            shape::listed(map, BROWSER, at, meta);
            summarize(map, "browser", true);
        }
        "device" => device::normalize(map, at, meta),
        "app" => shape::listed(map, APP, at, meta),
        "gpu" => shape::listed(map, GPU, at, meta),
        "monitor" => shape::listed(map, MONITOR, at, meta),
        "response" => response::normalize(map, at, meta),
        "trace" => trace(map, at, meta),
        "replay" => shape::listed(map, REPLAY, at, meta),
        "profile" => shape::listed(map, PROFILE, at, meta),
        _ => {}
    }
    if map.keys().all(|key| key == "type") {
        return false;
    }
    trim::bag(value, CONTEXT, at, meta);
    value.as_object().is_some_and(|map| !map.is_empty())
}

fn trace(map: &mut Map<String, Value>, at: &Path<'_>, meta: &mut Meta) {
    shape::listed(map, TRACE, at, meta);
    for required in ["trace_id", "span_id"] {
        if !map.contains_key(required) {
            meta.error(&at.key(required), json!(["missing_attribute", { "attribute": required }]));
        }
    }
}

/// What a `raw_description` may look like; the names of the groups are the fields.
type Patterns<const N: usize> = LazyLock<[Regex; N]>;

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern, compiled by the tests")
}

/// The first of the patterns that the `raw_description` of a context without name and version follows.
fn description<'m>(map: &'m Map<String, Value>, patterns: &[Regex]) -> Option<(usize, Captures<'m>)> {
    if map.contains_key("name") || map.contains_key("version") {
        return None;
    }
    let text = map.get("raw_description")?.as_str()?;
    patterns.iter().enumerate().find_map(|(number, pattern)| Some((number, pattern.captures(text)?)))
}

/// The named groups as fields.
fn named(pattern: &Regex, found: &Captures<'_>) -> Vec<(String, Value)> {
    let names = pattern.capture_names().flatten();
    names.filter_map(|name| Some((name.to_owned(), Value::from(found.name(name)?.as_str())))).collect()
}

/// `os.os` and the like: "name version". A runtime without a version has none.
fn summarize(map: &mut Map<String, Value>, key: &str, name_is_enough: bool) {
    let text = |key: &str| map.get(key).and_then(Value::as_str);
    let summary = match (text("name"), text("version")) {
        (Some(name), Some(version)) => format!("{name} {version}"),
        (Some(name), None) if name_is_enough => name.to_owned(),
        _ => {
            map.remove(key);
            return;
        }
    };
    map.insert(key.to_owned(), Value::String(summary));
}
