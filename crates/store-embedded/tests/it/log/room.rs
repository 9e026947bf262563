//! A log takes no more than the disk is to hold, and takes more when what was there is applied.

use std::{fs, os::unix::fs::symlink};

use nuthatch_protocol::Topic;
use nuthatch_store::{
    Log, StoreError,
    log::{LogLayout, NewRecord},
};
use nuthatch_store_embedded::log::{EmbeddedLog, LogOptions};
use tempfile::TempDir;

use super::{TOPIC, at, record, small_segments};

const BOUND: u64 = 16 << 20;
const RECORD: usize = 200_000;

fn bounded() -> LogOptions {
    let layout = LogLayout { partitions: 1, consumers: vec![(TOPIC, "slow".to_owned()), (TOPIC, "fast".to_owned())] };
    LogOptions { max_bytes: BOUND, free_min_bytes: 0, ..small_segments(layout) }
}

async fn append(log: &EmbeddedLog, number: u64) {
    let records: Vec<NewRecord> = vec![record(number, RECORD)];
    assert_eq!(log.append(TOPIC, 0, records).await.unwrap(), at(number));
}

#[tokio::test]
async fn a_log_at_its_bound_has_no_room_until_everybody_is_past_enough_of_it() {
    let dir = TempDir::new().unwrap();
    let log = EmbeddedLog::open(dir.path(), bounded()).unwrap();
    let mut next = 0;
    while log.has_room() {
        append(&log, next).await;
        next += 1;
    }
    let bytes = log.bounds(TOPIC, 0).await.unwrap().bytes;
    assert!(bytes < BOUND * 5 / 4, "{bytes} bytes when it was full");
    assert!(next * RECORD as u64 > BOUND / 4, "it is full of {next} records");
    append(&log, next).await;
    drop(log);

    let log = EmbeddedLog::open(dir.path(), bounded()).unwrap();
    assert!(!log.has_room(), "it is as full after a restart");
    log.release("fast", at(next + 1)).await.unwrap();
    assert!(!log.has_room(), "the slow one has not read it");
    log.release("slow", at(next / 2)).await.unwrap();
    assert!(log.has_room(), "half of it went");
    log.release("slow", at(next + 1)).await.unwrap();
    for round in 0..3 {
        let begun = next + 1;
        next = begun;
        while log.has_room() {
            append(&log, next).await;
            next += 1;
        }
        assert!((next - begun) * RECORD as u64 > BOUND / 4, "round {round}");
        for name in ["slow", "fast"] {
            log.release(name, at(next)).await.unwrap();
        }
        assert!(log.has_room(), "what is applied takes no room, whatever the size of the last file");
        next -= 1;
    }
}

#[tokio::test]
async fn a_disk_that_is_nearly_full_has_no_room() {
    let dir = TempDir::new().unwrap();
    let log = EmbeddedLog::open(dir.path(), LogOptions { free_min_bytes: u64::MAX, ..bounded() }).unwrap();
    assert!(!log.has_room());
    append(&log, 0).await;
    log.health().expect("what has to be written can be");
}

/// Writing to a file that stands for a full disk.
#[tokio::test]
async fn a_disk_that_is_full_is_told_and_gives_no_offset_away() {
    let dir = TempDir::new().unwrap();
    let partition = dir.path().join("log/ingest-events/0");
    fs::create_dir_all(&partition).unwrap();
    let segment = partition.join("00000000000000000000-0123456789abcdef.log");
    symlink("/dev/full", &segment).unwrap();
    let log = EmbeddedLog::open(dir.path(), bounded()).unwrap();
    let refused = log.append(TOPIC, 0, vec![record(0, RECORD)]).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Unavailable { cause, .. } if cause.contains("No space left")), "{refused}");
    log.health().expect_err("the last append failed");
    assert_eq!(log.bounds(TOPIC, 0).await.unwrap().next, 0);
    // Others are not held up by it.
    log.append(Topic::Outcomes, 0, vec![record(0, RECORD)]).await.unwrap();
    let reason = log.health().expect_err("the one still fails");
    assert!(reason.contains("log/ingest-events/0/00000000000000000000-*.log"), "{reason}");
    assert!(!reason.contains("0123456789abcdef"), "who reads it is not to know the marker: {reason}");
    drop(log);
    fs::remove_file(&segment).unwrap();
    append(&EmbeddedLog::open(dir.path(), bounded()).unwrap(), 0).await;
}
