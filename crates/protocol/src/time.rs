//! Points in time.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Microseconds since the Unix epoch, UTC. Written as RFC 3339 with `Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

const MICROS_PER_SECOND: i64 = 1_000_000;

/// What clients say may be so far in the future of the server's clock (`reference/ingest-protocol.md` §12.3).
pub const FUTURE_MAX: Duration = Duration::from_mins(1);

impl Timestamp {
    /// From whole seconds since the epoch.
    pub fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(MICROS_PER_SECOND))
    }

    /// From milliseconds since the epoch.
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1000))
    }

    /// From seconds with a fraction, as SDKs send them; `None` when not finite or outside the years 1 to 9999.
    pub fn from_secs_f64(secs: f64) -> Option<Self> {
        let in_range = secs.is_finite() && (-62_135_596_800.0..=253_402_300_799.0).contains(&secs);
        in_range.then(|| Self((secs * MICROS_PER_SECOND as f64).round() as i64))
    }

    /// Seconds with a fraction.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / MICROS_PER_SECOND as f64
    }

    /// Whole seconds, rounded down.
    pub fn secs(self) -> i64 {
        self.0.div_euclid(MICROS_PER_SECOND)
    }

    /// Whole milliseconds, rounded down.
    pub fn millis(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Whole hours since the epoch, rounded down: the unit of an issue's counters.
    pub fn hours(self) -> i64 {
        self.secs().div_euclid(3600)
    }

    /// Whole days since the epoch, rounded down: what blobs are kept by.
    pub fn days(self) -> i64 {
        self.secs().div_euclid(86_400)
    }

    /// This time plus a duration.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// This time minus a duration.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339, UTC, with as many fractional digits as needed (at most six).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(time) => time.fmt(f),
            Err(_) => f.write_str("1970-01-01T00:00:00Z"),
        }
    }
}

/// Where the time comes from. Only the binary reads the real clock; everybody else is given one.
pub trait Clock: Send + Sync + 'static {
    /// The present.
    fn now(&self) -> Timestamp;
}

impl<F: Fn() -> Timestamp + Send + Sync + 'static> Clock for F {
    fn now(&self) -> Timestamp {
        self()
    }
}

/// A text that is not a time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a time such as 2026-01-31T12:00:00Z")]
pub struct InvalidTime;

impl FromStr for Timestamp {
    type Err = InvalidTime;

    /// RFC 3339 with any offset; without an offset it is UTC; a space may stand for the `T`
    /// (`reference/ingest-protocol.md` §11.1).
    fn from_str(text: &str) -> Result<Self, InvalidTime> {
        let text = text.trim();
        if let Ok(time) = text.parse::<jiff::Timestamp>() {
            return Ok(Self(time.as_microsecond()));
        }
        let civil: jiff::civil::DateTime = text.parse().map_err(|_| InvalidTime)?;
        let time = jiff::tz::TimeZone::UTC.to_timestamp(civil).map_err(|_| InvalidTime)?;
        Ok(Self(time.as_microsecond()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_leniently_and_written_strictly() {
        for text in [
            "2026-01-31T12:00:00.5Z",
            "2026-01-31T13:00:00.5+01:00",
            "2026-01-31T12:00:00.5",
            "2026-01-31 12:00:00.500000",
        ] {
            let time: Timestamp = text.parse().expect(text);
            assert_eq!(time.to_string(), "2026-01-31T12:00:00.5Z", "{text}");
        }
        assert!("yesterday".parse::<Timestamp>().is_err());
        assert!("1700000000".parse::<Timestamp>().is_err());
    }

    #[test]
    fn absurd_seconds_are_refused() {
        assert_eq!(Timestamp::from_secs_f64(f64::NAN), None);
        assert_eq!(Timestamp::from_secs_f64(1e300), None);
        assert_eq!(Timestamp::from_secs_f64(1.5), Some(Timestamp(1_500_000)));
    }
}
