//! Releases.

use std::{cmp::Reverse, collections::BTreeMap};

use async_trait::async_trait;
use nuthatch_protocol::ProjectId;

use super::MemoryMeta;
use crate::{
    ReleaseStore, StoreError,
    releases::{RELEASES_MAX, Release},
};

#[async_trait]
impl ReleaseStore for MemoryMeta {
    async fn releases(&self, projects: &[ProjectId], version: Option<&str>) -> Result<Vec<Release>, StoreError> {
        let state = self.lock();
        let mut releases: Vec<Release> = state
            .releases
            .iter()
            .filter(|((project, name), _)| projects.contains(project) && version.is_none_or(|version| version == name))
            .map(|((project, name), date)| Release { project_id: *project, version: name.clone(), date: *date })
            .collect();
        releases.sort_by_key(|release| Reverse(release.date));
        releases.truncate(RELEASES_MAX);
        Ok(releases)
    }

    async fn new_issues(
        &self,
        projects: &[ProjectId],
        versions: &[String],
    ) -> Result<Vec<(ProjectId, String, u64)>, StoreError> {
        let state = self.lock();
        let mut counts: BTreeMap<(ProjectId, &String), u64> = BTreeMap::new();
        for issue in state.issues.values().filter(|issue| projects.contains(&issue.project_id)) {
            if let Some(version) = issue.first_release.as_ref().filter(|version| versions.contains(version)) {
                *counts.entry((issue.project_id, version)).or_default() += 1;
            }
        }
        Ok(counts.into_iter().map(|((project, version), count)| (project, version.clone(), count)).collect())
    }
}
