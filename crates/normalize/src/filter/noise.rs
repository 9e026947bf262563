//! Events that say nothing about the application: of extensions, health checks, broken pages.

use std::sync::LazyLock;

use nuthatch_protocol::Event;
use regex::Regex;
use serde_json::{Map, Value};

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern, compiled by the tests")
}

/// What errors of extensions say.
static EXTENSION_MESSAGES: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)top\.GLOBALS|originalCreateNotification|canvas\.contentDocument|MyApp_RemoveAllHighlights|atomicFindClose|fb_xd_fragment|bmi_SafeAddOnload|EBCallBackMessageReceived|_gCrWeb|conduitPage|webkit-masked-url:|Extension context invalidated|can't access dead object|plugin\.setSuspendState is not a function|Can't find variable: ZiteReader|jigsaw is not defined|ComboSearch is not defined|null is not an object \(evaluating 'elt\.parentNode'\)|tt\.epicplay\.com|loading\.retry\.widdit\.com",
    )
});

/// Where code of extensions is loaded from.
static EXTENSION_SOURCES: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)^chrome(?:-extension)?://|^moz-extension://|^safari-(?:web-)?extension://|webkit-masked-url|graph\.facebook\.com|connect\.facebook\.net|(?:^|[/.])woopra\.|127\.0\.0\.1:4001/isrunning|webappstoolbarba\.texthelp\.com|metrics\.itunes\.apple\.com\.edgesuite\.net|kaspersky-labs\.com",
    )
});

pub(super) fn is_of_extension(event: &Event) -> bool {
    let Some(first) = event.values("exception").first() else { return false };
    if text(first, "value").is_some_and(|value| EXTENSION_MESSAGES.is_match(value)) {
        return true;
    }
    let frames = first.get("stacktrace").and_then(|trace| trace.get("frames")).and_then(Value::as_array);
    let paths = frames.into_iter().flatten().rev().filter_map(|frame| text(frame, "abs_path"));
    let mut sources = paths.filter(|path| !["<anonymous>", "[native code]"].contains(path));
    sources.next().is_some_and(|source| EXTENSION_SOURCES.is_match(source))
}

static HEALTH_CHECKS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?is)healthcheck|heartbeat|/(?:health|healthy|healthz|health_check|_health|\[_health\]|live|livez|ready|readyz|ping|up)/?\z",
    )
});

pub(super) fn is_health_check(event: &Event) -> bool {
    event.text(&["type"]) == Some("transaction")
        && event.text(&["transaction"]).is_some_and(|name| HEALTH_CHECKS.is_match(name))
}

/// Whether a span that comes by itself is the segment of a health check, or says that it is in one.
pub(super) fn is_of_health_check(span: &Map<String, Value>) -> bool {
    let in_segment = span.get("data").and_then(|data| data.get("sentry.segment.name")?.as_str());
    let is_segment = span.get("is_segment") == Some(&Value::Bool(true));
    let own = || ["name", "description"].iter().find_map(|key| span.get(*key)?.as_str()).filter(|_| is_segment);
    in_segment.or_else(own).is_some_and(|name| HEALTH_CHECKS.is_match(name))
}

static HYDRATION: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"https://(?:reactjs\.org/docs/error-decoder\.html\?invariant=|react\.dev/errors/)(?:418|419|42[1235])(?:[^0-9]|\z)",
    )
});

pub(super) fn is_hydration_error(event: &Event) -> bool {
    let mut values = event.values("exception").iter().filter_map(|exception| text(exception, "value"));
    values.any(|value| HYDRATION.is_match(value))
}

pub(super) fn is_chunk_load_error(event: &Event) -> bool {
    const SAYS: [&str; 2] = ["loading chunk ", "failed to load chunk "];
    let says = |value: &str| SAYS.iter().any(|start| value.starts_with(start));
    event.values("exception").iter().any(|exception| {
        let lower = |key: &str| text(exception, key).unwrap_or_default().to_lowercase();
        let (kind, value) = (lower("type"), lower("value"));
        (kind == "chunkloaderror" && says(&value))
            || (kind.contains("uncaught ") && value.strip_prefix("chunkloaderror: ").is_some_and(says))
            || (kind == "error" && value.starts_with("uncaught (in promise): chunkloaderror"))
    })
}

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key)?.as_str()
}
