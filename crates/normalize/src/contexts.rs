//! Contexts (`reference/ingest-protocol.md` §11.9, §12.10).

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

use crate::{
    meta::{Meta, Path},
    shape,
    trim::{self, Bag},
};

const CONTEXT: Bag = Bag { depth: 7, bytes: 8 << 10 };
/// Most contexts of one event.
const MAX_CONTEXTS: usize = 100;

pub(crate) fn normalize(event: &mut Map<String, Value>, meta: &mut Meta) {
    let Some(value) = event.get_mut("contexts") else { return };
    let at = Path::top("contexts");
    let Value::Object(contexts) = value else {
        meta.invalid(&at, "an object", value.take());
        event.remove("contexts");
        return;
    };
    let (before, mut kept) = (contexts.len(), 0);
    contexts.retain(|alias, value| {
        let stays = kept < MAX_CONTEXTS && alias != "reprocessing" && context(alias, value, &at.key(alias), meta);
        kept += usize::from(stays);
        stays
    });
    if before > MAX_CONTEXTS {
        meta.length(&at, before);
    }
    if contexts.is_empty() {
        event.remove("contexts");
    }
}

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
        "os" | "client_os" => {
            split_description(map, &*OS);
            summarize(map, "os", true);
        }
        "runtime" => {
            split_description(map, &*NAME_VERSION);
            summarize(map, "runtime", false);
        }
        "browser" => summarize(map, "browser", true),
        "trace" => {
            check_hex(map, "trace_id", 32, at, meta);
            check_hex(map, "span_id", 16, at, meta);
            check_hex(map, "parent_span_id", 16, at, meta);
        }
        _ => {}
    }
    trim::bag(value, CONTEXT, at, meta);
    value.as_object().is_some_and(|map| !map.is_empty())
}

static NAME_VERSION: LazyLock<[Regex; 1]> =
    LazyLock::new(|| [pattern(r"^\s*(?P<name>\D+?)\s+v?(?P<version>\d+(?:\.\d+)+\S*)\s*$")]);

/// What `raw_description` of an operating system looks like, the telling ones first.
static OS: LazyLock<[Regex; 5]> = LazyLock::new(|| {
    [
        pattern(r"^(?P<name>Android) OS (?P<version>\d+(?:\.\d+)*) / API-(?P<build>\d+)"),
        pattern(r"^(?P<name>Mac OS X|macOS) (?P<version>\d+(?:\.\d+)*)(?: \((?P<build>[0-9A-Za-z]+)\))?"),
        pattern(r"^(?P<name>iOS|iPadOS) (?P<version>\d+(?:\.\d+)*)"),
        pattern(r"^(?P<name>Linux) (?P<kernel_version>(?P<version>\d+\.\d+\.\d+)\S*)"),
        pattern(r"^(?P<name>[A-Za-z][A-Za-z ]*?) (?P<version>\d+(?:\.\d+)*)$"),
    ]
});

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern, compiled by the tests")
}

/// Fills missing name, version and build from `raw_description`.
fn split_description(map: &mut Map<String, Value>, patterns: &[Regex]) {
    if map.contains_key("name") || map.contains_key("version") {
        return;
    }
    let Some(text) = map.get("raw_description").and_then(Value::as_str) else { return };
    let Some((pattern, found)) = patterns.iter().find_map(|pattern| Some((pattern, pattern.captures(text)?))) else {
        return;
    };
    let parts: Vec<(String, Value)> = pattern
        .capture_names()
        .flatten()
        .filter_map(|name| Some((name.to_owned(), Value::from(found.name(name)?.as_str()))))
        .collect();
    map.extend(parts);
}

/// `os.os` and the like: "name version". A runtime without a version has none.
fn summarize(map: &mut Map<String, Value>, key: &str, name_is_enough: bool) {
    let text = |key: &str| map.get(key).and_then(Value::as_str);
    let summary = match (text("name"), text("version")) {
        (Some(name), Some(version)) => format!("{name} {version}"),
        (Some(name), None) if name_is_enough => name.to_owned(),
        _ => return,
    };
    map.insert(key.to_owned(), Value::String(summary));
}

fn check_hex(map: &mut Map<String, Value>, key: &str, digits: usize, at: &Path<'_>, meta: &mut Meta) {
    let Some(value) = map.get_mut(key) else { return };
    let text = value.as_str().unwrap_or_default().replace('-', "").to_ascii_lowercase();
    let is_id = text.len() == digits && text.bytes().all(|b| b.is_ascii_hexdigit()) && text.bytes().any(|b| b != b'0');
    if is_id {
        *value = Value::String(text);
    } else {
        meta.invalid(&at.key(key), "an id of hex digits, not all zero", value.take());
        map.remove(key);
    }
}
