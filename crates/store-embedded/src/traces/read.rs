//! Searches, over one partition after the other.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use bytes::Bytes;
use nuthatch_protocol::{EventId, ProjectId, Timestamp, TraceId, TraceItem, TraceItemKind};
use nuthatch_query::{FieldValue, ItemField};
use nuthatch_store::{
    StoreError,
    traces::{
        Aggregate, Aggregation, AttributeKey, Groups, Intervals, KEYS_MAX, TRACE_BYTES_MAX, TRACE_ITEMS_MAX, TracePage,
        TraceQuery, arrange_trace, described_bytes, order_of,
    },
};
use tantivy::{
    DocAddress, Searcher, SegmentReader, TantivyDocument, Term,
    collector::{Collector, DocSetCollector},
    query::TermQuery,
    schema::IndexRecordOption,
};

use super::{
    STORE,
    aggregate::{Grouping, Key},
    column::columns,
    compile::{compile, of_trace},
    keys::AttributeKeys,
    schema::{Fields, TraceLayout},
};
use crate::index::{
    Layout, Shared,
    page::{Page, Place, Rank, Ranking, Skipped},
    partition::Partition,
};

/// Kinds of items: so many of one project can have one id.
const KINDS: usize = 3;

impl Shared<TraceLayout> {
    /// An item by its identity, committed or not.
    pub(super) fn get(
        &self,
        project: ProjectId,
        kind: TraceItemKind,
        id: EventId,
    ) -> Result<Option<TraceItem>, StoreError> {
        // A commit shows rows to searches before it forgets that they were pending, so this order misses none.
        let key = (project, kind, id);
        let pending = self.pending().get(&key).map(Arc::clone);
        match pending {
            Some(item) => Ok(Some(TraceItem::clone(&item))),
            None => self.committed(TraceLayout::key_term(key)),
        }
    }

    /// The root span of a transaction event, committed or not.
    pub(super) fn transaction(&self, project: ProjectId, event: EventId) -> Result<Option<TraceItem>, StoreError> {
        let is_meant = |item: &&Arc<TraceItem>| item.project_id == project && item.event_id == Some(event);
        let pending = self.pending().values().find(is_meant).map(Arc::clone);
        if let Some(item) = pending {
            return Ok(Some(TraceItem::clone(&item)));
        }
        let found = self.committed(Fields::get().event_term(project, event))?;
        let is_replaced = found.as_ref().is_some_and(|item| self.pending().contains_key(&TraceLayout::key(item)));
        Ok(found.filter(|_| !is_replaced))
    }

    /// A committed item that has a term, of the newest partition that has one.
    fn committed(&self, term: Term) -> Result<Option<TraceItem>, StoreError> {
        let searchers: Vec<_> = self.partitions().values().rev().map(|partition| partition.searcher()).collect();
        let query = TermQuery::new(term, IndexRecordOption::Basic);
        for searcher in searchers {
            let found = searcher.search(&query, &DocSetCollector).map_err(|error| STORE.failed(error))?;
            if let Some(address) = found.into_iter().next() {
                return item(&searcher, address).map(Some);
            }
        }
        Ok(None)
    }

    /// The items of a trace, committed or not.
    pub(super) fn trace(
        &self,
        projects: &[ProjectId],
        trace: TraceId,
        limit: usize,
    ) -> Result<Vec<TraceItem>, StoreError> {
        let limit = limit.min(TRACE_ITEMS_MAX);
        let is_meant = |item: &&Arc<TraceItem>| item.trace_id == trace && projects.contains(&item.project_id);
        let pending: Vec<_> = self.pending().values().filter(is_meant).map(Arc::clone).collect();
        let replaced: HashSet<_> = self.pending().keys().copied().collect();
        // Rows that a pending one replaces do not count, and rows of one time and id come in no order from an index: as many
        // more are asked for.
        let asked = limit + replaced.len() + KINDS * projects.len();
        let earliest = Page { ascending: true, after: None, limit: asked, rank: None, skipped: Arc::default() };
        let query = of_trace(projects, trace);
        let (mut items, mut bytes) = (Vec::new(), 0);
        for partition in self.within(None, None) {
            let searcher = partition.searcher();
            for (_, address) in searcher.search(&query, &earliest).map_err(|error| STORE.failed(error))? {
                if bytes > TRACE_BYTES_MAX {
                    break;
                }
                let found = TraceItem { body: Bytes::new(), ..item(&searcher, address)? };
                if !replaced.contains(&TraceLayout::key(&found)) {
                    bytes += described_bytes(&found);
                    items.push(found);
                }
            }
            // The times of the next partition are later.
            if items.len() >= limit || bytes > TRACE_BYTES_MAX {
                break;
            }
        }
        items.extend(pending.iter().map(|item| TraceItem { body: Bytes::new(), ..TraceItem::clone(item) }));
        arrange_trace(&mut items, limit);
        Ok(items)
    }

    /// A page of items, committed or not.
    pub(super) fn page(&self, query: &TraceQuery, page: &TracePage) -> Result<Vec<TraceItem>, StoreError> {
        // Pending first, as in `get`: a row that is committed meanwhile is then seen twice rather than missed.
        let pending: Vec<_> = self.pending().values().filter(|item| item.kind == query.kind).map(Arc::clone).collect();
        let skipped = pending.iter().map(|item| (item.project_id.0, u128::from_be_bytes(item.id.0))).collect();
        let mut items = self.committed_page(query, page, Arc::new(skipped))?;
        let is_meant = |item: &&Arc<TraceItem>| query.matches(item) && page.is_behind(page.place(item));
        items.extend(pending.iter().filter(is_meant).map(|item| TraceItem::clone(item)));
        page.arrange(&mut items);
        Ok(items)
    }

