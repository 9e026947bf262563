//! What projects have.

use std::collections::BTreeSet;

use async_trait::async_trait;
use nuthatch_issues::Status;
use nuthatch_protocol::{Fact, Facts, ProjectId, Timestamp, TypeId};
use nuthatch_store::{
    ProjectFactStore, StoreError,
    files::FileKind,
    project_facts::{ENVIRONMENTS_MAX, ProjectFacts},
};
use rusqlite::{Connection, OptionalExtension, params};

use super::{EmbeddedMeta, column::unsigned, error::Failure};

/// The number of environments in the column `kind`.
const ENVIRONMENT: i64 = 0;

/// What a fact is in the columns `kind` and `name`.
fn columns(fact: &Fact) -> (i64, &str) {
    match fact {
        Fact::Environment(name) => (ENVIRONMENT, name),
        Fact::Transactions => (1, ""),
        Fact::Logs => (2, ""),
        Fact::Metrics => (3, ""),
    }
}

/// Keeps facts, and of environments as many as are kept. What was seen that day before is only read.
pub(super) fn note(connection: &Connection, facts: &Facts) -> Result<(), Failure> {
    if facts.is_empty() {
        return Ok(());
    }
    let mut write = connection.prepare_cached(
        "INSERT INTO project_fact VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET day = excluded.day WHERE day < excluded.day",
    )?;
    let mut changed = BTreeSet::new();
    for (project, fact, day) in facts.iter() {
        let (kind, name) = columns(fact);
        if write.execute(params![project.0 as i64, kind, name, day])? > 0 && kind == ENVIRONMENT {
            changed.insert(project);
        }
    }
    let mut cut = connection.prepare_cached(
        "DELETE FROM project_fact WHERE project_id = ?1 AND kind = ?2 AND name IN
         (SELECT name FROM project_fact WHERE project_id = ?1 AND kind = ?2 ORDER BY day DESC, name LIMIT -1 OFFSET ?3)",
    )?;
    for project in changed {
        cut.execute(params![project.0 as i64, ENVIRONMENT, ENVIRONMENTS_MAX as i64])?;
    }
    Ok(())
}

/// Everything is found by an index, in a few steps.
fn facts_of(connection: &Connection, ProjectId(project): ProjectId) -> Result<ProjectFacts, Failure> {
    let project = project as i64;
    let mut kept = ProjectFacts::default();
    let mut statement =
        connection.prepare_cached("SELECT kind, name FROM project_fact WHERE project_id = ?1 ORDER BY kind, name")?;
    let mut rows = statement.query([project])?;
    while let Some(row) = rows.next()? {
        match row.get(0)? {
            ENVIRONMENT => kept.environments.push(row.get(1)?),
            1 => kept.has_transactions = true,
            2 => kept.has_logs = true,
            3 => kept.has_metrics = true,
            _ => {}
        }
    }
    let latest_release = connection
        .prepare_cached("SELECT version FROM release WHERE project_id = ?1 ORDER BY date DESC, version DESC LIMIT 1")?
        .query_row([project], |row| row.get(0))
        .optional()?;
    let mut first =
        connection.prepare_cached("SELECT min(first_seen) FROM issue WHERE project_id = ?1 AND status = ?2")?;
    let mut first_event = None;
    for status in [Status::Unresolved, Status::Resolved, Status::Ignored] {
        let seen: Option<i64> = first.query_row(params![project, status.number()], |row| row.get(0))?;
        first_event = first_event.into_iter().chain(seen.map(Timestamp)).min();
    }
    let has_files = "SELECT 1 FROM file WHERE project_id = ?1 AND kind IN";
    let has = |sql: &str| -> Result<bool, Failure> { Ok(connection.prepare_cached(sql)?.exists([project])?) };
    Ok(ProjectFacts {
        first_event,
        latest_release,
        has_sessions: has("SELECT 1 FROM session_place JOIN session_hour ON place_id = id WHERE project_id = ?1")?,
        has_user_reports: has("SELECT 1 FROM user_report WHERE project_id = ?1")?,
        has_profiles: has(&format!(
            "{has_files} ({}, {})",
            FileKind::Profile.number(),
            FileKind::ProfileChunk.number()
        ))?,
        has_replays: has(&format!(
            "{has_files} ({}, {})",
            FileKind::ReplayEvent.number(),
            FileKind::ReplayVideo.number()
        ))?,
        has_feedback: has(&format!("SELECT 1 FROM issue WHERE project_id = ?1 AND type_id = {}", TypeId::FEEDBACK.0))?,
        has_monitors: has("SELECT 1 FROM monitor WHERE project_id = ?1")?,
        ..kept
    })
}

#[async_trait]
impl ProjectFactStore for EmbeddedMeta {
    async fn project_facts(&self, projects: &[ProjectId]) -> Result<Vec<ProjectFacts>, StoreError> {
        let projects = projects.to_vec();
        self.readers
            .read(move |connection| projects.iter().map(|project| facts_of(connection, *project)).collect())
            .await
    }

    async fn projects_to_look_through(&self) -> Result<Vec<ProjectId>, StoreError> {
        self.readers
            .read(|connection| {
                let mut statement =
                    connection.prepare_cached("SELECT project_id FROM project_to_look_through ORDER BY project_id")?;
                let projects = statement.query_map([], |row| Ok(ProjectId(unsigned(row, 0)?)))?;
                Ok(projects.collect::<Result<_, _>>()?)
            })
            .await
    }

    async fn looked_through(&self, project: ProjectId, found: Facts) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                note(connection, &found)?;
                connection
                    .prepare_cached("DELETE FROM project_to_look_through WHERE project_id = ?1")?
                    .execute([project.0 as i64])?;
                Ok(())
            })
            .await
    }

    async fn expire_facts(&self, before: Timestamp) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                connection.prepare_cached("DELETE FROM project_fact WHERE day < ?1")?.execute([before.days()])?;
                Ok(())
            })
            .await
    }
}
