//! The one thread that appends. Whatever waits for it becomes one group: one transaction a partition, one sync each.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, mpsc::SyncSender},
    time::Instant,
};

use nuthatch_store::{StoreError, log::NewRecord};
use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use super::{
    error::{LogError, unavailable},
    options::LogOptions,
    partition::PartitionLog,
    record,
    room::Room,
    segment::{self, Access},
    telemetry,
};

/// Bytes that must fit for the log to be called healthy again after a failed commit.
const PROBE_BYTES: usize = 1024 * 1024;

/// What the writer is asked to do.
pub(super) enum Command {
    /// Append records to a partition (an index into [`Writer::partitions`]).
    Append(Append),
    /// Give away no offset in front of this one.
    Skip {
        /// Index of the partition.
        partition: usize,
        /// The offset.
        to: u64,
        /// Gets the end.
        done: oneshot::Sender<Result<u64, StoreError>>,
    },
    /// Try whether commits succeed again.
    Probe,
    /// See whether there is room again.
    Measure,
    /// End once all that was asked before is done.
    Shutdown,
}

/// Records for one partition, all or none.
pub(super) struct Append {
    /// Index of the partition.
    pub(super) partition: usize,
    /// The records.
    pub(super) records: Vec<NewRecord>,
    /// Room in the queue, given back when this is dropped.
    pub(super) room: OwnedSemaphorePermit,
    /// Gets the offset of the first.
    pub(super) done: oneshot::Sender<Result<u64, StoreError>>,
}

/// Why the last commit failed, until one succeeds.
pub(super) type Health = Mutex<Option<String>>;

/// The state of the thread.
pub(super) struct Writer {
    /// All partitions.
    pub(super) partitions: Arc<[PartitionLog]>,
    /// The bounds.
    pub(super) options: LogOptions,
    /// Told to everybody.
    pub(super) health: Arc<Health>,
    /// The thread that seals full segments.
    pub(super) seals: SyncSender<PathBuf>,
    /// The folder of the log.
    pub(super) dir: PathBuf,
    /// Room on the disk.
    pub(super) room: Arc<Room>,
    /// Bytes that were appended since that was measured.
    pub(super) unmeasured_bytes: u64,
    /// Open segments by partition.
    pub(super) active: BTreeMap<usize, Active>,
    /// The last full segment of each partition. It is sealed when the next one is full: consumers that keep up are past it by
    /// then, and nothing is written twice.
    pub(super) full: BTreeMap<usize, PathBuf>,
}

/// The segment a partition appends to.
pub(super) struct Active {
    path: PathBuf,
    conn: Connection,
    page_bytes: u64,
    bytes: u64,
}

impl Writer {
    /// Runs until told to end or until nobody can ask any more. Holds the lock of the data directory that long.
    pub(super) fn run(mut self, mut queue: mpsc::Receiver<Command>, _lock: &File) {
        let mut ended = false;
        while !ended && let Some(mut command) = queue.blocking_recv() {
            let mut group = Group::default();
            let other = loop {
                match command {
                    Command::Append(append) => group.push(append),
                    other => break Some(other),
                }
                if group.records >= self.options.group_records || group.bytes >= self.options.group_bytes {
                    break None;
                }
                match queue.try_recv() {
                    Ok(next) => command = next,
                    Err(_) => break None,
                }
            };
            self.commit(group);
            match other {
                Some(Command::Skip { partition, to, done }) => {
                    // Who asked may have gone; nothing is lost then.
                    let _ = done.send(self.skip(partition, to).map_err(StoreError::from));
                }
                Some(Command::Probe) => self.probe(),
                Some(Command::Measure) => self.room.measure(),
                Some(Command::Shutdown) => ended = true,
                Some(Command::Append(_)) | None => {}
            }
        }
        if ended {
            let active = std::mem::take(&mut self.active).into_values().map(|active| active.path);
            for path in std::mem::take(&mut self.full).into_values().chain(active) {
                self.seal(path);
            }
        }
    }

    fn commit(&mut self, group: Group) {
        for (partition, appends) in group.appends {
            let outcome = self.append(partition, &appends);
            let mut offset = match outcome {
                Ok(first) => Ok(first),
                Err(error) => {
                    telemetry::commit_failed();
                    tracing::error!(%error, "log.append_failed");
                    // A connection that failed is not trusted with the next group.
                    self.active.remove(&partition);
                    Err(error.to_string())
                }
            };
            *self.health.lock().unwrap_or_else(PoisonError::into_inner) = offset.clone().err();
            for Append { records, done, room, .. } in appends {
                // Who asked may have gone; the records stay appended.
                let _ = done.send(offset.clone().map_err(unavailable));
                offset = offset.map(|offset| offset + records.len() as u64);
                drop(room);
            }
        }
    }

