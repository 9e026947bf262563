//! Finding the rows of a page: those that come first behind a place in an order.

use std::{
    collections::{BinaryHeap, HashSet},
    sync::Arc,
};

use tantivy::{
    DocAddress, DocId, Score, SegmentOrdinal, SegmentReader,
    collector::{Collector, SegmentCollector},
    columnar::Column,
};

/// Name of the column with the time of rows, in microseconds.
pub(crate) const TIME: &str = "time";
/// Names of the columns with the two halves of their ids.
pub(crate) const ID_HALVES: [&str; 2] = ["id_high", "id_low"];
/// Name of the column with their projects.
pub(crate) const PROJECT: &str = "project";

/// Place of a row in the order of a page, the smallest first: rank, time, id.
pub(crate) type Place = (i64, i64, u128);

/// The place of a row. Descending is the order of the complements.
pub(crate) fn place(ascending: bool, (rank, time, id): Place) -> Place {
    if ascending { (rank, time, id) } else { (!rank, !time, !id) }
}

/// Gives rows of a segment their rank.
pub(crate) type Ranking = Box<dyn Fn(DocId) -> i64 + Send>;

/// Makes the ranking of a segment.
pub(crate) type Rank = Arc<dyn Fn(&SegmentReader) -> tantivy::Result<Ranking> + Send + Sync>;

/// Rows by project and id.
pub(crate) type Skipped = HashSet<(u64, u128)>;

/// Finds the rows of a page.
pub(crate) struct Page {
    pub(crate) ascending: bool,
    /// The place as it is in the rows.
    pub(crate) after: Option<Place>,
    pub(crate) limit: usize,
    /// What comes before the time; `None`: the same for all.
    pub(crate) rank: Option<Rank>,
    /// Rows that do not count; the rows must have a column of projects if there are any.
    pub(crate) skipped: Arc<Skipped>,
}

pub(crate) struct SegmentPage {
    ascending: bool,
    after: Option<Place>,
    limit: usize,
    rank: Option<Ranking>,
    skipped: Option<(Arc<Skipped>, Column<u64>)>,
    segment: SegmentOrdinal,
    time: Column<i64>,
    id: [Column<u64>; 2],
    best: BinaryHeap<(Place, DocAddress)>,
}

impl Collector for Page {
    type Fruit = Vec<(Place, DocAddress)>;
    type Child = SegmentPage;

    fn for_segment(&self, segment: SegmentOrdinal, reader: &SegmentReader) -> tantivy::Result<SegmentPage> {
        let columns = reader.fast_fields();
        let skipped =
            if self.skipped.is_empty() { None } else { Some((Arc::clone(&self.skipped), columns.u64(PROJECT)?)) };
        Ok(SegmentPage {
            ascending: self.ascending,
            after: self.after.map(|after| place(self.ascending, after)),
            limit: self.limit,
            rank: self.rank.as_ref().map(|rank| rank(reader)).transpose()?,
            skipped,
            segment,
            time: columns.i64(TIME)?,
            id: [columns.u64(ID_HALVES[0])?, columns.u64(ID_HALVES[1])?],
            best: BinaryHeap::with_capacity(self.limit + 1),
        })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, fruits: Vec<Self::Fruit>) -> tantivy::Result<Self::Fruit> {
        let mut rows: Vec<_> = fruits.into_iter().flatten().collect();
        rows.sort_unstable();
        rows.truncate(self.limit);
        Ok(rows)
    }
}

impl SegmentCollector for SegmentPage {
    type Fruit = Vec<(Place, DocAddress)>;

    fn collect(&mut self, doc: DocId, _: Score) {
        let rank = self.rank.as_ref().map_or(0, |rank| rank(doc));
        let time = self.time.first(doc).unwrap_or_default();
        let worst = if self.best.len() < self.limit { None } else { self.best.peek().map(|(place, _)| *place) };
        // Most rows are out by their rank and time alone.
        let (rank_order, time_order, _) = place(self.ascending, (rank, time, 0));
        let order = (rank_order, time_order);
        if worst.is_some_and(|worst| order > (worst.0, worst.1))
            || self.after.is_some_and(|after| order < (after.0, after.1))
        {
            return;
        }
        let [high, low] = self.id.each_ref().map(|half| u128::from(half.first(doc).unwrap_or_default()));
        let id = high << 64 | low;
        let place = place(self.ascending, (rank, time, id));
        if self.after.is_some_and(|after| place <= after) {
            return;
        }
        if let Some((skipped, project)) = &self.skipped
            && skipped.contains(&(project.first(doc).unwrap_or_default(), id))
        {
            return;
        }
        self.best.push((place, DocAddress::new(self.segment, doc)));
        if self.best.len() > self.limit {
            self.best.pop();
        }
    }

    fn harvest(self) -> Self::Fruit {
        self.best.into_vec()
    }
}
