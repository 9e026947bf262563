//! In-memory reference of the port.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use nuthatch_protocol::{EventId, EventRow, Hash, Partition, Position, ProjectId, Timestamp, Topic};

use crate::{
    EventStore, StoreError,
    event_groups::{EventCount, EventGroup, EventGroups, GroupKey, GroupValue, Grouping, check_grouping, value_hash},
    events::{
        EventPage, EventQuery, EventStoreSize, EventSummary, HASHES_MAX, StoredEvent, TagValue, TagValues, VALUES_MAX,
        check_ids, check_interval, check_page,
    },
};

/// In-memory reference. Time partitions have no width: [`EventStore::drop_before`] is exact.
#[derive(Debug, Default)]
pub struct MemoryEvents {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    searchable: Rows,
    pending: Rows,
    durable: HashMap<(Topic, Partition), u64>,
    reached: HashMap<(Topic, Partition), u64>,
}

type Rows = BTreeMap<(ProjectId, EventId), EventRow>;

impl MemoryEvents {
    /// Nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Loses what is not committed, as a crash does.
    pub fn crash(&self) {
        let State { pending, durable, reached, .. } = &mut *self.state();
        pending.clear();
        reached.clone_from(durable);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn matching<'a>(&'a self, query: &'a EventQuery) -> impl Iterator<Item = &'a EventRow> {
        self.searchable.values().filter(|row| query.matches(row))
    }
}

/// Most frequent first, ties in the order of the keys.
fn by_count<K: Ord>(counts: BTreeMap<K, u64>, limit: usize) -> Vec<(K, u64)> {
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|(a, n), (b, m)| m.cmp(n).then_with(|| a.cmp(b)));
    counts.truncate(limit);
    counts
}

#[async_trait]
impl EventStore for MemoryEvents {
    async fn upsert(&self, rows: Vec<EventRow>, position: Position) -> Result<(), StoreError> {
        let mut state = self.state();
        state.pending.extend(rows.into_iter().map(|row| ((row.project_id, row.event_id), row)));
        let reached = state.reached.entry((position.topic, position.partition)).or_default();
        *reached = position.offset.max(*reached);
        Ok(())
    }

    async fn commit(&self) -> Result<(), StoreError> {
        let State { searchable, pending, durable, reached } = &mut *self.state();
        searchable.append(pending);
        durable.clone_from(reached);
        Ok(())
    }

    async fn position(&self, start: Position) -> Result<Position, StoreError> {
        let offset = self.state().durable.get(&(start.topic, start.partition)).copied().unwrap_or(start.offset);
        Ok(Position { offset, ..start })
    }

    async fn get(&self, project: ProjectId, id: EventId) -> Result<Option<StoredEvent>, StoreError> {
        let state = self.state();
        let row = state.pending.get(&(project, id)).or_else(|| state.searchable.get(&(project, id)));
        let shows = |row: &&EventRow| row.project_id == project && row.shows == Some(id);
        let row = row.or_else(|| state.pending.values().chain(state.searchable.values()).find(shows));
        Ok(row.map(|row| StoredEvent { summary: EventSummary::of(row), body: row.body.clone() }))
    }

    async fn primary_hashes(&self, project: ProjectId, ids: &[EventId]) -> Result<HashMap<EventId, Hash>, StoreError> {
        check_ids(ids)?;
        let mut hashes = HashMap::new();
        for id in ids {
            let found = self.get(project, *id).await?;
            hashes.extend(found.and_then(|event| Some((*id, *event.summary.hashes.first()?))));
        }
        Ok(hashes)
    }

    async fn search(&self, query: &EventQuery, page: &EventPage) -> Result<Vec<EventSummary>, StoreError> {
        check_page(page)?;
        let state = self.state();
        let replaced = |key: &(ProjectId, EventId)| state.pending.contains_key(key);
        let committed = state.searchable.iter().filter(|(key, _)| !replaced(key)).map(|(_, row)| row);
        let mut rows: Vec<EventSummary> = committed
            .chain(state.pending.values())
            .filter(|row| query.matches(row) && page.is_behind((row.timestamp, row.event_id)))
            .map(EventSummary::of)
            .collect();
        page.arrange(&mut rows);
        Ok(rows)
    }

    async fn count(&self, query: &EventQuery) -> Result<u64, StoreError> {
        Ok(self.state().matching(query).count() as u64)
    }

