//! Organizations, projects, keys.

use std::{collections::BTreeSet, sync::atomic::Ordering};

use async_trait::async_trait;
use nuthatch_protocol::{KeyId, OrganizationId, ProjectId, PublicKey, QuotaId, Timestamp, UserId};

use super::{MemoryMeta, State};
use crate::{
    Change, ProjectStore, StoreError,
    projects::{
        FIRST_KEY_NAME, NewKey, NewProject, Organization, OrganizationOptions, Project, ProjectKey, ProjectOptions,
        Role,
    },
    quotas::{Quota, QuotaRule},
};

impl State {
    fn add_key(&mut self, key: NewKey) -> Result<ProjectKey, StoreError> {
        if self.keys.values().any(|other| other.public == key.public) {
            return Err(StoreError::Conflict("this public key"));
        }
        self.last_key.0 += 1;
        let NewKey { project_id, name, public, is_active, rate_limit, created } = key;
        let key = ProjectKey { id: self.last_key, project_id, name, public, is_active, rate_limit, created };
        self.keys.insert(key.id, key.clone());
        Ok(key)
    }

    fn is_slug_taken(&self, organization: OrganizationId, slug: &str, except: Option<ProjectId>) -> bool {
        let mut others = self.projects.values().filter(|other| Some(other.id) != except);
        others.any(|other| other.organization_id == organization && other.slug == slug)
    }
}

#[async_trait]
impl ProjectStore for MemoryMeta {
    fn config_version(&self) -> u64 {
        self.config_version.load(Ordering::Acquire)
    }

    async fn create_organization(&self, slug: &str, name: &str, now: Timestamp) -> Result<Organization, StoreError> {
        let mut state = self.lock();
        if state.organizations.values().any(|other| other.slug == slug) {
            return Err(StoreError::Conflict("this organization slug"));
        }
        let id = OrganizationId(state.organizations.len() as u64 + 1);
        let organization = Organization {
            id,
            slug: slug.to_owned(),
            name: name.to_owned(),
            created: now,
            features: BTreeSet::new(),
            options: OrganizationOptions::default(),
        };
        state.organizations.insert(id, organization.clone());
        self.config_changed();
        Ok(organization)
    }

    async fn change_organization(
        &self,
        id: OrganizationId,
        change: Change<Organization>,
    ) -> Result<Organization, StoreError> {
        let mut state = self.lock();
        let mut changed = state.organizations.get(&id).ok_or(StoreError::NotFound("the organization"))?.clone();
        change(&mut changed)?;
        if state.organizations.values().any(|other| other.id != id && other.slug == changed.slug) {
            return Err(StoreError::Conflict("this organization slug"));
        }
        state.organizations.insert(id, changed.clone());
        self.config_changed();
        Ok(changed)
    }

    async fn organization(&self, id: OrganizationId) -> Result<Option<Organization>, StoreError> {
        Ok(self.lock().organizations.get(&id).cloned())
    }

    async fn organizations(&self) -> Result<Vec<Organization>, StoreError> {
        Ok(self.lock().organizations.values().cloned().collect())
    }

    async fn organizations_of(&self, user: UserId) -> Result<Vec<Organization>, StoreError> {
        let state = self.lock();
        let organizations = state.organizations.values();
        Ok(organizations.filter(|org| state.members.contains_key(&(org.id, user))).cloned().collect())
    }

    async fn add_member(&self, organization: OrganizationId, user: UserId, role: Role) -> Result<(), StoreError> {
        let mut state = self.lock();
        if !state.organizations.contains_key(&organization) {
            return Err(StoreError::NotFound("the organization"));
        }
        if !state.users.contains_key(&user) {
            return Err(StoreError::NotFound("the user"));
        }
        state.members.entry((organization, user)).or_insert(role);
        self.config_changed();
        Ok(())
    }

    async fn members(&self, organization: OrganizationId) -> Result<Vec<(UserId, Role)>, StoreError> {
        let state = self.lock();
        let members = state.members.iter().filter(|((org, _), _)| *org == organization);
        Ok(members.map(|((_, user), role)| (*user, *role)).collect())
    }

