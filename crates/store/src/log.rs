//! The log: what was accepted and not yet applied. Append-only, partitioned, durable.

use async_trait::async_trait;
use bytes::Bytes;
use nuthatch_protocol::{Partition, Position, Topic};

use crate::StoreError;

/// Append-only, partitioned, durable. Offsets are dense per partition and start at 0; order inside a partition
/// is the order of acknowledgement.
#[async_trait]
pub trait Log: Send + Sync + 'static {
    /// Partitions of a topic, from 0.
    fn partitions(&self, topic: Topic) -> Partition;

    /// Appends records to one partition, all or none. Resolves after they are durable (the group commit they are
    /// part of is on disk), with the position of the first.
    ///
    /// No records: the next position. A value over [`RECORD_MAX_BYTES`] or an unknown partition is
    /// [`StoreError::Invalid`].
    async fn append(&self, topic: Topic, partition: Partition, records: Vec<NewRecord>)
    -> Result<Position, StoreError>;

    /// Reads at most `limit` from a position on, in order. Records that are damaged are left out and listed; records
    /// that were trimmed are skipped. Never waits: an empty answer means the end.
    async fn read(&self, from: Position, limit: ReadLimit) -> Result<ReadBatch, StoreError>;

    /// Resolves when the partition has a record at or behind the position, or when the log shuts down.
    async fn wait(&self, at: Position);

    /// The last record with a key at or behind a position: how an event is found that was accepted and not yet
    /// applied. May read all of that range.
    async fn find(&self, from: Position, key: [u8; 16]) -> Result<Option<StoredRecord>, StoreError>;

    /// First and next offset of a partition.
    async fn bounds(&self, topic: Topic, partition: Partition) -> Result<LogBounds, StoreError>;

    /// Remembers that a consumer has applied everything in front of a position, and removes the files that every
    /// registered consumer of the topic ([`LogLayout::consumers`]) has behind it. Never moves back. Offsets in front
    /// of a released position are never given to a new record: a consumer that releases what it has applied before
    /// it starts is safe even when the log lost its end.
    async fn release(&self, consumer: &str, position: Position) -> Result<(), StoreError>;

    /// The positions consumers released, for operators: `(consumer, position)`.
    async fn consumers(&self) -> Result<Vec<(String, Position)>, StoreError>;

    /// Whether more is to be taken from outside: not when what waits is at its bound, or the disk nearly full. Appends still
    /// succeed, so that what is refused can be counted and what is under way ends. Cheap: it is asked for each request.
    fn has_room(&self) -> bool;

    /// Whether appends can be expected to succeed; the reason if not.
    fn health(&self) -> Result<(), String>;
}

/// How a log is set up, whatever keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLayout {
    /// Partitions of every topic; at least 1.
    pub partitions: Partition,
    /// Who reads what. A topic is trimmed behind its slowest consumer; one without consumers never is.
    pub consumers: Vec<(Topic, String)>,
}

impl Default for LogLayout {
    /// One partition, no consumers.
    fn default() -> Self {
        Self { partitions: 1, consumers: Vec::new() }
    }
}

impl LogLayout {
    /// Whether a partition exists; the answer to the caller if not.
    pub fn check_partition(&self, topic: Topic, partition: Partition) -> Result<(), StoreError> {
        if partition < self.partitions.max(1) {
            return Ok(());
        }
        Err(StoreError::Invalid(format!("topic {topic} has no partition {partition}, only {}", self.partitions.max(1))))
    }

    /// The registered consumers of a topic.
    pub fn consumers_of(&self, topic: Topic) -> impl Iterator<Item = &str> {
        self.consumers.iter().filter(move |(of, _)| *of == topic).map(|(_, name)| name.as_str())
    }
}

/// A record to append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecord {
    /// What [`Log::find`] looks for: the event id.
    pub key: [u8; 16],
    /// The bytes; at most [`RECORD_MAX_BYTES`].
    pub value: Bytes,
}

