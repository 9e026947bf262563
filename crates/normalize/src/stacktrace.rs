//! Stack traces and frames (`reference/ingest-protocol.md` §11.4, §11.13, §12.5).

use std::ops::Range;

use serde_json::{Map, Value};

use crate::{
    meta::{Meta, Path},
    shape::{self, Ends, FREE, Field, Shape},
    trim::{self, Bag, Limit},
};

/// How many frames of one stack trace are kept: the oldest are first.
const FRAMES: Ends = Ends { first: 25, last: 225 };

/// Above so many frames, those in the middle lose their variables and surrounding lines.
const MAX_FULL_FRAMES: usize = 50;

const NAME: Limit = Limit::with_allowance(256, 20);
const FILE: Limit = Limit::with_allowance(256, 40);
/// One line of source code. Minified code is one long line.
const LINE: Limit = Limit::new(512);
const VARS: Bag = Bag { depth: 5, bytes: 2 << 10 };
/// Processed frames stay as they were sent; they are only bounded.
const RAW: Bag = Bag { depth: 10, bytes: 64 << 10 };

const FRAME: &[Field] = &[
    ("abs_path", Shape::Text(FILE)),
    ("colno", Shape::Integer),
    ("context_line", Shape::Line(LINE)),
    ("filename", Shape::Text(FILE)),
    ("function", Shape::Text(NAME)),
    ("in_app", Shape::Boolean),
    ("lineno", Shape::Integer),
    ("module", Shape::Text(NAME)),
    ("post_context", Shape::Lines(LINE)),
    ("pre_context", Shape::Lines(LINE)),
    ("vars", Shape::Inner),
    ("addr_mode", Shape::Text(NAME)),
    ("data", Shape::Object(FREE)),
    ("function_id", Shape::Address),
    ("image_addr", Shape::Address),
    ("instruction_addr", Shape::Address),
    ("lang", Shape::Text(NAME)),
    ("lock", Shape::Inner),
    ("package", Shape::Text(FILE)),
    ("platform", Shape::Text(NAME)),
    ("raw_function", Shape::Text(NAME)),
    ("stack_start", Shape::Boolean),
    ("symbol", Shape::Text(NAME)),
    ("symbol_addr", Shape::Address),
    ("trust", Shape::Text(NAME)),
];

const TEMPLATE: &[Field] = &[
    ("abs_path", Shape::Text(FILE)),
    ("colno", Shape::Integer),
    ("context_line", Shape::Line(LINE)),
    ("filename", Shape::Text(FILE)),
    ("lineno", Shape::Integer),
    ("post_context", Shape::Lines(LINE)),
    ("pre_context", Shape::Lines(LINE)),
];

/// A lock that a thread waits for or holds (`type`: 1 locked, 2 waiting, 4 sleeping, 8 blocked).
const LOCK: &[Field] = &[
    ("address", Shape::Address),
    ("class_name", Shape::Text(NAME)),
    ("package_name", Shape::Text(NAME)),
    ("thread_id", Shape::Id),
    ("type", Shape::Integer),
];

const STACKTRACE: &[Field] = &[
    ("frames", Shape::Inner),
    ("instruction_addr_adjustment", Shape::Text(NAME)),
    ("lang", Shape::Text(NAME)),
    ("registers", Shape::Inner),
    ("snapshot", Shape::Boolean),
];

/// Brings the event's own stack trace into shape.
pub(crate) fn normalize_top(event: &mut Map<String, Value>, meta: &mut Meta) {
    if let Some(value) = event.get_mut("stacktrace") {
        normalize(value, &Path::top("stacktrace"), meta);
        if value.is_null() {
            event.remove("stacktrace");
        }
    }
}

/// Brings the place in a template language's file into shape.
pub(crate) fn normalize_template(event: &mut Map<String, Value>, meta: &mut Meta) {
    let Some(value) = event.get_mut("template") else { return };
    let at = Path::top("template");
    match &mut *value {
        Value::Object(map) => shape::fields(map, TEMPLATE, &at, meta),
        other => meta.invalid(&at, "an object", other.take()),
    }
    if shape::is_empty(value) {
        event.remove("template");
    }
}

/// Brings the stack trace of an exception or a thread into shape, and bounds the unprocessed one.
pub(crate) fn normalize_in(owner: &mut Map<String, Value>, at: &Path<'_>, meta: &mut Meta) {
    if let Some(value) = owner.get_mut("stacktrace") {
        normalize(value, &at.key("stacktrace"), meta);
        if value.is_null() {
            owner.remove("stacktrace");
        }
    }
    if let Some(value) = owner.get_mut("raw_stacktrace") {
        shape::apply(Shape::Object(RAW), value, &at.key("raw_stacktrace"), meta);
        if value.is_null() {
            owner.remove("raw_stacktrace");
        }
    }
}

