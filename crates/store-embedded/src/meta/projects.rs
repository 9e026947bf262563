//! Organizations, projects, keys.

use std::collections::BTreeSet;

use async_trait::async_trait;
use nuthatch_protocol::{KeyId, OrganizationId, ProjectId, PublicKey, QuotaId, Timestamp, UserId};
use nuthatch_store::{
    Change, ProjectStore, StoreError,
    projects::{
        FIRST_KEY_NAME, NewKey, NewProject, Organization, OrganizationOptions, Project, ProjectKey, ProjectOptions,
        Role,
    },
    quotas::{KeyRateLimit, Quota, QuotaRule},
};
use rusqlite::{Connection, OptionalExtension, Row, params, types::Type};
use serde::de::DeserializeOwned;

use super::{
    EmbeddedMeta,
    column::{JsonText, unsigned},
    error::{Failure, constraint, corrupt, met},
};

const ORGANIZATION: &str = "SELECT id, slug, name, created, features, options FROM organization";
const PROJECT: &str =
    "SELECT id, organization_id, slug, name, platform, created, resolve_age_hours, options FROM project";
const KEY: &str =
    "SELECT id, project_id, name, public, is_active, created, rate_window_secs, rate_count FROM project_key";
const NO_ORGANIZATION: &str = "the organization";
const NO_PROJECT: &str = "the project";
const NO_KEY: &str = "the key";
const NO_QUOTA: &str = "the quota";

fn organization(row: &Row<'_>) -> rusqlite::Result<Organization> {
    Ok(Organization {
        id: OrganizationId(unsigned(row, 0)?),
        slug: row.get(1)?,
        name: row.get(2)?,
        created: Timestamp(row.get(3)?),
        // Written by this module only; what is no list is no feature.
        features: serde_json::from_str(row.get_ref(4)?.as_str()?).unwrap_or_default(),
        options: options(row, 5)?,
    })
}

/// A column of options. Rules that cannot be read must not be taken for none: then secrets would be stored.
fn options<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    serde_json::from_str(row.get_ref(column)?.as_str()?)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into()))
}

fn project(row: &Row<'_>) -> rusqlite::Result<Project> {
    Ok(Project {
        id: ProjectId(unsigned(row, 0)?),
        organization_id: OrganizationId(unsigned(row, 1)?),
        slug: row.get(2)?,
        name: row.get(3)?,
        platform: row.get(4)?,
        created: Timestamp(row.get(5)?),
        resolve_age_hours: row.get(6)?,
        options: options(row, 7)?,
    })
}

fn key(row: &Row<'_>) -> rusqlite::Result<ProjectKey> {
    Ok(ProjectKey {
        id: KeyId(unsigned(row, 0)?),
        project_id: ProjectId(unsigned(row, 1)?),
        name: row.get(2)?,
        public: PublicKey(row.get(3)?),
        is_active: row.get(4)?,
        created: Timestamp(row.get(5)?),
        rate_limit: match row.get::<_, Option<u32>>(6)? {
            Some(window_secs) => Some(KeyRateLimit { window_secs, count: unsigned(row, 7)? }),
            None => None,
        },
    })
}

/// The columns of a key's rate limit.
fn rate_columns(limit: Option<KeyRateLimit>) -> (Option<u32>, Option<i64>) {
    (limit.map(|limit| limit.window_secs), limit.map(|limit| limit.count as i64))
}

fn quota(row: &Row<'_>) -> rusqlite::Result<Quota> {
    Ok(Quota {
        id: QuotaId(unsigned(row, 0)?),
        organization_id: OrganizationId(unsigned(row, 1)?),
        project_id: row.get::<_, Option<i64>>(2)?.map(|id| ProjectId(id as u64)),
        // A limit that cannot be read must not be taken for none.
        rule: serde_json::from_str(row.get_ref(3)?.as_str()?)
            .map_err(|error| rusqlite::Error::FromSqlConversionFailure(3, Type::Text, error.into()))?,
    })
}

