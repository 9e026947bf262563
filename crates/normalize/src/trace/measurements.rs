//! Measurements (`reference/ingest-protocol.md` §11.12, §12.12).

use serde_json::{Map, Value, json};

use crate::{
    meta::{Meta, Path},
    shape,
};

/// Measurements that the server knows, with the unit of one that comes without.
const KNOWN: [(&str, &str); 23] = [
    ("app_start_cold", "millisecond"),
    ("app_start_warm", "millisecond"),
    ("cls", "none"),
    ("fcp", "millisecond"),
    ("fid", "millisecond"),
    ("fp", "millisecond"),
    ("frames_frozen", "none"),
    ("frames_frozen_rate", "ratio"),
    ("frames_slow", "none"),
    ("frames_slow_rate", "ratio"),
    ("frames_total", "none"),
    ("inp", "millisecond"),
    ("lcp", "millisecond"),
    ("stall_count", "none"),
    ("stall_longest_time", "millisecond"),
    ("stall_percentage", "ratio"),
    ("stall_total_time", "millisecond"),
    ("time_to_full_display", "millisecond"),
    ("time_to_initial_display", "millisecond"),
    ("ttfb", "millisecond"),
    ("ttfb.requesttime", "millisecond"),
    ("score.total", "ratio"),
    ("score.ratio", "ratio"),
];

/// Times that a page or an app takes to show itself; less than nothing is a fault of the clock.
const VITALS: [&str; 8] = ["cls", "fcp", "fid", "fp", "inp", "lcp", "ttfb", "ttfb.requesttime"];
/// Longer than this no app starts: the device slept.
const STARTS: [&str; 4] = ["app_start_cold", "app_start_warm", "time_to_full_display", "time_to_initial_display"];
const MAX_START_MILLIS: f64 = 180_000.0;

/// Units with a name; `none` is the absence of one.
const UNITS: [&str; 25] = [
    "none",
    "ratio",
    "percent",
    "nanosecond",
    "microsecond",
    "millisecond",
    "second",
    "minute",
    "hour",
    "day",
    "week",
    "bit",
    "byte",
    "kilobyte",
    "kibibyte",
    "megabyte",
    "mebibyte",
    "gigabyte",
    "gibibyte",
    "terabyte",
    "tebibyte",
    "petabyte",
    "pebibyte",
    "exabyte",
    "exbibyte",
];
/// Longest word for a unit of one's own, in bytes.
const MAX_UNIT_BYTES: usize = 15;
/// Most measurements that the server does not know.
const MAX_CUSTOM: usize = 10;
/// Longest name, in bytes.
const MAX_NAME_BYTES: usize = 200;

/// Reads measurements: what is none is left out and noted.
pub(super) fn read(sent: Option<Value>, at: &Path<'_>, meta: &mut Meta) -> Map<String, Value> {
    let sent = match sent {
        None | Some(Value::Null) => return Map::new(),
        Some(Value::Object(sent)) => sent,
        Some(other) => {
            meta.invalid(at, "an object", other);
            return Map::new();
        }
    };
    let before = sent.len();
    let (mut read, mut custom) = (Map::new(), 0);
    for (name, sent) in sent {
        let Some(key) = name_of(&name) else {
            meta.invalid(&at.key(&name), "a name of letters, digits, _ and .", sent);
            continue;
        };
        let Some(value) = sent.get("value").and_then(Value::as_f64) else {
            meta.invalid(&at.key(&name), "an object with a number as value", sent);
            continue;
        };
        let known = KNOWN.iter().find(|(known, _)| *known == key);
        let is_absurd = (VITALS.contains(&key.as_str()) && value < 0.0)
            || (STARTS.contains(&key.as_str()) && value > MAX_START_MILLIS);
        if is_absurd {
            meta.invalid(&at.key(&name), "a time that can be", sent);
            continue;
        }
        custom += usize::from(known.is_none());
        if known.is_none() && custom > MAX_CUSTOM {
            continue;
        }
        let unit = sent.get("unit").filter(|unit| !shape::is_empty(unit));
        let unit = match unit.map(|unit| unit.as_str().and_then(unit_of)) {
            Some(Some(unit)) => unit,
            Some(None) => {
                meta.invalid(&at.key(&name).key("unit"), "a unit such as millisecond", json!(unit));
                "none".to_owned()
            }
            None => known.map_or("none", |(_, unit)| unit).to_owned(),
        };
        read.insert(key, json!({ "value": value, "unit": unit }));
    }
    if custom > MAX_CUSTOM {
        meta.length(at, before);
    }
    read
}

fn name_of(name: &str) -> Option<String> {
    let is_legal = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.len() <= MAX_NAME_BYTES
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.".contains(c));
    let name = name.to_ascii_lowercase();
    match name.as_str() {
        "app.start.cold" => Some("app_start_cold".to_owned()),
        "app.start.warm" => Some("app_start_warm".to_owned()),
        _ => is_legal.then_some(name),
    }
}

fn unit_of(text: &str) -> Option<String> {
    let unit = text.trim().to_ascii_lowercase();
    let is_word = unit.len() <= MAX_UNIT_BYTES && !unit.chars().any(|c| c.is_whitespace() || c.is_control());
    (UNITS.contains(&unit.as_str()) || is_word).then_some(unit)
}

/// The number of a measurement.
pub(super) fn value(measurements: &Map<String, Value>, name: &str) -> Option<f64> {
    measurements.get(name)?.get("value")?.as_f64()
}

/// Puts a share between 0 and 1 among the measurements.
pub(super) fn put_ratio(measurements: &mut Map<String, Value>, name: &str, ratio: f64) {
    if ratio.is_finite() {
        measurements.insert(name.to_owned(), json!({ "value": ratio, "unit": "ratio" }));
    }
}

/// Rates that follow from others and from the duration of the transaction, in microseconds.
pub(super) fn derive(measurements: &mut Map<String, Value>, duration_us: u64) {
    if let Some(total) = value(measurements, "frames_total").filter(|total| *total > 0.0) {
        for kind in ["frames_slow", "frames_frozen"] {
            if let Some(frames) = value(measurements, kind) {
                put_ratio(measurements, &format!("{kind}_rate"), frames / total);
            }
        }
    }
    if duration_us > 0
        && let Some(stalled) = value(measurements, "stall_total_time")
    {
        put_ratio(measurements, "stall_percentage", stalled / (duration_us as f64 / 1000.0));
    }
}
