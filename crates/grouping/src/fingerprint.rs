//! The client's fingerprint and its variables (`reference/grouping.md` §4, §13).

use std::{borrow::Cow, fmt};

use nuthatch_protocol::Event;
use serde_json::Value;

use crate::{
    Config, crash, function_name,
    parametrize::{message, parametrize},
    platform,
};

/// One part of a fingerprint, resolved.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Entry {
    /// Where the normal grouping values go.
    Default,
    /// A text.
    Text(String),
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "{{ default }}",
            Self::Text(text) => text,
        })
    }
}

/// The resolved fingerprint of an event; none means the default.
pub(crate) fn resolve(event: &Event, config: &Config) -> Vec<Entry> {
    let parts = event.0.get("fingerprint").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let entries: Vec<Entry> = parts
        .iter()
        .filter_map(Value::as_str)
        .map(|part| match variable(part) {
            Some("default") => Entry::Default,
            Some(name) => Entry::Text(value(name, event, config).into_owned()),
            None if is_own_message(part, event) => Entry::Text(message(part).into_owned()),
            None => Entry::Text(part.to_owned()),
        })
        .collect();
    if entries.is_empty() { vec![Entry::Default] } else { entries }
}

/// The name of the variable, when the whole part is one.
fn variable(part: &str) -> Option<&str> {
    let name = part.trim().strip_prefix("{{")?.strip_suffix("}}")?.trim();
    (!name.contains(['{', '}'])).then_some(name)
}

/// A fingerprint that repeats the message means what the message means, whatever varies in it.
fn is_own_message(part: &str, event: &Event) -> bool {
    event.text(&["logentry", "formatted"]) == Some(part)
        || event
            .values("exception")
            .iter()
            .any(|exception| exception.get("value").and_then(Value::as_str) == Some(part))
}

fn value<'a>(name: &str, event: &'a Event, config: &Config) -> Cow<'a, str> {
    let exception = |key: &str| event.values("exception").last().and_then(|last| last.get(key)?.as_str());
    let frame = || {
        let platform = event.text(&["platform"]).unwrap_or("other");
        crash::frame(crash::frames(event), platform, config, |_| true)
    };
    let of_frame = |key: &str| frame().and_then(|frame| frame.get(key)?.as_str());
    let (found, missing) = match name {
        "transaction" => (event.text(&["transaction"]), "<no-transaction>"),
        "message" => {
            let text = event.text(&["logentry", "formatted"]).or_else(|| event.text(&["logentry", "message"]));
            return text.or_else(|| exception("value")).map_or(Cow::Borrowed("<no-message>"), parametrize);
        }
        "error.type" | "type" => (exception("type"), "<no-type>"),
        "error.value" | "value" => (exception("value"), "<no-value>"),
        "stack.function" | "function" => {
            let platform = |frame| platform::of_frame(frame, event.text(&["platform"]).unwrap_or("other"));
            let name = frame().and_then(|frame| function_name::of_frame(frame, platform(frame)));
            return name.unwrap_or(Cow::Borrowed("<no-function>"));
        }
        "stack.abs_path" | "path" => (of_frame("abs_path").or_else(|| of_frame("filename")), "<no-abs-path>"),
        "stack.filename" => (of_frame("filename").or_else(|| of_frame("abs_path")), "<no-filename>"),
        "stack.module" | "module" => (of_frame("module"), "<no-module>"),
        "stack.package" | "package" => {
            let base = of_frame("package").and_then(|package| package.rsplit(['/', '\\']).next());
            (base, "<no-package>")
        }
        "level" => (event.text(&["level"]), "<no-level>"),
        "logger" => (event.text(&["logger"]), "<no-logger>"),
        _ => {
            return match name.strip_prefix("tags.") {
                Some(key) => match event.tags().find(|(name, _)| *name == key) {
                    Some((_, value)) => Cow::Borrowed(value),
                    None => Cow::Owned(format!("<no-value-for-tag-{key}>")),
                },
                None => Cow::Owned(format!("<unrecognized-variable-{name}>")),
            };
        }
    };
    Cow::Borrowed(found.unwrap_or(missing))
}
