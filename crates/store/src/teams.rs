//! Teams: members of an organization that take care of projects and issues together.

use async_trait::async_trait;
use nuthatch_protocol::{OrganizationId, ProjectId, TeamId, Timestamp, UserId};

use crate::{Change, StoreError};

/// Teams of organizations, their members and projects. Writers raise the version of the configuration.
#[async_trait]
pub trait TeamStore: Send + Sync + 'static {
    /// Creates a team. [`StoreError::Conflict`] when the slug is taken in the organization.
    async fn create_team(
        &self,
        organization: OrganizationId,
        slug: &str,
        name: &str,
        now: Timestamp,
    ) -> Result<Team, StoreError>;

    /// Changes slug and name of a team. [`StoreError::Conflict`] when the slug is taken in its organization.
    async fn change_team(&self, id: TeamId, change: Change<Team>) -> Result<Team, StoreError>;

    /// Removes a team; its members and projects stay. [`StoreError::NotFound`] when there is none.
    async fn delete_team(&self, id: TeamId) -> Result<(), StoreError>;

    /// Teams of an organization, by slug.
    async fn teams(&self, organization: OrganizationId) -> Result<Vec<Team>, StoreError>;

    /// Who is in which team of an organization, by team and user.
    async fn team_members(&self, organization: OrganizationId) -> Result<Vec<(TeamId, UserId)>, StoreError>;

    /// Puts a member of the organization into one of its teams. Nothing happens when they are in it;
    /// [`StoreError::NotFound`] when there is no such team, or they are no member.
    async fn join_team(&self, team: TeamId, user: UserId) -> Result<(), StoreError>;

    /// Takes somebody out of a team; whether they were in it.
    async fn leave_team(&self, team: TeamId, user: UserId) -> Result<bool, StoreError>;

    /// Which team of an organization has which projects, by team and project.
    async fn team_projects(&self, organization: OrganizationId) -> Result<Vec<(TeamId, ProjectId)>, StoreError>;

    /// Gives a project to a team of its organization. Nothing happens when the team has it; [`StoreError::NotFound`] when
    /// there is no such team or project in one organization.
    async fn give_project(&self, team: TeamId, project: ProjectId) -> Result<(), StoreError>;

    /// Takes a project from a team; whether it had it.
    async fn take_project(&self, team: TeamId, project: ProjectId) -> Result<bool, StoreError>;
}

/// A team of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// Id.
    pub id: TeamId,
    /// The organization.
    pub organization_id: OrganizationId,
    /// Name in URLs; unique in the organization.
    pub slug: String,
    /// Name for people.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
}
