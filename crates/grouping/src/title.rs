//! What an issue is called (`reference/grouping.md` §14).

use std::borrow::Cow;

use nuthatch_protocol::Event;
use serde_json::{Map, Value};

use crate::{Config, crash, function_name, platform, strategy::blocked_origin};

const MAX_TYPE_CHARS: usize = 128;
const MAX_VALUE_CHARS: usize = 1024;
const MAX_LINE_CHARS: usize = 256;

/// What an issue is called that people wrote.
const FEEDBACK_TITLE: &str = "User Feedback";

/// The words for an event.
pub(crate) struct Words {
    pub(crate) title: String,
    pub(crate) location: Option<String>,
    pub(crate) metadata: Map<String, Value>,
}

/// Names an event after its main exception, else its message.
pub(crate) fn title(event: &Event, main_exception: Option<usize>, config: &Config) -> Words {
    let exceptions = event.values("exception");
    let main = main_exception.and_then(|index| exceptions.get(index)).or(exceptions.last());
    match (main, event.text(&["type"])) {
        (Some(main), _) => of_exception(event, main, config),
        (None, Some("csp")) => {
            let text = |key: &str| event.text(&["csp", key]);
            let facts = [
                ("uri", text("blocked_uri").map(blocked_origin)),
                ("directive", text("effective_directive").map(str::to_owned)),
            ];
            of_report(event, facts)
        }
        (None, Some(kind @ ("hpkp" | "expectct" | "expectstaple"))) => {
            of_report(event, [("origin", event.text(&[kind, "hostname"]).map(str::to_owned))])
        }
        (None, Some(Event::FEEDBACK)) => of_feedback(event),
        _ => {
            let title = message_line(event);
            let metadata = Map::from_iter([("title".to_owned(), Value::from(title.as_str()))]);
            Words { title, location: None, metadata }
        }
    }
}

fn of_exception(event: &Event, main: &Value, config: &Config) -> Words {
    let platform = event.text(&["platform"]).unwrap_or("other");
    let text = |value: &Value, key: &str| value.get(key)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let is_named = |frame: &Value| {
        frame
            .get("function")
            .and_then(Value::as_str)
            .is_some_and(|name| !matches!(name, "" | "<redacted>" | "<unknown>"))
    };
    let frame = crash::frame(crash::frames(event), platform, config, is_named);
    let function = frame.and_then(|frame| function_name::of_frame(frame, platform::of_frame(frame, platform)));
    let function = function.map(Cow::into_owned);
    let filename = frame.and_then(|frame| text(frame, "filename").or_else(|| text(frame, "abs_path")));

    let is_synthetic = main.get("mechanism").and_then(|m| m.get("synthetic")?.as_bool()).unwrap_or(false);
    let kind = (!is_synthetic).then(|| cut(text(main, "type").as_deref().unwrap_or("Error"), MAX_TYPE_CHARS));
    let value = text(main, "value").filter(|value| !value.trim().is_empty());
    let title = match (&kind, &value) {
        (Some(kind), Some(value)) => format!("{kind}: {}", cut(first_line(value), MAX_LINE_CHARS)),
        (Some(kind), None) => kind.clone(),
        // A message that an SDK sends with a made-up stack trace has no type at all: the message says more than a function.
        (None, Some(value)) if text(main, "type").is_none() => cut(first_line(value), MAX_LINE_CHARS),
        (None, _) => function.clone().unwrap_or_else(|| "<unknown>".to_owned()),
    };
    let value = value.map(|value| cut(&value, MAX_VALUE_CHARS));
    let facts = [("type", kind), ("value", value), ("filename", filename.clone()), ("function", function)];
    Words { title, location: filename, metadata: facts_map(facts) }
}

fn of_report<const N: usize>(event: &Event, facts: [(&'static str, Option<String>); N]) -> Words {
    let title = message_line(event);
    let location = facts.first().and_then(|(_, fact)| fact.clone());
    let mut metadata = facts_map(facts);
    metadata.insert("message".to_owned(), Value::from(title.as_str()));
    Words { title, location, metadata }
}

/// What somebody says about the application: all feedback is called the same, its text tells it apart.
fn of_feedback(event: &Event) -> Words {
    let fact = |key: &'static str| {
        let text = event.text(&["contexts", "feedback", key]);
        (key, text.map(|text| cut(text, MAX_VALUE_CHARS)))
    };
    let mut metadata = facts_map(["contact_email", "message", "name", "source", "associated_event_id"].map(fact));
    metadata.insert("title".to_owned(), FEEDBACK_TITLE.into());
    if let Some(message) = event.text(&["contexts", "feedback", "message"]) {
        metadata.insert("value".to_owned(), cut(message, MAX_VALUE_CHARS).into());
    }
    Words { title: FEEDBACK_TITLE.to_owned(), location: None, metadata }
}

fn facts_map(facts: impl IntoIterator<Item = (&'static str, Option<String>)>) -> Map<String, Value> {
    facts.into_iter().filter_map(|(name, fact)| Some((name.to_owned(), Value::String(fact?)))).collect()
}

fn message_line(event: &Event) -> String {
    let text = event.text(&["logentry", "formatted"]).or_else(|| event.text(&["logentry", "message"]));
    match text.map(first_line) {
        Some(line) if !line.is_empty() => cut(line, MAX_LINE_CHARS),
        _ => "<unlabeled event>".to_owned(),
    }
}

/// The first line that is not blank.
fn first_line(text: &str) -> &str {
    text.trim().lines().next().unwrap_or_default().trim_end()
}

/// Cuts to so many characters; the last three tell that something was cut.
pub(crate) fn cut(text: &str, max: usize) -> String {
    if text.len() <= max || text.chars().nth(max).is_none() {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(max - 3).collect();
    out.push_str("...");
    out
}
