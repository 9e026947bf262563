//! What is counted of the rows that a query finds: histograms, values.

use std::{
    collections::{BTreeMap, HashMap},
    ops::{Bound, RangeBounds},
};

use tantivy::{
    DocId, Score, SegmentOrdinal, SegmentReader,
    collector::{Collector, SegmentCollector},
    columnar::{BytesColumn, Column},
};

use crate::index::page::TIME;

/// Counts rows per interval.
pub(super) struct Histogram {
    /// Length of an interval, in microseconds.
    pub(super) interval: i64,
}

pub(super) struct SegmentHistogram {
    interval: i64,
    time: Column<i64>,
    times: Vec<Option<i64>>,
    counts: BTreeMap<i64, u64>,
}

impl Collector for Histogram {
    /// Number of the interval since the epoch, and count.
    type Fruit = BTreeMap<i64, u64>;
    type Child = SegmentHistogram;

    fn for_segment(&self, _: SegmentOrdinal, reader: &SegmentReader) -> tantivy::Result<SegmentHistogram> {
        let time = reader.fast_fields().i64(TIME)?;
        Ok(SegmentHistogram { interval: self.interval, time, times: Vec::new(), counts: BTreeMap::new() })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, fruits: Vec<BTreeMap<i64, u64>>) -> tantivy::Result<BTreeMap<i64, u64>> {
        let mut sum = BTreeMap::new();
        for (interval, count) in fruits.into_iter().flatten() {
            *sum.entry(interval).or_default() += count;
        }
        Ok(sum)
    }
}

impl SegmentCollector for SegmentHistogram {
    type Fruit = BTreeMap<i64, u64>;

    fn collect(&mut self, doc: DocId, _: Score) {
        self.collect_block(&[doc]);
    }

    fn collect_block(&mut self, docs: &[DocId]) {
        self.times.clear();
        self.times.resize(docs.len(), None);
        self.time.first_vals(docs, &mut self.times);
        // Rows come in roughly in the order of time, so neighbours share an interval.
        let mut run = (0, 0);
        for time in self.times.iter().flatten() {
            let interval = time.div_euclid(self.interval);
            if run.1 > 0 && run.0 != interval {
                *self.counts.entry(run.0).or_default() += run.1;
                run.1 = 0;
            }
            run = (interval, run.1 + 1);
        }
        if run.1 > 0 {
            *self.counts.entry(run.0).or_default() += run.1;
        }
    }

    fn harvest(self) -> Self::Fruit {
        self.counts
    }
}

/// Most different values that one segment reports, the most frequent first: bounds the memory of a count of values
/// that are nearly all different.
const SEGMENT_VALUES_MAX: usize = 20_000;

/// Counts the values of a column of texts or bytes that begin with `prefix`.
pub(super) struct Values {
    pub(super) column: &'static str,
    pub(super) prefix: Vec<u8>,
}

/// What was seen of a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) count: u64,
    pub(super) first: i64,
    pub(super) last: i64,
}

impl Seen {
    fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

/// Values found, without their prefix.
#[derive(Debug, Default)]
pub(super) struct Counted {
    pub(super) values: HashMap<Vec<u8>, Seen>,
    /// Rows with a value.
    pub(super) total: u64,
    /// Different values, at least.
    pub(super) unique: u64,
}

impl Counted {
    /// Adds what was found elsewhere.
    pub(super) fn merge(&mut self, other: Self) {
        self.total += other.total;
        for (value, seen) in other.values {
            self.values.entry(value).and_modify(|known| known.merge(&seen)).or_insert(seen);
        }
        self.unique = self.unique.max(other.unique).max(self.values.len() as u64);
    }

    /// The values, most frequent first, then in their own order.
    pub(super) fn top(self, limit: usize) -> Vec<(Vec<u8>, Seen)> {
        let mut values: Vec<_> = self.values.into_iter().collect();
        values.sort_unstable_by(|(a, seen), (b, other)| other.count.cmp(&seen.count).then_with(|| a.cmp(b)));
        values.truncate(limit);
        values
    }
}

/// A column of texts or bytes of one segment, as far as its values begin with a prefix.
pub(super) struct ValueColumn {
    column: Option<BytesColumn>,
    prefix: usize,
    bounds: (Bound<u64>, Bound<u64>),
}

impl ValueColumn {
    /// Opens a column; the prefix ends in NUL or is empty.
    pub(super) fn open(reader: &SegmentReader, name: &str, prefix: &[u8]) -> tantivy::Result<Self> {
        let columns = reader.fast_fields();
        let column = match columns.str(name)? {
            Some(texts) => Some(BytesColumn::from(texts)),
            None => columns.bytes(name)?,
        };
        let bounds = match &column {
            // Terms are sorted, so those with the prefix are neighbours.
            Some(column) if !prefix.is_empty() => {
                let mut end = prefix.to_vec();
                if let Some(last) = end.last_mut() {
                    *last += 1;
                }
                column.dictionary().term_bounds_to_ord(Bound::Included(prefix), Bound::Excluded(&end))?
            }
            _ => (Bound::Unbounded, Bound::Unbounded),
        };
        Ok(Self { column, prefix: prefix.len(), bounds })
    }

    /// The ordinals of the values of a row.
    pub(super) fn ords(&self, doc: DocId) -> impl Iterator<Item = u64> + '_ {
        let ords = self.column.iter().flat_map(move |column| column.term_ords(doc));
        ords.filter(|ord| self.bounds.contains(ord))
    }

    /// The value of an ordinal, without the prefix.
    pub(super) fn value(&self, ord: u64) -> std::io::Result<Vec<u8>> {
        let mut value = Vec::new();
        if let Some(column) = &self.column {
            column.ord_to_bytes(ord, &mut value)?;
        }
        Ok(value.split_off(self.prefix.min(value.len())))
    }
}

pub(super) struct SegmentValues {
    column: ValueColumn,
    time: Column<i64>,
    seen: HashMap<u64, Seen>,
}

impl Collector for Values {
    type Fruit = Counted;
    type Child = SegmentValues;

    fn for_segment(&self, _: SegmentOrdinal, reader: &SegmentReader) -> tantivy::Result<SegmentValues> {
        let column = ValueColumn::open(reader, self.column, &self.prefix)?;
        Ok(SegmentValues { column, time: reader.fast_fields().i64(TIME)?, seen: HashMap::new() })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, fruits: Vec<std::io::Result<Counted>>) -> tantivy::Result<Counted> {
        let mut sum = Counted::default();
        for counted in fruits {
            sum.merge(counted?);
        }
        Ok(sum)
    }
}

impl SegmentCollector for SegmentValues {
    type Fruit = std::io::Result<Counted>;

    fn collect(&mut self, doc: DocId, _: Score) {
        for ord in self.column.ords(doc) {
            let time = self.time.first(doc).unwrap_or_default();
            let seen = Seen { count: 1, first: time, last: time };
            self.seen.entry(ord).and_modify(|known| known.merge(&seen)).or_insert(seen);
        }
    }

    fn harvest(self) -> Self::Fruit {
        let total = self.seen.values().map(|seen| seen.count).sum();
        let unique = self.seen.len() as u64;
        let mut seen: Vec<_> = self.seen.into_iter().collect();
        seen.sort_unstable_by(|(a, seen), (b, other)| other.count.cmp(&seen.count).then_with(|| a.cmp(b)));
        seen.truncate(SEGMENT_VALUES_MAX);
        let mut values = HashMap::with_capacity(seen.len());
        for (ord, seen) in seen {
            values.insert(self.column.value(ord)?, seen);
        }
        Ok(Counted { values, total, unique })
    }
}