    /// A page of the items that are committed and not about to be replaced.
    fn committed_page(
        &self,
        query: &TraceQuery,
        page: &TracePage,
        skipped: Arc<Skipped>,
    ) -> Result<Vec<TraceItem>, StoreError> {
        let mut partitions = self.within(query.from, query.until);
        if !page.ascending {
            partitions.reverse();
        }
        let after = page.after.map(|after| (after.rank, after.time.0, u128::from_be_bytes(after.id.0)));
        let (ascending, limit, rank) = (page.ascending, page.limit, page.by.as_deref().map(rank_by));
        let first = Page { ascending, after, limit, rank, skipped };
        let mut found: Vec<(Place, Searcher, DocAddress)> = Vec::new();
        for partition in partitions {
            if page.by.is_none() && is_before(&partition, ascending, after) {
                continue;
            }
            let searcher = partition.searcher();
            let rows = searcher.search(&compile(query, &partition.times), &first);
            let rows = rows.map_err(|error| STORE.failed(error))?.into_iter();
            found.extend(rows.map(|(place, address)| (place, searcher.clone(), address)));
            // In the order of time alone, what other partitions hold comes behind.
            if page.by.is_none() && found.len() >= limit {
                break;
            }
        }
        found.sort_by_key(|(place, _, address)| (*place, *address));
        found.truncate(limit);
        found.iter().map(|(_, searcher, address)| item(searcher, *address)).collect()
    }

    /// Groups of committed items.
    pub(super) fn aggregate(&self, query: &TraceQuery, aggregation: &Aggregation) -> Result<Groups, StoreError> {
        let keys = aggregation.group_by.iter().cloned().map(Key::Field).collect();
        let grouping = Grouping::new(keys, &aggregation.aggregates);
        let found = grouping.merged(self.collect(query, &grouping)?);
        let is_complete = found.is_complete;
        Ok(Groups::arranged(grouping.measured(found), aggregation, is_complete))
    }

    /// Groups of committed items by interval.
    pub(super) fn histogram(
        &self,
        query: &TraceQuery,
        secs: u32,
        aggregates: &[Aggregate],
    ) -> Result<Intervals, StoreError> {
        let secs = i64::from(secs);
        let grouping = Grouping::new(vec![Key::Interval(secs * 1_000_000)], aggregates);
        let found = grouping.merged(self.collect(query, &grouping)?);
        let rows = grouping.measured(found).into_iter().filter_map(|group| match group.values.first() {
            Some(Some(FieldValue::Number(interval))) => {
                Some((Timestamp::from_secs(*interval as i64 * secs), group.measured))
            }
            _ => None,
        });
        Ok(rows.collect())
    }

    /// Names of attributes.
    pub(super) fn attribute_keys(&self, query: &TraceQuery) -> Result<Vec<AttributeKey>, StoreError> {
        let mut counts: HashMap<_, u64> = HashMap::new();
        for (key, count) in self.collect(query, &AttributeKeys)?.into_iter().flatten() {
            *counts.entry(key).or_default() += count;
        }
        let key = |((name, of_type), count)| AttributeKey { name, of_type, count };
        let mut keys: Vec<AttributeKey> = counts.into_iter().map(key).collect();
        keys.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| (&a.name, a.of_type).cmp(&(&b.name, b.of_type))));
        keys.truncate(KEYS_MAX);
        Ok(keys)
    }

    /// Values of a field.
    pub(super) fn attribute_values(
        &self,
        query: &TraceQuery,
        key: &str,
        limit: usize,
    ) -> Result<Vec<(FieldValue, u64)>, StoreError> {
        let grouping = Grouping::new(vec![Key::Field(key.to_owned())], &[Aggregate::Count]);
        let found = grouping.merged(self.collect(query, &grouping)?);
        let mut counts: BTreeMap<FieldValue, u64> = BTreeMap::new();
        for mut group in grouping.measured(found) {
            if let (Some(Some(value)), Some(Some(count))) = (group.values.pop(), group.measured.first()) {
                *counts.entry(value).or_default() += *count as u64;
            }
        }
        let mut values: Vec<_> = counts.into_iter().collect();
        values.sort_by(|(a, n), (b, m)| m.cmp(n).then_with(|| a.cmp(b)));
        values.truncate(limit);
        Ok(values)
    }

    /// What a collector finds in each partition.
    fn collect<C: Collector>(&self, query: &TraceQuery, collector: &C) -> Result<Vec<C::Fruit>, StoreError> {
        let partitions = self.within(query.from, query.until);
        let search =
            |partition: Arc<Partition>| partition.searcher().search(&compile(query, &partition.times), collector);
        partitions.into_iter().map(search).collect::<Result<_, _>>().map_err(|error| STORE.failed(error))
    }
}

/// Whether all of a partition lies before the place where a page starts, in the order of time.
fn is_before(partition: &Partition, ascending: bool, after: Option<Place>) -> bool {
    let times = &partition.times;
    after.is_some_and(|(_, time, _)| if ascending { times.end.0 <= time } else { times.start.0 > time })
}

/// Ranks rows by the numbers of a field.
fn rank_by(key: &str) -> Rank {
    let key = key.to_owned();
    Arc::new(move |reader: &SegmentReader| {
        let columns = columns(reader, ItemField::named(&key))?;
        let ranking: Ranking = Box::new(move |doc| {
            let number = |column: &super::column::Coded| column.codes.first(doc).and_then(|code| column.number(code));
            order_of(columns.iter().find_map(number))
        });
        Ok(ranking)
    })
}

fn item(searcher: &Searcher, address: DocAddress) -> Result<TraceItem, StoreError> {
    let document: TantivyDocument = searcher.doc(address).map_err(|error| STORE.failed(error))?;
    Fields::get().item(&document)
}
