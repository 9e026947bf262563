//! Which key may send to which project, from where, and how much.

use std::sync::Arc;

use nuthatch_protocol::{KeyId, ProjectId, PublicKey};
use nuthatch_store::{ProjectStore, StoreError, projects::ProjectKey};
use quick_cache::sync::Cache;

use crate::{
    origin::AllowedOrigins,
    quotas::{ActiveQuota, active_quotas},
    refusal::Refusal,
};

/// What a key allows.
pub(crate) struct Grant {
    /// The key.
    pub(crate) key: ProjectKey,
    /// Where browsers may send from.
    pub(crate) origins: AllowedOrigins,
    /// What is counted against which limits.
    pub(crate) quotas: Vec<ActiveQuota>,
}

/// Looks keys up and remembers the answers, also the negative ones, until anything about projects changes.
pub(crate) struct Keys {
    store: Arc<dyn ProjectStore>,
    cache: Cache<PublicKey, Lookup>,
}

#[derive(Clone)]
struct Lookup {
    /// The version of the configuration that was current when the store was asked.
    version: u64,
    grant: Option<Arc<Grant>>,
}

impl Keys {
    pub(crate) fn new(store: Arc<dyn ProjectStore>, cached_max: usize) -> Self {
        Self { store, cache: Cache::new(cached_max) }
    }

    /// What the key allows, if it is known and active and, when the URL names a project, belongs to that one.
    pub(crate) async fn authorize(&self, public: PublicKey, project: Option<ProjectId>) -> Result<Arc<Grant>, Refusal> {
        let grant = self.grant(public).await?.filter(|grant| grant.key.is_active).ok_or(Refusal::Key)?;
        match project {
            Some(project) if project != grant.key.project_id => Err(Refusal::Key),
            _ => Ok(grant),
        }
    }

    async fn grant(&self, public: PublicKey) -> Result<Option<Arc<Grant>>, Refusal> {
        // Read before the store is asked: a change in between makes the entry stale, never wrongly fresh.
        let version = self.store.config_version();
        if let Some(lookup) = self.cache.get(&public)
            && lookup.version == version
        {
            return Ok(lookup.grant);
        }
        let grant = self.look_up(public).await?.map(Arc::new);
        self.cache.insert(public, Lookup { version, grant: grant.clone() });
        Ok(grant)
    }

    async fn look_up(&self, public: PublicKey) -> Result<Option<Grant>, Refusal> {
        let Some(key) = self.store.key(public).await? else { return Ok(None) };
        Ok(self.grant_of(key).await?)
    }

    /// What is counted against which limits of what came with a key of a project.
    pub(crate) async fn quotas_of(&self, (project, key): (ProjectId, KeyId)) -> Result<Vec<ActiveQuota>, StoreError> {
        let keys = self.store.keys(project).await?;
        let Some(key) = keys.into_iter().find(|known| known.id == key) else { return Ok(Vec::new()) };
        Ok(self.grant_of(key).await?.map_or_else(Vec::new, |grant| grant.quotas))
    }

    async fn grant_of(&self, key: ProjectKey) -> Result<Option<Grant>, StoreError> {
        let Some(project) = self.store.project(key.project_id).await? else { return Ok(None) };
        let quotas = active_quotas(&key, &project, self.store.quotas(project.organization_id).await?);
        Ok(Some(Grant { key, origins: AllowedOrigins::new(&project.options.allowed_domains), quotas }))
    }
}
