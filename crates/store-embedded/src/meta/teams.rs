//! Teams.

use async_trait::async_trait;
use nuthatch_protocol::{OrganizationId, ProjectId, TeamId, Timestamp, UserId};
use nuthatch_store::{Change, StoreError, TeamStore, teams::Team};
use rusqlite::{OptionalExtension, Row, params};

use super::{
    EmbeddedMeta,
    column::unsigned,
    error::{constraint, met},
};

const NO_TEAM: &str = "the team";

fn team(row: &Row<'_>) -> rusqlite::Result<Team> {
    Ok(Team {
        id: TeamId(unsigned(row, 0)?),
        organization_id: OrganizationId(unsigned(row, 1)?),
        slug: row.get(2)?,
        name: row.get(3)?,
        created: Timestamp(row.get(4)?),
    })
}

impl EmbeddedMeta {
    /// The pairs of team and something else of an organization.
    async fn of_teams(
        &self,
        query: &'static str,
        organization: OrganizationId,
    ) -> Result<Vec<(TeamId, u64)>, StoreError> {
        self.readers
            .read(move |connection| {
                let mut statement = connection.prepare_cached(query)?;
                let pairs = statement
                    .query_map([organization.0 as i64], |row| Ok((TeamId(unsigned(row, 0)?), unsigned(row, 1)?)))?;
                Ok(pairs.collect::<Result<_, _>>()?)
            })
            .await
    }

    /// Writes a pair of a team and something of its organization, which `query` finds.
    async fn link(&self, query: &'static str, team: TeamId, other: u64, what: &'static str) -> Result<(), StoreError> {
        self.configure(move |connection| {
            let rows = connection.prepare_cached(query)?.execute([team.0 as i64, other as i64])?;
            met(rows, what)
        })
        .await
    }

    async fn unlink(&self, query: &'static str, team: TeamId, other: u64) -> Result<bool, StoreError> {
        self.configure(move |connection| {
            Ok(connection.prepare_cached(query)?.execute([team.0 as i64, other as i64])? > 0)
        })
        .await
    }
}

#[async_trait]
impl TeamStore for EmbeddedMeta {
    async fn create_team(
        &self,
        organization: OrganizationId,
        slug: &str,
        name: &str,
        now: Timestamp,
    ) -> Result<Team, StoreError> {
        let (slug, name) = (slug.to_owned(), name.to_owned());
        self.configure(move |connection| {
            let id = connection
                .prepare_cached("INSERT INTO team (organization_id, slug, name, created) VALUES (?1, ?2, ?3, ?4)")?
                .insert(params![organization.0 as i64, slug, name, now.0])
                .map_err(constraint("this team slug", "the organization"))?;
            Ok(Team { id: TeamId(id as u64), organization_id: organization, slug, name, created: now })
        })
        .await
    }

    async fn change_team(&self, id: TeamId, change: Change<Team>) -> Result<Team, StoreError> {
        self.configure(move |connection| {
            let mut changed = connection
                .prepare_cached("SELECT id, organization_id, slug, name, created FROM team WHERE id = ?1")?
                .query_row([id.0 as i64], team)
                .optional()?
                .ok_or(StoreError::NotFound(NO_TEAM))?;
            change(&mut changed)?;
            connection
                .prepare_cached("UPDATE team SET slug = ?2, name = ?3 WHERE id = ?1")?
                .execute(params![id.0 as i64, changed.slug, changed.name])
                .map_err(constraint("this team slug", NO_TEAM))?;
            Ok(changed)
        })
        .await
    }

    async fn delete_team(&self, id: TeamId) -> Result<(), StoreError> {
        self.configure(move |connection| {
            let rows = connection.prepare_cached("DELETE FROM team WHERE id = ?1")?.execute([id.0 as i64])?;
            met(rows, NO_TEAM)
        })
        .await
    }

    async fn teams(&self, organization: OrganizationId) -> Result<Vec<Team>, StoreError> {
        self.readers
            .read(move |connection| {
                let mut statement = connection.prepare_cached(
                    "SELECT id, organization_id, slug, name, created FROM team WHERE organization_id = ?1 ORDER BY slug",
                )?;
                Ok(statement.query_map([organization.0 as i64], team)?.collect::<Result<_, _>>()?)
            })
            .await
    }

    async fn team_members(&self, organization: OrganizationId) -> Result<Vec<(TeamId, UserId)>, StoreError> {
        let query = "SELECT team_id, user_id FROM team_member JOIN team ON team.id = team_id
                      WHERE organization_id = ?1 ORDER BY 1, 2";
        let pairs = self.of_teams(query, organization).await?;
        Ok(pairs.into_iter().map(|(team, user)| (team, UserId(user))).collect())
    }

    async fn join_team(&self, team: TeamId, user: UserId) -> Result<(), StoreError> {
        let query = "INSERT INTO team_member (team_id, user_id)
                     SELECT team.id, user_id FROM team JOIN member USING (organization_id)
                      WHERE team.id = ?1 AND user_id = ?2
                     ON CONFLICT DO UPDATE SET user_id = excluded.user_id";
        self.link(query, team, user.0, "the team or its member").await
    }

    async fn leave_team(&self, team: TeamId, user: UserId) -> Result<bool, StoreError> {
        self.unlink("DELETE FROM team_member WHERE team_id = ?1 AND user_id = ?2", team, user.0).await
    }

    async fn team_projects(&self, organization: OrganizationId) -> Result<Vec<(TeamId, ProjectId)>, StoreError> {
        let query = "SELECT team_id, project_id FROM team_project JOIN team ON team.id = team_id
                      WHERE organization_id = ?1 ORDER BY 1, 2";
        let pairs = self.of_teams(query, organization).await?;
        Ok(pairs.into_iter().map(|(team, project)| (team, ProjectId(project))).collect())
    }

    async fn give_project(&self, team: TeamId, project: ProjectId) -> Result<(), StoreError> {
        let query = "INSERT INTO team_project (team_id, project_id)
                     SELECT team.id, project.id FROM team JOIN project USING (organization_id)
                      WHERE team.id = ?1 AND project.id = ?2
                     ON CONFLICT DO UPDATE SET project_id = excluded.project_id";
        self.link(query, team, project.0, "the team or its project").await
    }

    async fn take_project(&self, team: TeamId, project: ProjectId) -> Result<bool, StoreError> {
        self.unlink("DELETE FROM team_project WHERE team_id = ?1 AND project_id = ?2", team, project.0).await
    }
}
