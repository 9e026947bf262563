//! In-memory reference of the port.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use nuthatch_protocol::{
    AttributeValue, EventId, Partition, Position, ProjectId, Timestamp, Topic, TraceId, TraceItem, TraceItemKind,
};
use nuthatch_query::{AttributeType, FieldValue, ItemField, item_field::attributes};

use crate::{
    StoreError, TraceStore,
    events::check_interval,
    traces::{
        Aggregate, Aggregation, AttributeKey, GROUPS_MAX, Group, Groups, Intervals, KEYS_MAX, STATUS, TracePage,
        TraceQuery, TraceStoreSize, arrange_trace, check_aggregates, check_aggregation, check_groupable, check_page,
        has_failed, number,
    },
};

/// In-memory reference. Time partitions have no width: [`TraceStore::drop_before`] is exact. Nothing is estimated.
#[derive(Debug, Default)]
pub struct MemoryTraces {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    searchable: Items,
    pending: Items,
    durable: HashMap<(Topic, Partition), u64>,
    reached: HashMap<(Topic, Partition), u64>,
}

type Items = BTreeMap<(ProjectId, TraceItemKind, EventId), TraceItem>;

impl MemoryTraces {
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
    /// Committed items that are meant.
    fn matching<'a>(&'a self, query: &'a TraceQuery) -> impl Iterator<Item = &'a TraceItem> {
        self.searchable.values().filter(|item| query.matches(item))
    }

    /// All items as they are now, committed or not.
    fn current(&self) -> impl Iterator<Item = &TraceItem> {
        let committed = self.searchable.iter().filter(|(key, _)| !self.pending.contains_key(key));
        committed.map(|(_, item)| item).chain(self.pending.values())
    }
}

fn measure(aggregate: &Aggregate, items: &[&TraceItem]) -> Option<f64> {
    let mut numbers: Vec<f64> =
        aggregate.field().map_or(Vec::new(), |key| items.iter().filter_map(|item| number(item, key)).collect());
    numbers.sort_by(f64::total_cmp);
    let sum = || (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>());
    let failed = || {
        let status = |item: &&&TraceItem| ItemField::named(STATUS).value(item);
        items.iter().filter(|item| matches!(status(item), Some(FieldValue::Text(word)) if has_failed(&word))).count()
    };
    match aggregate {
        Aggregate::Count => Some(items.len() as f64),
        Aggregate::CountUnique(key) => {
            let values: BTreeSet<_> = items.iter().filter_map(|item| ItemField::named(key).value(item)).collect();
            Some(values.len() as f64)
        }
        Aggregate::Sum(_) => sum(),
        Aggregate::Average(_) => sum().map(|sum| sum / numbers.len() as f64),
        Aggregate::Min(_) => numbers.first().copied(),
        Aggregate::Max(_) => numbers.last().copied(),
        Aggregate::Percentile(_, part) => {
            let rank = (part * numbers.len() as f64).ceil() as usize;
            numbers.get(rank.saturating_sub(1)).copied()
        }
        Aggregate::FailureCount => Some(failed() as f64),
        Aggregate::FailureRate => (!items.is_empty()).then(|| failed() as f64 / items.len() as f64),
        Aggregate::LastSeen => items.iter().map(|item| item.timestamp).max().map(Timestamp::as_secs_f64),
    }
}

