//! What an event in a message must look like: the current schema, or else the older one
//! (`reference/issue-platform.md` §3.5). Hand-written: each is gone through once.

use nuthatch_protocol::{Level, Occurrence};
use serde_json::{Map, Value};

use super::{DecodeError, object::Object};

const TEXTS: [&str; 4] = ["environment", "release", "server_name", "transaction"];
const USER_TEXTS: [&str; 6] = ["id", "email", "username", "name", "segment", "ip_address"];
const LEVELS: [&str; 5] = ["debug", "info", "warning", "error", "fatal"];

/// Refuses what neither schema takes, with what the current one says. Whether only the older one takes it.
pub(super) fn check(event: &Object<'_>, occurrence: &Occurrence) -> Result<bool, DecodeError> {
    match current(event, occurrence.level) {
        Ok(()) => Ok(false),
        Err(_) if is_legacy(event.map) => Ok(true),
        Err(error) => Err(error),
    }
}

/// The current schema. Unknown keys are fine everywhere.
fn current(event: &Object<'_>, level: Level) -> Result<(), DecodeError> {
    event.text("platform")?;
    time(event, "timestamp")?;
    event.required("timestamp", event.get("timestamp"))?;
    time(event, "received")?;
    if level == Level::Sample {
        return Err(event.error("level", "expected debug, info, warning, error or fatal"));
    }
    for key in TEXTS {
        event.optional_text(key)?;
    }
    event.optional_text("dist")?;
    event.optional_object("extra")?;
    tags(event)?;
    breadcrumbs(event)?;
    if let Some(contexts) = event.optional_object("contexts")? {
        for key in contexts.map.keys() {
            contexts.optional_object(key)?;
        }
    }
    if let Some(debug_meta) = event.optional_object("debug_meta")? {
        objects_or_null(&debug_meta, "images")?;
        debug_meta.optional_object("sdk_info")?;
    }
    if let Some(modules) = event.optional_object("modules")? {
        for key in modules.map.keys() {
            modules.optional_text(key)?;
        }
    }
    request(event)?;
    if let Some(sdk) = event.optional_object("sdk")? {
        for key in ["name", "version"] {
            // The key must be there; null will do.
            sdk.required(key, sdk.map.get(key))?;
            sdk.optional_text(key)?;
        }
        sdk.optional_list("packages")?;
        sdk.optional_list("integrations")?;
    }
    if let Some(stacktrace) = event.optional_object("stacktrace")? {
        stacktrace.required("frames", stacktrace.map.get("frames"))?;
        objects_or_null(&stacktrace, "frames")?;
        stacktrace.optional_object("registers")?;
        stacktrace.optional_text("lang")?;
        if !matches!(stacktrace.get("snapshot"), None | Some(Value::Bool(_))) {
            return Err(stacktrace.error("snapshot", "expected true or false"));
        }
    }
    if let Some(user) = event.optional_object("user")? {
        for key in USER_TEXTS {
            user.optional_text(key)?;
        }
        user.optional_object("geo")?;
        user.optional_object("data")?;
    }
    Ok(())
}

fn time(object: &Object<'_>, key: &str) -> Result<(), DecodeError> {
    match object.get(key) {
        None | Some(Value::Number(_) | Value::String(_)) => Ok(()),
        Some(_) => Err(object.error(key, "expected a number or text")),
    }
}

/// A list of objects, some of which may be null.
fn objects_or_null(object: &Object<'_>, key: &str) -> Result<(), DecodeError> {
    for (index, item) in object.optional_list(key)?.unwrap_or_default().iter().enumerate() {
        if !item.is_object() && !item.is_null() {
            return Err(object.error(&format!("{key}[{index}]"), "expected an object"));
        }
    }
    Ok(())
}

/// An object of texts, or a list of pairs of text; null stands for nothing.
fn tags(event: &Object<'_>) -> Result<(), DecodeError> {
    let is_part = |part: &Value| part.is_string() || part.is_null();
    if let Some(Value::Object(_)) = event.get("tags") {
        if let Some(tags) = event.optional_object("tags")? {
            for key in tags.map.keys() {
                tags.optional_text(key)?;
            }
        }
        return Ok(());
    }
    for (index, tag) in event.optional_list("tags")?.unwrap_or_default().iter().enumerate() {
        let is_pair = tag.as_array().is_some_and(|pair| pair.len() == 2 && pair.iter().all(is_part));
        if !tag.is_null() && !is_pair {
            return Err(event.error(&format!("tags[{index}]"), "expected a pair of texts"));
        }
    }
    Ok(())
}

fn breadcrumbs(event: &Object<'_>) -> Result<(), DecodeError> {
    let Some(crumbs) = event.optional_object("breadcrumbs")? else { return Ok(()) };
    crumbs.list("values")?;
    objects_or_null(&crumbs, "values")?;
    for crumb in crumbs.objects_without_null("values") {
        for key in ["category", "message", "type"] {
            crumb.optional_text(key)?;
        }
        crumb.optional_object("data")?;
        if crumb.optional_text("level")?.is_some_and(|level| !LEVELS.contains(&level)) {
            return Err(crumb.error("level", "expected debug, info, warning, error or fatal"));
        }
        time(&crumb, "timestamp")?;
    }
    Ok(())
}

