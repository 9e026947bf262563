//! The log message and its parameters (`reference/ingest-protocol.md` §11.11, §12.5).

use serde_json::{Map, Value};

use crate::{
    meta::{Meta, Path},
    shape::{self, Field, Shape},
    trim::{self, Bag, Limit},
};

const MESSAGE: Limit = Limit::with_allowance(8192, 200);
const PARAMS: Bag = Bag { depth: 5, bytes: 2 << 10 };

/// A template is filled no further than to this many bytes; the limit of the text is below.
const MAX_FILLED_BYTES: usize = 64 << 10;

const LOGENTRY: &[Field] =
    &[("formatted", Shape::Json(MESSAGE)), ("message", Shape::Json(MESSAGE)), ("params", Shape::Any(PARAMS))];

pub(crate) fn normalize(event: &mut Map<String, Value>, meta: &mut Meta) {
    let Some(value) = event.get_mut("logentry") else { return };
    let at = Path::top("logentry");
    if *value == Value::Bool(false) || shape::is_empty(value) {
        event.remove("logentry");
        return;
    }
    let Value::Object(map) = value else {
        let formatted = at.key("formatted");
        meta.rename(&at, &formatted);
        shape::apply(Shape::Json(MESSAGE), value, &formatted, meta);
        *value = Value::Object(Map::from_iter([("formatted".to_owned(), value.take())]));
        return;
    };
    map.retain(|key, _| LOGENTRY.iter().any(|(name, _)| name == key));
    shape::fields(map, LOGENTRY, &at, meta);
    if !map.contains_key("formatted") {
        let filled = map.get("message").and_then(Value::as_str).and_then(|text| fill(text, map.get("params")?));
        match (filled, map.get("message")) {
            (Some(mut filled), _) => {
                trim::text(&mut filled, MESSAGE, &at.key("formatted"), meta);
                map.insert("formatted".to_owned(), Value::String(filled));
            }
            (None, Some(message)) => {
                let message = message.clone();
                meta.rename(&at.key("message"), &at.key("formatted"));
                map.insert("formatted".to_owned(), message);
            }
            (None, None) => {
                meta.invalid(&at, "a message", value.take());
                event.remove("logentry");
                return;
            }
        }
    }
    if map.get("message") == map.get("formatted") {
        map.remove("message");
    }
}

/// Fills a template with its parameters, Python's way; `None` when they do not fit together.
fn fill(template: &str, params: &Value) -> Option<String> {
    if template.contains('%') {
        percent(template, params)
    } else if template.contains('{') {
        braces(template, params)
    } else {
        None
    }
}

/// `%s`, `%d`, `%5.2f`, `%(name)s`, `%%`.
fn percent(template: &str, params: &Value) -> Option<String> {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    let mut next = 0;
    while let Some(start) = rest.find('%') {
        out.push_str(&rest[..start]);
        rest = &rest[start + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let param = if let Some(named) = rest.strip_prefix('(') {
            let (name, after) = named.split_once(')')?;
            rest = after;
            params.get(name)?
        } else {
            next += 1;
            params.get(next - 1)?
        };
        rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || "-+ #.".contains(c));
        let kind = rest.chars().next().filter(|c| "sdifrxXeEgGouc".contains(*c))?;
        rest = &rest[kind.len_utf8()..];
        push(&mut out, param)?;
    }
    out.push_str(rest);
    Some(out)
}

/// `{}`, `{0}`, `{name}`, `{name:format}`.
fn braces(template: &str, params: &Value) -> Option<String> {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    let mut next = 0;
    while let Some(start) = rest.find(['{', '}']) {
        out.push_str(&rest[..start]);
        let doubled = rest[start..].starts_with("{{") || rest[start..].starts_with("}}");
        if doubled {
            out.push_str(&rest[start..=start]);
            rest = &rest[start + 2..];
            continue;
        }
        let (field, after) = rest[start..].strip_prefix('{')?.split_once('}')?;
        rest = after;
        let name = field.split([':', '!']).next().unwrap_or_default();
        let param = if name.is_empty() {
            next += 1;
            params.get(next - 1)
        } else if let Ok(index) = name.parse::<usize>() {
            params.get(index).or_else(|| params.get(name))
        } else {
            params.get(name)
        };
        push(&mut out, param?)?;
    }
    out.push_str(rest);
    Some(out)
}

fn push(out: &mut String, param: &Value) -> Option<()> {
    match param {
        Value::String(text) => out.push_str(text),
        Value::Null => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        other => out.push_str(&other.to_string()),
    }
    (out.len() <= MAX_FILLED_BYTES).then_some(())
}
