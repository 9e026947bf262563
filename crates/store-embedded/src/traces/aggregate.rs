//! Groups the rows that a query finds, and measures them.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    io,
    sync::Arc,
};

use nuthatch_protocol::Timestamp;
use nuthatch_query::{FieldValue, ItemField};
use nuthatch_store::traces::{Aggregate, GROUPS_MAX, Group, STATUS, has_failed};
use rustc_hash::FxHashMap;
use tantivy::{
    DocId, Score, SegmentOrdinal, SegmentReader,
    collector::{Collector, SegmentCollector},
    columnar::{Column, MonotonicallyMappableToU64},
};

use super::{
    column::{Code, Coded, Codes, columns},
    measure::{Numbers, Unique, hash_of},
};
use crate::index::page::TIME;

/// What the rows of a group share.
pub(super) enum Key {
    /// A field.
    Field(String),
    /// The interval that they are in, of this length in microseconds; its value is the number of the interval since the
    /// epoch.
    Interval(i64),
}

/// What is measured, each field looked at once.
#[derive(Default)]
struct Plan {
    /// Fields with numbers, and whether percentiles are asked for.
    numbers: Vec<(String, bool)>,
    /// Fields whose different values are counted.
    unique: Vec<String>,
    failures: bool,
    last: bool,
}

impl Plan {
    fn of(aggregates: &[Aggregate]) -> Self {
        let mut plan = Self::default();
        for aggregate in aggregates {
            match aggregate {
                Aggregate::Count => {}
                Aggregate::CountUnique(field) => {
                    if !plan.unique.contains(field) {
                        plan.unique.push(field.clone());
                    }
                }
                Aggregate::Sum(field) | Aggregate::Average(field) | Aggregate::Min(field) | Aggregate::Max(field) => {
                    plan.number(field, false);
                }
                Aggregate::Percentile(field, _) => plan.number(field, true),
                Aggregate::FailureCount | Aggregate::FailureRate => plan.failures = true,
                Aggregate::LastSeen => plan.last = true,
            }
        }
        plan
    }

    fn number(&mut self, field: &str, with_percentiles: bool) {
        match self.numbers.iter_mut().find(|(known, _)| known == field) {
            Some((_, kept)) => *kept |= with_percentiles,
            None => self.numbers.push((field.to_owned(), with_percentiles)),
        }
    }
}

/// What was seen of a group.
#[derive(Clone)]
pub(super) struct State {
    count: u64,
    failures: u64,
    last: i64,
    numbers: Vec<Numbers>,
    unique: Vec<Unique>,
}

impl State {
    fn new(plan: &Plan) -> Self {
        let numbers = plan.numbers.iter().map(|(_, with_percentiles)| Numbers::new(*with_percentiles));
        let unique = vec![Unique::default(); plan.unique.len()];
        Self { count: 0, failures: 0, last: i64::MIN, numbers: numbers.collect(), unique }
    }

    fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.failures += other.failures;
        self.last = self.last.max(other.last);
        self.numbers.iter_mut().zip(other.numbers).for_each(|(numbers, more)| numbers.merge(more));
        self.unique.iter_mut().zip(&other.unique).for_each(|(unique, more)| unique.merge(more));
    }
}

/// Groups by their values.
pub(super) struct Found {
    groups: BTreeMap<Vec<Option<FieldValue>>, State>,
    /// Whether there is room for all of them.
    pub(super) is_complete: bool,
}

impl Found {
    /// Adds what was found elsewhere.
    fn merge(&mut self, other: Self) {
        self.is_complete &= other.is_complete;
        for (values, state) in other.groups {
            if let Some(known) = self.groups.get_mut(&values) {
                known.merge(state);
            } else if self.groups.len() < GROUPS_MAX {
                self.groups.insert(values, state);
            } else {
                self.is_complete = false;
            }
        }
    }
}

/// Groups rows by keys and measures the groups.
pub(super) struct Grouping {
    keys: Vec<Key>,
    aggregates: Vec<Aggregate>,
    plan: Arc<Plan>,
}

impl Grouping {
    pub(super) fn new(keys: Vec<Key>, aggregates: &[Aggregate]) -> Self {
        Self { keys, aggregates: aggregates.to_vec(), plan: Arc::new(Plan::of(aggregates)) }
    }

    /// No groups; without keys there is always one.
    fn nothing(&self) -> Found {
        let mut groups = BTreeMap::new();
        if self.keys.is_empty() {
            groups.insert(Vec::new(), State::new(&self.plan));
        }
        Found { groups, is_complete: true }
    }

