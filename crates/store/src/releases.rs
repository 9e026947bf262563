//! Releases that events or sessions named, or that people and tools made.

use async_trait::async_trait;
use nuthatch_protocol::{ProjectId, Timestamp};

use crate::StoreError;

/// Releases. They come to be with the first event or session that names them, or when somebody says so.
#[async_trait]
pub trait ReleaseStore: Send + Sync + 'static {
    /// Releases of projects, or one version of them, those that are known for the shortest time first, then by project
    /// and version; at most [`RELEASES_MAX`].
    async fn releases(&self, projects: &[ProjectId], version: Option<&str>) -> Result<Vec<Release>, StoreError>;

    /// Gives a version to projects, which have it since `now` unless they did before, and changes what is said about it, in
    /// them and in those of `among` that have it. Nothing happens when there is no project to give it to and none has it.
    async fn put_release(
        &self,
        among: &[ProjectId],
        put: ReleasePut,
        now: Timestamp,
    ) -> Result<ReleaseOutcome, StoreError>;

    /// The version of each project that is known for the shortest time; nothing for those without.
    async fn latest_releases(&self, projects: &[ProjectId]) -> Result<Vec<(ProjectId, String)>, StoreError>;

    /// How many issues of each project were first seen in each of these versions, by project and version; nothing for
    /// none.
    async fn new_issues(
        &self,
        projects: &[ProjectId],
        versions: &[String],
    ) -> Result<Vec<(ProjectId, String, u64)>, StoreError>;
}

/// Most releases that are listed.
pub const RELEASES_MAX: usize = 10_000;

/// A version of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The project.
    pub project_id: ProjectId,
    /// The version, as events and sessions name it.
    pub version: String,
    /// Since when it is known.
    pub date: Timestamp,
    /// What is said about it.
    pub facts: ReleaseFacts,
}

/// What people and tools say about a release.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReleaseFacts {
    /// The commit or tag it was made of.
    pub reference: Option<String>,
    /// Where there is more about it.
    pub url: Option<String>,
    /// When it went out.
    pub released: Option<Timestamp>,
    /// When work on it began.
    pub started: Option<Timestamp>,
    /// Whether it is put away.
    pub archived: bool,
}

/// A change of what is said; `None` leaves it, `Some(None)` takes it back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReleaseChange {
    /// The commit or tag it was made of.
    pub reference: Option<Option<String>>,
    /// Where there is more about it.
    pub url: Option<Option<String>>,
    /// When it went out.
    pub released: Option<Option<Timestamp>>,
    /// When work on it began.
    pub started: Option<Option<Timestamp>>,
    /// Whether it is put away.
    pub archived: Option<bool>,
}

impl ReleaseChange {
    /// What is said after the change.
    pub fn apply(self, facts: ReleaseFacts) -> ReleaseFacts {
        ReleaseFacts {
            reference: self.reference.unwrap_or(facts.reference),
            url: self.url.unwrap_or(facts.url),
            released: self.released.unwrap_or(facts.released),
            started: self.started.unwrap_or(facts.started),
            archived: self.archived.unwrap_or(facts.archived),
        }
    }
}

/// A release to make or change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleasePut {
    /// The version.
    pub version: String,
    /// Projects that shall have it.
    pub projects: Vec<ProjectId>,
    /// What is said about it.
    pub change: ReleaseChange,
}

/// What became of [`ReleaseStore::put_release`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseOutcome {
    /// No project had the version.
    Created,
    /// One had it.
    Changed,
    /// There was no project to give it to.
    Nowhere,
}
