//! From the canonical event, as it is stored, to the body the API shows (`reference/web-api.md` §3.9). Pure: the same
//! event gives the same body.

pub(crate) mod entry;
pub(crate) mod errors;
pub(crate) mod frame;
pub(crate) mod request;

mod meta;
mod occurrence;
#[cfg(test)]
mod tests;

use nuthatch_protocol::{Event as Canonical, IssueId};
use nuthatch_store::{events::StoredEvent, files::UserReport};
use serde_json::{Map, Value};

use self::{
    entry::{ENTRY_KEYS, Entry},
    frame::{flag, text},
};
use crate::shape::{
    event::{Event, EventRelease, EventSdk, EventUser, Neighbours, tags},
    issue::IssueMetadata,
};

/// Members of a user that have a place of their own; the rest is `data`.
const USER_MEMBERS: [&str; 7] = ["id", "email", "username", "ip_address", "name", "geo", "data"];

/// What is shown with an event and is not part of it.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    pub(crate) neighbours: Neighbours,
    /// What the user said about it.
    pub(crate) report: Option<UserReport>,
    /// What is known of its release.
    pub(crate) release: Option<EventRelease>,
}

/// The body of a stored event, whose bytes are this canonical event.
pub(crate) fn event_body(stored: &StoredEvent, event: &Canonical, issue: Option<IssueId>, beside: Beside) -> Event {
    let Beside { neighbours, report, release } = beside;
    let summary = &stored.summary;
    let shown: Vec<(&str, Entry)> =
        ENTRY_KEYS.iter().filter_map(|key| Entry::read(event, key).map(|entry| (*key, entry))).collect();
    let (keys, entries): (Vec<&str>, Vec<Entry>) = shown.into_iter().unzip();
    let tags = tags(summary);
    let id = summary.event_id.to_string();
    Event {
        event_id: id.clone(),
        id,
        group_id: issue.map(|id| id.to_string()),
        project_id: summary.project_id.to_string(),
        title: summary.title.clone(),
        message: summary.message.clone(),
        metadata: metadata(event, &summary.title),
        location: location(event),
        culprit: summary.culprit.clone(),
        platform: summary.platform.clone(),
        event_type: summary.event_type.clone(),
        date_created: summary.timestamp.to_string(),
        date_received: summary.received.to_string(),
        start_timestamp: event.0.get("start_timestamp").and_then(Value::as_f64),
        end_timestamp: if event.0.contains_key("start_timestamp") {
            event.0.get("timestamp").and_then(Value::as_f64)
        } else {
            None
        },
        user: user(event),
        contexts: contexts(event),
        context: object(event, "extra"),
        packages: object(event, "modules"),
        sdk: event.0.get("sdk").map(|sdk| EventSdk { name: text(sdk, "name"), version: text(sdk, "version") }),
        release,
        dist: event.text(&["dist"]).map(str::to_owned),
        size: stored.body.len() as u64,
        errors: errors::errors(event),
        meta: meta::meta(event, &keys, &tags),
        tags,
        entries,
        fingerprints: summary.hashes.iter().map(ToString::to_string).collect(),
        occurrence: event.0.get("occurrence").and_then(occurrence::occurrence),
        measurements: event.0.get("measurements").cloned(),
        breakdowns: event.0.get("breakdowns").cloned(),
        crash_file: None,
        user_report: report.as_ref().map(Into::into),
        sdk_updates: Vec::new(),
        resolved_with: Vec::new(),
        next_event_id: neighbours.newer.map(|id| id.to_string()),
        previous_event_id: neighbours.older.map(|id| id.to_string()),
    }
}

fn object(event: &Canonical, key: &str) -> Map<String, Value> {
    event.0.get(key).and_then(Value::as_object).cloned().unwrap_or_default()
}

/// Contexts, each with the `type` that readers expect: its name, when it has none.
fn contexts(event: &Canonical) -> Map<String, Value> {
    let mut contexts = object(event, "contexts");
    for (name, context) in &mut contexts {
        if let Some(context) = context.as_object_mut() {
            context.entry("type").or_insert_with(|| Value::from(name.as_str()));
        }
    }
    contexts
}

/// Whom it happened to.
pub(crate) fn user(event: &Canonical) -> Option<EventUser> {
    let value = event.0.get("user")?;
    let members = value.as_object()?;
    let mut data = members.get("data").and_then(Value::as_object).cloned().unwrap_or_default();
    let others = members.iter().filter(|(key, _)| !USER_MEMBERS.contains(&key.as_str()));
    data.extend(others.map(|(key, value)| (key.clone(), value.clone())));
    Some(EventUser {
        id: text(value, "id"),
        email: text(value, "email"),
        username: text(value, "username"),
        ip_address: text(value, "ip_address"),
        name: text(value, "name"),
        geo: value.get("geo").cloned(),
        data: (!data.is_empty()).then_some(Value::Object(data)),
    })
}

/// The frame that stands for the event: the last one of the application's own in the raised exception, else the last.
fn top_frame(event: &Canonical) -> Option<&Value> {
    let stack = event
        .values("exception")
        .last()
        .and_then(|exception| exception.get("stacktrace"))
        .or_else(|| event.0.get("stacktrace"))?;
    let frames = stack.get("frames")?.as_array()?;
    frames.iter().rev().find(|frame| flag(frame, "in_app") == Some(true)).or(frames.last())
}

/// Where it happened: the file of that frame.
pub(crate) fn location(event: &Canonical) -> Option<String> {
    top_frame(event).and_then(|frame| text(frame, "filename"))
}

/// What lists show besides the title.
pub(crate) fn metadata(event: &Canonical, title: &str) -> IssueMetadata {
    let top = top_frame(event);
    let mut metadata = Map::new();
    match event.values("exception").last() {
        Some(exception) => {
            for key in ["type", "value"] {
                metadata.extend(text(exception, key).map(|text| (key.to_owned(), Value::from(text))));
            }
        }
        None => metadata.extend([("title".to_owned(), Value::from(title))]),
    }
    for key in ["filename", "function"] {
        metadata.extend(top.and_then(|frame| text(frame, key)).map(|text| (key.to_owned(), Value::from(text))));
    }
    IssueMetadata::new(metadata)
}
