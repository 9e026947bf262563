//! Which key may send to which project.

use std::sync::Arc;

use nuthatch_protocol::{ProjectId, PublicKey};
use nuthatch_store::{ProjectStore, projects::ProjectKey};
use quick_cache::sync::Cache;

use crate::refusal::Refusal;

/// Looks keys up and remembers the answers, also the negative ones, until anything about projects changes.
pub(crate) struct Keys {
    store: Arc<dyn ProjectStore>,
    cache: Cache<PublicKey, Lookup>,
}

#[derive(Clone)]
struct Lookup {
    /// The version of the configuration that was current when the store was asked.
    version: u64,
    key: Option<Arc<ProjectKey>>,
}

impl Keys {
    pub(crate) fn new(store: Arc<dyn ProjectStore>, cached_max: usize) -> Self {
        Self { store, cache: Cache::new(cached_max) }
    }

    /// The key, if it is known and active and, when the URL names a project, belongs to that one.
    pub(crate) async fn authorize(
        &self,
        public: PublicKey,
        project: Option<ProjectId>,
    ) -> Result<Arc<ProjectKey>, Refusal> {
        let key = self.key(public).await?.filter(|key| key.is_active).ok_or(Refusal::Key)?;
        match project {
            Some(project) if project != key.project_id => Err(Refusal::Key),
            _ => Ok(key),
        }
    }

    async fn key(&self, public: PublicKey) -> Result<Option<Arc<ProjectKey>>, Refusal> {
        // Read before the store is asked: a change in between makes the entry stale, never wrongly fresh.
        let version = self.store.config_version();
        if let Some(lookup) = self.cache.get(&public)
            && lookup.version == version
        {
            return Ok(lookup.key);
        }
        let key = self.store.key(public).await?.map(Arc::new);
        self.cache.insert(public, Lookup { version, key: key.clone() });
        Ok(key)
    }
}
