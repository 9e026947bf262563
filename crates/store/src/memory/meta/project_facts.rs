//! What projects have.

use std::cmp::Reverse;

use async_trait::async_trait;
use nuthatch_protocol::{Fact, Facts, ProjectId, Timestamp, TypeId};

use super::{MemoryMeta, State};
use crate::{
    ProjectFactStore, StoreError,
    files::FileKind,
    project_facts::{ENVIRONMENTS_MAX, ProjectFacts},
};

impl State {
    /// Keeps facts, and of environments as many as are kept.
    pub(super) fn note(&mut self, facts: &Facts) {
        for (project, fact, day) in facts.iter() {
            let known = self.facts.entry((project, fact.clone())).or_insert(day);
            *known = day.max(*known);
            let mut environments: Vec<(Reverse<i64>, String)> = self
                .facts
                .iter()
                .filter_map(|((of, fact), day)| match fact {
                    Fact::Environment(name) if *of == project => Some((Reverse(*day), name.clone())),
                    _ => None,
                })
                .collect();
            environments.sort();
            for (_, name) in environments.into_iter().skip(ENVIRONMENTS_MAX) {
                self.facts.remove(&(project, Fact::Environment(name)));
            }
        }
    }

    fn facts_of(&self, project: ProjectId) -> ProjectFacts {
        let has = |fact| self.facts.contains_key(&(project, fact));
        let environment = |((of, fact), _): (&(ProjectId, Fact), &i64)| match fact {
            Fact::Environment(name) if *of == project => Some(name.clone()),
            _ => None,
        };
        let has_files = |kinds: &[FileKind]| {
            self.files.values().any(|file| file.head.project_id == project && kinds.contains(&file.head.kind))
        };
        let issues = || self.issues.values().filter(|issue| issue.project_id == project);
        let releases = self.releases.iter().filter(|((of, _), _)| *of == project);
        ProjectFacts {
            first_event: issues().map(|issue| issue.first_seen).min(),
            environments: self.facts.iter().filter_map(environment).collect(),
            latest_release: releases.max_by_key(|((_, version), date)| (**date, version)).map(|((_, v), _)| v.clone()),
            has_transactions: has(Fact::Transactions),
            has_logs: has(Fact::Logs),
            has_metrics: has(Fact::Metrics),
            has_sessions: self.health.has_sessions(project),
            has_user_reports: self.reports.values().any(|report| report.project_id == project),
            has_profiles: has_files(&[FileKind::Profile, FileKind::ProfileChunk]),
            has_replays: has_files(&[FileKind::ReplayEvent, FileKind::ReplayVideo]),
            has_feedback: issues().any(|issue| issue.type_id == TypeId::FEEDBACK),
            has_monitors: self.monitors.values().any(|monitor| monitor.project_id == project),
        }
    }
}

#[async_trait]
impl ProjectFactStore for MemoryMeta {
    async fn project_facts(&self, projects: &[ProjectId]) -> Result<Vec<ProjectFacts>, StoreError> {
        let state = self.lock();
        Ok(projects.iter().map(|project| state.facts_of(*project)).collect())
    }

    async fn projects_to_look_through(&self) -> Result<Vec<ProjectId>, StoreError> {
        Ok(Vec::new())
    }

    async fn looked_through(&self, _project: ProjectId, found: Facts) -> Result<(), StoreError> {
        self.lock().note(&found);
        Ok(())
    }

    async fn expire_facts(&self, before: Timestamp) -> Result<(), StoreError> {
        self.lock().facts.retain(|_, day| *day >= before.days());
        Ok(())
    }
}
