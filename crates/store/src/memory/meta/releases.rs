//! Releases.

use std::{cmp::Reverse, collections::BTreeMap};

use async_trait::async_trait;
use nuthatch_protocol::{ProjectId, Timestamp};

use super::MemoryMeta;
use crate::{
    ReleaseStore, StoreError,
    releases::{RELEASES_MAX, Release, ReleaseOutcome, ReleasePut},
};

#[async_trait]
impl ReleaseStore for MemoryMeta {
    async fn releases(&self, projects: &[ProjectId], version: Option<&str>) -> Result<Vec<Release>, StoreError> {
        let state = self.lock();
        let mut releases: Vec<Release> = state
            .releases
            .iter()
            .filter(|((project, name), _)| projects.contains(project) && version.is_none_or(|version| version == name))
            .map(|(key, date)| Release {
                project_id: key.0,
                version: key.1.clone(),
                date: *date,
                facts: state.release_facts.get(key).cloned().unwrap_or_default(),
            })
            .collect();
        releases.sort_by_key(|release| Reverse(release.date));
        releases.truncate(RELEASES_MAX);
        Ok(releases)
    }

    async fn put_release(
        &self,
        among: &[ProjectId],
        ReleasePut { version, projects, change }: ReleasePut,
        now: Timestamp,
    ) -> Result<ReleaseOutcome, StoreError> {
        let mut state = self.lock();
        let key = |project: &ProjectId| (*project, version.clone());
        let having: Vec<ProjectId> =
            among.iter().filter(|project| state.releases.contains_key(&key(project))).copied().collect();
        let facts = having.iter().find_map(|project| state.release_facts.get(&key(project))).cloned();
        let facts = change.apply(facts.unwrap_or_default());
        for project in having.iter().chain(&projects) {
            state.releases.entry(key(project)).or_insert(now);
            state.release_facts.insert(key(project), facts.clone());
        }
        Ok(match (having.is_empty(), projects.is_empty()) {
            (false, _) => ReleaseOutcome::Changed,
            (true, false) => ReleaseOutcome::Created,
            (true, true) => ReleaseOutcome::Nowhere,
        })
    }

    async fn latest_releases(&self, projects: &[ProjectId]) -> Result<Vec<(ProjectId, String)>, StoreError> {
        let state = self.lock();
        let mut latest: BTreeMap<ProjectId, (Timestamp, &String)> = BTreeMap::new();
        for ((project, version), date) in state.releases.iter().filter(|((project, _), _)| projects.contains(project)) {
            let known = latest.entry(*project).or_insert((*date, version));
            *known = (*known).max((*date, version));
        }
        Ok(latest.into_iter().map(|(project, (_, version))| (project, version.clone())).collect())
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
