//! What is kept of the events of an issue that floods its project.
//!
//! However many there are, each is counted: in the issue, by the hour, by user, in the ledger. Beyond so many a minute only
//! one of [`KEPT_OF`] is kept with its body, and says so. Minutes are those in which the events were received, and the
//! decision is part of what the transaction remembers of an event, so a replay keeps the same ones.

use nuthatch_protocol::Timestamp;
use serde::{Deserialize, Serialize};

/// Beyond what a minute keeps of an issue, one of so many events is kept.
pub const KEPT_OF: u64 = 10;

/// How many events of an issue are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FloodGuard {
    /// So many a minute, each; of more, one of [`KEPT_OF`].
    pub kept_per_minute: u64,
}

/// How an issue's events come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Flood {
    /// The minute in which the newest ones were received, since the epoch.
    pub minute: i64,
    /// How many there were in it.
    pub events: u64,
    /// How many events of the issue are counted and not kept.
    pub thinned: u64,
}

/// What is kept of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// It.
    Whole,
    /// It, for [`KEPT_OF`].
    Sample,
    /// That there was one.
    Count,
}

impl Flood {
    /// Counts an event; what the guard would keep of it.
    pub(crate) fn see(&mut self, guard: FloodGuard, received: Timestamp) -> Keeping {
        let minute = received.secs().div_euclid(60);
        // A late one counts to the minute that has begun; when the clock was moved back further, counting begins anew.
        if minute != self.minute && minute + 1 != self.minute {
            (self.minute, self.events) = (minute, 0);
        }
        self.events = self.events.saturating_add(1);
        match self.events.saturating_sub(guard.kept_per_minute) {
            0 => Keeping::Whole,
            beyond if beyond.is_multiple_of(KEPT_OF) => Keeping::Sample,
            _ => Keeping::Count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of `events` are kept whole and as samples.
    fn kept(flood: &mut Flood, events: u64, secs: i64) -> (usize, usize) {
        let guard = FloodGuard { kept_per_minute: 5 };
        let all: Vec<Keeping> = (0..events).map(|_| flood.see(guard, Timestamp::from_secs(secs))).collect();
        let of = |wanted| all.iter().filter(|keeping| **keeping == wanted).count();
        (of(Keeping::Whole), of(Keeping::Sample))
    }

    #[test]
    fn the_first_of_a_minute_are_kept_and_one_of_ten_of_the_others() {
        let mut flood = Flood::default();
        assert_eq!(kept(&mut flood, 5, 0), (5, 0));
        assert_eq!(kept(&mut flood, 9, 59), (0, 0));
        assert_eq!(kept(&mut flood, 91, 59), (0, 10));
        assert_eq!(kept(&mut flood, 6, 60), (5, 0), "the next minute");
        assert_eq!(kept(&mut flood, 9, 59), (0, 1), "late ones belong to the minute that has begun");
        assert_eq!(kept(&mut flood, 6, -600), (5, 0), "a clock that was moved back");
    }
}
