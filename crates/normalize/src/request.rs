//! The HTTP request (`reference/ingest-protocol.md` §11.7, §12.9).

use serde_json::{Map, Value};
use url::Url;

use crate::{
    http::{self, Side},
    meta::{Meta, Path},
    shape::{self, Field, Shape},
    trim::{Bag, Limit},
};

const QUERY: Bag = Bag { depth: 3, bytes: 1 << 10 };
/// Bound of a URL.
pub(crate) const URL: Limit = Limit::with_allowance(2048, 40);

const REQUEST: &[Field] = &[
    ("api_target", Shape::Text(Limit::new(64))),
    ("body_size", Shape::Integer),
    ("cookies", Shape::Inner),
    ("data", Shape::Inner),
    ("env", Shape::Object(http::HEADERS)),
    ("fragment", Shape::Text(Limit::new(1024))),
    ("headers", Shape::Inner),
    ("inferred_content_type", Shape::Text(http::CONTENT_TYPE)),
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
        let query = map.remove("query_string").unwrap_or_default();
        http::put_pairs(map, "query_string", query, http::read_form, QUERY, &at, meta);
        http::normalize(map, Side::Request, &at, meta);
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