#[async_trait]
impl TraceStore for MemoryTraces {
    async fn upsert(&self, items: Vec<TraceItem>, position: Position) -> Result<(), StoreError> {
        let mut state = self.state();
        state.pending.extend(items.into_iter().map(|item| ((item.project_id, item.kind, item.id), item)));
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

    async fn get(&self, project: ProjectId, kind: TraceItemKind, id: EventId) -> Result<Option<TraceItem>, StoreError> {
        let state = self.state();
        let key = (project, kind, id);
        Ok(state.pending.get(&key).or_else(|| state.searchable.get(&key)).cloned())
    }

    async fn transaction(&self, project: ProjectId, event_id: EventId) -> Result<Option<TraceItem>, StoreError> {
        let state = self.state();
        let found = state.current().find(|item| item.project_id == project && item.event_id == Some(event_id));
        Ok(found.cloned())
    }

    async fn trace(
        &self,
        projects: &[ProjectId],
        trace_id: TraceId,
        limit: usize,
    ) -> Result<Vec<TraceItem>, StoreError> {
        let state = self.state();
        let is_meant = |item: &&TraceItem| item.trace_id == trace_id && projects.contains(&item.project_id);
        let without_body = |item: &TraceItem| TraceItem { body: Bytes::new(), ..item.clone() };
        let mut items: Vec<TraceItem> = state.current().filter(is_meant).map(without_body).collect();
        arrange_trace(&mut items, limit);
        Ok(items)
    }

    async fn search(&self, query: &TraceQuery, page: &TracePage) -> Result<Vec<TraceItem>, StoreError> {
        check_page(page)?;
        let state = self.state();
        let is_meant = |item: &&TraceItem| query.matches(item) && page.is_behind(page.place(item));
        let mut items: Vec<TraceItem> = state.current().filter(is_meant).cloned().collect();
        page.arrange(&mut items);
        Ok(items)
    }

    async fn aggregate(&self, query: &TraceQuery, aggregation: &Aggregation) -> Result<Groups, StoreError> {
        check_aggregation(aggregation)?;
        let state = self.state();
        let mut groups: BTreeMap<Vec<Option<FieldValue>>, Vec<&TraceItem>> = BTreeMap::new();
        if aggregation.group_by.is_empty() {
            groups.insert(Vec::new(), Vec::new());
        }
        for item in state.matching(query) {
            let values = aggregation.group_by.iter().map(|key| ItemField::named(key).value(item)).collect();
            groups.entry(values).or_default().push(item);
        }
        let group = |(values, items): (Vec<_>, Vec<&TraceItem>)| Group {
            values,
            measured: aggregation.aggregates.iter().map(|aggregate| measure(aggregate, &items)).collect(),
        };
        Ok(Groups::arranged(groups.into_iter().map(group).collect(), aggregation, true))
    }

    async fn histogram(
        &self,
        query: &TraceQuery,
        interval_secs: u32,
        aggregates: &[Aggregate],
    ) -> Result<Intervals, StoreError> {
        check_interval(interval_secs)?;
        check_aggregates(aggregates)?;
        let state = self.state();
        let mut intervals: BTreeMap<i64, Vec<&TraceItem>> = BTreeMap::new();
        for item in state.matching(query) {
            intervals.entry(item.timestamp.secs().div_euclid(interval_secs.into())).or_default().push(item);
        }
        let row = |(interval, items): (i64, Vec<&TraceItem>)| {
            let start = Timestamp::from_secs(interval * i64::from(interval_secs));
            (start, aggregates.iter().map(|aggregate| measure(aggregate, &items)).collect())
        };
        Ok(intervals.into_iter().map(row).collect())
    }

    async fn attribute_keys(&self, query: &TraceQuery) -> Result<Vec<AttributeKey>, StoreError> {
        let state = self.state();
        let mut counts: BTreeMap<(&str, AttributeType), u64> = BTreeMap::new();
        for (name, value) in state.matching(query).flat_map(attributes) {
            let of_type = match value {
                AttributeValue::Text(_) => AttributeType::Text,
                AttributeValue::Integer(_) | AttributeValue::Double(_) => AttributeType::Number,
                AttributeValue::Boolean(_) => AttributeType::Boolean,
            };
            *counts.entry((name, of_type)).or_default() += 1;
        }
        let mut keys: Vec<AttributeKey> = counts
            .into_iter()
            .map(|((name, of_type), count)| AttributeKey { name: name.to_owned(), of_type, count })
            .collect();
        keys.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| (&a.name, a.of_type).cmp(&(&b.name, b.of_type))));
        keys.truncate(KEYS_MAX);
        Ok(keys)
    }

    async fn attribute_values(
        &self,
        query: &TraceQuery,
        key: &str,
        limit: usize,
    ) -> Result<Vec<(FieldValue, u64)>, StoreError> {
        check_groupable(key)?;
        let state = self.state();
        let mut counts: BTreeMap<FieldValue, u64> = BTreeMap::new();
        for value in state.matching(query).filter_map(|item| ItemField::named(key).value(item)) {
            *counts.entry(value).or_default() += 1;
        }
        let mut values: Vec<_> = counts.into_iter().collect();
        values.sort_by(|(a, n), (b, m)| m.cmp(n).then_with(|| a.cmp(b)));
        values.truncate(limit.min(GROUPS_MAX));
        Ok(values)
    }

    async fn drop_before(&self, time: Timestamp) -> Result<(), StoreError> {
        let mut state = self.state();
        state.searchable.retain(|_, item| item.timestamp >= time);
        state.pending.retain(|_, item| item.timestamp >= time);
        Ok(())
    }

    async fn size(&self) -> Result<TraceStoreSize, StoreError> {
        let state = self.state();
        let bytes = state.searchable.values().map(|item| item.body.len() as u64).sum();
        Ok(TraceStoreSize { items: state.searchable.len() as u64, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::MemoryTraces;

    #[tokio::test]
    async fn conforms() {
        crate::conformance::traces::run(async || MemoryTraces::new()).await;
    }
}
