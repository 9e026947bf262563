use std::fs;

use nuthatch_protocol::Topic;
use nuthatch_store::{
    Log, StoreError,
    log::{LogLayout, ReadLimit},
};
use nuthatch_store_embedded::log::{EmbeddedLog, LogOptions, Outcome};
use tempfile::TempDir;

use super::{ALL, TOPIC, at, copy, damaged, fill, open, read_all, record, small_segments, sound};

fn with_worker() -> LogLayout {
    LogLayout { partitions: 1, consumers: vec![(TOPIC, "worker".to_owned())] }
}

#[tokio::test]
async fn a_clean_end_is_followed_by_a_dense_start() {
    let dir = TempDir::new().unwrap();
    let log = open(dir.path());
    fill(&log, 0..30, 20_000).await;
    log.shutdown().await;
    assert!(matches!(log.append(TOPIC, 0, vec![record(30, 1)]).await, Err(StoreError::Unavailable { .. })));
    log.health().expect_err("nothing can be appended");
    log.wait(at(1000)).await;
    drop(log);
    let log = open(dir.path());
    assert_eq!(log.recovery().findings, []);
    fill(&log, 30..40, 20_000).await;
    assert!(sound(&read_all(&log).await, 20_000).into_iter().eq(0..40));
}

#[tokio::test]
async fn a_crash_loses_nothing_acknowledged() {
    let (dir, crashed) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let log = open(dir.path());
    fill(&log, 0..25, 20_000).await;
    copy(dir.path(), crashed.path());
    let after = open(crashed.path());
    assert_eq!(after.recovery().findings, []);
    assert!(sound(&read_all(&after).await, 20_000).into_iter().eq(0..25));
    fill(&after, 25..30, 20_000).await;
}

#[tokio::test]
async fn one_process_writes_and_others_read() {
    let dir = TempDir::new().unwrap();
    let log = open(dir.path());
    let second = EmbeddedLog::open(dir.path(), small_segments(LogLayout::default())).err().unwrap();
    assert!(second.to_string().contains("another process"), "{second}");
    let reader = EmbeddedLog::open_read_only(dir.path()).unwrap();
    fill(&log, 0..30, 20_000).await;
    assert!(sound(&read_all(&reader).await, 20_000).into_iter().eq(0..30));
    reader.wait(at(29)).await;
    assert_eq!(reader.bounds(TOPIC, 0).await.unwrap().next, 30);
    assert!(reader.append(TOPIC, 0, vec![record(0, 1)]).await.is_err());
    assert!(reader.release("worker", at(3)).await.is_err());
    drop((log, reader));
    open(dir.path());
}

#[tokio::test]
async fn segments_behind_the_slowest_are_removed_and_stay_removed() {
    let dir = TempDir::new().unwrap();
    let log = EmbeddedLog::open(dir.path(), small_segments(with_worker())).unwrap();
    fill(&log, 0..60, 20_000).await;
    log.append(Topic::Outcomes, 0, vec![record(0, 20_000)]).await.unwrap();
    let full = log.bounds(TOPIC, 0).await.unwrap();
    log.release("worker", at(40)).await.unwrap();
    let trimmed = log.bounds(TOPIC, 0).await.unwrap();
    assert!(trimmed.first > 0 && trimmed.first <= 40 && trimmed.bytes < full.bytes, "{trimmed:?}");
    log.shutdown().await;
    drop(log);
    let log = EmbeddedLog::open(dir.path(), small_segments(with_worker())).unwrap();
    assert_eq!(log.bounds(TOPIC, 0).await.unwrap().first, trimmed.first);
    assert_eq!(log.consumers().await.unwrap(), [("worker".to_owned(), at(40))]);
    let batch = read_all(&log).await;
    assert_eq!(batch.damaged, [], "trimmed is not damaged");
    assert!(sound(&batch, 20_000).into_iter().eq(trimmed.first..60));
    assert_eq!(log.bounds(Topic::Outcomes, 0).await.unwrap().next, 1);
}

