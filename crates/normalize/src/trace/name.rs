//! Names of transactions (`reference/ingest-protocol.md` §12.11): few of them, whatever is in the URLs.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value, json};

use crate::{
    meta::{Meta, Path},
    shape::{self, Shape},
    trim::Limit,
};

/// The name of a transaction that has none.
const UNLABELED: &str = "<unlabeled transaction>";
const SOURCE: Limit = Limit::new(64);

/// Where names come from; what else is said is somebody's own word.
const SOURCES: [&str; 8] = ["custom", "url", "route", "view", "component", "task", "sanitized", "unknown"];

/// SDKs that name transactions after URLs unless told otherwise.
const URL_SDKS: [&str; 11] = [
    "sentry.javascript.angular",
    "sentry.javascript.browser",
    "sentry.javascript.ember",
    "sentry.javascript.gatsby",
    "sentry.javascript.nextjs",
    "sentry.javascript.react",
    "sentry.javascript.remix",
    "sentry.javascript.vue",
    "sentry.php.laravel",
    "sentry.php.symfony",
    "sentry.symfony",
];

/// Settles name and source.
pub(super) fn normalize(event: &mut Map<String, Value>, meta: &mut Meta) {
    if event.get("transaction").is_none_or(shape::is_empty) {
        event.insert("transaction".to_owned(), UNLABELED.into());
    }
    let info = event.remove("transaction_info");
    let mut info = match info {
        Some(Value::Object(info)) => info,
        _ => Map::new(),
    };
    if let Some(source) = info.get_mut("source") {
        shape::apply(Shape::Text(SOURCE), source, &Path::top("transaction_info").key("source"), meta);
        match source.as_str() {
            None => _ = info.remove("source"),
            Some(word) if !SOURCES.contains(&word) => *source = "custom".into(),
            Some(_) => {}
        }
    }
    let name = event.get("transaction").and_then(Value::as_str).unwrap_or_default();
    if !info.contains_key("source") && !is_raw_url(name, event) {
        info.insert("source".to_owned(), "unknown".into());
    }
    let source = info.get("source").and_then(Value::as_str);
    if source.is_none_or(|source| ["url", "sanitized"].contains(&source)) {
        if let Some(clean) = sanitize(name) {
            meta.original(&Path::top("transaction"), name);
            event.insert("transaction".to_owned(), Value::String(clean));
        }
        info.insert("source".to_owned(), "sanitized".into());
    }
    event.insert("transaction_info".to_owned(), json!(info));
}

/// Whether a name without a source is a URL, as the SDK is known to take them.
fn is_raw_url(name: &str, event: &Map<String, Value>) -> bool {
    let sdk = event.get("sdk");
    let text = |value: Option<&Value>, key: &str| value.and_then(|value| value.get(key)?.as_str()).map(str::to_owned);
    let integrations = sdk.and_then(|sdk| sdk.get("integrations")?.as_array()).map_or(&[][..], Vec::as_slice);
    let has = |wanted: &str| {
        integrations.iter().any(|name| name.as_str().is_some_and(|name| name.eq_ignore_ascii_case(wanted)))
    };
    let tags = event.get("tags").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let status = tags.iter().find(|pair| pair.get(0).is_some_and(|key| key == "http.status_code"));
    let status = status.and_then(|pair| pair.get(1)?.as_str()?.parse::<u16>().ok());
    let is_url = match text(sdk, "name").unwrap_or_default().as_str() {
        "sentry.python" => status == Some(404) && has("django"),
        "sentry.javascript.node" => {
            text(event.get("request"), "method").as_deref() == Some("OPTIONS") && has("express")
        }
        "sentry.ruby" => status.is_some_and(|status| status >= 400) && has("rack"),
        name => URL_SDKS.contains(&name),
    };
    is_url && name.contains('/')
}

/// What tells one visit from another. Two digits stand for dates, too.
static IDENTIFIER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b|\b(?:[0-9a-f]{40}|[0-9a-f]{32})\b|\b0x[0-9a-f]+\b|[0-9]{2}",
    )
    .expect("a constant pattern, compiled by the tests")
});

/// `%20` and the like, whose digits are no number.
static ESCAPE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("%[0-9a-fA-F]{2}").expect("a constant pattern, compiled by the tests"));

/// The name with a `*` for each segment that holds an identifier; `None` when nothing is to be changed, or nothing
/// would be left.
fn sanitize(name: &str) -> Option<String> {
    let mut clean = String::with_capacity(name.len());
    for part in name.split_inclusive(['/', '\\']) {
        let segment = part.trim_end_matches(['/', '\\']);
        let separator = &part[segment.len()..];
        let is_identifier = IDENTIFIER.is_match(&ESCAPE.replace_all(segment, "."));
        clean.push_str(if is_identifier { "*" } else { segment });
        clean.push_str(separator);
    }
    (clean != name && !clean.is_empty() && clean != "*").then_some(clean)
}
