//! Quotas over a sliding window (`reference/issue-platform.md` §5).

use nuthatch_protocol::Timestamp;
use serde::{Deserialize, Serialize};

/// So many in a window of time, counted in granules: what was used in one comes back when it leaves the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Most in a window.
    pub limit: u64,
    /// Length of the window; at most [`WINDOW_MAX_SECS`].
    pub window_secs: u32,
    /// Length of a granule; at least 1.
    pub granularity_secs: u32,
}

/// Longest window of a quota: what is remembered of the past is bounded by it.
pub const WINDOW_MAX_SECS: u32 = 24 * 3600;

/// How often something was used in a granule that starts at a time (seconds since the epoch).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Start of the granule, in seconds since the epoch.
    pub start_secs: i64,
    /// How often.
    pub count: u64,
}

impl Quota {
    /// So many an hour, by the minute: what most types have.
    pub const fn per_hour(limit: u64) -> Self {
        Self { limit, window_secs: 3600, granularity_secs: 60 }
    }

    /// Start of the granule of a time.
    pub fn granule(&self, at: Timestamp) -> i64 {
        let length = i64::from(self.granularity_secs.max(1));
        at.secs().div_euclid(length) * length
    }

    /// How much is left at a time, after what was used before.
    pub fn left(&self, used: &[Usage], at: Timestamp) -> u64 {
        let granule = self.granule(at);
        let first =
            granule - i64::from(self.window_secs.min(WINDOW_MAX_SECS)) + i64::from(self.granularity_secs.max(1));
        let in_window = used.iter().filter(|usage| (first..=granule).contains(&usage.start_secs));
        self.limit.saturating_sub(in_window.map(|usage| usage.count).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_comes_back_when_its_minute_leaves_the_window() {
        let quota = Quota::per_hour(2);
        let start = 1_700_000_000 / 60 * 60;
        let used = [Usage { start_secs: start, count: 2 }];
        assert_eq!(quota.left(&used, Timestamp::from_secs(start + 59 * 60 + 59)), 0);
        assert_eq!(quota.left(&used, Timestamp::from_secs(start + 60 * 60)), 2);
        assert_eq!(quota.left(&[], Timestamp::from_secs(start)), 2);
    }
}