fn insert_key(connection: &Connection, new: NewKey) -> Result<ProjectKey, Failure> {
    let (window_secs, count) = rate_columns(new.rate_limit);
    let id = connection
        .prepare_cached(
            "INSERT INTO project_key (project_id, name, public, is_active, created, rate_window_secs, rate_count)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .insert(params![
            new.project_id.0 as i64,
            new.name,
            new.public.0,
            new.is_active,
            new.created.0,
            window_secs,
            count
        ])
        .map_err(constraint("this public key", NO_PROJECT))?;
    let NewKey { project_id, name, public, is_active, rate_limit, created } = new;
    Ok(ProjectKey { id: KeyId(id as u64), project_id, name, public, is_active, rate_limit, created })
}

impl EmbeddedMeta {
    /// A write that raises the version of the configuration.
    pub(super) async fn configure<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        self.writer
            .write(|connection| {
                connection.prepare_cached("UPDATE config_version SET value = value + 1")?.execute([])?;
                work(connection)
            })
            .await
    }
}

#[async_trait]
impl ProjectStore for EmbeddedMeta {
    fn config_version(&self) -> u64 {
        self.writer.config_version()
    }

    async fn create_organization(&self, slug: &str, name: &str, now: Timestamp) -> Result<Organization, StoreError> {
        let (slug, name) = (slug.to_owned(), name.to_owned());
        self.configure(move |connection| {
            let id = connection
                .prepare_cached("INSERT INTO organization (slug, name, created) VALUES (?1, ?2, ?3)")?
                .insert(params![slug, name, now.0])
                .map_err(constraint("this organization slug", NO_ORGANIZATION))?;
            let (features, options) = (BTreeSet::new(), OrganizationOptions::default());
            Ok(Organization { id: OrganizationId(id as u64), slug, name, created: now, features, options })
        })
        .await
    }

    async fn change_organization(
        &self,
        id: OrganizationId,
        change: Change<Organization>,
    ) -> Result<Organization, StoreError> {
        self.configure(move |connection| {
            let mut changed = connection
                .prepare_cached(&format!("{ORGANIZATION} WHERE id = ?1"))?
                .query_row([id.0 as i64], organization)
                .optional()?
                .ok_or(StoreError::NotFound(NO_ORGANIZATION))?;
            change(&mut changed)?;
            connection
                .prepare_cached(
                    "UPDATE organization SET slug = ?2, name = ?3, features = ?4, options = ?5 WHERE id = ?1",
                )?
                .execute(params![
                    id.0 as i64,
                    changed.slug,
                    changed.name,
                    JsonText(&changed.features),
                    JsonText(&changed.options)
                ])
                .map_err(constraint("this organization slug", NO_ORGANIZATION))?;
            Ok(changed)
        })
        .await
    }

    async fn organization(&self, id: OrganizationId) -> Result<Option<Organization>, StoreError> {
        self.readers
            .read(move |connection| {
                let mut statement = connection.prepare_cached(&format!("{ORGANIZATION} WHERE id = ?1"))?;
                Ok(statement.query_row([id.0 as i64], organization).optional()?)
            })
            .await
    }

    async fn organizations(&self) -> Result<Vec<Organization>, StoreError> {
        self.readers
            .read(|connection| {
                let mut statement = connection.prepare_cached(&format!("{ORGANIZATION} ORDER BY id"))?;
                Ok(statement.query_map([], organization)?.collect::<Result<_, _>>()?)
            })
            .await
    }

    async fn organizations_of(&self, user: UserId) -> Result<Vec<Organization>, StoreError> {
        self.readers
            .read(move |connection| {
                let mut statement = connection.prepare_cached(&format!(
                    "{ORGANIZATION} WHERE id IN (SELECT organization_id FROM member WHERE user_id = ?1) ORDER BY id"
                ))?;
                Ok(statement.query_map([user.0 as i64], organization)?.collect::<Result<_, _>>()?)
            })
            .await
    }