#[tokio::test]
async fn positions_in_a_topic_of_another_version_are_passed_over() {
    let dir = TempDir::new().unwrap();
    let of =
        |topic: &str| format!(r#"{{"consumer":"worker","position":{{"topic":"{topic}","partition":0,"offset":40}}}}"#);
    let text = format!(r#"{{"version":1,"consumers":[{},{}]}}"#, of("dead-letters"), of(TOPIC.as_str()));
    fs::create_dir(dir.path().join("log")).unwrap();
    fs::write(dir.path().join("log/consumers.json"), text).unwrap();
    let log = EmbeddedLog::open(dir.path(), small_segments(with_worker())).unwrap();
    assert_eq!(log.consumers().await.unwrap(), [("worker".to_owned(), at(40))]);
}

#[tokio::test]
async fn lost_positions_are_reported_and_trim_nothing() {
    let dir = TempDir::new().unwrap();
    let log = EmbeddedLog::open(dir.path(), small_segments(with_worker())).unwrap();
    fill(&log, 0..5, 10).await;
    log.release("worker", at(3)).await.unwrap();
    drop(log);
    fs::write(dir.path().join("log/consumers.json"), b"{\"version\":1,\"cons").unwrap();
    let log = EmbeddedLog::open(dir.path(), small_segments(with_worker())).unwrap();
    assert_eq!(log.recovery().findings[0].outcome, Outcome::PositionsReset);
    assert_eq!(log.consumers().await.unwrap(), []);
    assert_eq!(log.read(at(0), ALL).await.unwrap().records.len(), 5);
}

#[tokio::test]
async fn changed_positions_are_not_believed() {
    let dir = TempDir::new().unwrap();
    let log = EmbeddedLog::open(dir.path(), small_segments(with_worker())).unwrap();
    fill(&log, 0..40, 20_000).await;
    log.release("worker", at(13)).await.unwrap();
    drop(log);
    let path = dir.path().join("log/consumers.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace(r#""offset":13"#, r#""offset":33"#)).unwrap();
    let log = EmbeddedLog::open(dir.path(), small_segments(with_worker())).unwrap();
    assert_eq!(log.recovery().findings[0].outcome, Outcome::PositionsReset);
    let batch = log.read(at(13), ALL).await.unwrap();
    assert!(sound(&batch, 20_000).into_iter().eq(13..40), "nothing that was not read is removed");
}

/// The segment in front went on, because what was to follow it could not be finished.
#[tokio::test]
async fn a_begun_gap_or_segment_does_not_hide_what_was_appended_after_all() {
    for begun in ["gap", "0123456789abcdef.log"] {
        for is_last in [true, false] {
            let dir = TempDir::new().unwrap();
            let log = open(dir.path());
            fill(&log, 0..if is_last { 6 } else { 30 }, 20_000).await;
            drop(log);
            let name = if begun == "gap" { format!("{:020}.gap", 3) } else { format!("{:020}-{begun}", 3) };
            let path = dir.path().join("log/ingest-events/0").join(name);
            fs::write(&path, "").unwrap();
            let log = open(dir.path());
            assert!(!path.exists());
            let batch = read_all(&log).await;
            assert_eq!(batch.damaged, []);
            let count = if is_last { 6 } else { 30 };
            assert!(sound(&batch, 20_000).into_iter().eq(0..count));
            fill(&log, count..count + 2, 20_000).await;
        }
    }
}

/// As when somebody copies files of another log into this one.
#[tokio::test]
async fn of_two_segments_with_the_same_offset_the_shorter_is_put_aside() {
    let (dir, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    fill(&open(dir.path()), 0..6, 20_000).await;
    fill(&open(other.path()), 0..4, 20_000).await;
    let partition = dir.path().join("log/ingest-events/0");
    for entry in fs::read_dir(other.path().join("log/ingest-events/0")).unwrap().map(Result::unwrap) {
        if entry.path().is_file() {
            fs::copy(entry.path(), partition.join(entry.file_name())).unwrap();
        }
    }
    let log = open(dir.path());
    assert_eq!(log.recovery().findings[0].outcome, Outcome::Quarantined);
    assert_eq!(fs::read_dir(partition.join("quarantine")).unwrap().count(), 1);
    assert!(sound(&read_all(&log).await, 20_000).into_iter().eq(0..6));
}

#[tokio::test]
async fn appends_of_nothing_take_no_files() {
    let dir = TempDir::new().unwrap();
    let log = EmbeddedLog::open(dir.path(), LogOptions { segment_bytes: 0, ..LogOptions::default() }).unwrap();
    for _ in 0..5 {
        assert_eq!(log.append(TOPIC, 0, Vec::new()).await.unwrap(), at(0));
    }
    fill(&log, 0..2, 10).await;
    drop(log);
    let entries = fs::read_dir(dir.path().join("log/ingest-events/0")).unwrap();
    assert_eq!(entries.filter(|entry| entry.as_ref().unwrap().path().is_file()).count(), 3);
}

/// The end is looked for twice when a begun segment has to go first.
#[tokio::test]
async fn a_long_append_that_was_cut_goes_whole_also_behind_a_begun_segment() {
    let dir = TempDir::new().unwrap();
    let log = EmbeddedLog::open(dir.path(), LogOptions::default()).unwrap();
    fill(&log, 0..3, 1000).await;
    log.append(TOPIC, 0, (3..60).map(|number| record(number, 20_000)).collect()).await.unwrap();
    drop(log);
    let partition = dir.path().join("log/ingest-events/0");
    let segment =
        fs::read_dir(&partition).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.is_file()).unwrap();
    let file = fs::File::options().write(true).open(&segment).unwrap();
    file.set_len(file.metadata().unwrap().len() - 10).unwrap();
    fs::write(partition.join("00000000000000000002-0123456789abcdef.log"), "").unwrap();
    let log = EmbeddedLog::open(dir.path(), LogOptions::default()).unwrap();
    assert_eq!(log.recovery().findings, []);
    assert!(sound(&read_all(&log).await, 1000).into_iter().eq(0..3));
    // Each is found from its own offset: what was remembered of the append that was cut is not in the way.
    fill(&log, 3..60, 1000).await;
    for offset in 0..60 {
        let read = log.read(at(offset), ReadLimit { records: 1, bytes: 1 << 20 }).await.unwrap();
        assert_eq!((sound(&read, 1000), damaged(&read)), (vec![offset], vec![]));
    }
}