    /// One transaction. The offset of the first record.
    fn append(&mut self, index: usize, appends: &[Append]) -> Result<u64, LogError> {
        let partition = &self.partitions[index];
        let first = partition.next();
        let active = match self.active.remove(&index) {
            Some(active) => active,
            None => open(partition)?,
        };
        let active = self.active.entry(index).or_insert(active);
        let conn = &active.conn;
        let (mut next, mut bytes) = (first, 0);
        let mut write = || -> rusqlite::Result<std::time::Duration> {
            conn.prepare_cached("BEGIN IMMEDIATE")?.execute(())?;
            let mut insert = conn.prepare_cached(segment::INSERT)?;
            for record in appends.iter().flat_map(|append| &append.records) {
                let checksum = record::checksum(record::VERSION, next, &record.key, &record.value);
                let key = record.key.as_slice();
                insert.execute((segment::sql(next), record::VERSION, key, checksum, &*record.value))?;
                next += 1;
                bytes += record.value.len() as u64;
            }
            let started = Instant::now();
            conn.prepare_cached("COMMIT")?.execute(())?;
            Ok(started.elapsed())
        };
        let took = write().map_err(LogError::sqlite(&active.path))?;
        active.bytes += bytes + (next - first) * record::ROW_MIN_BYTES;
        partition.advance(next);
        telemetry::committed((next - first) as usize, bytes, took);
        self.after_commit(index);
        self.measure(bytes);
        Ok(first)
    }

    /// Keeps segment and write-ahead log in bounds. What fails here is tried again after the next commit.
    fn after_commit(&mut self, index: usize) {
        let Some(active) = self.active.get(&index) else { return };
        let kept = active.is_full(&self.options).and_then(|is_full| if is_full { self.roll(index) } else { Ok(()) });
        if let Err(error) = kept {
            tracing::warn!(%error, "log.upkeep_failed");
        }
    }

    fn measure(&mut self, appended_bytes: u64) {
        self.unmeasured_bytes += appended_bytes;
        if self.unmeasured_bytes >= self.room.step_bytes() {
            self.unmeasured_bytes = 0;
            self.room.measure();
        }
    }

    fn roll(&mut self, index: usize) -> Result<(), LogError> {
        let partition = &self.partitions[index];
        let next = partition.next();
        segment::create(&partition.dir, next)?;
        partition.push(next);
        if let Some(Active { path, .. }) = self.active.remove(&index) {
            self.fill(index, path);
        }
        Ok(())
    }

    /// Nothing more is appended to a segment.
    fn fill(&mut self, index: usize, path: PathBuf) {
        if let Some(before) = self.full.insert(index, path) {
            self.seal(before);
        }
    }

    fn seal(&self, path: PathBuf) {
        // The thread only ends after this one; a segment that is not sealed keeps its write-ahead log.
        let _ = self.seals.send(path);
    }

    /// Goes on at an offset behind the end; the offsets in between are a gap.
    fn skip(&mut self, index: usize, to: u64) -> Result<u64, LogError> {
        let partitions = self.partitions.clone();
        let partition = &partitions[index];
        let next = partition.next();
        if next >= to {
            return Ok(next);
        }
        let gap = segment::gap_path(&partition.dir, next);
        File::create(&gap).and_then(|file| file.sync_all()).map_err(LogError::io(&gap))?;
        segment::create(&partition.dir, to)?;
        let active = self.active.remove(&index);
        if partition.active() == next {
            partition.skip_empty(to);
            drop(active);
            for file in segment::files(&segment::path(&partition.dir, next)) {
                segment::remove(&file)?;
            }
        } else {
            partition.push_gap(next);
            partition.push(to);
            if let Some(Active { path, .. }) = active {
                self.fill(index, path);
            }
        }
        partition.advance(to);
        Ok(to)
    }

    fn probe(&self) {
        let path = self.dir.join("probe");
        let written = fs::write(&path, vec![0; PROBE_BYTES]).and_then(|()| File::open(&path)?.sync_all());
        let removed = segment::remove(&path);
        let reason = written.map_err(LogError::io(&path)).and(removed).err().map(|error| error.to_string());
        *self.health.lock().unwrap_or_else(PoisonError::into_inner) = reason;
    }
}

impl Active {
    fn is_full(&self, options: &LogOptions) -> Result<bool, LogError> {
        let frames: i64 = self
            .conn
            .prepare_cached("PRAGMA wal_checkpoint(NOOP)")
            .and_then(|mut noop| noop.query_row((), |row| row.get(1)))
            .map_err(LogError::sqlite(&self.path))?;
        let wal = u64::try_from(frames).unwrap_or(0) * self.page_bytes;
        Ok(self.bytes >= options.segment_bytes || wal >= options.wal_max_bytes)
    }
}

impl Drop for Writer {
    /// However the thread ends, nobody waits for it any longer.
    fn drop(&mut self) {
        for partition in self.partitions.iter() {
            partition.close();
        }
    }
}

/// Opens the last segment of a partition and removes what a failed commit may have left behind the end.
fn open(partition: &PartitionLog) -> Result<Active, LogError> {
    let path = segment::path(&partition.dir, partition.active());
    let conn = segment::open(&path, Access::Write)?;
    let at = || LogError::sqlite(&path);
    conn.execute("DELETE FROM record WHERE offset >= ?1", [segment::sql(partition.next())]).map_err(at())?;
    let pragma = |name: &str| conn.query_row(&format!("PRAGMA {name}"), (), |row| row.get::<_, i64>(0));
    let pages = u64::try_from(pragma("page_count").map_err(at())?).unwrap_or(0);
    let page_bytes = u64::try_from(pragma("page_size").map_err(at())?).unwrap_or(0);
    Ok(Active { bytes: pages * page_bytes, page_bytes, path, conn })
}

/// What is committed together.
#[derive(Default)]
struct Group {
    appends: BTreeMap<usize, Vec<Append>>,
    records: usize,
    bytes: usize,
}

impl Group {
    fn push(&mut self, append: Append) {
        self.records += append.records.len();
        self.bytes += append.records.iter().map(|record| record.value.len()).sum::<usize>();
        self.appends.entry(append.partition).or_default().push(append);
    }
}