    async fn add_member(&self, organization: OrganizationId, user: UserId, role: Role) -> Result<(), StoreError> {
        self.configure(move |connection| {
            connection
                .prepare_cached("INSERT INTO member VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?
                .execute(params![organization.0 as i64, user.0 as i64, role.as_str()])
                .map_err(constraint("this member", "the organization or the user"))?;
            Ok(())
        })
        .await
    }

    async fn members(&self, organization: OrganizationId) -> Result<Vec<(UserId, Role)>, StoreError> {
        self.readers
            .read(move |connection| {
                let mut statement = connection
                    .prepare_cached("SELECT user_id, role FROM member WHERE organization_id = ?1 ORDER BY user_id")?;
                let mut rows = statement.query([organization.0 as i64])?;
                let mut members = Vec::new();
                while let Some(row) = rows.next()? {
                    let word: String = row.get(1)?;
                    let role = Role::from_word(&word).ok_or_else(|| corrupt(&format!("a member has role {word:?}")))?;
                    members.push((UserId(unsigned(row, 0)?), role));
                }
                Ok(members)
            })
            .await
    }

    async fn create_project(&self, new: NewProject) -> Result<(Project, ProjectKey), StoreError> {
        self.configure(move |connection| {
            let id = connection
                .prepare_cached(
                    "INSERT INTO project (organization_id, slug, name, platform, created) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .insert(params![new.organization_id.0 as i64, new.slug, new.name, new.platform, new.created.0])
                .map_err(constraint("this project slug", NO_ORGANIZATION))?;
            let id = ProjectId(id as u64);
            let NewProject { organization_id, slug, name, platform, first_key, created } = new;
            let name_of_key = FIRST_KEY_NAME.to_owned();
            let key = NewKey {
                project_id: id,
                name: name_of_key,
                public: first_key,
                is_active: true,
                rate_limit: None,
                created,
            };
            let key = insert_key(connection, key)?;
            let options = ProjectOptions::default();
            Ok((Project { id, organization_id, slug, name, platform, created, resolve_age_hours: None, options }, key))
        })
        .await
    }

    async fn change_project(&self, id: ProjectId, change: Change<Project>) -> Result<Project, StoreError> {
        self.configure(move |connection| {
            let mut changed = connection
                .prepare_cached(&format!("{PROJECT} WHERE id = ?1"))?
                .query_row([id.0 as i64], project)
                .optional()?
                .ok_or(StoreError::NotFound(NO_PROJECT))?;
            change(&mut changed)?;
            let Project { slug, name, platform, resolve_age_hours, options, .. } = &changed;
            connection
                .prepare_cached(
                    "UPDATE project SET slug = ?2, name = ?3, platform = ?4, resolve_age_hours = ?5, options = ?6 \
                     WHERE id = ?1",
                )?
                .execute(params![id.0 as i64, slug, name, platform, resolve_age_hours, JsonText(options)])
                .map_err(constraint("this project slug", NO_ORGANIZATION))?;
            Ok(changed)
        })
        .await
    }

    async fn project(&self, id: ProjectId) -> Result<Option<Project>, StoreError> {
        self.readers
            .read(move |connection| {
                let mut statement = connection.prepare_cached(&format!("{PROJECT} WHERE id = ?1"))?;
                Ok(statement.query_row([id.0 as i64], project).optional()?)
            })
            .await
    }

    async fn projects(&self, organization: OrganizationId) -> Result<Vec<Project>, StoreError> {
        self.readers
            .read(move |connection| {
                let mut statement =
                    connection.prepare_cached(&format!("{PROJECT} WHERE organization_id = ?1 ORDER BY slug"))?;
                Ok(statement.query_map([organization.0 as i64], project)?.collect::<Result<_, _>>()?)
            })
            .await
    }

    async fn create_key(&self, new: NewKey) -> Result<ProjectKey, StoreError> {
        self.configure(move |connection| insert_key(connection, new)).await
    }

    async fn change_key(&self, id: KeyId, change: Change<ProjectKey>) -> Result<ProjectKey, StoreError> {
        self.configure(move |connection| {
            let mut changed = connection
                .prepare_cached(&format!("{KEY} WHERE id = ?1"))?
                .query_row([id.0 as i64], key)
                .optional()?
                .ok_or(StoreError::NotFound(NO_KEY))?;
            change(&mut changed)?;
            let (window_secs, count) = rate_columns(changed.rate_limit);
            connection
                .prepare_cached(
                    "UPDATE project_key SET name = ?2, is_active = ?3, rate_window_secs = ?4, rate_count = ?5
                      WHERE id = ?1",
                )?
                .execute(params![id.0 as i64, changed.name, changed.is_active, window_secs, count])?;
            Ok(changed)
        })
        .await
    }

    async fn delete_key(&self, id: KeyId) -> Result<(), StoreError> {
        self.configure(move |connection| {
            let rows = connection.prepare_cached("DELETE FROM project_key WHERE id = ?1")?.execute([id.0 as i64])?;
            met(rows, NO_KEY)
        })
        .await
    }

    async fn keys(&self, project: ProjectId) -> Result<Vec<ProjectKey>, StoreError> {
        self.readers
            .read(move |connection| {
                let mut statement = connection.prepare_cached(&format!("{KEY} WHERE project_id = ?1 ORDER BY id"))?;
                Ok(statement.query_map([project.0 as i64], key)?.collect::<Result<_, _>>()?)
            })
            .await
    }

    async fn key(&self, public: PublicKey) -> Result<Option<ProjectKey>, StoreError> {
        self.readers
            .read(move |connection| {
                let mut statement = connection.prepare_cached(&format!("{KEY} WHERE public = ?1"))?;
                Ok(statement.query_row([public.0], key).optional()?)
            })
            .await
    }

    async fn quotas(&self, organization: OrganizationId) -> Result<Vec<Quota>, StoreError> {
        self.readers
            .read(move |connection| {
                let mut statement = connection.prepare_cached(
                    "SELECT id, organization_id, project_id, rule FROM quota WHERE organization_id = ?1 ORDER BY id",
                )?;
                Ok(statement.query_map([organization.0 as i64], quota)?.collect::<Result<_, _>>()?)
            })
            .await
    }

    async fn create_quota(
        &self,
        organization: OrganizationId,
        project: Option<ProjectId>,
        rule: QuotaRule,
    ) -> Result<Quota, StoreError> {
        self.configure(move |connection| {
            if let Some(project) = project {
                let mut is_of =
                    connection.prepare_cached("SELECT 1 FROM project WHERE id = ?1 AND organization_id = ?2")?;
                met(usize::from(is_of.exists(params![project.0 as i64, organization.0 as i64])?), NO_PROJECT)?;
            }
            let id = connection
                .prepare_cached("INSERT INTO quota (organization_id, project_id, rule) VALUES (?1, ?2, ?3)")?
                .insert(params![organization.0 as i64, project.map(|id| id.0 as i64), JsonText(&rule)])
                .map_err(constraint("the quota", NO_ORGANIZATION))?;
            Ok(Quota { id: QuotaId(id as u64), organization_id: organization, project_id: project, rule })
        })
        .await
    }

    async fn update_quota(&self, id: QuotaId, rule: QuotaRule) -> Result<(), StoreError> {
        self.configure(move |connection| {
            let mut update = connection.prepare_cached("UPDATE quota SET rule = ?2 WHERE id = ?1")?;
            met(update.execute(params![id.0 as i64, JsonText(&rule)])?, NO_QUOTA)
        })
        .await
    }

    async fn delete_quota(&self, id: QuotaId) -> Result<(), StoreError> {
        self.configure(move |connection| {
            met(connection.prepare_cached("DELETE FROM quota WHERE id = ?1")?.execute([id.0 as i64])?, NO_QUOTA)
        })
        .await
    }
}
