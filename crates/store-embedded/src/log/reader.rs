//! Reads of partitions. They run on threads that may block.

use std::cell::Cell;

use nuthatch_store::log::{DamagedRecord, ReadBatch, ReadLimit, StoredRecord};

use super::{
    error::LogError,
    partition::{Extent, PartitionLog},
    segment::Found,
    telemetry,
};

/// Reads at most `limit` from an offset on.
pub(super) fn read(partition: &PartitionLog, from: u64, limit: ReadLimit) -> Result<ReadBatch, LogError> {
    let mut batch = ReadBatch { records: Vec::new(), damaged: Vec::new(), next: partition.at(from) };
    let mut bytes = 0;
    let full = Cell::new(false);
    let mut take = |found: Found| {
        let size = found.row.as_ref().map_or(0, |(_, value)| value.len());
        let taken = batch.records.len() + batch.damaged.len();
        full.set(taken >= limit.records.max(1) || (!batch.records.is_empty() && bytes + size > limit.bytes));
        if full.get() {
            return false;
        }
        telemetry::found(&found);
        bytes += size;
        let position = partition.at(found.offset);
        match found.row {
            Ok((key, value)) => batch.records.push(StoredRecord { position, key, value }),
            Err(reason) => batch.damaged.push(DamagedRecord { position, reason }),
        }
        batch.next = partition.at(found.offset + 1);
        true
    };
    // Behind a gap there may be nothing yet.
    let next = partition.next();
    for extent in partition.extents(from) {
        scan(partition, &extent, &mut take)?;
        if full.get() {
            return Ok(batch);
        }
    }
    batch.next = partition.at(batch.next.offset.max(next));
    Ok(batch)
}

fn scan(partition: &PartitionLog, extent: &Extent, take: &mut impl FnMut(Found) -> bool) -> Result<(), LogError> {
    let Extent { segment, range } = extent;
    match segment.scan(range.clone(), &mut *take) {
        Err(error) if error.is_missing() => {
            if partition.has(segment) {
                let missing = |offset| Found { offset, row: Err("segment file is missing".to_owned()) };
                range.clone().map(missing).all(take);
            }
            Ok(())
        }
        scanned => scanned,
    }
}

/// The last sound record with a key, from an offset on.
pub(super) fn find(partition: &PartitionLog, from: u64, key: [u8; 16]) -> Result<Option<StoredRecord>, LogError> {
    for Extent { segment, range } in partition.extents(from).into_iter().rev() {
        match segment.find(range, key) {
            Ok(Some((offset, value))) => return Ok(Some(StoredRecord { position: partition.at(offset), key, value })),
            Ok(None) => {}
            Err(error) if error.is_missing() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}
