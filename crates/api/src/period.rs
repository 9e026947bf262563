//! The time range of a request: `statsPeriod`, or `start` and `end` (`reference/web-api.md` §1.5).

use std::time::Duration;

use nuthatch_protocol::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{error::ApiError, query::single};

/// Longest period: longer than anything is kept.
const PERIOD_MAX: Duration = Duration::from_hours(10 * 366 * 24);

/// The time range of a request.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", default)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are those of the parameters")]
pub(crate) struct Period {
    /// Up to now: `24h`, `14d`; units `s` `m` `h` `d` `w`.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    pub(crate) stats_period: Option<String>,
    /// At or after this time.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    pub(crate) start: Option<String>,
    /// Before this time.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    pub(crate) end: Option<String>,
}

/// A time range; an open end is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Range {
    pub(crate) from: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
}

impl Period {
    /// The length of `statsPeriod`, if it is given.
    pub(crate) fn length(&self) -> Result<Option<Duration>, ApiError> {
        let Some(text) = self.stats_period.as_deref().filter(|text| !text.is_empty()) else { return Ok(None) };
        let length = duration(text);
        length.map(Some).ok_or_else(|| ApiError::Invalid(format!("statsPeriod {text:?} is not a period such as 14d")))
    }

    /// The range, everything when none is given.
    pub(crate) fn range(&self, now: Timestamp) -> Result<Range, ApiError> {
        if let Some(length) = self.length()? {
            return Ok(Range { from: Some(now.minus(length)), until: None });
        }
        Ok(Range { from: time("start", self.start.as_deref())?, until: time("end", self.end.as_deref())? })
    }
}

/// A whole number and a unit: `90m`, `14d`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back()?;
    let number: u64 = text[..text.len() - unit.len_utf8()].parse().ok()?;
    let secs = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 24 * 3600,
        'w' => 7 * 24 * 3600,
        _ => return None,
    };
    let duration = Duration::from_secs(number.checked_mul(secs)?);
    (duration <= PERIOD_MAX && !duration.is_zero()).then_some(duration)
}

/// A time as RFC 3339 or as seconds since the epoch.
fn time(name: &str, text: Option<&str>) -> Result<Option<Timestamp>, ApiError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let seconds = text.parse::<f64>().ok().and_then(Timestamp::from_secs_f64);
    let time = seconds.or_else(|| text.parse().ok());
    time.map(Some)
        .ok_or_else(|| ApiError::Invalid(format!("{name} {text:?} is not a time such as 2026-01-31T12:00:00Z")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_have_a_number_and_a_unit() {
        assert_eq!(duration("90m"), Some(Duration::from_mins(90)));
        assert_eq!(duration("2w"), Some(Duration::from_hours(14 * 24)));
        for text in ["", "d", "14", "-1d", "1.5h", "14ü", "0d", "99999999999999999999d", "9999999999999999w"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
