//! What SDKs say they did not send (`reference/ingest-protocol.md` §7.6, §16).

use std::time::Duration;

use nuthatch_protocol::{DataCategory, Origin, Outcome, OutcomeKey, Timestamp};
use serde::Deserialize;
use serde_json::Value;

/// Most entries of a report that are read, of each list.
const ENTRIES_MAX: usize = 200;

/// Oldest and youngest report that counts, by the server's clock.
const AGE_MAX: Duration = Duration::from_hours(30 * 24);
const AHEAD_MAX: Duration = Duration::from_mins(1);

/// The reason of entries that give an unknown one: keys are public, so whatever they send must not grow the ledger
/// without bound.
const OTHER: &str = "other";

/// The reason of everything that sampling left out.
const SAMPLED: &str = "sampled";

/// Reasons of SDKs, of quotas, and of filters, as far as they are words of the protocol.
const REASONS: [&str; 34] = [
    "queue_overflow",
    "cache_overflow",
    "buffer_overflow",
    "ratelimit_backoff",
    "network_error",
    "sample_rate",
    "before_send",
    "event_processor",
    "send_error",
    "internal_sdk_error",
    "insufficient_data",
    "backpressure",
    "invalid",
    "no_parent_span",
    "ignored",
    "key_quota",
    "org_quota",
    "project_quota",
    "project_abuse_limit",
    "org_abuse_limit",
    "usage_exceeded",
    "browser-extensions",
    "legacy-browsers",
    "localhost",
    "web-crawlers",
    "filtered-transaction",
    "react-hydration-errors",
    "chunk-load-error",
    "ip-address",
    "release-version",
    "error-message",
    "log-message",
    "trace-metric-name",
    "invalid-csp",
];

#[derive(Deserialize)]
struct Report {
    #[serde(default)]
    timestamp: Value,
    #[serde(default)]
    discarded_events: Vec<Value>,
    #[serde(default)]
    rate_limited_events: Vec<Value>,
    #[serde(default)]
    filtered_events: Vec<Value>,
    #[serde(default)]
    filtered_sampling_events: Vec<Value>,
}

/// The outcomes of a report. What cannot be read says nothing and is ignored, as is a report of another time.
pub(crate) fn outcomes(payload: &[u8], origin: Origin, sent_at: Option<Timestamp>) -> Vec<(OutcomeKey, u64)> {
    let Ok(report) = serde_json::from_slice::<Report>(payload) else { return Vec::new() };
    let Some(received) = time(&report.timestamp, origin.received, sent_at) else { return Vec::new() };
    let origin = Origin { received, ..origin };
    let lists = [
        (report.discarded_events, Outcome::ClientDiscard),
        (report.rate_limited_events, Outcome::RateLimited),
        (report.filtered_events, Outcome::Filtered),
    ];
    let of_list = |(list, outcome): (Vec<Value>, Outcome)| {
        list.into_iter().take(ENTRIES_MAX).filter_map(move |entry| {
            let (reason, category, quantity) = read(&entry)?;
            let reason = REASONS.into_iter().find(|known| *known == reason).unwrap_or(OTHER);
            Some((origin.key(category, outcome, reason), quantity))
        })
    };
    let sampled = report.filtered_sampling_events.iter().take(ENTRIES_MAX).filter_map(|entry| {
        let (_, category, quantity) = read(entry)?;
        Some((origin.key(category, Outcome::Filtered, SAMPLED), quantity))
    });
    lists.into_iter().flat_map(of_list).chain(sampled).collect()
}

/// When it happened by the server's clock: what the report says as a text or as seconds, else when it came. `None` when
/// that cannot be.
fn time(said: &Value, received: Timestamp, sent_at: Option<Timestamp>) -> Option<Timestamp> {
    let said = match said {
        Value::Number(secs) => secs.as_f64().and_then(Timestamp::from_secs_f64),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    let Some(at) = said else { return Some(received) };
    let drift = sent_at.map_or(0, |sent| received.0.saturating_sub(sent.0));
    let at = Timestamp(at.0.saturating_add(drift));
    (at >= received.minus(AGE_MAX) && at <= received.plus(AHEAD_MAX)).then_some(at)
}

/// Reason, category and quantity, as an object or as a list.
fn read(entry: &Value) -> Option<(&str, DataCategory, u64)> {
    let field = |name: &str, index: usize| entry.get(name).or_else(|| entry.get(index));
    let reason = field("reason", 0).and_then(Value::as_str).unwrap_or_default();
    let category = field("category", 1).and_then(Value::as_str)?;
    let quantity = field("quantity", 2).and_then(Value::as_u64)?;
    Some((reason, category.parse().unwrap_or(DataCategory::Unknown), quantity))
}

#[cfg(test)]
mod tests {
    use nuthatch_protocol::{KeyId, ProjectId};

    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

    fn read(payload: &str, sent_at: Option<Timestamp>) -> Vec<(i64, DataCategory, Outcome, String, u64)> {
        let origin = Origin { received: NOW, project_id: Some(ProjectId(1)), key_id: Some(KeyId(1)) };
        let entries = outcomes(payload.as_bytes(), origin, sent_at).into_iter();
        let entries = entries.map(|(key, quantity)| {
            (NOW.secs() / 60 - key.minute, key.category, key.outcome, key.reason.to_string(), quantity)
        });
        entries.collect()
    }

    #[test]
    fn lists_become_outcomes_with_known_reasons_only() {
        let payload = r#"{"discarded_events": [
            {"reason": "before_send", "category": "error", "quantity": 3}, ["sample_rate", "transaction", 2],
            {"reason": "<script>", "category": "made_up", "quantity": 1}, {"reason": "x"}, 7, null],
            "rate_limited_events": [{"reason": "key_quota", "category": "error", "quantity": 1}],
            "filtered_sampling_events": [{"reason": "Sampled:9", "category": "transaction", "quantity": 4}]}"#;
        let of = |category, outcome, reason: &str, quantity| (0, category, outcome, reason.to_owned(), quantity);
        let expected = [
            of(DataCategory::Error, Outcome::ClientDiscard, "before_send", 3),
            of(DataCategory::Transaction, Outcome::ClientDiscard, "sample_rate", 2),
            of(DataCategory::Unknown, Outcome::ClientDiscard, "other", 1),
            of(DataCategory::Error, Outcome::RateLimited, "key_quota", 1),
            of(DataCategory::Transaction, Outcome::Filtered, "sampled", 4),
        ];
        assert_eq!(read(payload, None), expected);
    }

    #[test]
    fn times_are_those_of_the_server() {
        let at = |secs: i64| {
            let secs = NOW.secs() + secs;
            format!(r#"{{"timestamp": {secs}, "discarded_events": [["ignored", "error", 1]]}}"#)
        };
        assert_eq!(read(&at(-600), None)[0].0, 10);
        let text = format!(
            r#"{{"timestamp": "{}", "discarded_events": [["ignored", "error", 1]]}}"#,
            Timestamp(NOW.0 - 60_000_000)
        );
        assert_eq!(read(&text, None)[0].0, 1);
        let ahead_by_an_hour = Some(NOW.plus(Duration::from_hours(1)));
        assert_eq!(read(&at(3000), ahead_by_an_hour)[0].0, 10);
        for wrong in [at(3000), at(-40 * 24 * 3600), "not json".to_owned(), "[]".to_owned()] {
            assert!(read(&wrong, None).is_empty(), "{wrong}");
        }
    }
}
