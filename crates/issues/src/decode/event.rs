//! The event that comes with an occurrence (`reference/issue-platform.md` §3.5, §6).

use std::time::Duration;

use nuthatch_protocol::{Occurrence, Timestamp, occurrence::EventFacts};
use serde_json::{Map, Value, json};

use super::{object::Object, occurrence::time};

/// An event may be so far in the future (`reference/ingest-protocol.md` §12.3).
const MAX_FUTURE: Duration = Duration::from_mins(1);
/// An event may be so old.
const MAX_AGE: Duration = Duration::from_hours(30 * 24);

/// Keys that are taken over where they are present.
const KEYS: [&str; 18] = [
    "breadcrumbs",
    "contexts",
    "debug_meta",
    "dist",
    "environment",
    "extra",
    "modules",
    "platform",
    "release",
    "request",
    "sdk",
    "server_name",
    "stacktrace",
    "tags",
    "timestamp",
    "trace_id",
    "transaction",
    "user",
];

/// Parts of a user, by precedence, and what each is called in the text form.
const USER_PARTS: [(&str, &str); 4] =
    [("id", "id"), ("username", "username"), ("email", "email"), ("ip_address", "ip")];

/// What the issue takes over.
pub(super) fn facts(event: &Object<'_>, is_light: bool, now: Timestamp) -> EventFacts {
    let field = |key: &str| event.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let sent = ["timestamp", "received"].into_iter().find_map(|key| event.get(key).and_then(time)).unwrap_or(now);
    let is_plausible = sent > now.minus(MAX_AGE) && sent <= now.plus(MAX_FUTURE);
    EventFacts {
        timestamp: if is_plausible { sent } else { now },
        event_type: if is_light { "default" } else { "generic" }.to_owned(),
        platform: field("platform").unwrap_or_default().to_owned(),
        logger: None,
        release: field("release").or_else(|| tag(event, "sentry:release")).map(str::to_owned),
        environment: field("environment").or_else(|| tag(event, "environment")).map(str::to_owned),
        user: user(event.map),
        metadata: Map::new(),
        search_text: String::new(),
        unhandled: false,
    }
}

/// A tag, from an object or a list of pairs; an empty one is none.
fn tag<'a>(event: &Object<'a>, name: &str) -> Option<&'a str> {
    let value = match event.get("tags")? {
        Value::Object(tags) => tags.get(name)?,
        Value::Array(pairs) => pairs.iter().find(|pair| pair.get(0).and_then(Value::as_str) == Some(name))?.get(1)?,
        _ => return None,
    };
    value.as_str().filter(|text| !text.is_empty())
}

/// The user of an event as one text (`id:42`).
pub fn user(event: &Map<String, Value>) -> Option<String> {
    let user = event.get("user")?;
    let part = |key: &str| user.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    USER_PARTS.iter().find_map(|(key, name)| Some(format!("{name}:{}", part(key)?)))
}

/// The event as it goes on: the keys that are taken over, and what the occurrence says about it.
pub(super) fn body(event: &Object<'_>, occurrence: &Occurrence, now: Timestamp) -> Map<String, Value> {
    let taken = KEYS.iter().filter_map(|key| Some(((*key).to_owned(), event.map.get(*key)?.clone())));
    let mut body: Map<String, Value> = taken.collect();
    let received = event.get("received").cloned().unwrap_or_else(|| json!(now.as_secs_f64()));
    body.extend([
        ("event_id".to_owned(), json!(occurrence.event_id)),
        ("level".to_owned(), json!(occurrence.level)),
        ("metadata".to_owned(), json!({ "title": occurrence.title })),
        ("project_id".to_owned(), json!(occurrence.project_id)),
        ("received".to_owned(), received),
        ("type".to_owned(), json!(occurrence.event.event_type)),
    ]);
    body
}
