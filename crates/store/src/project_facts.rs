//! What lists of projects show of each, read without looking through what projects sent.

use async_trait::async_trait;
use nuthatch_protocol::{Facts, ProjectId, Timestamp};

use crate::StoreError;

/// What projects have. Facts that rows of the other stores show are kept when those rows are: by
/// [`IssueStore::transact`](crate::IssueStore::transact) and with each [`Settlement`](crate::settlements::Settlement).
#[async_trait]
pub trait ProjectFactStore: Send + Sync + 'static {
    /// What each of these projects has, in their order. Takes as long however much they sent.
    async fn project_facts(&self, projects: &[ProjectId]) -> Result<Vec<ProjectFacts>, StoreError>;

    /// Projects that are older than the keeping of facts and whose stored rows were not looked through for them yet.
    async fn projects_to_look_through(&self) -> Result<Vec<ProjectId>, StoreError>;

    /// Adds what was found in the stored rows of a project, and remembers that they were looked through.
    async fn looked_through(&self, project: ProjectId, found: Facts) -> Result<(), StoreError>;

    /// Forgets facts that were last seen on a day before that of a time, as retention demands.
    async fn expire_facts(&self, before: Timestamp) -> Result<(), StoreError>;
}

/// Most environments that are kept of a project: those that were seen last, of one day the first by name.
pub const ENVIRONMENTS_MAX: usize = 100;

/// What a project has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProjectFacts {
    /// Time of the earliest event that an issue counted.
    pub first_event: Option<Timestamp>,
    /// The environments that its events name, by name; at most [`ENVIRONMENTS_MAX`].
    pub environments: Vec<String>,
    /// The version that is known for the shortest time.
    pub latest_release: Option<String>,
    /// Whether it has transactions.
    pub has_transactions: bool,
    /// Whether it has log lines.
    pub has_logs: bool,
    /// Whether it has metrics.
    pub has_metrics: bool,
    /// Whether sessions of it are kept.
    pub has_sessions: bool,
    /// Whether users said something about its events.
    pub has_user_reports: bool,
    /// Whether it has profiles.
    pub has_profiles: bool,
    /// Whether it has replays.
    pub has_replays: bool,
    /// Whether it has feedback.
    pub has_feedback: bool,
    /// Whether it has monitors.
    pub has_monitors: bool,
}
