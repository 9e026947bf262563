//! Searches, over one partition after the other.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use nuthatch_protocol::{EventId, EventRow, Hash, ProjectId, Timestamp};
use nuthatch_store::{
    StoreError,
    event_groups::{EventGroups, Grouping},
    events::{EventPage, EventQuery, EventSummary, HASHES_MAX, StoredEvent, TagValue, TagValues, VALUES_MAX},
};
use tantivy::{
    Searcher, TantivyDocument, TantivyError, Term,
    collector::{Collector, Count, DocSetCollector},
    query::TermQuery,
    schema::IndexRecordOption,
};

use super::{
    STORE, Shared,
    collect::{Counted, Histogram, Values},
    compile::compile,
    group::{Found, Groups},
    primary::PrimaryHashes,
    schema::{EventLayout, Fields, HASH, TAG, TAG_KEY, pair_prefix},
};
use crate::index::{
    Pending,
    compile::{BoxQuery, any, any_term},
    page::Page,
    partition::Partition,
};

impl Shared<EventLayout> {
    /// An event by its id, committed or not.
    pub(super) fn get(&self, project: ProjectId, id: EventId) -> Result<Option<StoredEvent>, StoreError> {
        // A commit shows rows to searches before it forgets that they were pending, so this order misses none.
        let pending = self.pending().get(&(project, id)).map(Arc::clone);
        if let Some(row) = pending {
            return Ok(Some(StoredEvent { summary: EventSummary::of(&row), body: row.body.clone() }));
        }
        let fields = Fields::get();
        if let Some(event) = self.committed(fields.key_term(project, id))? {
            return Ok(Some(event));
        }
        let shows = |row: &&Arc<EventRow>| row.project_id == project && row.shows == Some(id);
        let pending = self.pending().values().find(shows).map(Arc::clone);
        if let Some(row) = pending {
            return Ok(Some(StoredEvent { summary: EventSummary::of(&row), body: row.body.clone() }));
        }
        self.committed(fields.shows_term(project, id))
    }

    /// A searcher of each partition, the newest first.
    fn searchers(&self) -> Vec<Searcher> {
        self.partitions().values().rev().map(|partition| partition.searcher()).collect()
    }

    /// A committed event that has a term, of the newest partition that has one.
    fn committed(&self, term: Term) -> Result<Option<StoredEvent>, StoreError> {
        let query = TermQuery::new(term, IndexRecordOption::Basic);
        for searcher in self.searchers() {
            let found = searcher.search(&query, &DocSetCollector).map_err(|error| STORE.failed(error))?;
            if let Some(address) = found.into_iter().next() {
                let document: TantivyDocument = searcher.doc(address).map_err(|error| STORE.failed(error))?;
                return Fields::get().event(&document).map(Some);
            }
        }
        Ok(None)
    }

    /// The primary hash of each of some events, in the order of [`Self::get`]: each partition is asked once for all that are
    /// not found yet.
    pub(super) fn primary_hashes(
        &self,
        project: ProjectId,
        ids: &[EventId],
    ) -> Result<HashMap<EventId, Hash>, StoreError> {
        let fields = Fields::get();
        let mut found: HashMap<EventId, Option<Hash>> = HashMap::new();
        {
            let pending = self.pending();
            let rows = ids.iter().filter_map(|id| Some((*id, pending.get(&(project, *id))?)));
            found.extend(rows.map(|(id, row)| (id, row.hashes.first().copied())));
        }
        for searcher in self.searchers() {
            let missing = ids.iter().filter(|id| !found.contains_key(id));
            // Each id is a step in the dictionary of the index; a set of terms would go through all of it.
            let of = |id: &EventId| TermQuery::new(fields.key_term(project, *id), IndexRecordOption::Basic);
            let query = any(missing.map(|id| Box::new(of(id)) as BoxQuery).collect());
            found.extend(searcher.search(&query, &PrimaryHashes).map_err(|error| STORE.failed(error))?);
        }
        let missing: HashSet<EventId> = ids.iter().filter(|id| !found.contains_key(id)).copied().collect();
        for row in self.pending().values().filter(|row| row.project_id == project) {
            if let Some(shown) = row.shows.filter(|shown| missing.contains(shown)) {
                found.entry(shown).or_insert_with(|| row.hashes.first().copied());
            }
        }
        // Which event a committed row shows is told by its term alone. Most of what is missing is shown by none.
        let missing: Vec<EventId> = missing.into_iter().filter(|id| !found.contains_key(id)).collect();
        let shown = any_term(missing.iter().map(|id| fields.shows_term(project, *id)).collect());
        let mut counts = self.searchers().into_iter().map(|searcher| searcher.search(&shown, &Count));
        if counts.try_fold(0, |sum, count| Ok(sum + count?)).map_err(|error: TantivyError| STORE.failed(error))? > 0 {
            for id in missing {
                let event = self.committed(fields.shows_term(project, id))?;
                found.extend(event.map(|event| (id, event.summary.hashes.first().copied())));
            }
        }
        Ok(found.into_iter().filter_map(|(id, hash)| Some((id, hash?))).collect())
    }

    /// A page of events, committed or not.
    pub(super) fn page(&self, query: &EventQuery, page: &EventPage) -> Result<Vec<EventSummary>, StoreError> {
        // Pending first, as in `get`: a row that is committed meanwhile is then seen twice rather than missed.
        let pending: HashMap<_, _> = self.pending().iter().map(|(key, row)| (*key, Arc::clone(row))).collect();
        let mut rows = self.committed_page(query, page, &pending)?;
        let wanted = |row: &&Arc<EventRow>| query.matches(row) && page.is_behind((row.timestamp, row.event_id));
        rows.extend(pending.values().filter(wanted).map(|row| EventSummary::of(row)));
        page.arrange(&mut rows);
        Ok(rows)
    }

