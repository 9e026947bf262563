//! How an issue goes from one state to another (`reference/issue-platform.md` §7.7, §11.1).

use std::time::Duration;

use nuthatch_protocol::{Priority, Timestamp};

use crate::{Issue, Status, Substatus};

/// An event at most so much later than creation or the last regression does not regress an issue (§7.7).
const REGRESSION_GRACE: Duration = Duration::from_secs(5);

impl Issue {
    /// Resolves it.
    pub(crate) fn resolve(&mut self, now: Timestamp) {
        self.status = Status::Resolved;
        self.substatus = None;
        self.resolved_at = Some(now);
    }

    /// Gives it a substatus, and the status that goes with it: it is not resolved then.
    pub(crate) fn enter(&mut self, substatus: Substatus) {
        self.status = substatus.status();
        self.substatus = Some(substatus);
        self.resolved_at = None;
    }

    /// Regresses it if it is resolved and an event of this time is new enough; `last_seen` includes the event. The
    /// time of the resolve does not count (§14.25).
    pub(crate) fn regress(&mut self, event: Timestamp) -> bool {
        let date = event.max(self.last_seen);
        if self.status != Status::Resolved || self.active_at >= date.minus(REGRESSION_GRACE) {
            return false;
        }
        self.enter(Substatus::Regressed);
        self.active_at = date;
        self.last_seen = date;
        true
    }

    /// Sets the priority unless a person has locked it (§14.20). Whether it changed.
    pub(crate) fn set_priority(&mut self, priority: Priority) -> bool {
        let changes = self.priority_locked_at.is_none() && self.priority != priority;
        if changes {
            self.priority = priority;
        }
        changes
    }
}
