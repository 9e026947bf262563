//! The port on the data directory: spans, log lines and metrics in indexes ([`crate::index`]).
//!
//! What is searched by words and found by ids lies in terms, everything else in columns, which conditions and
//! aggregations scan: a column is small, and most questions look at a few of them.

mod aggregate;
mod column;
mod compile;
mod condition;
mod keys;
mod measure;
mod read;
mod row;
mod schema;

use std::{path::Path, time::Duration};

use async_trait::async_trait;
use nuthatch_protocol::{EventId, Position, ProjectId, Timestamp, TraceId, TraceItem, TraceItemKind};
use nuthatch_query::FieldValue;
use nuthatch_store::{
    StoreError, TraceStore,
    events::check_interval,
    traces::{
        Aggregate, Aggregation, AttributeKey, GROUPS_MAX, Groups, Intervals, TracePage, TraceQuery, TraceStoreSize,
        check_aggregates, check_aggregation, check_groupable, check_page,
    },
};

use crate::index::{Command, IndexStore, Shared, StoreName};
pub use crate::index::{Damage, Options};
use schema::TraceLayout;

/// Name in errors.
const STORE: StoreName = StoreName("trace store");

/// The trace store of a data directory.
#[derive(Debug)]
pub struct EmbeddedTraces(IndexStore<TraceLayout>);

impl EmbeddedTraces {
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
impl TraceStore for EmbeddedTraces {
    async fn upsert(&self, items: Vec<TraceItem>, position: Position) -> Result<(), StoreError> {
        self.0.change(|reply| Command::Upsert(items, position, reply)).await
    }

    async fn commit(&self) -> Result<(), StoreError> {
        self.0.change(Command::Commit).await
    }

    async fn position(&self, start: Position) -> Result<Position, StoreError> {
        Ok(self.0.position(start))
    }

    async fn get(&self, project: ProjectId, kind: TraceItemKind, id: EventId) -> Result<Option<TraceItem>, StoreError> {
        self.0.search(move |shared| shared.get(project, kind, id)).await
    }

    async fn transaction(&self, project: ProjectId, event_id: EventId) -> Result<Option<TraceItem>, StoreError> {
        self.0.search(move |shared| shared.transaction(project, event_id)).await
    }

    async fn trace(
        &self,
        projects: &[ProjectId],
        trace_id: TraceId,
        limit: usize,
    ) -> Result<Vec<TraceItem>, StoreError> {
        let projects = projects.to_vec();
        self.0.search(move |shared| shared.trace(&projects, trace_id, limit)).await
    }

    async fn search(&self, query: &TraceQuery, page: &TracePage) -> Result<Vec<TraceItem>, StoreError> {
        check_page(page)?;
        let (query, page) = (query.clone(), page.clone());
        self.0.search(move |shared| shared.page(&query, &page)).await
    }

    async fn aggregate(&self, query: &TraceQuery, aggregation: &Aggregation) -> Result<Groups, StoreError> {
        check_aggregation(aggregation)?;
        let (query, aggregation) = (query.clone(), aggregation.clone());
        self.0.search(move |shared| shared.aggregate(&query, &aggregation)).await
    }

    async fn histogram(
        &self,
        query: &TraceQuery,
        interval_secs: u32,
        aggregates: &[Aggregate],
    ) -> Result<Intervals, StoreError> {
        check_interval(interval_secs)?;
        check_aggregates(aggregates)?;
        let (query, aggregates) = (query.clone(), aggregates.to_vec());
        self.0.search(move |shared| shared.histogram(&query, interval_secs, &aggregates)).await
    }

    async fn attribute_keys(&self, query: &TraceQuery) -> Result<Vec<AttributeKey>, StoreError> {
        let query = query.clone();
        self.0.search(move |shared| shared.attribute_keys(&query)).await
    }

    async fn attribute_values(
        &self,
        query: &TraceQuery,
        key: &str,
        limit: usize,
    ) -> Result<Vec<(FieldValue, u64)>, StoreError> {
        check_groupable(key)?;
        let (query, key) = (query.clone(), key.to_owned());
        self.0.search(move |shared| shared.attribute_values(&query, &key, limit.min(GROUPS_MAX))).await
    }

    async fn drop_before(&self, time: Timestamp) -> Result<(), StoreError> {
        self.0.change(|reply| Command::DropBefore(time, reply)).await
    }

    async fn size(&self) -> Result<TraceStoreSize, StoreError> {
        let (items, bytes) = self.0.search(Shared::size).await?;
        Ok(TraceStoreSize { items, bytes })
    }
}