    async fn create_project(&self, project: NewProject) -> Result<(Project, ProjectKey), StoreError> {
        let mut state = self.lock();
        if !state.organizations.contains_key(&project.organization_id) {
            return Err(StoreError::NotFound("the organization"));
        }
        if state.is_slug_taken(project.organization_id, &project.slug, None) {
            return Err(StoreError::Conflict("this project slug"));
        }
        let id = ProjectId(state.projects.len() as u64 + 1);
        let NewProject { organization_id, slug, name, platform, first_key, created } = project;
        let name_of_key = FIRST_KEY_NAME.to_owned();
        let key =
            NewKey { project_id: id, name: name_of_key, public: first_key, is_active: true, rate_limit: None, created };
        let key = state.add_key(key)?;
        let options = ProjectOptions::default();
        let project = Project { id, organization_id, slug, name, platform, created, resolve_age_hours: None, options };
        state.projects.insert(id, project.clone());
        self.config_changed();
        Ok((project, key))
    }

    async fn change_project(&self, id: ProjectId, change: Change<Project>) -> Result<Project, StoreError> {
        let mut state = self.lock();
        let mut changed = state.projects.get(&id).ok_or(StoreError::NotFound("the project"))?.clone();
        change(&mut changed)?;
        if state.is_slug_taken(changed.organization_id, &changed.slug, Some(id)) {
            return Err(StoreError::Conflict("this project slug"));
        }
        state.projects.insert(id, changed.clone());
        self.config_changed();
        Ok(changed)
    }

    async fn project(&self, id: ProjectId) -> Result<Option<Project>, StoreError> {
        Ok(self.lock().projects.get(&id).cloned())
    }

    async fn projects(&self, organization: OrganizationId) -> Result<Vec<Project>, StoreError> {
        let state = self.lock();
        let mut projects: Vec<_> =
            state.projects.values().filter(|project| project.organization_id == organization).cloned().collect();
        projects.sort_by(|a, b| a.slug.cmp(&b.slug));
        Ok(projects)
    }

    async fn create_key(&self, key: NewKey) -> Result<ProjectKey, StoreError> {
        let mut state = self.lock();
        if !state.projects.contains_key(&key.project_id) {
            return Err(StoreError::NotFound("the project"));
        }
        let key = state.add_key(key)?;
        self.config_changed();
        Ok(key)
    }

    async fn change_key(&self, id: KeyId, change: Change<ProjectKey>) -> Result<ProjectKey, StoreError> {
        let mut state = self.lock();
        let mut changed = state.keys.get(&id).ok_or(StoreError::NotFound("the key"))?.clone();
        change(&mut changed)?;
        state.keys.insert(id, changed.clone());
        self.config_changed();
        Ok(changed)
    }

    async fn delete_key(&self, id: KeyId) -> Result<(), StoreError> {
        self.lock().keys.remove(&id).ok_or(StoreError::NotFound("the key"))?;
        self.config_changed();
        Ok(())
    }

    async fn keys(&self, project: ProjectId) -> Result<Vec<ProjectKey>, StoreError> {
        Ok(self.lock().keys.values().filter(|key| key.project_id == project).cloned().collect())
    }

    async fn key(&self, public: PublicKey) -> Result<Option<ProjectKey>, StoreError> {
        Ok(self.lock().keys.values().find(|key| key.public == public).cloned())
    }

    async fn quotas(&self, organization: OrganizationId) -> Result<Vec<Quota>, StoreError> {
        Ok(self.lock().quotas.values().filter(|quota| quota.organization_id == organization).cloned().collect())
    }

    async fn create_quota(
        &self,
        organization: OrganizationId,
        project: Option<ProjectId>,
        rule: QuotaRule,
    ) -> Result<Quota, StoreError> {
        let mut state = self.lock();
        let is_known = match project {
            Some(id) => state.projects.get(&id).is_some_and(|project| project.organization_id == organization),
            None => state.organizations.contains_key(&organization),
        };
        if !is_known {
            return Err(StoreError::NotFound("the organization or the project"));
        }
        state.last_quota.0 += 1;
        let quota = Quota { id: state.last_quota, organization_id: organization, project_id: project, rule };
        state.quotas.insert(quota.id, quota.clone());
        self.config_changed();
        Ok(quota)
    }

    async fn update_quota(&self, id: QuotaId, rule: QuotaRule) -> Result<(), StoreError> {
        self.lock().quotas.get_mut(&id).ok_or(StoreError::NotFound("the quota"))?.rule = rule;
        self.config_changed();
        Ok(())
    }

    async fn delete_quota(&self, id: QuotaId) -> Result<(), StoreError> {
        self.lock().quotas.remove(&id).ok_or(StoreError::NotFound("the quota"))?;
        self.config_changed();
        Ok(())
    }
}