    /// All that was found together.
    pub(super) fn merged(&self, parts: impl IntoIterator<Item = Found>) -> Found {
        let mut sum = self.nothing();
        parts.into_iter().for_each(|part| sum.merge(part));
        sum
    }

    /// The groups with their aggregates.
    pub(super) fn measured(&self, found: Found) -> Vec<Group> {
        let group = |(values, state): (Vec<Option<FieldValue>>, State)| {
            let measured = self.aggregates.iter().map(|aggregate| self.measure(aggregate, &state)).collect();
            Group { values, measured }
        };
        found.groups.into_iter().map(group).collect()
    }

    fn measure(&self, aggregate: &Aggregate, state: &State) -> Option<f64> {
        let numbers = |field: &str| {
            let at = self.plan.numbers.iter().position(|(known, _)| known == field)?;
            state.numbers.get(at)
        };
        match aggregate {
            Aggregate::Count => Some(state.count as f64),
            Aggregate::CountUnique(field) => {
                let at = self.plan.unique.iter().position(|known| known == field)?;
                state.unique.get(at).map(Unique::count)
            }
            Aggregate::Sum(field) => numbers(field)?.sum(),
            Aggregate::Average(field) => numbers(field)?.mean(),
            Aggregate::Min(field) => numbers(field)?.least(),
            Aggregate::Max(field) => numbers(field)?.most(),
            Aggregate::Percentile(field, part) => numbers(field)?.percentile(*part),
            Aggregate::FailureCount => Some(state.failures as f64),
            Aggregate::FailureRate => (state.count > 0).then(|| state.failures as f64 / state.count as f64),
            Aggregate::LastSeen => (state.count > 0).then(|| Timestamp(state.last).as_secs_f64()),
        }
    }
}

/// What was worked out for codes already.
type Known<T> = FxHashMap<(u8, u64), T>;

pub(super) struct SegmentGroups {
    plan: Arc<Plan>,
    keys: Vec<SegmentKey>,
    numbers: Vec<Codes>,
    unique: Vec<(Codes, Known<u64>)>,
    status: Option<(Codes, Known<bool>)>,
    last: Option<Column<i64>>,
    /// Numbers of the groups by their codes.
    known: FxHashMap<Box<[Code]>, usize>,
    states: Vec<State>,
    is_complete: bool,
    failed: Option<io::Error>,
    /// The codes of one row.
    key: Vec<Code>,
}

struct SegmentKey {
    codes: Codes,
    /// Length of the intervals that codes are put together in.
    interval: Option<i64>,
}

impl SegmentKey {
    fn load(&mut self, docs: &[DocId]) {
        self.codes.load(docs);
        if let Some(interval) = self.interval {
            for code in self.codes.of_rows.iter_mut().flatten() {
                code.1 = i64::from_u64(code.1).div_euclid(interval).to_u64();
            }
        }
    }

    fn value(&self, code: Code) -> io::Result<Option<FieldValue>> {
        let Some((n, code)) = code else { return Ok(None) };
        if self.interval.is_some() {
            return Ok(Some(FieldValue::Number(i64::from_u64(code) as f64)));
        }
        self.codes.column(n).map(|column| column.value(code)).transpose()
    }
}

impl Collector for Grouping {
    type Fruit = Found;
    type Child = SegmentGroups;

    fn for_segment(&self, _: SegmentOrdinal, reader: &SegmentReader) -> tantivy::Result<SegmentGroups> {
        let of = |key: &str| columns(reader, ItemField::named(key)).map(Codes::new);
        let key = |key: &Key| {
            Ok(match key {
                Key::Field(field) => SegmentKey { codes: of(field)?, interval: None },
                Key::Interval(length) => {
                    let codes = Codes::new(columns(reader, ItemField::Time)?);
                    SegmentKey { codes, interval: Some(*length) }
                }
            })
        };
        let with_numbers = |(field, _): &(String, bool)| {
            let is_number = |column: &Coded| column.number(0).is_some();
            let columns = columns(reader, ItemField::named(field))?;
            Ok::<_, tantivy::TantivyError>(Codes::new(columns.into_iter().filter(is_number).collect()))
        };
        Ok(SegmentGroups {
            plan: Arc::clone(&self.plan),
            keys: self.keys.iter().map(key).collect::<tantivy::Result<_>>()?,
            numbers: self.plan.numbers.iter().map(with_numbers).collect::<tantivy::Result<_>>()?,
            unique: self
                .plan
                .unique
                .iter()
                .map(|field| Ok((of(field)?, Known::default())))
                .collect::<tantivy::Result<_>>()?,
            status: if self.plan.failures { Some((of(STATUS)?, Known::default())) } else { None },
            last: if self.plan.last { Some(reader.fast_fields().i64(TIME)?) } else { None },
            known: FxHashMap::default(),
            states: Vec::new(),
            is_complete: true,
            failed: None,
            key: Vec::new(),
        })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, fruits: Vec<io::Result<Found>>) -> tantivy::Result<Found> {
        let found: Vec<Found> = fruits.into_iter().collect::<io::Result<_>>()?;
        Ok(self.merged(found))
    }
}

