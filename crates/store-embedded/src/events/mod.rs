//! The port on the data directory: events in indexes ([`crate::index`]).

mod collect;
mod compile;
mod group;
mod primary;
mod read;
mod schema;

use std::{collections::HashMap, path::Path, time::Duration};

use async_trait::async_trait;
use nuthatch_protocol::{EventId, EventRow, Hash, Position, ProjectId, Timestamp};
use nuthatch_store::{
    EventStore, StoreError,
    event_groups::{EventGroups, Grouping, check_grouping},
    events::{
        EventPage, EventQuery, EventStoreSize, EventSummary, StoredEvent, TagValues, check_ids, check_interval,
        check_page,
    },
};

use crate::index::{Command, IndexStore, Shared, StoreName};
pub use crate::index::{Damage, Options};
use schema::EventLayout;

/// Name in errors.
const STORE: StoreName = StoreName("event store");

/// The event store of a data directory.
#[derive(Debug)]
pub struct EmbeddedEvents(IndexStore<EventLayout>);

impl EmbeddedEvents {
    /// Opens the store in a directory, which is made if need be. Blocks while it reads. What is damaged is set aside
    /// ([`Self::damages`]).
    pub fn open(dir: &Path, options: Options) -> Result<Self, StoreError> {
        IndexStore::open(dir, options).map(Self)
    }

    /// What was damaged when the store was opened.
    pub fn damages(&self) -> &[Damage] {
        self.0.damages()
    }

    /// Waits for merges that run, at most `wait`, and takes no more changes. What is not committed is forgotten.
    pub async fn close(&self, wait: Duration) -> Result<(), StoreError> {
        self.0.close(wait).await
    }
}

#[async_trait]
impl EventStore for EmbeddedEvents {
    async fn upsert(&self, rows: Vec<EventRow>, position: Position) -> Result<(), StoreError> {
        self.0.change(|reply| Command::Upsert(rows, position, reply)).await
    }

    async fn commit(&self) -> Result<(), StoreError> {
        self.0.change(Command::Commit).await
    }

    async fn position(&self, start: Position) -> Result<Position, StoreError> {
        Ok(self.0.position(start))
    }

    async fn get(&self, project: ProjectId, id: EventId) -> Result<Option<StoredEvent>, StoreError> {
        self.0.search(move |shared| shared.get(project, id)).await
    }

    async fn primary_hashes(&self, project: ProjectId, ids: &[EventId]) -> Result<HashMap<EventId, Hash>, StoreError> {
        check_ids(ids)?;
        let ids = ids.to_vec();
        self.0.search(move |shared| shared.primary_hashes(project, &ids)).await
    }

    async fn search(&self, query: &EventQuery, page: &EventPage) -> Result<Vec<EventSummary>, StoreError> {
        check_page(page)?;
        let (query, page) = (query.clone(), page.clone());
        self.0.search(move |shared| shared.page(&query, &page)).await
    }

    async fn count(&self, query: &EventQuery) -> Result<u64, StoreError> {
        let query = query.clone();
        self.0.search(move |shared| shared.count(&query)).await
    }

    async fn histogram(&self, query: &EventQuery, interval_secs: u32) -> Result<Vec<(Timestamp, u64)>, StoreError> {
        check_interval(interval_secs)?;
        let query = query.clone();
        self.0.search(move |shared| shared.histogram(&query, interval_secs)).await
    }

    async fn tag_values(&self, query: &EventQuery, key: &str, limit: usize) -> Result<TagValues, StoreError> {
        let (query, key) = (query.clone(), key.to_owned());
        self.0.search(move |shared| shared.tag_values(&query, &key, limit)).await
    }

    async fn tag_keys(&self, query: &EventQuery) -> Result<Vec<(String, u64)>, StoreError> {
        let query = query.clone();
        self.0.search(move |shared| shared.tag_keys(&query)).await
    }

    async fn hashes(&self, query: &EventQuery, limit: usize) -> Result<Vec<(ProjectId, Hash)>, StoreError> {
        let query = query.clone();
        self.0.search(move |shared| shared.hashes(&query, limit)).await
    }

    async fn groups(&self, query: &EventQuery, grouping: &Grouping) -> Result<EventGroups, StoreError> {
        check_grouping(grouping)?;
        let (query, grouping) = (query.clone(), grouping.clone());
        self.0.search(move |shared| shared.groups(&query, &grouping)).await
    }

    async fn drop_before(&self, time: Timestamp) -> Result<(), StoreError> {
        self.0.change(|reply| Command::DropBefore(time, reply)).await
    }

    async fn size(&self) -> Result<EventStoreSize, StoreError> {
        let (rows, bytes) = self.0.search(Shared::size).await?;
        Ok(EventStoreSize { rows, bytes })
    }
}
