//! The primary hashes of rows, read from their columns: the rows themselves are not unpacked.

use std::io;

use nuthatch_protocol::{EventId, Hash};
use tantivy::{
    DocId, Score, SegmentOrdinal, SegmentReader,
    collector::{Collector, SegmentCollector},
    columnar::Column,
};

use super::{collect::ValueColumn, schema::HASH};
use crate::index::page::ID_HALVES;

/// Finds the id and the primary hash of each row.
pub(super) struct PrimaryHashes;

pub(super) struct SegmentHashes {
    hash: ValueColumn,
    id: [Column<u64>; 2],
    found: Vec<(EventId, Option<u64>)>,
}

impl Collector for PrimaryHashes {
    type Fruit = Vec<(EventId, Option<Hash>)>;
    type Child = SegmentHashes;

    fn for_segment(&self, _: SegmentOrdinal, reader: &SegmentReader) -> tantivy::Result<SegmentHashes> {
        let columns = reader.fast_fields();
        let id = [columns.u64(ID_HALVES[0])?, columns.u64(ID_HALVES[1])?];
        Ok(SegmentHashes { hash: ValueColumn::open(reader, HASH, &[])?, id, found: Vec::new() })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, fruits: Vec<io::Result<Self::Fruit>>) -> tantivy::Result<Self::Fruit> {
        let mut all = Vec::new();
        for found in fruits {
            all.extend(found?);
        }
        Ok(all)
    }
}

impl SegmentCollector for SegmentHashes {
    type Fruit = io::Result<Vec<(EventId, Option<Hash>)>>;

    fn collect(&mut self, doc: DocId, _: Score) {
        let [high, low] = self.id.each_ref().map(|half| u128::from(half.first(doc).unwrap_or_default()));
        self.found.push((EventId((high << 64 | low).to_be_bytes()), self.hash.ords(doc).next()));
    }

    fn harvest(self) -> Self::Fruit {
        let Self { hash, found, .. } = self;
        let of = |(id, ord): (EventId, Option<u64>)| {
            let value = ord.map(|ord| hash.value(ord)).transpose()?;
            // Behind the project.
            let primary = value.and_then(|value| Some(Hash(value.split_first_chunk::<8>()?.1.try_into().ok()?)));
            Ok((id, primary))
        };
        found.into_iter().map(of).collect()
    }
}
