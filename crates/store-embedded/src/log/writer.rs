//! The one thread that appends. Whatever waits for it becomes one group: one write and one sync for each partition.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    os::unix::fs::FileExt as _,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use nuthatch_store::{StoreError, log::NewRecord};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use super::{
    error::{LogError, unavailable},
    frame,
    options::LogOptions,
    partition::PartitionLog,
    room::Room,
    segment::{self, Place, Segment},
    telemetry,
};

/// Capacity that the buffer of frames keeps between two groups.
const BUFFER_KEPT_BYTES: usize = 1024 * 1024;

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

/// Why the last append to a partition failed, until one succeeds.
pub(super) type Health = Mutex<BTreeMap<usize, String>>;

/// The state of the thread.
pub(super) struct Writer {
    /// All partitions.
    pub(super) partitions: Arc<[PartitionLog]>,
    /// The bounds.
    pub(super) options: LogOptions,
    /// Told to everybody.
    pub(super) health: Arc<Health>,
    /// The folder of the log.
    pub(super) dir: PathBuf,
    /// Room on the disk.
    pub(super) room: Arc<Room>,
    /// Bytes that were appended since that was measured.
    pub(super) unmeasured_bytes: u64,
    /// Open segments by partition.
    pub(super) active: BTreeMap<usize, Active>,
    /// The frames of a group.
    pub(super) buffer: Vec<u8>,
}

/// The segment a partition appends to.
pub(super) struct Active {
    segment: Segment,
    file: File,
    /// Where the next frame goes.
    end: Place,
    /// An append failed: what it wrote must go first.
    is_torn: bool,
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
    }

    fn commit(&mut self, group: Group) {
        for (partition, appends) in group.appends {
            let mut offset = self.append(partition, &appends).map_err(|error| {
                telemetry::commit_failed();
                tracing::error!(%error, "log.append_failed");
                error.to_string()
            });
            self.tell(partition, offset.as_ref().err());
            for Append { records, done, room, .. } in appends {
                // Who asked may have gone; the records stay appended.
                let _ = done.send(offset.clone().map_err(unavailable));
                offset = offset.map(|offset| offset + records.len() as u64);
                drop(room);
            }
        }
    }

    /// One write and one sync. The offset of the first record.
    fn append(&mut self, index: usize, appends: &[Append]) -> Result<u64, LogError> {
        let partition = &self.partitions[index];
        let active = match self.active.remove(&index) {
            Some(active) => active,
            None => Active::open(partition)?,
        };
        let active = self.active.entry(index).or_insert(active);
        let first = active.end.offset;
        let (mut next, mut bytes) = (first, 0);
        for Append { records, .. } in appends {
            for (index, record) in records.iter().enumerate() {
                let goes_on = index + 1 < records.len();
                frame::write(&mut self.buffer, active.segment.marker, next, record.key, &record.value, goes_on);
                next += 1;
                bytes += record.value.len() as u64;
            }
        }
        let started = Instant::now();
        let written = active.write(&self.buffer);
        let behind = Place { offset: next, byte: active.end.byte + self.buffer.len() as u64 };
        self.buffer.clear();
        self.buffer.shrink_to(BUFFER_KEPT_BYTES);
        written.map_err(LogError::io(&active.segment.path))?;
        active.end = behind;
        active.segment.remember(active.end);
        partition.advance(next);
        telemetry::committed((next - first) as usize, bytes, started.elapsed());
        if active.end.byte >= self.options.segment_bytes && next > active.segment.first {
            // Tried again after the next group.
            let _ = self.roll(index).inspect_err(|error| tracing::warn!(%error, "log.upkeep_failed"));
        }
        self.measure(bytes);
        Ok(first)
    }

    fn measure(&mut self, appended_bytes: u64) {
        self.unmeasured_bytes += appended_bytes;
        if self.unmeasured_bytes >= self.room.step_bytes() {
            self.unmeasured_bytes = 0;
            self.room.measure();
        }
    }

    /// Goes on with a new segment.
    fn roll(&mut self, index: usize) -> Result<(), LogError> {
        let partition = &self.partitions[index];
        partition.push(Segment::create(&partition.dir, partition.next())?);
        self.active.remove(&index);
        Ok(())
    }

    /// Goes on at an offset behind the end; the offsets in between are a gap.
    fn skip(&mut self, index: usize, to: u64) -> Result<u64, LogError> {
        let partition = &self.partitions[index];
        let next = partition.next();
        if next >= to {
            return Ok(next);
        }
        if let Some(active) = self.active.get_mut(&index) {
            // What a failed append left would be taken for records where the gap begins.
            active.mend().map_err(LogError::io(&active.segment.path))?;
        }
        let gap = segment::gap_path(&partition.dir, next);
        File::create(&gap).and_then(|file| file.sync_all()).map_err(LogError::io(&gap))?;
        let created = Segment::create(&partition.dir, to);
        if created.is_err() {
            // Records follow here after all. What cannot be removed is when the log is opened.
            let _ = segment::remove(&gap);
        }
        let segment = created?;
        let before = partition.active();
        partition.skip(next, segment);
        self.active.remove(&index);
        partition.advance(to);
        // Nothing is in it, and the gap counts: were it to stay, it would be removed when the log is opened.
        if let Some(empty) = before.filter(|segment| segment.first == next) {
            segment::remove(&empty.path)?;
        }
        Ok(to)
    }

    fn tell(&self, partition: usize, fault: Option<&String>) {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        match fault {
            Some(reason) => health.insert(partition, reason.clone()),
            None => health.remove(&partition),
        };
    }

    /// Tries whether there is room again, and whether the partitions that failed can be written.
    fn probe(&mut self) {
        let path = self.dir.join("probe");
        let written = fs::write(&path, vec![0; PROBE_BYTES]).and_then(|()| File::open(&path)?.sync_all());
        let removed = segment::remove(&path);
        let room = written.map_err(LogError::io(&path)).and(removed).map_err(|error| error.to_string());
        let failed: Vec<usize> = self.health.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect();
        for index in failed {
            let mended = match self.active.get_mut(&index) {
                Some(active) => active.mend().map_err(LogError::io(&active.segment.path)),
                None => Active::open(&self.partitions[index]).map(drop),
            };
            let mended = mended.map_err(|error| error.to_string()).and(room.clone());
            self.tell(index, mended.as_ref().err());
        }
    }
}

