//! Check-ins as clients send them (`reference/ingest-protocol.md` §7.11, §18).

use icu_normalizer::DecomposingNormalizerBorrowed;
use nuthatch_protocol::{
    CheckIn, EventId,
    check_in::{CheckInStatus, MonitorConfig, Schedule},
    version::is_release_name,
};
use serde_json::{Map, Value};

use crate::{
    Reason, Refused, json,
    meta::{Meta, Path},
    release,
    shape::{self, Shape},
};

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
        release: text("release").filter(|name| is_release_name(name)).map(str::to_owned),
        trace_id: trace.and_then(|id| id.parse().ok()),
        config: value.get("monitor_config").and_then(config),
    })
}

fn duration(value: &Map<String, Value>) -> Option<u64> {
    let millis = value.get("duration")?.as_f64()? * 1000.0;
    (0.0..=DURATION_MAX_MS).contains(&millis).then(|| millis.round() as u64)
}

/// What a monitor is to expect, if its schedule makes sense. Of the rest, what has the wrong shape counts as absent.
fn config(value: &Value) -> Option<MonitorConfig> {
    let number = |key: &str| whole(value.get(key)?);
    let text = |key: &str| {
        let text = value.get(key)?.as_str()?.trim();
        (1..=CONFIG_TEXT_MAX_BYTES).contains(&text.len()).then(|| text.to_owned())
    };
    Some(MonitorConfig {
        schedule: schedule(value.get("schedule")?)?,
        checkin_margin: number("checkin_margin"),
        max_runtime: number("max_runtime"),
        timezone: text("timezone"),
        failure_issue_threshold: number("failure_issue_threshold"),
        recovery_threshold: number("recovery_threshold"),
        owner: text("owner"),
    })
}

fn schedule(schedule: &Value) -> Option<Schedule> {
    let value = schedule.get("value")?;
    match schedule.get("type")?.as_str()? {
        "crontab" => {
            let line = value.as_str()?.trim();
            is_crontab(line).then(|| Schedule::Crontab { value: line.to_owned() })
        }
        "interval" => {
            let unit = serde_json::from_value(schedule.get("unit")?.clone()).ok()?;
            let value = whole(value).filter(|value| *value > 0)?;
            Some(Schedule::Interval { value, unit })
        }
        _ => None,
    }
}

/// A number as SDKs of all languages write one (§11.1): `5`, `5.0` or `"5"`.
fn whole(value: &Value) -> Option<u32> {
    let mut value = value.clone();
    shape::apply(Shape::Integer, &mut value, &Path::top("monitor_config"), &mut Meta::new(None));
    value.as_u64()?.try_into().ok()
}

/// Whether a line has the form of a crontab: five fields of the usual signs, or a nickname.
fn is_crontab(line: &str) -> bool {
    let nicknames = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];
    let is_field = |field: &str| field.chars().all(|c| c.is_ascii_alphanumeric() || "*/,-?#".contains(c));
    line.len() <= CONFIG_TEXT_MAX_BYTES
        && (nicknames.contains(&line)
            || (line.split_ascii_whitespace().count() == 5 && line.split_ascii_whitespace().all(is_field)))
}

/// A name as it is in URLs: lower-case letters, digits, dashes and underscores. Letters lose their accents, white space
/// becomes a dash, and other signs go, so that a name is the same monitor as elsewhere.
fn slug(name: &str) -> String {
    let name: String = name.trim().chars().take(SLUG_MAX_CHARS).collect();
    let mut slug = String::new();
    for c in DecomposingNormalizerBorrowed::new_nfkd().normalize(&name).chars() {
        match c {
            _ if c.is_ascii_alphanumeric() || c == '_' => slug.push(c.to_ascii_lowercase()),
            _ if (c == '-' || c.is_ascii_whitespace()) && !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    slug.truncate(SLUG_MAX_CHARS);
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
    fn what_is_odd_in_a_configuration_takes_nothing_else_away() {
        let plain = || json!({"schedule": {"type": "crontab", "value": "0 * * * *"}, "checkin_margin": 7});
        let config = |config: &Value| {
            read(&json!({"monitor_slug": "a", "status": "ok", "monitor_config": config})).expect("a check-in").config
        };
        let usual = config(&plain()).expect("a configuration");
        assert_eq!((usual.checkin_margin, usual.max_runtime), (Some(7), None));
        for (key, value, expected) in [
            ("max_runtime", json!(30.0), MonitorConfig { max_runtime: Some(30), ..usual.clone() }),
            ("checkin_margin", json!("5"), MonitorConfig { checkin_margin: Some(5), ..usual.clone() }),
            ("max_runtime", json!("long"), usual.clone()),
            ("recovery_threshold", json!(-1), usual.clone()),
            ("failure_issue_threshold", json!(0.5), usual.clone()),
            ("timezone", json!(1), usual.clone()),
            ("owner", json!("x".repeat(CONFIG_TEXT_MAX_BYTES + 1)), usual.clone()),
            ("owner", json!(" team:3 "), MonitorConfig { owner: Some("team:3".to_owned()), ..usual.clone() }),
            ("alert_rule_id", json!(5), usual.clone()),
        ] {
            let mut sent = plain();
            sent[key] = value;
            assert_eq!(config(&sent), Some(expected), "{sent}");
        }
        let interval = config(&json!({"schedule": {"type": "interval", "value": "10", "unit": "minute"}}));
        let schedule = interval.map(|config| config.schedule);
        assert_eq!(schedule, Some(Schedule::Interval { value: 10, unit: IntervalUnit::Minute }));
    }

    #[test]
    fn who_names_no_monitor_is_refused() {
        for value in [json!({"status": "ok"}), json!({"monitor_slug": " - ", "status": "ok"}), json!([])] {
            read(&value).expect_err("no monitor");
        }
    }

    #[test]
    fn slugs_are_fit_for_urls() {
        for (name, wanted) in [
            ("Über  Nacht/täglich", "uber-nachttaglich"),
            ("my.job", "myjob"),
            ("a_b-c", "a_b-c"),
            ("a - -b", "a-b"),
            ("ｆｕｌｌ Ⅳ", "full-iv"),
            ("_-x-_", "x"),
            ("日本", ""),
            ("..", ""),
        ] {
            assert_eq!(slug(name), wanted, "{name}");
        }
        assert_eq!(slug(&"x".repeat(80)).len(), SLUG_MAX_CHARS);
    }
}