fn normalize(value: &mut Value, at: &Path<'_>, meta: &mut Meta) {
    let map = match value {
        Value::Object(map) => map,
        Value::Null => return,
        // Some old SDKs send the frames alone.
        Value::Array(_) => {
            meta.rename(at, &at.key("frames"));
            let frames = value.take();
            *value = Value::Object(Map::from_iter([("frames".to_owned(), frames)]));
            value.as_object_mut().expect("made an object above")
        }
        other => return meta.invalid(at, "a stack trace", other.take()),
    };
    shape::fields(map, STACKTRACE, at, meta);
    if let Some(Value::Object(registers)) = map.get_mut("registers") {
        let at = at.key("registers");
        registers.retain(|name, value| {
            shape::apply(Shape::Address, value, &at.key(name), meta);
            !value.is_null()
        });
    }
    map.retain(|key, value| key != "registers" || value.as_object().is_some_and(|registers| !registers.is_empty()));

    let at_frames = at.key("frames");
    let frames = match map.remove("frames") {
        Some(Value::Array(frames)) => frames,
        Some(other) => {
            meta.invalid(&at_frames, "a list of frames", other);
            Vec::new()
        }
        None => Vec::new(),
    };
    let frames = FRAMES.of(frames, &at_frames, meta);
    let mut frames = shape::objects(frames, &at_frames, meta, &mut frame);
    if frames.is_empty() {
        *value = Value::Null;
        return;
    }
    slim(&mut frames);
    map.insert("frames".to_owned(), Value::Array(frames));
}

/// Brings a frame into shape; an empty one goes.
fn frame(map: &mut Map<String, Value>, at: &Path<'_>, meta: &mut Meta) -> bool {
    shape::fields(map, FRAME, at, meta);
    if let Some(vars) = map.get_mut("vars") {
        let at = at.key("vars");
        match &mut *vars {
            Value::Array(items) => {
                let named = items.drain(..).enumerate().map(|(index, item)| (index.to_string(), item));
                *vars = Value::Object(named.collect());
            }
            Value::Object(_) => {}
            other => meta.invalid(&at, "an object", other.take()),
        }
        if shape::is_empty(vars) {
            map.remove("vars");
        } else {
            trim::bag(vars, VARS, &at, meta);
        }
    }
    if let Some(value) = map.get_mut("lock")
        && !lock(value, &at.key("lock"), meta)
    {
        map.remove("lock");
    }
    complete_paths(map);
    !map.is_empty()
}

/// Brings a lock into shape and says whether anything is left of it.
pub(crate) fn lock(value: &mut Value, at: &Path<'_>, meta: &mut Meta) -> bool {
    match &mut *value {
        Value::Object(map) => shape::fields(map, LOCK, at, meta),
        other => meta.invalid(at, "an object", other.take()),
    }
    !shape::is_empty(value)
}

/// Each of `abs_path` and `filename` stands in for the other.
fn complete_paths(map: &mut Map<String, Value>) {
    let text = |key: &str| map.get(key).and_then(Value::as_str);
    match (text("abs_path"), text("filename")) {
        (None, Some(file)) => {
            let path = Value::from(file);
            map.insert("abs_path".to_owned(), path);
        }
        (Some(path), None) => {
            let file = Value::from(url_path(path).unwrap_or(path));
            map.insert("filename".to_owned(), file);
        }
        _ => {}
    }
}

/// The path of a URL that a browser loads code from, unless it is only `/`.
fn url_path(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once(':')?;
    if !["file", "http", "https", "applewebdata"].contains(&scheme) {
        return None;
    }
    let rest = rest.strip_prefix("//")?;
    let path = &rest[rest.find('/')?..];
    let end = path.find(['?', '#']).unwrap_or(path.len());
    (end > 1).then(|| &path[..end])
}

/// Takes variables and surrounding lines from frames in the middle of a long stack, from the system's first.
fn slim(frames: &mut [Value]) {
    if frames.len() <= MAX_FULL_FRAMES {
        return;
    }
    let (mut app, mut system) = (Vec::new(), Vec::new());
    for (index, frame) in frames.iter().enumerate() {
        let of_app = frame.get("in_app").and_then(Value::as_bool).unwrap_or(false);
        if of_app { app.push(index) } else { system.push(index) }
    }
    let app_kept = app.len().min(MAX_FULL_FRAMES);
    let losers = app[middle(app.len(), app_kept)].iter();
    for index in losers.chain(&system[middle(system.len(), MAX_FULL_FRAMES - app_kept)]) {
        if let Some(frame) = frames[*index].as_object_mut() {
            frame.retain(|key, _| !matches!(key.as_str(), "vars" | "pre_context" | "post_context"));
        }
    }
}

/// Which of `count` go when `kept` may stay: those in the middle, so that both ends stay.
fn middle(count: usize, kept: usize) -> Range<usize> {
    let kept = kept.min(count);
    let head = kept / 2;
    head..count - (kept - head)
}
