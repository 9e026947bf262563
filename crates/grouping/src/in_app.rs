//! Which frames are the user's own code (`reference/grouping.md` §2.4, §12).

use std::borrow::Cow;

use nuthatch_protocol::Event;
use serde_json::{Map, Value};

use crate::{Config, Family, FrameRule, Matcher, function_name, platform};

/// Whether a frame is in the application, and who says so.
pub(crate) fn decide(frame: &Value, platform: &str, config: &Config) -> (bool, Cow<'static, str>) {
    if let Some(sent) = frame.get("in_app").and_then(Value::as_bool) {
        return (sent, if sent { "in app, says the SDK".into() } else { "not in app".into() });
    }
    let family = Family::of(platform);
    match config.frame_rules.iter().find(|rule| rule.matches(frame, family)) {
        Some(rule) if rule.in_app => (true, format!("in app: {}", rule.matcher).into()),
        Some(rule) => (false, format!("not in app: {}", rule.matcher).into()),
        None => (false, "not in app: neither the SDK nor a rule says it is".into()),
    }
}

/// Writes into the frames of a canonical event what grouping decides about them: `in_app`, and the short function
/// name with the original in `raw_function`. Grouping comes out the same with and without; readers of the stored
/// event need no rules then. Doing it twice changes nothing.
pub fn mark_frames(event: &mut Event, config: &Config) {
    let platform = event.text(&["platform"]).unwrap_or("other").to_owned();
    for interface in ["exception", "threads"] {
        let values = event.0.get_mut(interface).and_then(|value| value.get_mut("values"));
        for value in values.and_then(Value::as_array_mut).into_iter().flatten() {
            mark_stack(value.get_mut("stacktrace"), &platform, config);
        }
    }
    mark_stack(event.0.get_mut("stacktrace"), &platform, config);
}

fn mark_stack(stacktrace: Option<&mut Value>, event_platform: &str, config: &Config) {
    let frames = stacktrace.and_then(|stack| stack.get_mut("frames")).and_then(Value::as_array_mut);
    for frame in frames.into_iter().flatten() {
        let platform = platform::of_frame(frame, event_platform);
        let decided = frame.get("in_app").is_none_or(Value::is_null).then(|| decide(frame, platform, config).0);
        let name = frame.get("function").and_then(Value::as_str);
        let short = function_name::of_frame(frame, platform)
            .filter(|short| name.is_some_and(|name| name != short))
            .map(Cow::into_owned);
        let Some(map) = frame.as_object_mut() else { continue };
        if let Some(in_app) = decided {
            map.insert("in_app".to_owned(), Value::Bool(in_app));
            let data = map.entry("data").or_insert_with(|| Value::Object(Map::new()));
            if let Some(data) = data.as_object_mut() {
                // -1: the SDK had not said.
                data.insert("orig_in_app".to_owned(), (-1).into());
            }
        }
        if let Some(short) = short {
            let original = map.insert("function".to_owned(), Value::String(short));
            // An empty name is no original: what the SDK sent as raw stays.
            if let Some(original) = original.filter(|name| name.as_str().is_some_and(|name| !name.is_empty())) {
                map.insert("raw_function".to_owned(), original);
            }
        }
    }
}

impl FrameRule {
    fn matches(&self, frame: &Value, family: Family) -> bool {
        let text = |key: &str| frame.get(key).and_then(Value::as_str);
        let path = || text("abs_path").or_else(|| text("filename"));
        // Relative paths have no leading slash; a rule for a folder means them too.
        let paths = || [path(), text("package")].into_iter().flatten().map(|path| path.replace('\\', "/"));
        self.family.is_none_or(|wanted| wanted == family)
            && match &self.matcher {
                Matcher::PathContains(part) => {
                    paths().any(|path| path.contains(&**part) || path.starts_with(part.trim_start_matches('/')))
                }
                Matcher::PathStarts(start) => paths().any(|path| path.starts_with(&**start)),
                Matcher::ModuleStarts(start) => text("module").is_some_and(|module| module.starts_with(&**start)),
                Matcher::FunctionStarts(start) => text("function").is_some_and(|name| name.starts_with(&**start)),
            }
    }
}

impl std::fmt::Display for Matcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::PathContains(text) => write!(f, "path contains {text}"),
            Self::PathStarts(text) => write!(f, "path starts with {text}"),
            Self::ModuleStarts(text) => write!(f, "module starts with {text}"),
            Self::FunctionStarts(text) => write!(f, "function starts with {text}"),
        }
    }
}