    /// A page of the events that are committed and not about to be replaced.
    fn committed_page(
        &self,
        query: &EventQuery,
        page: &EventPage,
        replaced: &Pending<EventLayout>,
    ) -> Result<Vec<EventSummary>, StoreError> {
        let mut partitions = self.within(query.from, query.until);
        if let Some((time, _)) = page.after {
            partitions.retain(
                |partition| if page.ascending { partition.times.end > time } else { partition.times.start <= time },
            );
        }
        if !page.ascending {
            partitions.reverse();
        }
        let mut rows = Vec::new();
        for partition in partitions {
            let searcher = partition.searcher();
            let query = compile(query, &partition.times);
            let mut wanted = page.limit - rows.len();
            // Rows that a pending one replaces do not count; as many more are then asked for.
            while wanted > 0 {
                let addresses = searcher.search(&query, &first(page, wanted)).map_err(|error| STORE.failed(error))?;
                let is_last = addresses.len() < wanted;
                let mut found = Vec::with_capacity(addresses.len());
                for (_, address) in addresses {
                    let document: TantivyDocument = searcher.doc(address).map_err(|error| STORE.failed(error))?;
                    found.push(Fields::get().summary(&document)?);
                }
                let all = found.len();
                found.retain(|row| !replaced.contains_key(&(row.project_id, row.event_id)));
                if is_last || rows.len() + found.len() >= page.limit {
                    rows.append(&mut found);
                    break;
                }
                wanted += all - found.len();
            }
            rows.truncate(page.limit);
            if rows.len() == page.limit {
                break;
            }
        }
        Ok(rows)
    }

    /// How many events match.
    pub(super) fn count(&self, query: &EventQuery) -> Result<u64, StoreError> {
        Ok(self.collect(query, &Count)?.into_iter().map(|count| count as u64).sum())
    }

    /// Events per interval.
    pub(super) fn histogram(&self, query: &EventQuery, secs: u32) -> Result<Vec<(Timestamp, u64)>, StoreError> {
        let secs = i64::from(secs);
        let mut sum = BTreeMap::new();
        let histogram = Histogram { interval: secs * 1_000_000 };
        for (interval, count) in self.collect(query, &histogram)?.into_iter().flatten() {
            *sum.entry(interval).or_default() += count;
        }
        Ok(sum.into_iter().map(|(interval, count)| (Timestamp::from_secs(interval * secs), count)).collect())
    }

    /// Values of a tag.
    pub(super) fn tag_values(&self, query: &EventQuery, key: &str, limit: usize) -> Result<TagValues, StoreError> {
        let found = self.values(query, &Values { column: TAG, prefix: pair_prefix(key).into_bytes() })?;
        let (total, unique) = (found.total, found.unique);
        let value = |(value, seen): (Vec<u8>, super::collect::Seen)| TagValue {
            value: String::from_utf8_lossy(&value).into_owned(),
            count: seen.count,
            first_seen: Timestamp(seen.first),
            last_seen: Timestamp(seen.last),
        };
        Ok(TagValues { total, unique, top: found.top(limit.min(VALUES_MAX)).into_iter().map(value).collect() })
    }

    /// Keys of tags.
    pub(super) fn tag_keys(&self, query: &EventQuery) -> Result<Vec<(String, u64)>, StoreError> {
        let found = self.values(query, &Values { column: TAG_KEY, prefix: Vec::new() })?;
        let keys = found.top(VALUES_MAX).into_iter();
        Ok(keys.map(|(key, seen)| (String::from_utf8_lossy(&key).into_owned(), seen.count)).collect())
    }

    /// Primary hashes with their projects.
    pub(super) fn hashes(&self, query: &EventQuery, limit: usize) -> Result<Vec<(ProjectId, Hash)>, StoreError> {
        let found = self.values(query, &Values { column: HASH, prefix: Vec::new() })?;
        let pair = |(value, _): (Vec<u8>, _)| {
            let (project, hash) = value.split_first_chunk::<8>()?;
            Some((ProjectId(u64::from_be_bytes(*project)), Hash(hash.try_into().ok()?)))
        };
        Ok(found.top(limit.min(HASHES_MAX)).into_iter().filter_map(pair).collect())
    }

    /// Groups of events.
    pub(super) fn groups(&self, query: &EventQuery, grouping: &Grouping) -> Result<EventGroups, StoreError> {
        let mut sum = Found::default();
        for found in self.collect(query, &Groups(grouping))? {
            sum.merge(found);
        }
        Ok(sum.groups(grouping))
    }

    fn values(&self, query: &EventQuery, values: &Values) -> Result<Counted, StoreError> {
        let mut sum = Counted::default();
        for counted in self.collect(query, values)? {
            sum.merge(counted);
        }
        Ok(sum)
    }

    /// What a collector finds in each partition.
    fn collect<C: Collector>(&self, query: &EventQuery, collector: &C) -> Result<Vec<C::Fruit>, StoreError> {
        let partitions = self.within(query.from, query.until);
        let search =
            |partition: Arc<Partition>| partition.searcher().search(&compile(query, &partition.times), collector);
        partitions.into_iter().map(search).collect::<Result<_, _>>().map_err(|error| STORE.failed(error))
    }
}

/// At most `limit` rows of a page.
fn first(page: &EventPage, limit: usize) -> Page {
    let after = page.after.map(|(time, id)| (0, time.0, u128::from_be_bytes(id.0)));
    Page { ascending: page.ascending, after, limit, rank: None, skipped: Arc::default() }
}
