//! Where it happened, in words (`reference/grouping.md` §14).

use nuthatch_protocol::Event;
use serde_json::Value;

use crate::{Config, Family, crash, function_name, platform, stacktrace, title::cut};

const MAX_CHARS: usize = 200;

/// The client's own word, else the transaction, else the frame, else the URL; empty when there is none.
pub(crate) fn culprit(event: &Event, config: &Config) -> String {
    let given = event.text(&["culprit"]).or_else(|| event.text(&["transaction"])).map(str::to_owned);
    let found = given
        .or_else(|| computed(event, config))
        .or_else(|| event.text(&["request", "url"]).map(str::to_owned))
        .unwrap_or_default();
    cut(&found, MAX_CHARS)
}

fn computed(event: &Event, config: &Config) -> Option<String> {
    let exceptions = event.values("exception");
    let is_synthetic = exceptions.last().and_then(|last| last.get("mechanism")?.get("synthetic")?.as_bool());
    if is_synthetic == Some(true) {
        return Some(String::new());
    }
    let of_exception = exceptions.iter().rev().find_map(|exception| stacktrace::frames(Some(exception)));
    let frames = of_exception.or_else(|| stacktrace::of_stack(event.0.get("stacktrace")))?;
    let platform = event.text(&["platform"]).unwrap_or("other");
    let frame = crash::frame(frames, platform, config, |frame| text(frame, platform).is_some())?;
    text(frame, platform)
}

fn text(frame: &Value, event_platform: &str) -> Option<String> {
    let platform = platform::of_frame(frame, event_platform);
    let get = |key: &str| frame.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let place = get("module").or_else(|| get("filename"));
    let function = function_name::of_frame(frame, platform);
    let function = function.as_deref();
    match Family::of(platform) {
        Family::Native if platform != "rust" => Some(function.unwrap_or("?").to_owned()),
        Family::JavaScript => Some(format!("{}({})", function.unwrap_or("?"), place?)),
        _ => Some(match (place, function) {
            (Some(place), Some(function)) => format!("{place} in {function}"),
            (Some(place), None) => format!("{place} in ?"),
            (None, Some(function)) if platform == "rust" => function.to_owned(),
            (None, _) => return None,
        }),
    }
}
