//! The embedded log.

mod concurrency;
mod conformance;
mod damage;
mod golden;
mod model;
mod restart;
mod room;

use std::{fs, path::Path};

use bytes::Bytes;
use nuthatch_protocol::{Position, Topic};
use nuthatch_store::{
    Log,
    log::{LogLayout, NewRecord, ReadBatch, ReadLimit},
};
use nuthatch_store_embedded::log::{EmbeddedLog, LogOptions};

pub(crate) const TOPIC: Topic = Topic::IngestEvents;
pub(crate) const ALL: ReadLimit = ReadLimit { records: usize::MAX, bytes: usize::MAX };

/// Segments so small that a few records fill one.
pub(crate) fn small_segments(layout: LogLayout) -> LogOptions {
    LogOptions { layout, segment_bytes: 256 * 1024, ..LogOptions::default() }
}

pub(crate) fn open(dir: &Path) -> EmbeddedLog {
    EmbeddedLog::open(dir, small_segments(LogLayout::default())).unwrap()
}

pub(crate) fn at(offset: u64) -> Position {
    Position { topic: TOPIC, partition: 0, offset }
}

/// A record that tells its number.
pub(crate) fn record(number: u64, bytes: usize) -> NewRecord {
    let mut value = number.to_string().into_bytes();
    value.resize(value.len().max(bytes), b'.');
    NewRecord { key: u128::from(number).to_be_bytes(), value: Bytes::from(value) }
}

/// Appends the records of a range, one a commit.
pub(crate) async fn fill(log: &EmbeddedLog, numbers: std::ops::Range<u64>, bytes: usize) {
    for number in numbers {
        assert_eq!(log.append(TOPIC, 0, vec![record(number, bytes)]).await.unwrap(), at(number));
    }
}

pub(crate) async fn read_all(log: &EmbeddedLog) -> ReadBatch {
    log.read(at(0), ALL).await.unwrap()
}

/// Checks that every record served is the one that was appended there, and gives their offsets.
pub(crate) fn sound(batch: &ReadBatch, bytes: usize) -> Vec<u64> {
    let offsets = batch.records.iter().map(|found| {
        let offset = found.position.offset;
        let NewRecord { key, value } = record(offset, bytes);
        assert_eq!((found.key, &found.value), (key, &value), "record {offset}");
        offset
    });
    offsets.collect()
}

pub(crate) fn damaged(batch: &ReadBatch) -> Vec<u64> {
    batch.damaged.iter().map(|damaged| damaged.position.offset).collect()
}

/// What a crash leaves: the files as they are while the log is open. A file that goes away meanwhile (the log removes
/// what everybody is past) makes the picture one of two moments, so it is taken anew.
pub(crate) fn copy(from: &Path, to: &Path) {
    while !copied_at_rest(from, to) {
        fs::remove_dir_all(to).unwrap();
    }
}

/// Copies a folder; false when a file went away before its turn.
fn copied_at_rest(from: &Path, to: &Path) -> bool {
    fs::create_dir_all(to).unwrap();
    fs::read_dir(from).unwrap().all(|entry| {
        let (from, to) = entry.map(|entry| (entry.path(), to.join(entry.file_name()))).unwrap();
        if from.is_dir() {
            return copied_at_rest(&from, &to);
        }
        match fs::copy(&from, &to) {
            Ok(_) => true,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
            Err(error) => panic!("cannot copy {}: {error}", from.display()),
        }
    })
}
