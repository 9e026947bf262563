//! The history of an issue: the states it went through (`reference/issue-platform.md` §10). Activities say what was
//! done and by whom; history says in which state an issue was at a time.

use nuthatch_protocol::{IssueId, Priority, Timestamp, UserId};

/// A state an issue came into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// The issue.
    pub issue_id: IssueId,
    /// The state.
    pub state: HistoryState,
    /// The release of the event that caused it, if an event did.
    pub release: Option<String>,
    /// Who caused it; `None` is the system.
    pub user_id: Option<UserId>,
    /// When.
    pub at: Timestamp,
}

/// A state in the history of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryState {
    /// 0
    Ongoing,
    /// 1
    Resolved,
    /// 2
    AutoResolved,
    /// 5
    Assigned,
    /// 6
    Unassigned,
    /// 7
    Regressed,
    /// 14
    Escalating,
    /// 15
    ArchivedUntilEscalating,
    /// 16
    ArchivedForever,
    /// 17
    ArchivedUntilConditionMet,
    /// 18
    PriorityLow,
    /// 19
    PriorityMedium,
    /// 21
    PriorityHigh,
}

impl HistoryState {
    /// Every state.
    pub const ALL: [Self; 13] = [
        Self::Ongoing,
        Self::Resolved,
        Self::AutoResolved,
        Self::Assigned,
        Self::Unassigned,
        Self::Regressed,
        Self::Escalating,
        Self::ArchivedUntilEscalating,
        Self::ArchivedForever,
        Self::ArchivedUntilConditionMet,
        Self::PriorityLow,
        Self::PriorityMedium,
        Self::PriorityHigh,
    ];

    /// The stored number.
    pub fn number(self) -> u8 {
        match self {
            Self::Ongoing => 0,
            Self::Resolved => 1,
            Self::AutoResolved => 2,
            Self::Assigned => 5,
            Self::Unassigned => 6,
            Self::Regressed => 7,
            Self::Escalating => 14,
            Self::ArchivedUntilEscalating => 15,
            Self::ArchivedForever => 16,
            Self::ArchivedUntilConditionMet => 17,
            Self::PriorityLow => 18,
            Self::PriorityMedium => 19,
            Self::PriorityHigh => 21,
        }
    }

    /// The state of a priority.
    pub(crate) fn of_priority(priority: Priority) -> Self {
        match priority {
            Priority::Low => Self::PriorityLow,
            Priority::Medium => Self::PriorityMedium,
            Priority::High => Self::PriorityHigh,
        }
    }
}
