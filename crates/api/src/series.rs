//! Counts over time: `[[unix seconds, count], …]`, aligned and without gaps.

use nuthatch_protocol::Timestamp;

use crate::{
    error::ApiError,
    period::{self, Period, Range},
};

/// Counts per interval, each with the second at which the interval begins.
pub(crate) type Series = Vec<(i64, u64)>;

/// Seconds of an hour: the unit of the counters of issues.
pub(crate) const HOUR_SECS: i64 = 3600;

/// Seconds of a day.
pub(crate) const DAY_SECS: i64 = 24 * HOUR_SECS;

/// Most intervals of a series.
pub(crate) const INTERVALS_MAX: i64 = 2000;

/// Longest period that is shown by the hour when nobody says how.
const HOURLY_MAX_SECS: i64 = 2 * DAY_SECS;

/// Longest period that statistics of an organization show by the hour when nobody says how.
const HOURLY_STATS_MAX_SECS: i64 = 7 * DAY_SECS;

/// Period of a series of an issue when none is given.
const PERIOD_SECS: i64 = 14 * DAY_SECS;

/// Longest period of a series of an issue.
const PERIOD_MAX_SECS: i64 = 90 * DAY_SECS;

/// The intervals of a series: how many, how long, and where the first begins. The last one holds `now`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Intervals {
    pub(crate) first: i64,
    pub(crate) secs: i64,
    pub(crate) count: i64,
}

impl Intervals {
    /// The intervals that cover a time span, aligned to whole multiples of their length.
    pub(crate) fn covering(from: Timestamp, until: Timestamp, secs: i64) -> Self {
        let first = from.secs().div_euclid(secs) * secs;
        let last = until.secs().div_euclid(secs) * secs;
        let count = ((last - first) / secs + 1).clamp(1, INTERVALS_MAX);
        Self { first, secs, count }
    }

    /// The intervals of a period, a day when none is given. They are as long as `interval` says, a whole multiple of
    /// `unit` seconds; an hour or, in long periods, a day when it says nothing.
    pub(crate) fn of_period(
        period: &Period,
        interval: Option<&str>,
        unit: i64,
        now: Timestamp,
    ) -> Result<Self, ApiError> {
        let range = period.range(now)?;
        let until = range.until.unwrap_or(now);
        let from = range.from.unwrap_or(Timestamp::from_secs(until.secs().saturating_sub(DAY_SECS)));
        let length = until.secs().saturating_sub(from.secs());
        let secs = match interval.filter(|text| !text.is_empty()) {
            Some(text) => {
                let secs = period::duration(text).map(|duration| duration.as_secs() as i64);
                let units = if unit == HOUR_SECS { "hours" } else { "minutes" };
                let whole = secs.filter(|secs| secs % unit == 0);
                whole.ok_or_else(|| ApiError::Invalid(format!("interval {text:?} is not whole {units}, such as 1h")))?
            }
            None if length <= HOURLY_STATS_MAX_SECS => HOUR_SECS,
            None => DAY_SECS,
        };
        if length < 0 || length / secs >= INTERVALS_MAX {
            return Err(ApiError::Invalid(format!("start must be before end, by at most {INTERVALS_MAX} intervals")));
        }
        Ok(Self::covering(from, until, secs))
    }

    /// The last `count` intervals up to now.
    pub(crate) fn last(count: i64, secs: i64, now: Timestamp) -> Self {
        let last = now.secs().div_euclid(secs) * secs;
        Self { first: last - (count - 1) * secs, secs, count }
    }

    /// What `groupStatsPeriod` means: `24h`, `14d` or `30d`; `auto` follows the period of the list. `None`: no series.
    pub(crate) fn of_group_stats(name: &str, range: Range, now: Timestamp) -> Option<Self> {
        Some(match name {
            "24h" => Self::last(24, HOUR_SECS, now),
            "14d" => Self::last(14, DAY_SECS, now),
            "30d" => Self::last(30, DAY_SECS, now),
            "auto" => {
                // The end is not among what is shown.
                let end = range.until.map_or(now, |until| Timestamp(until.0.saturating_sub(1)));
                let until = range.until.unwrap_or(now).secs();
                let length = range.from.map_or(PERIOD_SECS, |from| until.saturating_sub(from.secs()));
                let length = length.clamp(1, PERIOD_MAX_SECS);
                let secs = if length <= HOURLY_MAX_SECS { HOUR_SECS } else { DAY_SECS };
                Self::last((length + secs - 1) / secs, secs, end)
            }
            _ => return None,
        })
    }

    /// The series of these counts; what lies outside is left out.
    pub(crate) fn fill(self, counts: impl IntoIterator<Item = (i64, u64)>) -> Series {
        let mut series: Series = (0..self.count).map(|n| (self.first + n * self.secs, 0)).collect();
        for (at, count) in counts {
            let index = usize::try_from((at - self.first).div_euclid(self.secs)).ok();
            if let Some(slot) = index.and_then(|index| series.get_mut(index)) {
                slot.1 += count;
            }
        }
        series
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_series_has_no_gaps_and_ends_with_now() {
        let now = Timestamp::from_secs(100 * DAY_SECS + 5);
        let hours = Intervals::of_group_stats("24h", Range::default(), now).unwrap();
        let series = hours.fill([(99 * DAY_SECS + 5 * HOUR_SECS + 7, 3), (0, 9)]);
        assert_eq!((series.len(), series[23].0), (24, 100 * DAY_SECS));
        assert_eq!(series.iter().map(|(_, n)| n).sum::<u64>(), 3);
        assert!(series.contains(&(99 * DAY_SECS + 5 * HOUR_SECS, 3)));
        assert_eq!(Intervals::of_group_stats("", Range::default(), now), None);
    }

    #[test]
    fn auto_follows_the_period() {
        let now = Timestamp::from_secs(100 * DAY_SECS);
        let auto = |hours: u64| {
            let range = Range { from: Some(now.minus(Duration::from_hours(hours))), until: None };
            Intervals::of_group_stats("auto", range, now).unwrap()
        };
        assert_eq!((auto(24).secs, auto(24).count), (HOUR_SECS, 24));
        assert_eq!((auto(24 * 14).secs, auto(24 * 14).count), (DAY_SECS, 14));
        assert_eq!(auto(24 * 4000).count, 90);
        let day = |n: i64| Some(Timestamp::from_secs(n * DAY_SECS));
        let past = Intervals::of_group_stats("auto", Range { from: day(40), until: day(50) }, now).unwrap();
        assert_eq!((past.first, past.secs, past.count), (40 * DAY_SECS, DAY_SECS, 10));
        let one = Intervals::of_group_stats("auto", Range { from: day(40), until: day(41) }, now).unwrap();
        assert_eq!((one.first, one.secs, one.count), (40 * DAY_SECS, HOUR_SECS, 24));
    }
}
