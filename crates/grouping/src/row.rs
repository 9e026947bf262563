//! What the event store keeps of an event (`reference/ingest-protocol.md` §21.1).

use bytes::Bytes;
use nuthatch_protocol::{Event, EventRow, Level, Timestamp, TraceId, record::IngestHeader};
use serde_json::Value;

use crate::{Grouping, stacktrace};

const MAX_TAG_CHARS: usize = 200;
/// Text of stack frames that is searched by words.
const MAX_STACK_TEXT_BYTES: usize = 16 << 10;

/// Builds the row of a canonical event.
pub fn row(header: &IngestHeader, event: &Event, grouping: &Grouping) -> EventRow {
    let text = |key: &str| event.text(&[key]).map(str::to_owned);
    let timestamp = event.get(&["timestamp"]).and_then(Value::as_f64).and_then(Timestamp::from_secs_f64);
    EventRow {
        project_id: header.project_id,
        event_id: header.event_id,
        shows: None,
        timestamp: timestamp.unwrap_or(header.received),
        received: header.received,
        hashes: grouping.hashes.clone(),
        event_type: text("type").unwrap_or_else(|| "default".to_owned()),
        level: grouping.level,
        platform: text("platform").unwrap_or_else(|| "other".to_owned()),
        title: grouping.title.clone(),
        culprit: grouping.culprit.clone(),
        message: message(event).to_owned(),
        release: text("release"),
        environment: text("environment"),
        transaction: text("transaction"),
        trace: trace(event),
        user: user(event),
        tags: tags(event, grouping.level),
        stack_text: stack_text(event),
        body: Bytes::from(event.to_json()),
    }
}

/// Log message, else the last exception's value.
pub(crate) fn message(event: &Event) -> &str {
    let value = || event.values("exception").last().and_then(|last| last.get("value")?.as_str());
    event.text(&["logentry", "formatted"]).or_else(value).unwrap_or_default()
}

/// The trace that an event says it is part of.
pub fn trace(event: &Event) -> Option<String> {
    let id: TraceId = event.text(&["contexts", "trace", "trace_id"])?.parse().ok()?;
    Some(id.to_string())
}

/// The user as one text: the first of id, username, email and address that is known.
pub(crate) fn user(event: &Event) -> Option<String> {
    [("id", "id"), ("username", "username"), ("email", "email"), ("ip", "ip_address")]
        .into_iter()
        .find_map(|(prefix, key)| Some(format!("{prefix}:{}", event.text(&["user", key])?)))
}

/// Tags that the server knows better than the client.
const SERVER_OWNED: [&str; 5] = ["level", "release", "dist", "environment", "user"];

/// The client's tags and what the event says besides, one value a key.
pub(crate) fn tags(event: &Event, level: Level) -> Vec<(String, String)> {
    let mut tags = Tags(Vec::with_capacity(24));
    let release = event.text(&["release"]);
    tags.add("level", Some(level.as_str()));
    tags.add("release", release);
    tags.add("dist", event.text(&["dist"]));
    tags.add("environment", event.text(&["environment"]));
    tags.add("user", user(event).as_deref());
    for (key, value) in event.tags().filter(|(key, _)| !SERVER_OWNED.contains(key)) {
        tags.add(key, Some(value));
    }
    for key in ["logger", "transaction"] {
        tags.add(key, event.text(&[key]));
    }
    tags.add("url", event.text(&["request", "url"]));
    if let Some(mechanism) = event.values("exception").last().and_then(|last| last.get("mechanism")) {
        tags.add("mechanism", mechanism.get("type").and_then(Value::as_str));
        tags.add("handled", mechanism.get("handled").and_then(yes_or_no));
    }
    for (alias, context) in event.0.get("contexts").and_then(Value::as_object).into_iter().flatten() {
        of_context(&mut tags, alias, context);
    }
    tags.0
}

/// The tag is called after the context's alias, the fields come from its type.
fn of_context(tags: &mut Tags, alias: &str, context: &Value) {
    let field = |name: &str| context.get(name).and_then(Value::as_str);
    let kind = field("type").unwrap_or(alias);
    // Which field gives the tag of that name, and which ones the tags `alias.field`.
    let (main, fields): (Option<&str>, &[&str]) = match kind {
        "browser" => (Some("browser"), &["name"]),
        "os" | "client_os" => (Some("os"), &["name", "build", "distribution_name"]),
        "device" => (Some("model"), &["family", "class"]),
        "runtime" => (Some("runtime"), &["name"]),
        "gpu" => (None, &["name", "vendor"]),
        "monitor" => (None, &["id", "slug"]),
        _ => (None, &[]),
    };
    if let Some(main) = main {
        tags.add(alias, field(main));
    }
    for name in fields {
        let value = match *name {
            "distribution_name" => context.get("distribution").and_then(|d| d.get("name")?.as_str()),
            "vendor" => field("vendor_name"),
            name => field(name),
        };
        tags.add(&format!("{alias}.{name}"), value);
    }
    match kind {
        "os" => tags.add(&format!("{alias}.rooted"), context.get("rooted").and_then(yes_or_no)),
        "app" => {
            tags.add(&format!("{alias}.device"), field("device_app_hash"));
            tags.add(&format!("{alias}.in_foreground"), context.get("in_foreground").and_then(yes_or_no));
        }
        "replay" => tags.add("replayId", field("replay_id")),
        _ => {}
    }
}

struct Tags(Vec<(String, String)>);

impl Tags {
    /// Adds a tag unless the key is taken or the value cannot be one.
    fn add(&mut self, key: &str, value: Option<&str>) {
        let Some(value) = value.filter(|value| !value.is_empty() && !value.contains('\n')) else { return };
        let is_too_long = value.len() > MAX_TAG_CHARS && value.chars().nth(MAX_TAG_CHARS).is_some();
        if !is_too_long && self.0.iter().all(|(taken, _)| taken != key) {
            self.0.push((key.to_owned(), value.to_owned()));
        }
    }
}

fn yes_or_no(value: &Value) -> Option<&'static str> {
    value.as_bool().map(|yes| if yes { "yes" } else { "no" })
}

/// Names and files of the frames, those nearest the crash first, each once.
fn stack_text(event: &Event) -> String {
    let owners = event.values("exception").iter().rev().chain(event.values("threads"));
    let own = stacktrace::of_stack(event.0.get("stacktrace"));
    let stacks = owners.filter_map(|owner| stacktrace::frames(Some(owner))).chain(own);
    let mut out = String::new();
    let mut seen = std::collections::HashSet::new();
    for frame in stacks.flat_map(|frames| frames.iter().rev()) {
        for key in ["function", "module", "filename"] {
            let Some(text) = frame.get(key).and_then(Value::as_str) else { continue };
            if out.len() + text.len() > MAX_STACK_TEXT_BYTES {
                return out;
            }
            if seen.insert(text) {
                if !out.is_empty() {
                    out.push(' ');
                }
                out.push_str(text);
            }
        }
    }
    out
}
