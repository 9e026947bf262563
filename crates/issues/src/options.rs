//! What may be chosen about the issue platform.

use crate::{FloodGuard, Quota};

/// Settings of an installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Most occurrences of a fingerprint in a project (`reference/issue-platform.md` §5); `None`: any number. Errors
    /// are never limited by it.
    pub occurrence_rate_limit: Option<Quota>,
    /// Whether an event that happened before the resolve leaves the issue resolved (§14.25).
    pub late_events_do_not_regress: bool,
    /// How many events of an issue are kept with their bodies, when an application's errors flood it; `None`: all.
    pub flood_guard: Option<FloodGuard>,
}
