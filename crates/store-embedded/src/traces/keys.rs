//! Counts the rows that have each attribute.

use std::collections::HashMap;

use nuthatch_query::AttributeType;
use tantivy::{
    DocId, Score, SegmentOrdinal, SegmentReader,
    collector::{Collector, SegmentCollector},
    columnar::ColumnIndex,
    schema::Type,
};

use super::{column::column_name, schema::ATTRIBUTES};

/// Most attributes of one segment that are counted, in the order of their names: bounds the time that is spent on rows
/// of which each has names of its own.
const SEGMENT_KEYS_MAX: usize = 10_000;

/// Counts the rows that have each attribute.
pub(super) struct AttributeKeys;

type Counts = HashMap<(String, AttributeType), u64>;

pub(super) struct SegmentKeys(Vec<(String, AttributeType, ColumnIndex, u64)>);

impl Collector for AttributeKeys {
    type Fruit = Counts;
    type Child = SegmentKeys;

    fn for_segment(&self, _: SegmentOrdinal, reader: &SegmentReader) -> tantivy::Result<SegmentKeys> {
        let mut keys = Vec::new();
        for field in reader.fields_metadata()? {
            let of_type = match field.typ {
                Type::Str => AttributeType::Text,
                Type::Bool => AttributeType::Boolean,
                Type::I64 | Type::U64 | Type::F64 => AttributeType::Number,
                _ => continue,
            };
            let name = field.field_name.strip_prefix(ATTRIBUTES).and_then(|name| name.strip_prefix('.'));
            let Some(name) = name else { continue };
            if keys.len() == SEGMENT_KEYS_MAX {
                break;
            }
            for handle in reader.fast_fields().dynamic_column_handles(&column_name(name))? {
                if Type::from(handle.column_type()) == field.typ {
                    keys.push((name.to_owned(), of_type, handle.open()?.into_column_index(), 0));
                }
            }
        }
        Ok(SegmentKeys(keys))
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, fruits: Vec<Counts>) -> tantivy::Result<Counts> {
        let mut sum = Counts::new();
        for (key, count) in fruits.into_iter().flatten() {
            *sum.entry(key).or_default() += count;
        }
        Ok(sum)
    }
}

impl SegmentCollector for SegmentKeys {
    type Fruit = Counts;

    fn collect(&mut self, doc: DocId, _: Score) {
        self.collect_block(&[doc]);
    }

    fn collect_block(&mut self, docs: &[DocId]) {
        for (_, _, index, count) in &mut self.0 {
            *count += docs.iter().filter(|doc| index.has_value(**doc)).count() as u64;
        }
    }

    fn harvest(self) -> Counts {
        let mut counts = Counts::new();
        for (name, of_type, _, count) in self.0.into_iter().filter(|(.., count)| *count > 0) {
            *counts.entry((name, of_type)).or_default() += count;
        }
        counts
    }
}
