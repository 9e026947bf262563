//! What ends the archiving of an issue (`reference/issue-platform.md` §11.3).

use nuthatch_protocol::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Issue;

/// Archived until one of these is met. The counts are those of the issue when it was archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Snooze {
    /// A time has come.
    pub until: Option<Timestamp>,
    /// So many more events came.
    pub events: Option<u64>,
    /// So many more users were affected.
    pub users: Option<u64>,
    /// Events when it was archived.
    pub events_before: u64,
    /// Users when it was archived.
    pub users_before: u64,
}

impl Snooze {
    /// Whether a condition is met.
    pub(crate) fn is_over(&self, issue: &Issue, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
            || self.events.is_some_and(|events| issue.times_seen >= self.events_before.saturating_add(events))
            || self.users.is_some_and(|users| issue.user_count >= self.users_before.saturating_add(users))
    }
}
