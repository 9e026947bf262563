//! The HTTP request (`reference/ingest-protocol.md` §11.7, §12.9).

use serde_json::{Map, Value};
use url::Url;

use crate::{
    meta::{Meta, Path},
    shape::{self, Field, Shape},
    trim::{self, Bag, Limit},
};

const HEADERS: Bag = Bag { depth: 7, bytes: 8 << 10 };
const QUERY: Bag = Bag { depth: 3, bytes: 1 << 10 };
const COOKIES: Bag = Bag { depth: 5, bytes: 2 << 10 };
const DATA: Bag = Bag { depth: 7, bytes: 8 << 10 };
const URL: Limit = Limit::with_allowance(2048, 40);
const CONTENT_TYPE: Limit = Limit::new(256);

const REQUEST: &[Field] = &[
    ("api_target", Shape::Text(Limit::new(64))),
    ("body_size", Shape::Integer),
    ("cookies", Shape::Inner),
    ("data", Shape::Inner),
    ("env", Shape::Object(HEADERS)),
    ("fragment", Shape::Text(Limit::new(1024))),
    ("headers", Shape::Inner),
    ("inferred_content_type", Shape::Text(CONTENT_TYPE)),
    ("method", Shape::Text(Limit::new(64))),
    ("protocol", Shape::Text(Limit::new(64))),
    ("query_string", Shape::Inner),
    ("url", Shape::Text(URL)),
];

pub(crate) fn normalize(event: &mut Map<String, Value>, meta: &mut Meta) {
    let Some(value) = event.get_mut("request") else { return };
    let at = Path::top("request");
    if let Value::Object(map) = value {
        shape::fields(map, REQUEST, &at, meta);
        method(map, &at, meta);
        split_url(map);
        headers(map, &at, meta);
        let query = map.remove("query_string").unwrap_or_default();
        put_pairs(map, "query_string", query, read_query, QUERY, &at, meta);
        let cookies = map.remove("cookies").unwrap_or_default();
        put_pairs(map, "cookies", cookies, read_cookies, COOKIES, &at, meta);
        body(map, &at, meta);
    } else {
        meta.invalid(&at, "an object", value.take());
    }
    if shape::is_empty(value) {
        event.remove("request");
    }
}

fn method(map: &mut Map<String, Value>, at: &Path<'_>, meta: &mut Meta) {
    let Some(Value::String(text)) = map.get_mut("method") else { return };
    text.make_ascii_uppercase();
    let is_method =
        (3..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_uppercase() || b"-_".contains(&b));
    if !is_method && let Some(original) = map.remove("method") {
        meta.invalid(&at.key("method"), "a method such as GET", original);
    }
}

/// Moves query and fragment out of the URL; those that were sent by themselves win.
fn split_url(map: &mut Map<String, Value>) {
    let Some(Value::String(mut url)) = map.remove("url") else { return };
    if url.ends_with('…') {
        url.truncate(url.len() - '…'.len_utf8());
        url.push_str("...");
    }
    if let Some((start, fragment)) = url.split_once('#') {
        put_text(map, "fragment", fragment);
        url.truncate(start.len());
    }
    if let Some((start, query)) = url.split_once('?') {
        put_text(map, "query_string", query);
        url.truncate(start.len());
    }
    // A host in another script gets its form for machines, so that equal hosts look equal.
    if !url.is_ascii()
        && let Ok(parsed) = Url::parse(&url)
    {
        url = parsed.into();
    }
    if !url.is_empty() {
        map.insert("url".to_owned(), Value::String(url));
    }
}

fn put_text(map: &mut Map<String, Value>, key: &str, text: &str) {
    if !text.is_empty() && map.get(key).is_none_or(shape::is_empty) {
        map.insert(key.to_owned(), text.into());
    }
}

fn headers(map: &mut Map<String, Value>, at: &Path<'_>, meta: &mut Meta) {
    let at = at.key("headers");
    let pairs = shape::pairs(map.remove("headers").unwrap_or_default(), &at, meta);
    let mut headers = Vec::with_capacity(pairs.len());
    for (name, mut value) in pairs {
        let Value::String(name) = name else {
            meta.invalid(&at, "a header name", name);
            continue;
        };
        if let Value::Array(items) = &value {
            let texts: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            value = Value::String(texts.join(","));
        }
        if shape::lenient(&mut value).is_err() {
            if !value.is_null() {
                meta.invalid(&at.key(&name), "a text", value);
            }
            continue;
        }
        let name = header_case(&name);
        if !name.eq_ignore_ascii_case("cookie") {
            headers.push(shape::pair(Value::String(name), value));
        } else if map.get("cookies").is_none_or(shape::is_empty) {
            map.insert("cookies".to_owned(), value);
        }
    }
    put_list(map, "headers", headers, HEADERS, &at, meta);
}