impl Active {
    /// Opens the last segment of a partition. Nothing is behind its end: opening the log sees to that.
    fn open(partition: &PartitionLog) -> Result<Self, LogError> {
        let Some(segment) = partition.active() else {
            let missing = io::Error::from(io::ErrorKind::NotFound);
            return Err(LogError::Io { path: partition.dir.clone(), source: missing });
        };
        let opened =
            File::options().write(true).open(&segment.path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (byte, file) = opened.map_err(LogError::io(&segment.path))?;
        Ok(Self { end: Place { offset: partition.next(), byte }, segment, file, is_torn: false })
    }

    /// Adds frames, durably. When it fails they are not there, also after a restart: at the latest with the next try.
    fn write(&mut self, frames: &[u8]) -> io::Result<()> {
        self.mend()?;
        let written = self.file.write_all_at(frames, self.end.byte).and_then(|()| self.file.sync_data());
        if written.is_err() {
            self.is_torn = true;
            // Tried again before the next write.
            let _ = self.mend();
        }
        written
    }

    /// Cuts off what a failed append wrote.
    fn mend(&mut self) -> io::Result<()> {
        if self.is_torn {
            self.file.set_len(self.end.byte)?;
            self.file.sync_data()?;
            self.is_torn = false;
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The disk took a part of what was to be written, and took no more.
    #[test]
    fn what_a_failed_append_wrote_goes_in_front_of_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let segment = Segment::create(dir.path(), 0).unwrap();
        let writable = File::options().write(true).open(&segment.path).unwrap();
        let read_only = File::open(&segment.path).unwrap();
        let mut active =
            Active { end: Place { offset: 0, byte: 0 }, segment: segment.clone(), file: writable, is_torn: false };
        active.write(b"first").unwrap();
        active.end.byte = 5;
        let writable = std::mem::replace(&mut active.file, read_only);
        active.write(b"second").unwrap_err();
        writable.write_all_at(b"sec and much more", 5).unwrap();
        active.file = writable;
        active.write(b"third").unwrap();
        assert_eq!(fs::read(&segment.path).unwrap(), b"firstthird");
    }
}
