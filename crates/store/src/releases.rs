//! Releases that events or sessions named.

use async_trait::async_trait;
use nuthatch_protocol::{ProjectId, Timestamp};

use crate::StoreError;

/// Releases. They come to be with the first event or session that names them.
#[async_trait]
pub trait ReleaseStore: Send + Sync + 'static {
    /// Releases of projects, or one version of them, those that are known for the shortest time first, then by project
    /// and version; at most [`RELEASES_MAX`].
    async fn releases(&self, projects: &[ProjectId], version: Option<&str>) -> Result<Vec<Release>, StoreError>;

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
}