/// Largest value of a record, in bytes.
pub const RECORD_MAX_BYTES: usize = 64 * 1024 * 1024;

impl NewRecord {
    /// Refuses a value that no log takes.
    pub fn check(&self) -> Result<(), StoreError> {
        if self.value.len() <= RECORD_MAX_BYTES {
            return Ok(());
        }
        Err(StoreError::Invalid(format!("record has {} bytes, at most {RECORD_MAX_BYTES} are taken", self.value.len())))
    }
}

/// A record with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// Where it is.
    pub position: Position,
    /// The key it was appended with.
    pub key: [u8; 16],
    /// The bytes.
    pub value: Bytes,
}

/// How much to read at the most. At least one record is returned if there is one, whatever its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimit {
    /// Records.
    pub records: usize,
    /// Bytes of values.
    pub bytes: usize,
}

/// What a read found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadBatch {
    /// The sound records.
    pub records: Vec<StoredRecord>,
    /// The damaged ones: quarantined, reported, skipped.
    pub damaged: Vec<DamagedRecord>,
    /// Where to go on.
    pub next: Position,
}

impl ReadBatch {
    /// The same in parts, none of whose records have a sum of sizes over `size_max` unless it is one record alone.
    pub fn split(self, size_max: u64, size: impl Fn(&StoredRecord) -> u64) -> Vec<Self> {
        let part = |next| Self { records: Vec::new(), damaged: Vec::new(), next };
        let mut parts = vec![part(self.next)];
        let mut sum = 0_u64;
        for record in self.records {
            let size = size(&record);
            let Some(last) = parts.last_mut() else { break };
            if !last.records.is_empty() && sum.saturating_add(size) > size_max {
                last.next = record.position;
                parts.push(Self { records: vec![record], ..part(self.next) });
                sum = size;
            } else {
                sum = sum.saturating_add(size);
                last.records.push(record);
            }
        }
        for damaged in self.damaged {
            let of = parts.iter_mut().find(|part| damaged.position < part.next);
            if let Some(part) = of {
                part.damaged.push(damaged);
            }
        }
        parts
    }
}

/// A record whose checksum or version is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedRecord {
    /// Where it is.
    pub position: Position,
    /// What is wrong.
    pub reason: String,
}

/// What a partition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogBounds {
    /// Offset of the oldest record still there (equal to `next` when there is none).
    pub first: u64,
    /// Offset of the next record to be appended.
    pub next: u64,
    /// Bytes on disk.
    pub bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_batch_hold_each_record_once() {
        let position = |offset| Position { topic: Topic::IngestEvents, partition: 0, offset };
        let record =
            |offset, size| StoredRecord { position: position(offset), key: [0; 16], value: Bytes::from(vec![0; size]) };
        let damaged = |offset| DamagedRecord { position: position(offset), reason: String::new() };
        let batch = ReadBatch {
            records: vec![record(1, 3), record(2, 3), record(4, 9), record(5, 1), record(7, 1)],
            damaged: vec![damaged(0), damaged(3), damaged(8)],
            next: position(9),
        };
        let parts = batch.split(6, |record| record.value.len() as u64);
        let offsets = |part: &ReadBatch| {
            let records: Vec<u64> = part.records.iter().map(|record| record.position.offset).collect();
            let damaged: Vec<u64> = part.damaged.iter().map(|damaged| damaged.position.offset).collect();
            (records, damaged, part.next.offset)
        };
        let parts: Vec<_> = parts.iter().map(offsets).collect();
        assert_eq!(parts, [(vec![1, 2], vec![0, 3], 4), (vec![4], vec![], 5), (vec![5, 7], vec![8], 9)]);
        let empty = ReadBatch { records: Vec::new(), damaged: vec![damaged(0)], next: position(1) };
        assert_eq!(empty.clone().split(6, |_| 1), [empty]);
    }
}