impl SegmentGroups {
    /// The number of the group of a row; `None` when there is no room for it.
    fn group(&mut self, row: usize) -> Option<usize> {
        self.key.clear();
        self.key.extend(self.keys.iter().map(|key| key.codes.of_rows.get(row).copied().flatten()));
        if let Some(known) = self.known.get(self.key.as_slice()) {
            return Some(*known);
        }
        if self.states.len() == GROUPS_MAX {
            self.is_complete = false;
            return None;
        }
        self.known.insert(self.key.as_slice().into(), self.states.len());
        self.states.push(State::new(&self.plan));
        Some(self.states.len() - 1)
    }

    fn add(&mut self, row: usize, doc: DocId) -> io::Result<()> {
        let Some(state) = self.group(row).and_then(|group| self.states.get_mut(group)) else { return Ok(()) };
        state.count += 1;
        if let Some(time) = &self.last {
            state.last = state.last.max(time.first(doc).unwrap_or(i64::MIN));
        }
        for (codes, numbers) in self.numbers.iter().zip(&mut state.numbers) {
            if let Some((n, code)) = codes.of_rows[row]
                && let Some(number) = codes.column(n).and_then(|column| column.number(code))
            {
                numbers.add(number);
            }
        }
        for ((codes, hashes), unique) in self.unique.iter_mut().zip(&mut state.unique) {
            let Some(key) = codes.of_rows[row] else { continue };
            let hash = match hashes.get(&key) {
                Some(hash) => *hash,
                None => {
                    let Some(value) = codes.column(key.0).map(|column| column.value(key.1)).transpose()? else {
                        continue;
                    };
                    *hashes.entry(key).or_insert(hash_of(&value))
                }
            };
            unique.add(hash);
        }
        if let Some((codes, failed)) = &mut self.status
            && let Some(key) = codes.of_rows[row]
        {
            let has_failed = match failed.get(&key) {
                Some(has_failed) => *has_failed,
                None => {
                    let value = codes.column(key.0).map(|column| column.value(key.1)).transpose()?;
                    let has_failed = matches!(&value, Some(FieldValue::Text(word)) if has_failed(word));
                    *failed.entry(key).or_insert(has_failed)
                }
            };
            state.failures += u64::from(has_failed);
        }
        Ok(())
    }
}

impl SegmentCollector for SegmentGroups {
    type Fruit = io::Result<Found>;

    fn collect(&mut self, doc: DocId, _: Score) {
        self.collect_block(&[doc]);
    }

    fn collect_block(&mut self, docs: &[DocId]) {
        self.keys.iter_mut().for_each(|key| key.load(docs));
        let others = self.numbers.iter_mut().chain(self.unique.iter_mut().map(|(codes, _)| codes));
        others.chain(self.status.iter_mut().map(|(codes, _)| codes)).for_each(|codes| codes.load(docs));
        for (row, doc) in docs.iter().enumerate() {
            if let Err(error) = self.add(row, *doc) {
                self.failed.get_or_insert(error);
            }
        }
    }

    fn harvest(self) -> io::Result<Found> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let mut groups: BTreeMap<_, State> = BTreeMap::new();
        for (codes, group) in self.known {
            let values = self.keys.iter().zip(codes.iter()).map(|(key, code)| key.value(*code));
            let Some(state) = self.states.get(group) else { continue };
            // Numbers of different types may be the same.
            match groups.entry(values.collect::<io::Result<Vec<_>>>()?) {
                Entry::Occupied(mut known) => known.get_mut().merge(state.clone()),
                Entry::Vacant(free) => _ = free.insert(state.clone()),
            }
        }
        Ok(Found { groups, is_complete: self.is_complete })
    }
}
