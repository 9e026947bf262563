//! Teams.

use async_trait::async_trait;
use nuthatch_protocol::{OrganizationId, ProjectId, TeamId, Timestamp, UserId};

use super::{MemoryMeta, State};
use crate::{Change, StoreError, TeamStore, teams::Team};

impl State {
    fn team(&self, id: TeamId) -> Result<&Team, StoreError> {
        self.teams.get(&id).ok_or(StoreError::NotFound("the team"))
    }

    fn is_team_slug_taken(&self, organization: OrganizationId, slug: &str, but: Option<TeamId>) -> bool {
        let mut teams = self.teams.values().filter(|team| team.organization_id == organization);
        teams.any(|team| team.slug == slug && Some(team.id) != but)
    }

    fn is_of(&self, organization: OrganizationId, team: TeamId) -> bool {
        self.teams.get(&team).is_some_and(|team| team.organization_id == organization)
    }
}

#[async_trait]
impl TeamStore for MemoryMeta {
    async fn create_team(
        &self,
        organization: OrganizationId,
        slug: &str,
        name: &str,
        now: Timestamp,
    ) -> Result<Team, StoreError> {
        let mut state = self.lock();
        if !state.organizations.contains_key(&organization) {
            return Err(StoreError::NotFound("the organization"));
        }
        if state.is_team_slug_taken(organization, slug, None) {
            return Err(StoreError::Conflict("this team slug"));
        }
        state.last_team = state.last_team.max(state.teams.last_key_value().map_or(0, |(id, _)| id.0)) + 1;
        let id = TeamId(state.last_team);
        let (slug, name) = (slug.to_owned(), name.to_owned());
        let team = Team { id, organization_id: organization, slug, name, created: now };
        state.teams.insert(id, team.clone());
        self.config_changed();
        Ok(team)
    }

    async fn change_team(&self, id: TeamId, change: Change<Team>) -> Result<Team, StoreError> {
        let mut state = self.lock();
        let mut changed = state.team(id)?.clone();
        change(&mut changed)?;
        if state.is_team_slug_taken(changed.organization_id, &changed.slug, Some(id)) {
            return Err(StoreError::Conflict("this team slug"));
        }
        state.teams.insert(id, changed.clone());
        self.config_changed();
        Ok(changed)
    }

    async fn delete_team(&self, id: TeamId) -> Result<(), StoreError> {
        let mut state = self.lock();
        state.last_team = state.last_team.max(id.0);
        state.teams.remove(&id).ok_or(StoreError::NotFound("the team"))?;
        state.team_members.retain(|(team, _)| *team != id);
        state.team_projects.retain(|(team, _)| *team != id);
        self.config_changed();
        Ok(())
    }

    async fn teams(&self, organization: OrganizationId) -> Result<Vec<Team>, StoreError> {
        let state = self.lock();
        let teams = state.teams.values().filter(|team| team.organization_id == organization);
        let mut teams: Vec<_> = teams.cloned().collect();
        teams.sort_by(|a, b| a.slug.cmp(&b.slug));
        Ok(teams)
    }

    async fn team_members(&self, organization: OrganizationId) -> Result<Vec<(TeamId, UserId)>, StoreError> {
        let state = self.lock();
        Ok(state.team_members.iter().filter(|(team, _)| state.is_of(organization, *team)).copied().collect())
    }

    async fn join_team(&self, team: TeamId, user: UserId) -> Result<(), StoreError> {
        let mut state = self.lock();
        let organization = state.team(team)?.organization_id;
        if !state.members.contains_key(&(organization, user)) {
            return Err(StoreError::NotFound("the member"));
        }
        state.team_members.insert((team, user));
        self.config_changed();
        Ok(())
    }

    async fn leave_team(&self, team: TeamId, user: UserId) -> Result<bool, StoreError> {
        let was = self.lock().team_members.remove(&(team, user));
        self.config_changed();
        Ok(was)
    }

    async fn team_projects(&self, organization: OrganizationId) -> Result<Vec<(TeamId, ProjectId)>, StoreError> {
        let state = self.lock();
        Ok(state.team_projects.iter().filter(|(team, _)| state.is_of(organization, *team)).copied().collect())
    }

    async fn give_project(&self, team: TeamId, project: ProjectId) -> Result<(), StoreError> {
        let mut state = self.lock();
        let organization = state.team(team)?.organization_id;
        if state.projects.get(&project).is_none_or(|project| project.organization_id != organization) {
            return Err(StoreError::NotFound("the project"));
        }
        state.team_projects.insert((team, project));
        self.config_changed();
        Ok(())
    }

    async fn take_project(&self, team: TeamId, project: ProjectId) -> Result<bool, StoreError> {
        let had = self.lock().team_projects.remove(&(team, project));
        self.config_changed();
        Ok(had)
    }
}
