//! Segments of every format that was ever written must be read. After a new one, run the tests once with `UPDATE_GOLDEN=1` and a
//! new file name, and keep the older files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use nuthatch_store::Log;
use nuthatch_store_embedded::log::{EmbeddedLog, Outcome};
use tempfile::TempDir;

use super::{TOPIC, at, damaged, fill, open, read_all, record, sound};

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

/// A segment as the first format had it, with a row for each offset of a range; what is not checkpointed is beside it.
fn first_format(dir: &Path, offsets: std::ops::Range<u64>, checkpoint_at: u64) -> rusqlite::Connection {
    let conn = rusqlite::Connection::open(dir.join(format!("{:020}.db", offsets.start))).unwrap();
    conn.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    conn.pragma_update(None, "page_size", 4096).unwrap();
    conn.pragma_update(None, "journal_mode", "WAL").unwrap();
    conn.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
    conn.pragma_update(None, "synchronous", "OFF").unwrap();
    conn.execute_batch(
        "CREATE TABLE record(
    offset INTEGER PRIMARY KEY, version INTEGER NOT NULL, key BLOB NOT NULL, checksum INTEGER NOT NULL,
    value BLOB NOT NULL) STRICT",
    )
    .unwrap();
    for offset in offsets {
        if offset == checkpoint_at {
            conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())).unwrap();
        }
        let record = record(offset, 3000);
        let mut crc = crc32fast::Hasher::new();
        crc.update(&[1]);
        crc.update(&offset.to_be_bytes());
        crc.update(&record.key);
        crc.update(&record.value);
        let row = (offset as i64, 1, record.key.as_slice(), crc.finalize(), &*record.value);
        conn.execute("INSERT INTO record VALUES (?1, ?2, ?3, ?4, ?5)", row).unwrap();
    }
    conn
}

/// Several of them and a gap, as a crash leaves them.
#[tokio::test]
async fn segments_of_the_first_format_keep_their_places() {
    let dir = TempDir::new().unwrap();
    let partition = partition(&dir, "00000000000000000050.gap", b"");
    drop(first_format(&partition, 0..50, 40));
    drop(first_format(&partition, 70..100, 80));
    assert!(partition.join("00000000000000000070.db-wal").exists());
    let log = open(dir.path());
    assert_eq!(log.recovery().findings, []);
    let batch = read_all(&log).await;
    assert_eq!(batch.damaged, []);
    assert!(sound(&batch, 3000).into_iter().eq((0..50).chain(70..100)));
    fill(&log, 100..103, 3000).await;
}

/// Also those at the end: their offsets are not given away again. And also two places in one file.
#[tokio::test]
async fn damaged_rows_of_the_first_format_keep_their_offsets() {
    for lost in [vec![99], vec![97, 98, 99], vec![0], vec![10, 60], vec![20, 99]] {
        let dir = TempDir::new().unwrap();
        let partition = partition(&dir, "unrelated", b"");
        let conn = first_format(&partition, 0..100, 100);
        for offset in &lost {
            conn.execute("UPDATE record SET checksum = checksum + 1 WHERE offset = ?1", [*offset as i64]).unwrap();
        }
        drop(conn);
        let log = open(dir.path());
        assert!(matches!(log.recovery().findings[0].outcome, Outcome::Rescued { .. }));
        let batch = read_all(&log).await;
        assert_eq!(damaged(&batch), lost);
        assert_eq!(sound(&batch, 3000).len(), 100 - lost.len());
        fill(&log, 100..103, 3000).await;
    }
}

#[tokio::test]
async fn pages_that_sqlite_cannot_read_cost_the_records_in_them() {
    let dir = TempDir::new().unwrap();
    let partition = partition(&dir, "unrelated", b"");
    let conn = first_format(&partition, 0..200, 200);
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())).unwrap();
    drop(conn);
    let path = partition.join("00000000000000000000.db");
    let mut bytes = fs::read(&path).unwrap();
    let leaves: Vec<usize> = (0..bytes.len() / 4096).filter(|page| bytes[page * 4096] == 0x0d).collect();
    for leaf in [leaves[leaves.len() / 4], leaves[leaves.len() / 2]] {
        bytes[leaf * 4096..][..4096].fill(0xa5);
    }
    fs::write(&path, &bytes).unwrap();
    let log = open(dir.path());
    let batch = read_all(&log).await;
    assert_eq!(damaged(&batch).len(), 2, "one record is in a page");
    assert_eq!(sound(&batch, 3000).len(), 198);
    assert_eq!(fs::read(partition.join("quarantine/00000000000000000000.db")).unwrap(), bytes, "it is kept as it was");
}

#[tokio::test]
async fn who_reads_beside_is_told_to_start_the_server_first() {
    let dir = TempDir::new().unwrap();
    partition(&dir, "00000000000000000000.db", &unpacked(FIRST_FORMAT[0]));
    let refused = EmbeddedLog::open_read_only(dir.path()).err().unwrap().to_string();
    assert!(refused.contains("start of the server"), "{refused}");
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
