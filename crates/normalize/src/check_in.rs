//! Check-ins as clients send them (`reference/ingest-protocol.md` §7.11, §18).

use nuthatch_protocol::{
    CheckIn, EventId,
    check_in::{CheckInStatus, MonitorConfig, Schedule},
};
use serde_json::{Map, Value};

use crate::{Reason, Refused, json, release};

/// Longest slug, in characters.
const SLUG_MAX_CHARS: usize = 50;

/// Longest duration that is believed, in milliseconds.
const DURATION_MAX_MS: f64 = 2_147_483_648.0;

/// Longest crontab line, name of a time zone, and owner, in bytes.
const CONFIG_TEXT_MAX_BYTES: usize = 200;

/// Where a job runs that does not say it.
const DEFAULT_ENVIRONMENT: &str = "production";

/// Reads a check-in. What has the wrong shape counts as absent; only what is no object or names no monitor is refused.
///
/// # Errors
///
/// Why it is no check-in.
pub fn check_in(payload: &[u8]) -> Result<CheckIn, Refused> {
    let value = match json::read(payload)? {
        Value::Object(value) => value,
        other => return Err(Refused::not_an_object(&other)),
    };
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let slug = slug(text("monitor_slug").unwrap_or_default());
    if slug.is_empty() {
        return Err(Refused::of(Reason::NoMonitor, "monitor_slug names no monitor", "monitor_slug"));
    }
    let id: Option<EventId> = text("check_in_id").and_then(|id| id.parse().ok());
    let trace = value.get("contexts").and_then(|contexts| contexts.get("trace")?.get("trace_id")?.as_str());
    Ok(CheckIn {
        id: id.filter(|id| id.0 != [0; 16]),
        slug,
        status: CheckInStatus::of_client(text("status").unwrap_or_default()),
        duration_ms: duration(&value),
        environment: text("environment")
            .filter(|name| release::is_environment(name))
            .unwrap_or(DEFAULT_ENVIRONMENT)
            .to_owned(),
        release: text("release").filter(|name| release::is_release(name)).map(str::to_owned),
        trace_id: trace.and_then(|id| id.parse().ok()),
        config: value.get("monitor_config").and_then(config),
    })
}

fn duration(value: &Map<String, Value>) -> Option<u64> {
    let millis = value.get("duration")?.as_f64()? * 1000.0;
    (0.0..=DURATION_MAX_MS).contains(&millis).then(|| millis.round() as u64)
}

/// What a monitor is to expect, if all of it makes sense.
fn config(value: &Value) -> Option<MonitorConfig> {
    let config: MonitorConfig = serde_json::from_value(value.clone()).ok()?;
    let is_sane = match &config.schedule {
        Schedule::Crontab { value } => is_crontab(value),
        Schedule::Interval { value, .. } => *value > 0,
    };
    let texts = [config.timezone.as_deref(), config.owner.as_deref()];
    (is_sane && texts.into_iter().flatten().all(|text| text.len() <= CONFIG_TEXT_MAX_BYTES)).then_some(config)
}

/// Whether a line has the form of a crontab: five fields of the usual signs, or a nickname.
fn is_crontab(line: &str) -> bool {
    let nicknames = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];
    let is_field = |field: &str| field.chars().all(|c| c.is_ascii_alphanumeric() || "*/,-?#".contains(c));
    line.len() <= CONFIG_TEXT_MAX_BYTES
        && (nicknames.contains(&line)
            || (line.split_ascii_whitespace().count() == 5 && line.split_ascii_whitespace().all(is_field)))
}

/// A name as it is in URLs: lower-case letters, digits, dashes and underscores.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.trim().to_lowercase().chars().take(SLUG_MAX_CHARS) {
        match c {
            'a'..='z' | '0'..='9' | '_' => slug.push(c),
            _ if !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    slug.trim_matches(['-', '_']).to_owned()
}

#[cfg(test)]
mod tests {
    use nuthatch_protocol::check_in::IntervalUnit;
    use serde_json::json;

    use super::*;

    fn read(value: &Value) -> Result<CheckIn, Refused> {
        check_in(value.to_string().as_bytes())
    }

    #[test]
    fn all_that_sdks_send_is_read() {
        let found = read(&json!({
            "check_in_id": "83a7c03e-d0a7-4d1c-8b2f-6d4c9e9f0a11", "monitor_slug": "Nightly Backup", "status": "ok",
            "duration": 10.0625, "release": "app@1", "environment": "staging",
            "contexts": {"trace": {"trace_id": "83a7c03ed0a74d1c8b2f6d4c9e9f0a12"}},
            "monitor_config": {"schedule": {"type": "interval", "value": 2, "unit": "hour"}, "checkin_margin": 5},
        }))
        .expect("a check-in");
        assert_eq!(found.id.map(|id| id.to_string()).as_deref(), Some("83a7c03ed0a74d1c8b2f6d4c9e9f0a11"));
        assert_eq!(
            (found.slug.as_str(), found.status, found.duration_ms),
            ("nightly-backup", CheckInStatus::Ok, Some(10_063))
        );
        assert_eq!((found.environment.as_str(), found.release.as_deref()), ("staging", Some("app@1")));
        let config = found.config.expect("a configuration");
        assert_eq!(config.schedule, Schedule::Interval { value: 2, unit: IntervalUnit::Hour });
        assert_eq!((config.checkin_margin, config.max_runtime), (Some(5), None));
    }

    #[test]
    fn what_is_wrong_counts_as_absent() {
        for (key, value) in [
            ("check_in_id", json!("00000000-0000-0000-0000-000000000000")),
            ("check_in_id", json!(7)),
            ("duration", json!(-1)),
            ("duration", json!(3_000_000)),
            ("duration", json!("soon")),
            ("release", json!("latest")),
            ("monitor_config", json!({"schedule": {"type": "crontab", "value": "every day"}})),
            ("monitor_config", json!({"schedule": {"type": "interval", "value": 0, "unit": "day"}})),
            ("monitor_config", json!([])),
        ] {
            let found = read(&json!({"monitor_slug": "a", "status": "ok", key: value})).expect("a check-in");
            let plain = read(&json!({"monitor_slug": "a", "status": "ok"})).expect("a check-in");
            assert_eq!(found, plain, "{key}: {value}");
        }
        assert_eq!(
            read(&json!({"monitor_slug": "a", "status": "missed"})).map(|found| found.status),
            Ok(CheckInStatus::Unknown)
        );
        assert_eq!(read(&json!({"monitor_slug": "a"})).map(|found| found.environment), Ok("production".to_owned()));
    }

    #[test]
    fn who_names_no_monitor_is_refused() {
        for value in [json!({"status": "ok"}), json!({"monitor_slug": " - ", "status": "ok"}), json!([])] {
            read(&value).expect_err("no monitor");
        }
    }

    #[test]
    fn slugs_are_fit_for_urls() {
        for (name, wanted) in [("Über  Nacht/täglich", "ber-nacht-t-glich"), ("a_b-c", "a_b-c"), ("..", "")] {
            assert_eq!(slug(name), wanted);
        }
        assert_eq!(slug(&"x".repeat(80)).len(), SLUG_MAX_CHARS);
    }
}
