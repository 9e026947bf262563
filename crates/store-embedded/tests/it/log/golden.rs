//! Segments of every format that was ever written must be read. After a new one, run the tests once with `UPDATE_GOLDEN=1` and a
//! new file name, and keep the older files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use nuthatch_store::Log;
use nuthatch_store_embedded::log::Outcome;
use tempfile::TempDir;

use super::{TOPIC, at, damaged, fill, open, read_all, record};

/// Bytes of the values of the four records that every golden segment holds.
const SIZES: [usize; 4] = [0, 1, 1000, 70_000];

/// Segments as `SQLite` files, in the two sizes of pages that they had.
const FIRST_FORMAT: [&str; 2] = ["version-1.db.zst", "version-1-small-pages.db.zst"];

/// A segment of frames.
const FRAMES: (&str, &str) = ("frames.log.zst", "00000000000000000000-0123456789abcdef.log");

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/log/golden").join(name)
}

fn unpacked(name: &str) -> Vec<u8> {
    zstd::bulk::decompress(&fs::read(golden(name)).unwrap(), 1024 * 1024).unwrap()
}

/// The folder of a partition that holds one file.
fn partition(dir: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let partition = dir.path().join("log/ingest-events/0");
    fs::create_dir_all(&partition).unwrap();
    fs::write(partition.join(name), bytes).unwrap();
    partition
}

async fn is_read_and_continued(dir: &TempDir) {
    let log = open(dir.path());
    assert_eq!(log.recovery().findings, []);
    let batch = read_all(&log).await;
    assert_eq!(batch.damaged, []);
    for (number, found) in (0..4).zip(&batch.records) {
        let expected = record(number, SIZES[number as usize]);
        assert_eq!((found.position, found.key, &found.value), (at(number), expected.key, &expected.value));
    }
    assert_eq!(batch.records.len(), 4);
    fill(&log, 4..6, 10).await;
}

#[tokio::test]
async fn the_first_format_is_converted_and_continued() {
    for name in FIRST_FORMAT {
        let dir = TempDir::new().unwrap();
        let partition = partition(&dir, "00000000000000000000.db", &unpacked(name));
        is_read_and_continued(&dir).await;
        let left = fs::read_dir(partition).unwrap().map(|entry| entry.unwrap().path());
        assert!(left.filter(|path| path.is_file()).all(|path| path.extension().is_some_and(|end| end == "log")));
    }
}

/// Each page of it in turn is destroyed: a start, and whatever is served is right.
#[tokio::test]
async fn what_can_be_read_of_a_damaged_segment_of_the_first_format_is_rescued() {
    let whole = unpacked(FIRST_FORMAT[1]);
    let mut most = 0;
    for page in 0..whole.len() / 4096 {
        let dir = TempDir::new().unwrap();
        let mut bytes = whole.clone();
        bytes[page * 4096..][..4096].fill(0);
        let partition = partition(&dir, "00000000000000000000.db", &bytes);
        let log = open(dir.path());
        let batch = read_all(&log).await;
        for found in &batch.records {
            let number = found.position.offset;
            assert_eq!(found.value, record(number, SIZES[number as usize]).value);
        }
        let next = batch.next.offset;
        assert_eq!(batch.records.len() + damaged(&batch).len(), next as usize);
        if batch.records.len() < 4 {
            assert_eq!(log.recovery().findings[0].outcome, Outcome::Rescued { records: batch.records.len() as u64 });
            assert!(partition.join("quarantine/00000000000000000000.db").exists());
        }
        most = most.max(batch.records.len());
        fill(&log, next..next + 2, 10).await;
        drop(log);
        assert_eq!(open(dir.path()).recovery().findings, [], "mended once");
    }
    assert!(most >= 3, "of most damages little was rescued: {most}");
}

/// A crash between the new segment and the end of the old one.
#[tokio::test]
async fn a_conversion_that_was_interrupted_is_finished() {
    for finished in [false, true] {
        let dir = TempDir::new().unwrap();
        let old = unpacked(FIRST_FORMAT[0]);
        let partition = partition(&dir, "00000000000000000000.db", &old);
        if finished {
            drop(open(dir.path()));
            fs::write(partition.join("00000000000000000000.db"), &old).unwrap();
        } else {
            fs::write(partition.join("converting"), b"half of").unwrap();
        }
        is_read_and_continued(&dir).await;
        assert!(!partition.join("converting").exists() && !partition.join("00000000000000000000.db").exists());
    }
}

#[tokio::test]
async fn frames_are_read_and_continued() {
    let dir = TempDir::new().unwrap();
    partition(&dir, FRAMES.1, &unpacked(FRAMES.0));
    is_read_and_continued(&dir).await;
}

/// What is written today is what the golden segment of today's format holds.
#[tokio::test]
async fn todays_frames_are_those_of_the_golden_segment() {
    let dir = TempDir::new().unwrap();
    let partition = partition(&dir, FRAMES.1, &[]);
    let log = open(dir.path());
    for (number, bytes) in (0..4).zip(SIZES) {
        log.append(TOPIC, 0, vec![record(number, bytes)]).await.unwrap();
    }
    log.shutdown().await;
    let segment = fs::read(partition.join(FRAMES.1)).unwrap();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(golden(FRAMES.0), zstd::bulk::compress(&segment, 19).unwrap()).unwrap();
    }
    assert_eq!(segment, unpacked(FRAMES.0));
}