fn request(event: &Object<'_>) -> Result<(), DecodeError> {
    let Some(request) = event.optional_object("request")? else { return Ok(()) };
    for key in ["method", "url", "fragment"] {
        request.optional_text(key)?;
    }
    request.optional_object("env")?;
    let is_pairs = |value: &Value| {
        value.as_array().is_some_and(|pairs| pairs.iter().all(|pair| pair.as_array().is_some_and(|p| p.len() == 2)))
    };
    for key in ["headers", "cookies", "query_string"] {
        let is_text = key == "query_string" && request.get(key).is_some_and(Value::is_string);
        if request.get(key).is_some_and(|value| !value.is_object() && !is_pairs(value) && !is_text) {
            return Err(request.error(key, "expected an object or a list of pairs"));
        }
    }
    Ok(())
}

/// Whether the older schema takes an event, whose keys other than these are not taken over anyway.
fn is_legacy(event: &Map<String, Value>) -> bool {
    let all = |map: &Map<String, Value>, keys: &[&str], rule: fn(&Value) -> bool| {
        keys.iter().all(|key| map.get(*key).is_none_or(rule))
    };
    let object = |key: &str, rule: fn(&Map<String, Value>) -> bool| match event.get(key) {
        None | Some(Value::Null) => true,
        Some(value) => value.as_object().is_some_and(rule),
    };
    event.get("platform").is_some_and(is_text)
        && event.get("timestamp").is_some_and(Value::is_string)
        && event.get("received").is_none_or(|received| received.is_string() || received.is_null())
        && event.get("tags").is_some_and(Value::is_object)
        && all(event, &["environment", "release", "server_name", "trace_id", "transaction"], is_text_or_null)
        && all(event, &["extra"], is_object_or_null)
        && event.get("breadcrumbs").is_none_or(is_objects_or_null)
        && object("contexts", |contexts| contexts.values().all(Value::is_object))
        && object("debug_meta", |meta| {
            let has_type = |image: &Value| image.get("type").is_none_or(is_text);
            meta.get("images").is_none_or(|images| {
                is_objects_or_null(images) && images.as_array().into_iter().flatten().all(has_type)
            })
        })
        && object("dist", |dist| ["dist", "release"].iter().all(|key| dist.get(*key).is_some_and(is_text)))
        && object("modules", |modules| modules.values().all(|value| value.is_string() || value.is_null()))
        && object("request", is_legacy_request)
        && object("sdk", is_legacy_sdk)
        && object("stacktrace", is_legacy_stacktrace)
        && object("user", |user| {
            ["email", "id", "ip_address", "segment", "username"]
                .iter()
                .all(|key| user.get(*key).is_none_or(is_text_or_null))
                && user.get("data").is_none_or(is_object_or_null)
                && user.get("geo").is_none_or(|geo| {
                    let is_closed = |geo: &Map<String, Value>| {
                        geo.keys().all(|key| ["city", "country_code", "region"].contains(&key.as_str()))
                    };
                    geo.is_null() || geo.as_object().is_some_and(is_closed)
                })
        })
}

fn is_legacy_request(request: &Map<String, Value>) -> bool {
    request.iter().all(|(key, value)| {
        value.is_null()
            || match key.as_str() {
                "body_size" => value.is_number(),
                "cookies" | "headers" | "query_string" => value.is_object() || value.is_array(),
                "data" => true,
                "env" => value.is_object(),
                "fragment" | "inferred_content_type" | "method" => is_text(value),
                "url" => value.is_string(),
                _ => false,
            }
    })
}

fn is_legacy_sdk(sdk: &Map<String, Value>) -> bool {
    let is_number = |part: &str| part.bytes().all(|b| b.is_ascii_digit()) && (part == "0" || !part.starts_with('0'));
    let is_version = |version: &str| {
        version.split('.').count() == 3 && version.split('.').all(|part| !part.is_empty() && is_number(part))
    };
    sdk.get("name").is_some_and(is_text)
        && sdk.get("version").and_then(Value::as_str).is_some_and(is_version)
        && sdk.iter().all(|(key, value)| match key.as_str() {
            "name" | "version" => true,
            "integrations" => {
                value.is_null() || value.as_array().is_some_and(|items| items.iter().all(is_text_or_null))
            }
            "packages" => value.is_null() || value.is_object(),
            _ => false,
        })
}

fn is_legacy_stacktrace(stacktrace: &Map<String, Value>) -> bool {
    stacktrace.iter().all(|(key, value)| {
        value.is_null()
            || match key.as_str() {
                "frames" => is_objects_or_null(value),
                "lang" => is_text(value),
                "registers" => value.is_object(),
                "snapshot" => value.is_boolean(),
                _ => false,
            }
    })
}

fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}

fn is_text_or_null(value: &Value) -> bool {
    value.is_null() || is_text(value)
}

fn is_object_or_null(value: &Value) -> bool {
    value.is_null() || value.is_object()
}

/// Null, or a list of objects.
fn is_objects_or_null(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(|items| items.iter().all(Value::is_object))
}
