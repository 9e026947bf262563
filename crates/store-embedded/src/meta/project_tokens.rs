//! Project tokens.

use async_trait::async_trait;
use nuthatch_protocol::{ProjectId, Timestamp};
use nuthatch_store::{
    ProjectTokenStore, StoreError,
    accounts::SecretHash,
    project_tokens::{NewProjectToken, ProjectToken},
};
use rusqlite::{OptionalExtension, Row, params};

use super::{EmbeddedMeta, column::unsigned, error::constraint};

const TOKEN: &str = "SELECT id, last_characters, project_id, name, created FROM project_token";

fn token(row: &Row<'_>) -> rusqlite::Result<ProjectToken> {
    Ok(ProjectToken {
        id: unsigned(row, 0)?,
        last_characters: row.get(1)?,
        project_id: ProjectId(unsigned(row, 2)?),
        name: row.get(3)?,
        created: Timestamp(row.get(4)?),
    })
}

#[async_trait]
impl ProjectTokenStore for EmbeddedMeta {
    async fn create_project_token(&self, new: NewProjectToken) -> Result<ProjectToken, StoreError> {
        self.writer
            .write(move |connection| {
                let NewProjectToken { secret, last_characters, project_id, name, created } = new;
                let id = connection
                    .prepare_cached(
                        "INSERT INTO project_token (secret, last_characters, project_id, name, created)
                         VALUES (?1, ?2, ?3, ?4, ?5)",
                    )?
                    .insert(params![secret, last_characters, project_id.0 as i64, name, created.0])
                    .map_err(constraint("this token", "the project"))?;
                Ok(ProjectToken { id: id as u64, last_characters, project_id, name, created })
            })
            .await
    }

    async fn project_token(&self, secret: &SecretHash) -> Result<Option<ProjectToken>, StoreError> {
        let secret = *secret;
        self.readers
            .read(move |connection| {
                let mut statement = connection.prepare_cached(&format!("{TOKEN} WHERE secret = ?1"))?;
                Ok(statement.query_row([secret], token).optional()?)
            })
            .await
    }

    async fn project_tokens(&self, project: ProjectId) -> Result<Vec<ProjectToken>, StoreError> {
        self.readers
            .read(move |connection| {
                let mut statement = connection.prepare_cached(&format!("{TOKEN} WHERE project_id = ?1 ORDER BY id"))?;
                Ok(statement.query_map([project.0 as i64], token)?.collect::<Result<_, _>>()?)
            })
            .await
    }

    async fn delete_project_token(&self, project: ProjectId, id: u64) -> Result<bool, StoreError> {
        self.writer
            .write(move |connection| {
                let mut statement =
                    connection.prepare_cached("DELETE FROM project_token WHERE id = ?1 AND project_id = ?2")?;
                Ok(statement.execute(params![id as i64, project.0 as i64])? > 0)
            })
            .await
    }
}
