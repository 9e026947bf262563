//! When an index store commits: soon enough to be searched, seldom enough to be quick.

use std::time::Duration;

use tokio::time::Instant;

use crate::WorkerOptions;

/// What was given to a store since its last commit.
pub(crate) struct Pace {
    uncommitted: usize,
    committed: Instant,
}

impl Pace {
    /// Nothing was given.
    pub(crate) fn new() -> Self {
        Self { uncommitted: 0, committed: Instant::now() }
    }

    /// Rows were given, or at least a position.
    pub(crate) fn added(&mut self, rows: usize) {
        self.uncommitted += rows.max(1);
    }

    /// Whether there is anything to commit.
    pub(crate) fn is_pending(&self) -> bool {
        self.uncommitted > 0
    }

    /// How long the next commit can wait.
    pub(crate) fn left(&self, options: &WorkerOptions) -> Duration {
        options.commit_interval.saturating_sub(self.committed.elapsed())
    }

    /// Whether it is time to commit.
    pub(crate) fn is_due(&self, options: &WorkerOptions) -> bool {
        self.is_pending() && (self.uncommitted >= options.commit_max_events || self.left(options).is_zero())
    }

    /// Everything is committed.
    pub(crate) fn committed(&mut self) {
        *self = Self::new();
    }
}
