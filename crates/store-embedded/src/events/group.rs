//! Groups of rows and what is counted of each, in one pass over what a query finds.

use std::collections::{HashMap, HashSet};

use nuthatch_protocol::{Hash, ProjectId, Timestamp};
use nuthatch_store::event_groups::{EventCount, EventGroup, EventGroups, GroupKey, GroupValue, Grouping, value_hash};
use tantivy::{
    DocId, Score, SegmentOrdinal, SegmentReader,
    collector::{Collector, SegmentCollector},
    columnar::Column,
};

use super::{
    collect::ValueColumn,
    schema::{HASH, TAG, pair_prefix},
};
use crate::index::page::TIME;

/// Most different groups that one segment counts: bounds the memory of groups that are nearly all different.
const SEGMENT_GROUPS_MAX: usize = 20_000;
/// Most different values that one segment tells apart, over all groups.
const SEGMENT_UNIQUE_MAX: usize = 1 << 20;
/// Stands for a value that is not there.
const NONE: u64 = u64::MAX;

/// Counts rows in groups.
pub(super) struct Groups<'a>(pub(super) &'a Grouping);

/// The number of an interval, and the values that its rows share.
type Key = (i64, Vec<Option<Vec<u8>>>);

/// Groups found: by the number of their interval and what they share.
#[derive(Debug, Default)]
pub(super) struct Found {
    groups: HashMap<Key, EventCount>,
    is_partial: bool,
}

impl Found {
    /// Adds what was found elsewhere.
    pub(super) fn merge(&mut self, other: Self) {
        self.is_partial |= other.is_partial;
        for (key, counted) in other.groups {
            match self.groups.get_mut(&key) {
                Some(known) => known.add(counted),
                None => drop(self.groups.insert(key, counted)),
            }
        }
    }

    /// The groups as the port tells them.
    pub(super) fn groups(self, grouping: &Grouping) -> EventGroups {
        let secs = grouping.interval_secs.map_or(0, i64::from);
        let rows = self.groups.into_iter().map(|((interval, values), counted)| {
            let values = grouping.by.iter().zip(values);
            EventGroup {
                start: Timestamp::from_secs(interval.saturating_mul(secs)),
                values: values.map(|(key, value)| read(key, &value?)).collect(),
                counted,
            }
        });
        EventGroups::arranged(rows.collect(), !self.is_partial)
    }
}

/// A value as it lies in its column.
fn read(key: &GroupKey, value: &[u8]) -> Option<GroupValue> {
    match key {
        GroupKey::Hash => {
            // The project stands in front of the hash.
            let (project, hash) = value.split_first_chunk::<8>()?;
            Some(GroupValue::Hash(ProjectId(u64::from_be_bytes(*project)), Hash(hash.try_into().ok()?)))
        }
        GroupKey::Tag(_) => Some(GroupValue::Tag(String::from_utf8_lossy(value).into_owned())),
    }
}

pub(super) struct SegmentGroups {
    keys: Vec<ValueColumn>,
    unique: Vec<ValueColumn>,
    time: Column<i64>,
    /// Length of an interval, in microseconds.
    interval: Option<i64>,
    /// The group of the row at hand: interval, then the ordinals of its values.
    key: Vec<u64>,
    groups: HashMap<Vec<u64>, SegmentCount>,
    unique_count: usize,
    is_partial: bool,
}

struct SegmentCount {
    count: u64,
    last: i64,
    /// Ordinals of the values of each tag.
    unique: Vec<HashSet<u64>>,
}

impl Collector for Groups<'_> {
    type Fruit = Found;
    type Child = SegmentGroups;

    fn for_segment(&self, _: SegmentOrdinal, reader: &SegmentReader) -> tantivy::Result<SegmentGroups> {
        let tag = |key: &str| ValueColumn::open(reader, TAG, pair_prefix(key).as_bytes());
        let column = |key: &GroupKey| match key {
            GroupKey::Hash => ValueColumn::open(reader, HASH, &[]),
            GroupKey::Tag(key) => tag(key),
        };
        let Grouping { by, unique, interval_secs } = self.0;
        Ok(SegmentGroups {
            keys: by.iter().map(column).collect::<tantivy::Result<_>>()?,
            unique: unique.iter().map(|key| tag(key)).collect::<tantivy::Result<_>>()?,
            time: reader.fast_fields().i64(TIME)?,
            interval: interval_secs.map(|secs| i64::from(secs) * 1_000_000),
            key: Vec::new(),
            groups: HashMap::new(),
            unique_count: 0,
            is_partial: false,
        })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, fruits: Vec<std::io::Result<Found>>) -> tantivy::Result<Found> {
        let mut sum = Found::default();
        for found in fruits {
            sum.merge(found?);
        }
        Ok(sum)
    }
}

impl SegmentCollector for SegmentGroups {
    type Fruit = std::io::Result<Found>;

    fn collect(&mut self, doc: DocId, _: Score) {
        let time = self.time.first(doc).unwrap_or_default();
        self.key.clear();
        self.key.push(self.interval.map_or(0, |interval| time.div_euclid(interval)).cast_unsigned());
        self.key.extend(self.keys.iter().map(|column| column.ords(doc).next().unwrap_or(NONE)));
        if !self.groups.contains_key(&self.key) {
            if self.groups.len() == SEGMENT_GROUPS_MAX {
                self.is_partial = true;
                return;
            }
            let unique = self.unique.iter().map(|_| HashSet::new()).collect();
            self.groups.insert(self.key.clone(), SegmentCount { count: 0, last: time, unique });
        }
        let Some(group) = self.groups.get_mut(&self.key) else { return };
        group.count += 1;
        group.last = group.last.max(time);
        for (column, seen) in self.unique.iter().zip(&mut group.unique) {
            let Some(ord) = column.ords(doc).next() else { continue };
            if self.unique_count < SEGMENT_UNIQUE_MAX {
                self.unique_count += usize::from(seen.insert(ord));
            } else {
                self.is_partial |= !seen.contains(&ord);
            }
        }
    }

    fn harvest(self) -> Self::Fruit {
        let mut hashes: Vec<HashMap<u64, u64>> = self.unique.iter().map(|_| HashMap::new()).collect();
        let mut groups = HashMap::with_capacity(self.groups.len());
        for (key, SegmentCount { count, last, unique }) in self.groups {
            let Some((interval, ords)) = key.split_first() else { continue };
            let value = |(column, ord): (&ValueColumn, &u64)| match *ord {
                NONE => Ok(None),
                ord => column.value(ord).map(Some),
            };
            let values = self.keys.iter().zip(ords).map(value).collect::<std::io::Result<_>>()?;
            let mut told_apart = Vec::with_capacity(unique.len());
            for ((ords, column), known) in unique.into_iter().zip(&self.unique).zip(&mut hashes) {
                let mut values = HashSet::with_capacity(ords.len());
                for ord in ords {
                    let hash = match known.get(&ord) {
                        Some(hash) => *hash,
                        None => value_hash(&column.value(ord)?),
                    };
                    known.insert(ord, hash);
                    values.insert(hash);
                }
                told_apart.push(values);
            }
            let counted = EventCount { count, last_seen: Timestamp(last), unique: told_apart };
            groups.insert((interval.cast_signed(), values), counted);
        }
        Ok(Found { groups, is_partial: self.is_partial })
    }
}