    async fn histogram(&self, query: &EventQuery, interval_secs: u32) -> Result<Vec<(Timestamp, u64)>, StoreError> {
        check_interval(interval_secs)?;
        let mut counts = BTreeMap::new();
        for row in self.state().matching(query) {
            *counts.entry(row.timestamp.secs().div_euclid(interval_secs.into())).or_default() += 1;
        }
        Ok(counts
            .into_iter()
            .map(|(interval, count)| (Timestamp::from_secs(interval * i64::from(interval_secs)), count))
            .collect())
    }

    async fn tag_values(&self, query: &EventQuery, key: &str, limit: usize) -> Result<TagValues, StoreError> {
        let mut found: BTreeMap<String, TagValue> = BTreeMap::new();
        for row in self.state().matching(query) {
            let Some(value) = nuthatch_query::field::tag(row, key) else { continue };
            let new =
                || TagValue { value: value.to_owned(), count: 0, first_seen: row.timestamp, last_seen: row.timestamp };
            let value = found.entry(value.to_owned()).or_insert_with(new);
            value.count += 1;
            value.first_seen = value.first_seen.min(row.timestamp);
            value.last_seen = value.last_seen.max(row.timestamp);
        }
        let mut top: Vec<TagValue> = found.into_values().collect();
        let (total, unique) = (top.iter().map(|value| value.count).sum(), top.len() as u64);
        top.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
        top.truncate(limit.min(VALUES_MAX));
        Ok(TagValues { total, unique, top })
    }

    async fn tag_keys(&self, query: &EventQuery) -> Result<Vec<(String, u64)>, StoreError> {
        let mut counts = BTreeMap::new();
        for row in self.state().matching(query) {
            let keys: BTreeSet<&String> = row.tags.iter().map(|(key, _)| key).collect();
            for key in keys {
                *counts.entry(key.clone()).or_default() += 1;
            }
        }
        Ok(by_count(counts, VALUES_MAX))
    }

    async fn hashes(&self, query: &EventQuery, limit: usize) -> Result<Vec<(ProjectId, Hash)>, StoreError> {
        let mut counts = BTreeMap::new();
        for row in self.state().matching(query) {
            if let Some(hash) = row.hashes.first() {
                *counts.entry((row.project_id, *hash)).or_default() += 1;
            }
        }
        Ok(by_count(counts, limit.min(HASHES_MAX)).into_iter().map(|(hash, _)| hash).collect())
    }

    async fn groups(&self, query: &EventQuery, grouping: &Grouping) -> Result<EventGroups, StoreError> {
        check_grouping(grouping)?;
        let mut groups: BTreeMap<_, EventCount> = BTreeMap::new();
        for row in self.state().matching(query) {
            let tag = |key: &String| nuthatch_query::field::tag(row, key);
            let value = |key: &GroupKey| match key {
                GroupKey::Hash => row.hashes.first().map(|hash| GroupValue::Hash(row.project_id, *hash)),
                GroupKey::Tag(key) => tag(key).map(|value| GroupValue::Tag(value.to_owned())),
            };
            let start = grouping.interval_secs.map_or(0, |secs| {
                let secs = i64::from(secs);
                row.timestamp.secs().div_euclid(secs) * secs
            });
            let key = (Timestamp::from_secs(start), grouping.by.iter().map(value).collect::<Vec<_>>());
            let unique = grouping.unique.iter().map(|key| tag(key).map(|value| value_hash(value.as_bytes())));
            let unique = unique.map(|hash| hash.into_iter().collect()).collect();
            let counted = EventCount { count: 1, last_seen: row.timestamp, unique };
            match groups.get_mut(&key) {
                Some(known) => known.add(counted),
                None => drop(groups.insert(key, counted)),
            }
        }
        let rows = groups.into_iter().map(|((start, values), counted)| EventGroup { start, values, counted });
        Ok(EventGroups::arranged(rows.collect(), true))
    }

    async fn drop_before(&self, time: Timestamp) -> Result<(), StoreError> {
        let mut state = self.state();
        state.searchable.retain(|_, row| row.timestamp >= time);
        state.pending.retain(|_, row| row.timestamp >= time);
        Ok(())
    }

    async fn size(&self) -> Result<EventStoreSize, StoreError> {
        let state = self.state();
        let bytes = state.searchable.values().map(|row| row.body.len() as u64).sum();
        Ok(EventStoreSize { rows: state.searchable.len() as u64, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::MemoryEvents;

    #[tokio::test]
    async fn conforms() {
        crate::conformance::events::run(async || MemoryEvents::new()).await;
    }
}
