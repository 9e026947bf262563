//! What the issue platform takes of an error (`reference/issue-platform.md` §3).

use nuthatch_protocol::{
    Event, EventPath, Evidence, Occurrence, Timestamp, TypeId, occurrence::EventFacts, record::IngestHeader,
};
use serde_json::Value;

use crate::{Grouping, row, title::cut};

/// Bound of the text that free text search of issues looks at.
const MAX_SEARCH_CHARS: usize = 4096;

/// Builds the occurrence of a canonical event. It has the event's id, so that a replay adds nothing.
pub fn occurrence(header: &IngestHeader, event: &Event, grouping: &Grouping) -> Occurrence {
    let text = |key: &str| event.text(&[key]).map(str::to_owned);
    let timestamp = event.get(&["timestamp"]).and_then(Value::as_f64).and_then(Timestamp::from_secs_f64);
    let timestamp = timestamp.unwrap_or(header.received);
    Occurrence {
        id: header.event_id,
        project_id: header.project_id,
        event_id: header.event_id,
        hashes: grouping.hashes.clone(),
        type_id: if event.is_feedback() { TypeId::FEEDBACK } else { TypeId::ERROR },
        title: grouping.title.clone(),
        subtitle: grouping.metadata.get("value").and_then(Value::as_str).unwrap_or_default().to_owned(),
        culprit: grouping.culprit.clone(),
        level: grouping.level,
        detection_time: header.received,
        resource_id: None,
        evidence_data: event.is_feedback().then(|| event.get(&["contexts", "feedback"]).cloned()).flatten(),
        evidence_display: feedback_facts(event),
        priority: None,
        assignee: None,
        path: EventPath::Error,
        event: EventFacts {
            timestamp,
            event_type: text("type").unwrap_or_else(|| "default".to_owned()),
            platform: text("platform").unwrap_or_else(|| "other".to_owned()),
            logger: text("logger"),
            release: text("release"),
            environment: text("environment"),
            user: row::user(event),
            metadata: grouping.metadata.clone(),
            search_text: search_text(event, grouping),
            unhandled: is_unhandled(event),
        },
    }
}

/// What feedback says, for people.
fn feedback_facts(event: &Event) -> Vec<Evidence> {
    let fact = |(key, name): (&str, &str)| {
        let value = event.text(&["contexts", "feedback", key]).filter(|text| !text.is_empty())?;
        Some(Evidence { name: name.to_owned(), value: value.to_owned(), important: key == "message" })
    };
    let facts = [
        ("message", "Message"),
        ("name", "Name"),
        ("contact_email", "Email"),
        ("url", "URL"),
        ("source", "Source"),
        ("associated_event_id", "Event"),
    ];
    if event.is_feedback() { facts.into_iter().filter_map(fact).collect() } else { Vec::new() }
}

fn is_unhandled(event: &Event) -> bool {
    let handled = |exception: &Value| exception.get("mechanism").and_then(|m| m.get("handled")?.as_bool());
    event.values("exception").iter().any(|exception| handled(exception) == Some(false))
}

/// Message, metadata and culprit, each word once or so.
fn search_text(event: &Event, grouping: &Grouping) -> String {
    let mut parts: Vec<&str> = vec![row::message(event)];
    parts.extend(grouping.metadata.values().filter_map(Value::as_str));
    parts.push(&grouping.culprit);
    parts.push(event.text(&["transaction"]).unwrap_or_default());
    let mut kept: Vec<&str> = Vec::with_capacity(parts.len());
    for part in parts {
        if !part.is_empty() && !kept.contains(&part) {
            kept.push(part);
        }
    }
    cut(&kept.join(" "), MAX_SEARCH_CHARS)
}
