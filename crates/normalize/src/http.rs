//! What requests and responses share: headers, cookies, body (`reference/ingest-protocol.md` §11.7, §12.9).

use serde_json::{Map, Value};

use crate::{
    meta::{Meta, Path},
    pairs::{self, Pair},
    shape,
    trim::{self, Bag, Limit},
};

pub(crate) const HEADERS: Bag = Bag { depth: 7, bytes: 8 << 10 };
const COOKIES: Bag = Bag { depth: 5, bytes: 2 << 10 };
const DATA: Bag = Bag { depth: 7, bytes: 8 << 10 };
pub(crate) const CONTENT_TYPE: Limit = Limit::new(256);

/// Who sent the message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Request,
    Response,
}

impl Side {
    /// The header that the cookies travel in.
    fn cookie_header(self) -> &'static str {
        match self {
            Self::Request => "cookie",
            Self::Response => "set-cookie",
        }
    }
}

/// Brings headers, cookies and body into shape; cookies leave the headers.
pub(crate) fn normalize(map: &mut Map<String, Value>, side: Side, at: &Path<'_>, meta: &mut Meta) {
    headers(map, side, at, meta);
    let cookies = map.remove("cookies").unwrap_or_default();
    put_pairs(map, "cookies", cookies, read_cookies, COOKIES, at, meta);
    body(map, at, meta);
}

/// A header by its name in any case, from headers in their normal form.
pub(crate) fn header<'h>(headers: &'h [Value], name: &str) -> Option<&'h str> {
    let pair = headers
        .iter()
        .find(|pair| pair.get(0).and_then(Value::as_str).is_some_and(|n| n.eq_ignore_ascii_case(name)))?;
    pair.get(1)?.as_str()
}

fn headers(map: &mut Map<String, Value>, side: Side, whole: &Path<'_>, meta: &mut Meta) {
    let at = whole.key("headers");
    let pairs = pairs::read(map.remove("headers").unwrap_or_default(), &at, meta);
    let mut headers = Vec::with_capacity(pairs.len());
    for Pair { name, mut value, notes } in pairs {
        let Value::String(name) = name else {
            meta.invalid(&at, "a header name", name);
            continue;
        };
        let is_cookie = name.trim().eq_ignore_ascii_case(side.cookie_header());
        if is_cookie && side == Side::Response {
            value = set_cookies(value);
        } else if let Value::Array(items) = &value {
            let texts: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            value = Value::String(texts.join(","));
        }
        if shape::lenient(&mut value).is_err() {
            meta.lay(&at.key(&name), notes);
            if !value.is_null() {
                meta.invalid(&at.key(&name), "a text", value);
            }
            continue;
        }
        if !is_cookie {
            meta.lay(&at.index(headers.len()).key("1"), notes);
            headers.push(pairs::pair(Value::String(header_case(&name)), value));
        } else if map.get("cookies").is_none_or(shape::is_empty) {
            map.insert("cookies".to_owned(), value);
            meta.lay(&whole.key("cookies"), notes);
        }
    }
    put_list(map, "headers", headers, HEADERS, &at, meta);
}

/// The cookies that an answer sets, as a request would send them: without paths, times and the like.
fn set_cookies(value: Value) -> Value {
    let items = match value {
        Value::Array(items) => items,
        other => vec![other],
    };
    let cookies = items.iter().filter_map(Value::as_str).filter_map(|text| text.split(';').next());
    Value::String(cookies.collect::<Vec<_>>().join("; "))
}

/// `content-type` → `Content-Type`; the rest of each word stays as it is.
fn header_case(name: &str) -> String {
    let mut at_start = true;
    let upper = |c: char| if std::mem::replace(&mut at_start, c == '-') { c.to_ascii_uppercase() } else { c };
    name.trim().chars().map(upper).collect()
}

type Texts = Vec<(String, String)>;

/// Reads pairs that may also come as one text, and stores them.
pub(crate) fn put_pairs(
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
        Value::String(text) => read(&text).into_iter().map(|(k, v)| pairs::pair(k.into(), v.into())).collect(),
        other => {
            let mut list = Vec::new();
            for Pair { name, mut value, notes } in pairs::read(other, &at, meta) {
                if value.is_null() {
                    value = "".into();
                } else if !value.is_string() {
                    value = Value::String(value.to_string());
                }
                match name {
                    Value::String(_) => {
                        meta.lay(&at.index(list.len()).key("1"), notes);
                        list.push(pairs::pair(name, value));
                    }
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

/// Pairs in the form of a URL's query.
pub(crate) fn read_form(text: &str) -> Texts {
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
    let declared = map.get("headers").and_then(Value::as_array).and_then(|headers| header(headers, "Content-Type"));
    let declared = declared.and_then(|kind| {
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        (!kind.is_empty()).then_some(kind)
    });
    let mut inferred = declared;
    if let Value::String(text) = &data {
        if let Some(parsed) = read_json(text) {
            inferred = Some("application/json".to_owned());
            data = parsed;
        } else if let Some(form) = form(text) {
            inferred = Some("application/x-www-form-urlencoded".to_owned());
            data = form;
        }
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
fn form(text: &str) -> Option<Value> {
    if !text.is_ascii() || text.starts_with("<?xml") || text.starts_with(['{', '[']) || !text.contains('=') {
        return None;
    }
    let mut form = Map::new();
    let pairs = read_form(text);
    let telling = pairs.len() > 1 || pairs.iter().any(|(_, value)| !value.is_empty() && value != "=");
    for (name, value) in pairs {
        form.insert(name, Value::String(value));
    }
    telling.then_some(Value::Object(form))
}
