//! What SDKs say they did not send (`reference/ingest-protocol.md` §7.6, §16).

use std::{collections::BTreeSet, time::Duration};

use nuthatch_protocol::{DataCategory, Origin, Outcome, OutcomeKey, Outcomes, Timestamp, time::FUTURE_MAX};
use serde::Deserialize;
use serde_json::Value;

/// Most entries of a report that are read, of each list.
const ENTRIES_MAX: usize = 200;

/// Oldest report that counts, by the server's clock.
const AGE_MAX: Duration = Duration::from_hours(30 * 24);

/// Most sums that the reports of one envelope are counted under; what they say beyond is ignored. SDKs have a few.
const SUMS_MAX: usize = 500;

/// Most minutes that they are counted in; reports of others count as of when they came.
const MINUTES_MAX: usize = 10;

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

/// What the reports of an envelope say.
#[derive(Default)]
pub(crate) struct Reported {
    sums: Outcomes,
    minutes: BTreeSet<i64>,
}

impl Reported {
    /// Adds the outcomes of a report. What cannot be read says nothing and is ignored, as is a report of another time.
    pub(crate) fn add(&mut self, payload: &[u8], origin: Origin, sent_at: Option<Timestamp>) {
        let Ok(report) = serde_json::from_slice::<Report>(payload) else { return };
        let Some(at) = time(&report.timestamp, origin.received, sent_at) else { return };
        let minute = at.secs().div_euclid(60);
        let is_counted_then = self.minutes.contains(&minute) || self.minutes.len() < MINUTES_MAX;
        let origin = if is_counted_then { Origin { received: at, ..origin } } else { origin };
        self.minutes.extend(is_counted_then.then_some(minute));
        let lists = [
            (report.discarded_events, Outcome::ClientDiscard),
            (report.rate_limited_events, Outcome::RateLimited),
            (report.filtered_events, Outcome::Filtered),
        ];
        for (list, outcome) in lists {
            for (reason, category, quantity) in list.iter().take(ENTRIES_MAX).filter_map(read) {
                let reason = REASONS.into_iter().find(|known| *known == reason).unwrap_or(OTHER);
                self.count(origin.key(category, outcome, reason), quantity);
            }
        }
        for (_, category, quantity) in report.filtered_sampling_events.iter().take(ENTRIES_MAX).filter_map(read) {
            self.count(origin.key(category, Outcome::Filtered, SAMPLED), quantity);
        }
    }

    fn count(&mut self, key: OutcomeKey, quantity: u64) {
        if self.sums.len() < SUMS_MAX || self.sums.contains(&key) {
            self.sums.add(key, quantity);
        }
    }

    /// The sums.
    pub(crate) fn into_sums(self) -> Outcomes {
        self.sums
    }
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
    (at >= received.minus(AGE_MAX) && at <= received.plus(FUTURE_MAX)).then_some(at)
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
        let mut reported = Reported::default();
        reported.add(payload.as_bytes(), origin, sent_at);
        let entries = reported.into_sums().into_iter();
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
            of(DataCategory::Error, Outcome::RateLimited, "key_quota", 1),
            of(DataCategory::Error, Outcome::ClientDiscard, "before_send", 3),
            of(DataCategory::Transaction, Outcome::Filtered, "sampled", 4),
            of(DataCategory::Transaction, Outcome::ClientDiscard, "sample_rate", 2),
            of(DataCategory::Unknown, Outcome::ClientDiscard, "other", 1),
        ];
        assert_eq!(read(payload, None), expected);
    }

    #[test]
    fn reports_of_one_envelope_are_counted_under_few_sums_and_minutes() {
        let mut reported = Reported::default();
        for minute in 0..100 {
            let origin = Origin { received: NOW, project_id: Some(ProjectId(1)), key_id: Some(KeyId(1)) };
            let entry = |category: &DataCategory| format!(r#"["ignored", "{category}", {minute}]"#);
            let entries: Vec<String> = DataCategory::ALL.iter().map(entry).collect();
            let (secs, entries) = (NOW.secs() - minute * 60, entries.join(","));
            let list = format!("[{entries}]");
            let payload = format!(
                r#"{{"timestamp":{secs},"discarded_events":{list},"rate_limited_events":{list},"filtered_events":{list}}}"#
            );
            reported.add(payload.as_bytes(), origin, None);
        }
        assert_eq!(reported.minutes.len(), MINUTES_MAX);
        assert_eq!(reported.into_sums().len(), SUMS_MAX);
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
