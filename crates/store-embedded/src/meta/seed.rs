//! Rows with ids of their own.

use nuthatch_store::{Seed, StoreError};
use rusqlite::params;

use super::{EmbeddedMeta, column::JsonText};

impl EmbeddedMeta {
    /// Puts rows into an empty database as they are. Secrets of accounts are not part of it: nobody can sign in.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] and others when an id or a slug is there already.
    pub async fn seed(&self, seed: Seed) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                for row in &seed.organizations {
                    let values = params![row.id.0 as i64, row.slug, row.name, row.created.0, JsonText(&row.features)];
                    connection.execute(
                        "INSERT INTO organization (id, slug, name, created, features) VALUES (?1, ?2, ?3, ?4, ?5)",
                        values,
                    )?;
                }
                for row in &seed.projects {
                    let (id, organization) = (row.id.0 as i64, row.organization_id.0 as i64);
                    connection.execute(
                        "INSERT INTO project (id, organization_id, slug, name, platform, created, resolve_age_hours)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                        params![
                            id,
                            organization,
                            row.slug,
                            row.name,
                            row.platform,
                            row.created.0,
                            row.resolve_age_hours
                        ],
                    )?;
                }
                for (user, memberships) in &seed.users {
                    let id = user.id.0 as i64;
                    connection.execute(
                        "INSERT INTO user (id, email, email_lower, name, password_hash, created)
                         VALUES (?1, ?2, lower(?2), ?3, '', ?4)",
                        params![id, user.email, user.name, user.created.0],
                    )?;
                    for (organization, role) in memberships {
                        let values = params![organization.0 as i64, id, role.as_str()];
                        connection.execute("INSERT INTO member VALUES (?1, ?2, ?3)", values)?;
                    }
                }
                for row in &seed.teams {
                    connection.execute(
                        "INSERT INTO team (id, organization_id, slug, name) VALUES (?1, ?2, ?3, ?4)",
                        params![row.id.0 as i64, row.organization_id.0 as i64, row.slug, row.name],
                    )?;
                }
                for (project, hash) in &seed.dead_hashes {
                    connection.execute(
                        "INSERT INTO issue_hash (project_id, hash, issue_id, number) VALUES (?1, ?2, NULL, 0)",
                        params![project.0 as i64, hash.0],
                    )?;
                }
                Ok(())
            })
            .await
    }
}
