//! What projects do to their events: the options of each and of its organization, prepared and remembered until anything
//! about either changes.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use nuthatch_normalize::{
    GeoLookup, Problem,
    filter::{FilterReason, Filters},
    scrub::Scrubber,
};
use nuthatch_protocol::{Event, IngestRecord, ProjectId, TraceItemKind, record::IngestHeader};
use nuthatch_store::{
    ProjectStore, StoreError,
    events::StoredEvent,
    log::StoredRecord,
    projects::{OrganizationOptions, ProjectOptions},
};
use quick_cache::sync::Cache;
use serde_json::{Map, Value};

use crate::{
    guard::guarded,
    prepare::{Meaning, Stage, prepare},
};

/// Projects whose rules are remembered.
const CACHED_MAX: usize = 1_000;

/// The rules of a project, ready to be applied.
#[derive(Debug)]
pub struct ProjectRules {
    scrubber: Scrubber,
    filters: Filters,
    geo: Option<Arc<dyn GeoLookup>>,
}

impl ProjectRules {
    pub(crate) fn new(
        project: ProjectId,
        organization: &OrganizationOptions,
        options: &ProjectOptions,
        geo: Option<Arc<dyn GeoLookup>>,
    ) -> Self {
        let (scrubber, unusable) = Scrubber::within(&organization.scrubbing, &options.scrubbing);
        let (filters, more) = Filters::new(&options.filters);
        for Problem { place, message } in unusable.iter().chain(&more) {
            tracing::warn!(%project, place, message, "a setting of the project or its organization cannot be used");
        }
        Self { scrubber, filters, geo }
    }

    /// What tells where users are.
    pub(crate) fn geo(&self) -> Option<&dyn GeoLookup> {
        self.geo.as_deref()
    }

    /// Why the event is dropped, if it is.
    pub(crate) fn filter(&self, event: &Event, client_ip: Option<std::net::IpAddr>) -> Option<FilterReason> {
        self.filters.reason(event, client_ip)
    }

    /// Why what a client sends unread beside events is dropped, if it is.
    pub(crate) fn filter_sender(&self, header: &IngestHeader) -> Option<FilterReason> {
        self.filters.reason_of_sender(header)
    }

    /// Why a span, a log line or a metric is dropped, if it is.
    pub(crate) fn filter_item(
        &self,
        kind: TraceItemKind,
        item: &Map<String, Value>,
        header: &IngestHeader,
    ) -> Option<FilterReason> {
        self.filters.reason_of_item(kind, item, header)
    }

    /// Takes out of a span, a log line or a metric what must not be stored.
    pub(crate) fn scrub_item(&self, kind: TraceItemKind, item: &mut Map<String, Value>) {
        self.scrubber.scrub_item(kind, item);
    }

    /// Whether anything is taken out of attached files.
    pub(crate) fn scrubs_attachments(&self) -> bool {
        self.scrubber.scrubs_attachments()
    }

    /// The text of an attached file without what must not be stored; `None` when it may be as it is.
    pub(crate) fn scrub_attachment(&self, name: &str, text: &str) -> Option<String> {
        self.scrubber.scrub_attachment(name, text)
    }

    /// Takes out of the event what must not be stored.
    pub(crate) fn scrub(&self, event: &mut Event) {
        self.scrubber.scrub(event);
    }
}

/// The rules of each project of a batch.
pub(crate) type RulesOf = HashMap<ProjectId, Arc<ProjectRules>>;

/// Finds the rules of projects.
pub struct Rules {
    store: Arc<dyn ProjectStore>,
    geo: Option<Arc<dyn GeoLookup>>,
    cache: Cache<ProjectId, Cached>,
}

#[derive(Clone)]
struct Cached {
    /// The version of the configuration that was current when the store was asked.
    version: u64,
    rules: Arc<ProjectRules>,
}

impl Rules {
    /// The rules that are kept in this store.
    pub fn new(store: Arc<dyn ProjectStore>) -> Self {
        Self { store, geo: None, cache: Cache::new(CACHED_MAX) }
    }

    /// Fills in where users are, as this tells it.
    #[must_use]
    pub fn with_geo(mut self, geo: Option<Arc<dyn GeoLookup>>) -> Self {
        self.geo = geo;
        self
    }

    /// The rules of a project as they are now; those that are usual for one that is not there.
    pub async fn of(&self, project: ProjectId) -> Result<Arc<ProjectRules>, StoreError> {
        // Read before the store is asked: a change in between makes the entry stale, never wrongly fresh.
        let version = self.store.config_version();
        if let Some(cached) = self.cache.get(&project)
            && cached.version == version
        {
            return Ok(cached.rules);
        }
        let found = self.store.project(project).await?;
        let organization = match &found {
            Some(project) => self.store.organization(project.organization_id).await?,
            None => None,
        };
        let required = organization.map(|organization| organization.options).unwrap_or_default();
        let options = found.map(|project| project.options).unwrap_or_default();
        let rules = Arc::new(ProjectRules::new(project, &required, &options, self.geo.clone()));
        self.cache.insert(project, Cached { version, rules: rules.clone() });
        Ok(rules)
    }

    pub(crate) async fn of_all(&self, projects: HashSet<ProjectId>) -> Result<RulesOf, StoreError> {
        let mut rules = RulesOf::with_capacity(projects.len());
        for project in projects {
            rules.insert(project, self.of(project).await?);
        }
        Ok(rules)
    }

    /// The event of a record that was accepted and is not applied yet, as the event store will have it; `None` when it
    /// will not have it.
    pub async fn stored_event(&self, record: &StoredRecord) -> Result<Option<StoredEvent>, StoreError> {
        let Ok(record) = IngestRecord::decode(&record.value) else { return Ok(None) };
        let rules = self.of(record.header.project_id).await?;
        // What panics becomes a dead letter when its turn comes.
        let row = guarded(|| match prepare(&record, &rules, Stage::New) {
            Ok(Meaning::Event(prepared)) => Some(prepared.row()),
            Ok(Meaning::Filtered(_)) | Err(_) => None,
        });
        Ok(row.ok().flatten().map(StoredEvent::from))
    }
}
