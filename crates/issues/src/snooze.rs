//! What ends the archiving of an issue (`reference/issue-platform.md` §11.3).

use nuthatch_protocol::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Issue;

/// Longest window of a condition, in minutes: a week.
pub const WINDOW_MAX_MINS: u32 = 7 * 24 * 60;

/// Most users that a condition with a window waits for: so many are remembered.
pub const WINDOW_USERS_MAX: u64 = 1000;

/// A window of events is counted in so many parts.
const WINDOW_PARTS: u32 = 60;

/// Archived until one of these is met. What came before the archiving does not count.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Snooze {
    /// A time has come.
    pub until: Option<Timestamp>,
    /// So many more events came.
    pub events: Option<u64>,
    /// They have to come within so many minutes; at most [`WINDOW_MAX_MINS`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_window_mins: Option<u32>,
    /// So many more users were affected; with a window: so many users.
    pub users: Option<u64>,
    /// They have to come within so many minutes; at most [`WINDOW_MAX_MINS`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_window_mins: Option<u32>,
    /// Events when it was archived.
    pub events_before: u64,
    /// Users when it was archived.
    pub users_before: u64,
    /// Events of the window, as (start of the part in minutes since the epoch, events).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recent_events: Vec<(i64, u64)>,
    /// Users of the window, each with the second of its last event; at most [`Self::users`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recent_users: Vec<(u64, i64)>,
}

impl Snooze {
    /// Whether it depends on how many users the issue has in all.
    pub(crate) fn counts_users(&self) -> bool {
        self.users.is_some() && self.user_window_mins.is_none()
    }

    /// Takes note of an event that came now.
    pub(crate) fn see(&mut self, user: Option<u64>, now: Timestamp) {
        if let Some(window) = self.event_window_mins {
            let part = part_mins(window);
            let start = now.secs().div_euclid(60).div_euclid(part) * part;
            self.recent_events.retain(|(of, _)| *of > start - i64::from(window));
            match self.recent_events.last_mut().filter(|(of, _)| *of >= start) {
                Some((_, count)) => *count += 1,
                None => self.recent_events.push((start, 1)),
            }
        }
        if let (Some(window), Some(user)) = (self.user_window_mins, user) {
            let now = now.secs();
            self.recent_users.retain(|(other, at)| *other != user && *at > now - i64::from(window) * 60);
            self.recent_users.push((user, now));
        }
    }

    /// Whether a condition is met. `new_users`: of the issue, on top of its count.
    pub(crate) fn is_over(&self, issue: &Issue, new_users: u64, now: Timestamp) -> bool {
        let seen: u64 = match self.event_window_mins {
            Some(_) => self.recent_events.iter().map(|(_, count)| count).sum(),
            None => issue.times_seen.saturating_sub(self.events_before),
        };
        let affected = match self.user_window_mins {
            Some(_) => self.recent_users.len() as u64,
            None => (issue.user_count + new_users).saturating_sub(self.users_before),
        };
        self.is_past(now)
            || self.events.is_some_and(|events| seen >= events)
            || self.users.is_some_and(|users| affected >= users)
    }

    /// Whether its time has come.
    pub(crate) fn is_past(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }

    /// The same without what was counted in windows: what people are told.
    pub(crate) fn conditions(&self) -> Self {
        Self { recent_events: Vec::new(), recent_users: Vec::new(), ..self.clone() }
    }
}

/// Length of a part of a window, in minutes.
fn part_mins(window: u32) -> i64 {
    i64::from(window.div_ceil(WINDOW_PARTS).max(1))
}
