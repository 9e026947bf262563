//! Open periods: from when to when an issue was not resolved (`reference/issue-platform.md` §1, §7.5, §8).

use nuthatch_protocol::{EventId, IssueId, Priority, Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// A time in which an issue was not resolved. Those of an issue do not overlap; at most the last one is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenPeriod {
    /// Its place among those of the issue, from 1.
    pub number: u32,
    /// When it began.
    pub started: Timestamp,
    /// When it ended; `None` while it is open.
    pub ended: Option<Timestamp>,
    /// The highest priority the issue had in it.
    pub highest_priority: Priority,
    /// The event that began it, if one did.
    pub event_id: Option<EventId>,
    /// Who ended it, if a person did.
    pub ended_by: Option<UserId>,
}

/// Something that happened in an open period of an issue whose type has a detector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeriodEntry {
    /// The issue.
    pub issue_id: IssueId,
    /// [`OpenPeriod::number`].
    pub period: u32,
    /// What.
    pub kind: PeriodEntryKind,
    /// The priority from then on.
    pub priority: Priority,
    /// When.
    pub at: Timestamp,
}

/// What happens in an open period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeriodEntryKind {
    /// It began.
    Opened,
    /// The priority changed.
    StatusChange,
    /// It ended.
    Closed,
}

impl PeriodEntryKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Opened, Self::StatusChange, Self::Closed];

    /// The word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::StatusChange => "status_change",
            Self::Closed => "closed",
        }
    }
}
