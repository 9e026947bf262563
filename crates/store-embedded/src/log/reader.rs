//! Reads of partitions. They run on threads that may block, each on a connection that is kept for the next.

use std::{
    cell::Cell,
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use nuthatch_store::log::{DamagedRecord, ReadBatch, ReadLimit, StoredRecord};
use rusqlite::Connection;

use super::{
    error::LogError,
    partition::{Content, Extent, PartitionLog},
    segment::{self, Access, Found},
    telemetry,
};

/// Connections that are kept open while nobody reads.
const IDLE_CONNECTIONS_MAX: usize = 16;

/// Connections to segments, for reading.
pub(super) struct Readers {
    access: Access,
    idle: Mutex<VecDeque<(PathBuf, Connection)>>,
}

impl Readers {
    /// None open yet.
    pub(super) fn new(access: Access) -> Self {
        Self { access, idle: Mutex::default() }
    }

    /// Reads at most `limit` from an offset on.
    pub(super) fn read(&self, partition: &PartitionLog, from: u64, limit: ReadLimit) -> Result<ReadBatch, LogError> {
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
        let mut reached = from;
        for extent in partition.extents(from) {
            self.scan(partition, &extent, &mut take)?;
            if full.get() {
                return Ok(batch);
            }
            reached = extent.range.end;
        }
        // Behind a gap there may be nothing yet.
        batch.next = partition.at(reached);
        Ok(batch)
    }

    /// The last sound record with a key, from an offset on.
    pub(super) fn find(
        &self,
        partition: &PartitionLog,
        from: u64,
        key: [u8; 16],
    ) -> Result<Option<StoredRecord>, LogError> {
        for extent in partition.extents(from).into_iter().rev().filter(|extent| extent.content == Content::Records) {
            let path = segment::path(&partition.dir, extent.first);
            match self.with(&path, |conn| segment::find(&path, conn, extent.range, key)) {
                Ok(Some((offset, value))) => {
                    return Ok(Some(StoredRecord { position: partition.at(offset), key, value }));
                }
                Ok(None) => {}
                Err(error) if error.is_damage() || !path.exists() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    fn scan(
        &self,
        partition: &PartitionLog,
        extent: &Extent,
        take: &mut impl FnMut(Found) -> bool,
    ) -> Result<(), LogError> {
        let path = segment::path(&partition.dir, extent.first);
        let reason = match extent.content {
            Content::Gap => return Ok(()),
            Content::Lost => "segment is in the quarantine".to_owned(),
            Content::Records => {
                match self.with(&path, |conn| segment::scan(&path, conn, extent.range.clone(), &mut *take)) {
                    Ok(()) => return Ok(()),
                    Err(error) if error.is_damage() => error.to_string(),
                    Err(_) if !partition.has(extent.first) => return Ok(()),
                    Err(_) if !path.exists() => "segment file is missing".to_owned(),
                    Err(error) => return Err(error),
                }
            }
        };
        for offset in extent.range.clone() {
            if !take(Found { offset, row: Err(reason.clone()) }) {
                break;
            }
        }
        Ok(())
    }

    fn with<T>(&self, path: &Path, read: impl FnOnce(&Connection) -> Result<T, LogError>) -> Result<T, LogError> {
        let kept = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            let at = idle.iter().position(|(of, _)| of == path);
            at.and_then(|at| idle.remove(at))
        };
        let conn = match kept {
            Some((_, conn)) => conn,
            None => segment::open(path, self.access)?,
        };
        let read = read(&conn)?;
        // A trimmed segment would take room on disk for as long as it is open.
        if path.exists() {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() >= IDLE_CONNECTIONS_MAX {
                idle.pop_front();
            }
            idle.push_back((path.to_owned(), conn));
        }
        Ok(read)
    }

    /// Closes what is open of segments that were removed.
    pub(super) fn forget_trimmed(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).retain(|(path, _)| path.exists());
    }
}
