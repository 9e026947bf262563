//! Release, distribution and environment (`reference/ingest-protocol.md` §12.6).

use nuthatch_protocol::version::is_release_name;
use serde_json::{Map, Value};

use crate::meta::{Meta, Path};

const MAX_DIST_CHARS: usize = 64;
const MAX_ENVIRONMENT_CHARS: usize = 64;

/// Removes what is not a legal name; a distribution without a release means nothing.
pub(crate) fn normalize(event: &mut Map<String, Value>, meta: &mut Meta) {
    check(event, "release", is_release_name, "a release such as app@1.2.3", meta);
    check(event, "environment", is_environment, "an environment such as production", meta);
    check(event, "dist", is_dist, "a distribution of letters, digits and _.-", meta);
    if !event.contains_key("release") {
        event.remove("dist");
    }
}

fn check(event: &mut Map<String, Value>, key: &str, legal: fn(&str) -> bool, expected: &str, meta: &mut Meta) {
    let Some(value) = event.get_mut(key) else { return };
    let trimmed = value.as_str().unwrap_or_default().trim();
    if trimmed.is_empty() {
        event.remove(key);
    } else if !legal(trimmed) {
        meta.invalid(&Path::top(key), expected, value.take());
        event.remove(key);
    } else if value.as_str().is_some_and(|text| text.len() > trimmed.len()) {
        *value = Value::String(trimmed.to_owned());
    }
}

pub(crate) fn is_environment(text: &str) -> bool {
    text.chars().count() <= MAX_ENVIRONMENT_CHARS
        && !text.contains(['/', '\r', '\n'])
        && !matches!(text, "." | "..")
        && !text.eq_ignore_ascii_case("none")
}

fn is_dist(text: &str) -> bool {
    text.len() <= MAX_DIST_CHARS && text.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}