/// `content-type` → `Content-Type`; the rest of each word stays as it is.
fn header_case(name: &str) -> String {
    let mut at_start = true;
    let upper = |c: char| if std::mem::replace(&mut at_start, c == '-') { c.to_ascii_uppercase() } else { c };
    name.trim().chars().map(upper).collect()
}

type Texts = Vec<(String, String)>;

/// Reads pairs that may also come as one text, and stores them.
fn put_pairs(
    map: &mut Map<String, Value>,
    key: &str,
    value: Value,
    read: fn(&str) -> Texts,
    bounds: Bag,
    at: &Path<'_>,
    meta: &mut Meta,
) {
    let at = at.key(key);
    let list = match value {
        Value::String(text) => read(&text).into_iter().map(|(k, v)| shape::pair(k.into(), v.into())).collect(),
        other => {
            let mut list = Vec::new();
            for (name, mut value) in shape::pairs(other, &at, meta) {
                if value.is_null() {
                    value = "".into();
                } else if !value.is_string() {
                    value = Value::String(value.to_string());
                }
                match name {
                    Value::String(_) => list.push(shape::pair(name, value)),
                    other => meta.invalid(&at, "a name", other),
                }
            }
            list
        }
    };
    put_list(map, key, list, bounds, &at, meta);
}

fn put_list(map: &mut Map<String, Value>, key: &str, list: Vec<Value>, bounds: Bag, at: &Path<'_>, meta: &mut Meta) {
    let mut list = Value::Array(list);
    trim::bag(&mut list, bounds, at, meta);
    // A pair whose value was cut off entirely is no pair.
    if let Value::Array(pairs) = &mut list {
        pairs.retain(|pair| pair.as_array().is_some_and(|pair| pair.len() == 2));
    }
    if !shape::is_empty(&list) {
        map.insert(key.to_owned(), list);
    }
}

fn read_query(text: &str) -> Texts {
    url::form_urlencoded::parse(text.trim_start_matches('?').as_bytes()).into_owned().collect()
}

fn read_cookies(text: &str) -> Texts {
    let parts = text.split(';').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (name.trim().to_owned(), value.trim().to_owned())
        })
        .collect()
}

/// Parses a body of text, and tells what kind of content it is.
fn body(map: &mut Map<String, Value>, at: &Path<'_>, meta: &mut Meta) {
    let Some(mut data) = map.remove("data").filter(|data| !shape::is_empty(data)) else {
        map.remove("inferred_content_type");
        return;
    };
    let declared = map.get("headers").and_then(Value::as_array).and_then(|headers| {
        let header =
            headers.iter().find(|pair| pair[0].as_str().is_some_and(|n| n.eq_ignore_ascii_case("content-type")));
        let kind = header?[1].as_str()?.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        (!kind.is_empty()).then_some(kind)
    });
    let mut inferred = declared;
    if let Value::String(text) = &data {
        if let Some(parsed) = read_json(text) {
            inferred = Some("application/json".to_owned());
            data = parsed;
        } else if let Some(form) = read_form(text) {
            inferred = Some("application/x-www-form-urlencoded".to_owned());
            data = form;
        }
    } else if let Some(Value::String(known)) = map.get("inferred_content_type") {
        // Already parsed by the SDK, which knew what it was.
        inferred = Some(known.clone());
    }
    trim::bag(&mut data, DATA, &at.key("data"), meta);
    map.insert("data".to_owned(), data);
    match inferred {
        Some(mut kind) => {
            trim::text(&mut kind, CONTENT_TYPE, &at.key("inferred_content_type"), meta);
            map.insert("inferred_content_type".to_owned(), Value::String(kind))
        }
        None => map.remove("inferred_content_type"),
    };
}

fn read_json(text: &str) -> Option<Value> {
    let starts_like_json = text.trim_start().starts_with(['{', '[']);
    serde_json::from_str(text).ok().filter(|value| starts_like_json && !shape::is_empty(value))
}

/// A form: several pairs, or one with a value that is not just the `=` at the end of some base64.
fn read_form(text: &str) -> Option<Value> {
    if !text.is_ascii() || text.starts_with("<?xml") || text.starts_with(['{', '[']) || !text.contains('=') {
        return None;
    }
    let mut form = Map::new();
    let pairs = read_query(text);
    let telling = pairs.len() > 1 || pairs.iter().any(|(_, value)| !value.is_empty() && value != "=");
    for (name, value) in pairs {
        form.insert(name, Value::String(value));
    }
    telling.then_some(Value::Object(form))
}
