//! Releases.

use async_trait::async_trait;
use nuthatch_protocol::{ProjectId, Timestamp};
use nuthatch_store::{
    ReleaseStore, StoreError,
    releases::{RELEASES_MAX, Release},
};
use rusqlite::params;
use serde_json::json;

use super::{EmbeddedMeta, column::unsigned};

fn list(projects: &[ProjectId]) -> String {
    json!(projects.iter().map(|id| id.0).collect::<Vec<_>>()).to_string()
}

#[async_trait]
impl ReleaseStore for EmbeddedMeta {
    async fn releases(&self, projects: &[ProjectId], version: Option<&str>) -> Result<Vec<Release>, StoreError> {
        let (projects, version) = (list(projects), version.map(str::to_owned));
        self.readers
            .read(move |connection| {
                let only = if version.is_some() { "version = ?2" } else { "?2 IS NULL" };
                let mut statement = connection.prepare_cached(&format!(
                    "SELECT project_id, version, date FROM release
                      WHERE project_id IN (SELECT value FROM json_each(?1)) AND {only}
                      ORDER BY date DESC, project_id, version LIMIT ?3"
                ))?;
                let rows = statement.query_map(params![projects, version, RELEASES_MAX as i64], |row| {
                    Ok(Release {
                        project_id: ProjectId(unsigned(row, 0)?),
                        version: row.get(1)?,
                        date: Timestamp(row.get(2)?),
                    })
                })?;
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
