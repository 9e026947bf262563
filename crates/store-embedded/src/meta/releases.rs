//! Releases.

use async_trait::async_trait;
use nuthatch_protocol::{ProjectId, Timestamp};
use nuthatch_store::{
    ReleaseStore, StoreError,
    releases::{RELEASES_MAX, Release, ReleaseFacts, ReleaseOutcome, ReleasePut},
};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::json;

use super::{EmbeddedMeta, column::unsigned, error::Failure};

/// Gives a project a version, unless it has it.
pub(in crate::meta) fn know(
    connection: &Connection,
    project: ProjectId,
    version: &str,
    since: Timestamp,
) -> Result<(), Failure> {
    connection.prepare_cached("INSERT INTO release VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?.execute(params![
        project.0 as i64,
        version,
        since.0
    ])?;
    Ok(())
}

fn list(projects: &[ProjectId]) -> String {
    json!(projects.iter().map(|id| id.0).collect::<Vec<_>>()).to_string()
}

/// The columns that [`facts`] reads.
const FACTS: &str = "reference, url, released, started, archived";

/// What is said about a release, from the columns that begin with one; nothing when there is no row.
fn facts(row: &Row<'_>, first: usize) -> rusqlite::Result<ReleaseFacts> {
    Ok(ReleaseFacts {
        reference: row.get(first)?,
        url: row.get(first + 1)?,
        released: row.get::<_, Option<i64>>(first + 2)?.map(Timestamp),
        started: row.get::<_, Option<i64>>(first + 3)?.map(Timestamp),
        archived: row.get::<_, Option<bool>>(first + 4)?.unwrap_or_default(),
    })
}

fn put(
    connection: &Connection,
    among: &str,
    ReleasePut { version, projects, change }: ReleasePut,
    now: Timestamp,
) -> Result<ReleaseOutcome, Failure> {
    let mut having = connection.prepare_cached(
        "SELECT project_id FROM release
          WHERE version = ?1 AND project_id IN (SELECT value FROM json_each(?2)) ORDER BY project_id",
    )?;
    let having: Vec<i64> = having.query_map(params![version, among], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut said = connection.prepare_cached(&format!(
        "SELECT {FACTS} FROM release_facts
          WHERE version = ?1 AND project_id IN (SELECT value FROM json_each(?2)) ORDER BY project_id LIMIT 1"
    ))?;
    let said = said.query_row(params![version, among], |row| facts(row, 0)).optional()?;
    let ReleaseFacts { reference, url, released, started, archived } = change.apply(said.unwrap_or_default());
    let mut write =
        connection.prepare_cached("INSERT OR REPLACE INTO release_facts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
    for project in &projects {
        know(connection, *project, &version, now)?;
    }
    for project in having.iter().copied().chain(projects.iter().map(|project| project.0 as i64)) {
        let (released, started) = (released.map(|time| time.0), started.map(|time| time.0));
        write.execute(params![project, version, reference, url, released, started, archived])?;
    }
    Ok(match (having.is_empty(), projects.is_empty()) {
        (false, _) => ReleaseOutcome::Changed,
        (true, false) => ReleaseOutcome::Created,
        (true, true) => ReleaseOutcome::Nowhere,
    })
}

#[async_trait]
impl ReleaseStore for EmbeddedMeta {
    async fn releases(&self, projects: &[ProjectId], version: Option<&str>) -> Result<Vec<Release>, StoreError> {
        let (projects, version) = (list(projects), version.map(str::to_owned));
        self.readers
            .read(move |connection| {
                let only = if version.is_some() { "version = ?2" } else { "?2 IS NULL" };
                let mut statement = connection.prepare_cached(&format!(
                    "SELECT project_id, version, date, {FACTS} FROM release LEFT JOIN release_facts USING (project_id, version)
                      WHERE project_id IN (SELECT value FROM json_each(?1)) AND {only}
                      ORDER BY date DESC, project_id, version LIMIT ?3"
                ))?;
                let rows = statement.query_map(params![projects, version, RELEASES_MAX as i64], |row| {
                    Ok(Release {
                        project_id: ProjectId(unsigned(row, 0)?),
                        version: row.get(1)?,
                        date: Timestamp(row.get(2)?),
                        facts: facts(row, 3)?,
                    })
                })?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }

    async fn put_release(
        &self,
        among: &[ProjectId],
        put: ReleasePut,
        now: Timestamp,
    ) -> Result<ReleaseOutcome, StoreError> {
        let among = list(among);
        self.writer.write(move |connection| self::put(connection, &among, put, now)).await
    }

    async fn latest_releases(&self, projects: &[ProjectId]) -> Result<Vec<(ProjectId, String)>, StoreError> {
        let projects = list(projects);
        self.readers
            .read(move |connection| {
                // Of the newest ones of a day the last by name, so that the answer is always the same.
                let mut statement = connection.prepare_cached(
                    "SELECT project_id, version
                       FROM (SELECT DISTINCT value AS asked FROM json_each(?1)) JOIN release ON project_id = asked
                      WHERE version = (SELECT version FROM release WHERE project_id = asked
                                        ORDER BY date DESC, version DESC LIMIT 1)
                      ORDER BY project_id",
                )?;
                let rows = statement.query_map([projects], |row| Ok((ProjectId(unsigned(row, 0)?), row.get(1)?)))?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }

    async fn new_issues(
        &self,
        projects: &[ProjectId],
        versions: &[String],
    ) -> Result<Vec<(ProjectId, String, u64)>, StoreError> {
        let (projects, versions) = (list(projects), json!(versions).to_string());
        self.readers
            .read(move |connection| {
                let mut statement = connection.prepare_cached(
                    "SELECT project_id, first_release, count(*)
                       FROM json_each(?2) wanted CROSS JOIN issue_text ON first_release = wanted.value
                            JOIN issue ON issue.id = issue_id
                      WHERE project_id IN (SELECT value FROM json_each(?1))
                      GROUP BY project_id, first_release ORDER BY project_id, first_release",
                )?;
                let rows = statement.query_map([projects, versions], |row| {
                    Ok((ProjectId(unsigned(row, 0)?), row.get(1)?, unsigned(row, 2)?))
                })?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }
}
