//! An occurrence (`reference/issue-platform.md` §3.2).

use nuthatch_protocol::{
    EventId, EventPath, Evidence, Level, Occurrence, Priority, Timestamp, TypeId, occurrence::EventFacts,
};
use serde_json::{Map, Value};

use super::{DecodeError, Decoded, EmbeddedEvent, Envelope, LookupOccurrence, event, object::Object, schema};

const LEVELS: [Level; 6] = [Level::Sample, Level::Debug, Level::Info, Level::Warning, Level::Error, Level::Fatal];

pub(super) fn decode(message: &Object<'_>, envelope: Envelope, now: Timestamp) -> Result<Decoded, DecodeError> {
    let id = message.text("id")?.parse().map_err(|_| message.error("id", "expected a UUID"))?;
    let title = message.text("issue_title")?.to_owned();
    let level = level(message)?;
    let embedded = message.optional_object("event")?;
    let event_id = event_id(message, embedded.as_ref())?;
    let number = message.integer("type")?;
    let type_id = u32::try_from(number).map_err(|_| message.error("type", format!("no issue type is {number}")))?;
    let mut occurrence = Occurrence {
        id,
        project_id: envelope.project_id,
        event_id,
        hashes: envelope.hashes,
        type_id: TypeId(type_id),
        title,
        subtitle: message.text("subtitle")?.to_owned(),
        culprit: message.optional_text("culprit")?.unwrap_or_default().to_owned(),
        level,
        detection_time: detection_time(message)?,
        resource_id: message.optional_text("resource_id")?.map(str::to_owned),
        evidence_data: message.optional_object("evidence_data")?.map(|data| Value::Object(data.map.clone())),
        evidence_display: evidence_display(message)?,
        priority: priority(message)?,
        assignee: message.get("assignee").and_then(Value::as_str).map(str::to_owned),
        path: EventPath::Missing,
        event: unknown_event(now),
    };
    if occurrence.type_id == TypeId::FEEDBACK && occurrence.evidence_data.is_none() {
        return Err(message.error("evidence_data", "missing: it holds the feedback"));
    }
    let Some(event) = embedded else {
        return Ok(Decoded::Lookup(LookupOccurrence { occurrence: Box::new(occurrence) }));
    };
    if event.optional_integer("project_id")?.and_then(|number| u64::try_from(number).ok())
        != Some(occurrence.project_id.0)
    {
        return Err(event.error("project_id", "expected the project of the message"));
    }
    let is_light = message.get("is_buffered_spans") == Some(&Value::Bool(true));
    let event = event.as_event();
    let is_legacy = schema::check(&event, &occurrence)?;
    occurrence.path = if is_light { EventPath::Light } else { EventPath::Full };
    occurrence.event = event::facts(&event, is_light, now);
    let body = event::body(&event, &occurrence, now);
    Ok(Decoded::Occurrence { occurrence: Box::new(occurrence), event: EmbeddedEvent { body, is_legacy } })
}

/// The event's id: of the message, of the event in it, or of both, when they agree (§3.5, §14.12, §14.13).
fn event_id(message: &Object<'_>, event: Option<&Object<'_>>) -> Result<EventId, DecodeError> {
    let read = |object: &Object<'_>| {
        let text = object.optional_text("event_id")?.filter(|text| !text.is_empty());
        text.map(|text| text.parse().map_err(|_| object.error("event_id", "expected a UUID"))).transpose()
    };
    let outer: Option<EventId> = read(message)?;
    let inner: Option<EventId> = event.map(read).transpose()?.flatten();
    match (outer, inner) {
        (Some(outer), Some(inner)) if outer != inner => {
            Err(message.error("event.event_id", "expected the `event_id` of the message"))
        }
        (outer, inner) => message.required("event_id", outer.or(inner)),
    }
}

fn level(message: &Object<'_>) -> Result<Level, DecodeError> {
    match message.optional_text("level")? {
        None | Some("") => Ok(Level::Info),
        Some(text) => LEVELS
            .into_iter()
            .find(|level| level.as_str() == text)
            .ok_or_else(|| message.error("level", "expected debug, info, warning, error or fatal")),
    }
}

/// Seconds since the epoch, or ISO text with any offset or none (§7.1, §14.17).
fn detection_time(message: &Object<'_>) -> Result<Timestamp, DecodeError> {
    let value = message.required("detection_time", message.get("detection_time"))?;
    time(value).ok_or_else(|| message.error("detection_time", "expected seconds or a time like 2026-01-31T12:00:00Z"))
}

pub(super) fn time(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Number(seconds) => Timestamp::from_secs_f64(seconds.as_f64()?),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// The explicit priority: the nearest one there is; 0 says nothing (§7.4, §14.26).
fn priority(message: &Object<'_>) -> Result<Option<Priority>, DecodeError> {
    let newer = message.optional_integer("priority")?.filter(|number| *number != 0);
    let older = message.optional_integer("initial_issue_priority")?.filter(|number| *number != 0);
    Ok(newer.or(older).map(Priority::nearest))
}

/// All three keys are needed in every entry; no list is an empty one (§14.15).
fn evidence_display(message: &Object<'_>) -> Result<Vec<Evidence>, DecodeError> {
    let evidence = |entry: Object<'_>| {
        Ok(Evidence {
            name: entry.text("name")?.to_owned(),
            value: entry.text("value")?.to_owned(),
            important: match entry.get("important") {
                Some(Value::Bool(important)) => *important,
                _ => return Err(entry.error("important", "expected true or false")),
            },
        })
    };
    message.objects("evidence_display")?.into_iter().map(evidence).collect()
}

/// What stands for an event that is still to be found.
fn unknown_event(now: Timestamp) -> EventFacts {
    EventFacts {
        timestamp: now,
        event_type: String::new(),
        platform: String::new(),
        logger: None,
        release: None,
        environment: None,
        user: None,
        metadata: Map::new(),
        search_text: String::new(),
        unhandled: false,
    }
}
