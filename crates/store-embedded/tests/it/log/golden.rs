//! Segments of every record version that was ever written must be read. After raising the version, run the tests once
//! with `UPDATE_GOLDEN=1` and a new file name, and keep the older files.

use std::{fs, path::Path};

use nuthatch_store::Log;
use tempfile::TempDir;

use super::{TOPIC, at, fill, open, read_all, record};

fn golden(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/log/golden").join(name)
}

/// Version 1 in the pages that segments of it had, the newest last.
const VERSION_1: [(&str, usize); 2] = [("version-1.db.zst", 64 * 1024), ("version-1-small-pages.db.zst", 4 * 1024)];

#[tokio::test]
async fn version_1_is_read_and_continued() {
    for (name, _) in VERSION_1 {
        is_read_and_continued(name).await;
    }
}

async fn is_read_and_continued(name: &str) {
    let dir = TempDir::new().unwrap();
    let partition = dir.path().join("log/ingest-events/0");
    fs::create_dir_all(&partition).unwrap();
    let packed = fs::read(golden(name)).unwrap();
    let segment = zstd::bulk::decompress(&packed, 1024 * 1024).unwrap();
    fs::write(partition.join("00000000000000000000.db"), segment).unwrap();
    let log = open(dir.path());
    assert_eq!(log.recovery().findings, []);
    let batch = read_all(&log).await;
    assert_eq!(batch.damaged, []);
    for (number, found) in (0..4).zip(&batch.records) {
        let expected = record(number, [0, 1, 1000, 70_000][number as usize]);
        assert_eq!((found.position, found.key, &found.value), (at(number), expected.key, &expected.value));
    }
    assert_eq!(batch.records.len(), 4);
    fill(&log, 4..6, 10).await;
}

/// What is written today is what the golden segment of today's version holds.
#[tokio::test]
async fn todays_records_are_those_of_the_golden_segment() {
    let dir = TempDir::new().unwrap();
    let log = open(dir.path());
    for (number, bytes) in (0..4).zip([0, 1, 1000, 70_000]) {
        log.append(TOPIC, 0, vec![record(number, bytes)]).await.unwrap();
    }
    log.shutdown().await;
    let segment = fs::read(dir.path().join("log/ingest-events/0/00000000000000000000.db")).unwrap();
    let (name, page_bytes) = VERSION_1[VERSION_1.len() - 1];
    let path = golden(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, zstd::bulk::compress(&segment, 19).unwrap()).unwrap();
    }
    let golden = zstd::bulk::decompress(&fs::read(path).unwrap(), 1024 * 1024).unwrap();
    // The first page, without any record, says which release of SQLite wrote it.
    assert_eq!(segment[page_bytes..], golden[page_bytes..]);
}
