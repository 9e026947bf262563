//! How an exception was caught, and what the system said about it (`reference/ingest-protocol.md` §11.3).

use serde_json::{Map, Value};

use crate::{
    meta::{Meta, Path},
    shape::{self, FREE, Field, Shape},
    system_names::{SystemNames, mach_exception},
    trim::Limit,
};

const TYPE: Limit = Limit::with_allowance(256, 20);
const DESCRIPTION: Limit = Limit::with_allowance(8192, 200);

const MECHANISM: &[Field] = &[
    ("data", Shape::Object(FREE)),
    ("description", Shape::Text(DESCRIPTION)),
    ("exception_id", Shape::Integer),
    ("handled", Shape::Boolean),
    ("help_link", Shape::Text(Limit::new(2048))),
    ("is_exception_group", Shape::Boolean),
    ("meta", Shape::Object(FREE)),
    ("parent_id", Shape::Integer),
    ("source", Shape::Text(TYPE)),
    ("synthetic", Shape::Boolean),
    ("type", Shape::Text(TYPE)),
];

const NAME: Shape = Shape::Text(TYPE);

/// What of the system's words are numbers and what are names.
const ERRNO: &[Field] = &[("name", NAME), ("number", Shape::Integer)];
const SIGNAL: &[Field] = &[("code", Shape::Integer), ("code_name", NAME), ("name", NAME), ("number", Shape::Integer)];
const MACH_EXCEPTION: &[Field] =
    &[("code", Shape::Integer), ("exception", Shape::Integer), ("name", NAME), ("subcode", Shape::Integer)];
const NS_ERROR: &[Field] = &[("code", Shape::Integer), ("domain", NAME)];

/// What a mechanism without a name is called.
const UNNAMED: &str = "generic";

/// Brings the mechanism of an exception into shape.
pub(crate) fn normalize_in(exception: &mut Map<String, Value>, at: &Path<'_>, meta: &mut Meta) {
    let Some(value) = exception.get_mut("mechanism") else { return };
    let at = at.key("mechanism");
    match &mut *value {
        Value::Object(map) => {
            shape::fields(map, MECHANISM, &at, meta);
            check_link(map, &at, meta);
            system_words(map, &at.key("meta"), meta);
            if !map.is_empty() {
                map.entry("type").or_insert_with(|| UNNAMED.into());
            }
        }
        other => meta.invalid(&at, "an object", other.take()),
    }
    if shape::is_empty(value) {
        exception.remove("mechanism");
    }
}

/// A link that the page shows must be one that a browser may follow.
fn check_link(mechanism: &mut Map<String, Value>, at: &Path<'_>, meta: &mut Meta) {
    let is_web = |link: &str| link.starts_with("https://") || link.starts_with("http://");
    if mechanism.get("help_link").is_some_and(|link| !link.as_str().is_some_and(is_web))
        && let Some(link) = mechanism.remove("help_link")
    {
        meta.invalid(&at.key("help_link"), "a http or https link", link);
    }
}

fn system_words(mechanism: &mut Map<String, Value>, at: &Path<'_>, meta: &mut Meta) {
    let Some(words) = mechanism.get_mut("meta").and_then(Value::as_object_mut) else { return };
    for (key, fields) in
        [("errno", ERRNO), ("signal", SIGNAL), ("mach_exception", MACH_EXCEPTION), ("ns_error", NS_ERROR)]
    {
        let Some(value) = words.get_mut(key) else { continue };
        match &mut *value {
            Value::Object(map) => shape::listed(map, fields, &at.key(key), meta),
            other => meta.invalid(&at.key(key), "an object", other.take()),
        }
        if shape::is_empty(value) {
            words.remove(key);
        }
    }
    if words.is_empty() {
        mechanism.remove("meta");
    }
}

/// Fills in the names of numbers that the exceptions of an event have. The contexts must have been read before.
pub(crate) fn name_numbers(event: &mut Map<String, Value>) {
    let exceptions = event.get("exception").and_then(|list| list.get("values")?.as_array());
    let has_words = |exception: &Value| exception.get("mechanism").is_some_and(|it| it.get("meta").is_some());
    if !exceptions.is_some_and(|exceptions| exceptions.iter().any(has_words)) {
        return;
    }
    let names = SystemNames::of_event(event);
    let exceptions = event.get_mut("exception").and_then(|list| list.get_mut("values")?.as_array_mut());
    for exception in exceptions.into_iter().flatten() {
        let words = exception.get_mut("mechanism").and_then(|it| it.get_mut("meta")?.as_object_mut());
        if let Some(words) = words {
            name(words, names);
        }
    }
}

fn name(words: &mut Map<String, Value>, names: Option<&SystemNames>) {
    let number = |map: &Map<String, Value>, key: &str| map.get(key).and_then(Value::as_i64);
    let put = |map: &mut Map<String, Value>, key: &str, name: Option<&str>| {
        if let Some(name) = name {
            map.entry(key).or_insert_with(|| name.into());
        }
    };
    if let Some(Value::Object(errno)) = words.get_mut("errno") {
        let name = number(errno, "number").and_then(|number| names?.errno(number));
        put(errno, "name", name);
    }
    if let Some(Value::Object(signal)) = words.get_mut("signal") {
        let name = number(signal, "number").and_then(|number| names?.signal(number));
        let code = number(signal, "code").and_then(|code| names?.signal_code(name.unwrap_or_default(), code));
        put(signal, "name", name);
        put(signal, "code_name", code);
    }
    if let Some(Value::Object(mach)) = words.get_mut("mach_exception") {
        let name = number(mach, "exception").and_then(mach_exception);
        put(mach, "name", name);
    }
}
