//! What must be true when bytes on disk change: no panic, no refusal to start, every sound record served, every
//! other one listed, no offset given twice.

use std::{
    fs,
    path::{Path, PathBuf},
};

use nuthatch_store::Log as _;
use nuthatch_store_embedded::log::{EmbeddedLog, LogOptions, Outcome};
use proptest::prelude::*;
use tempfile::TempDir;

use super::{TOPIC, copy, damaged, fill, open, read_all, record, sound};

const BYTES: usize = 20_000;
const PAGE: usize = 4 * 1024;
const RECORDS: u64 = 40;
/// Records that a page is part of: each has a leaf of its own and some pages behind it.
const RECORDS_OF_A_PAGE: usize = 1;

/// A log of several segments; after a clean end, or as a crash leaves it.
async fn filled(clean: bool) -> TempDir {
    let dir = TempDir::new().unwrap();
    let log = open(dir.path());
    fill(&log, 0..RECORDS, BYTES).await;
    if clean {
        log.shutdown().await;
        return dir;
    }
    let crashed = TempDir::new().unwrap();
    copy(dir.path(), crashed.path());
    crashed
}

fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir.join("log/ingest-events/0")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.to_string_lossy().ends_with(ending)).collect();
    files.sort();
    files
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

/// Opens, checks that what is there adds up to `RECORDS` or to what was cut, appends, and opens again.
async fn survivors(dir: &Path) -> (EmbeddedLog, Vec<u64>) {
    let log = open(dir);
    let batch = read_all(&log).await;
    let served = sound(&batch, BYTES);
    let mut all = [served.clone(), damaged(&batch)].concat();
    all.sort_unstable();
    let next = batch.next.offset;
    assert!(all.into_iter().eq(0..next), "every offset is served or listed, once");
    fill(&log, next..next + 3, BYTES).await;
    drop(log);
    let log = open(dir);
    assert_eq!(log.recovery().findings.len(), 0, "mended once: {:?}", log.recovery());
    let again = sound(&read_all(&log).await, BYTES);
    assert!(again.into_iter().eq(served.iter().copied().chain(next..next + 3)));
    (log, served)
}

#[tokio::test]
async fn a_flipped_value_costs_that_record() {
    let dir = filled(true).await;
    let segment = &files(dir.path(), ".db")[1];
    change(segment, |bytes| {
        // The last one: in front there are leavings of pages that were split.
        let dots = bytes.windows(100).rposition(|window| window == [b'.'; 100]).unwrap();
        bytes[dots] ^= 1;
    });
    let log = open(dir.path());
    assert_eq!(log.recovery().findings, []);
    let batch = read_all(&log).await;
    assert_eq!(batch.damaged.len(), 1);
    assert!(batch.damaged[0].reason.contains("checksum"), "{}", batch.damaged[0].reason);
    assert_eq!(sound(&batch, BYTES).len() as u64, RECORDS - 1);
}

#[tokio::test]
async fn a_page_in_the_middle_costs_its_records() {
    let dir = filled(true).await;
    change(&files(dir.path(), ".db")[1], |bytes| bytes[3 * PAGE..4 * PAGE].fill(0));
    let (_log, served) = survivors(dir.path()).await;
    assert_eq!(RECORDS as usize - served.len(), RECORDS_OF_A_PAGE);
}

#[tokio::test]
async fn a_destroyed_header_costs_nothing() {
    for which in [0, 1, usize::MAX] {
        for bytes in [16, 100, PAGE] {
            let dir = filled(true).await;
            let segments = files(dir.path(), ".db");
            change(&segments[which.min(segments.len() - 1)], |file| file[..bytes].fill(0xff));
            let log = open(dir.path());
            assert!(matches!(log.recovery().findings[0].outcome, Outcome::Rebuilt { .. }), "{:?}", log.recovery());
            drop(log);
            let (_log, served) = survivors(dir.path()).await;
            assert!(served.into_iter().eq(0..RECORDS));
        }
    }
}

#[tokio::test]
async fn a_destroyed_root_page_costs_nothing() {
    let dir = filled(true).await;
    change(&files(dir.path(), ".db")[1], |bytes| bytes[PAGE..2 * PAGE].fill(0));
    assert!(survivors_after_mending(dir.path()).await.into_iter().eq(0..RECORDS));
}

/// So many small records that pages lead to pages that lead to leaves.
#[tokio::test]
async fn any_destroyed_page_costs_the_records_that_are_in_it() {
    let whole = TempDir::new().unwrap();
    let log = EmbeddedLog::open(whole.path(), LogOptions::default()).unwrap();
    let (records, bytes) = (4_000, 800);
    log.append(TOPIC, 0, (0..records).map(|number| record(number, bytes)).collect()).await.unwrap();
    log.shutdown().await;
    drop(log);
    let pages = fs::metadata(&files(whole.path(), ".db")[0]).unwrap().len() as usize / PAGE;
    let kind = |bytes: &[u8], page: usize| bytes[page * PAGE];
    let segment = fs::read(&files(whole.path(), ".db")[0]).unwrap();
    let leading: Vec<usize> = (1..pages).filter(|page| kind(&segment, *page) == 0x05).collect();
    assert!(leading.len() > 2, "only {leading:?} of {pages} pages lead to others");
    for (page, most_lost) in leading.iter().map(|page| (*page, 0)).chain([(pages / 2 + 1, PAGE / bytes)]) {
        let dir = TempDir::new().unwrap();
        copy(whole.path(), dir.path());
        change(&files(dir.path(), ".db")[0], |bytes| bytes[page * PAGE..][..PAGE].fill(0));
        drop(open(dir.path()));
        let log = open(dir.path());
        assert_eq!(log.recovery().findings, [], "mended once");
        let lost = records as usize - sound(&read_all(&log).await, bytes).len();
        assert!(lost <= most_lost, "page {page} costs {lost}");
    }
}

async fn survivors_after_mending(dir: &Path) -> Vec<u64> {
    drop(open(dir));
    survivors(dir).await.1
}

#[tokio::test]
async fn garbage_is_put_aside_and_the_rest_served() {
    let dir = filled(true).await;
    let segments = files(dir.path(), ".db");
    let first = |path: &Path| path.file_stem().unwrap().to_str().unwrap().parse::<u64>().unwrap();
    let lost = first(&segments[1])..first(&segments[2]);
    change(&segments[1], |bytes| bytes.fill(0xa5));
    let log = open(dir.path());
    assert_eq!(log.recovery().findings[0].outcome, Outcome::Quarantined);
    for _ in 0..2 {
        let batch = read_all(&open_again(&log, dir.path()).await).await;
        assert!(damaged(&batch).into_iter().eq(lost.clone()), "also after another start");
        assert_eq!(sound(&batch, BYTES).len() as u64, RECORDS - (lost.end - lost.start));
    }
}

async fn open_again(log: &EmbeddedLog, dir: &Path) -> EmbeddedLog {
    log.shutdown().await;
    open_read_only(dir)
}

fn open_read_only(dir: &Path) -> EmbeddedLog {
    EmbeddedLog::open_read_only(dir).unwrap()
}

#[tokio::test]
async fn a_cut_tail_costs_what_was_cut() {
    for cut in [1, PAGE / 2, PAGE, 2 * PAGE + 1] {
        let dir = filled(true).await;
        let segments = files(dir.path(), ".db");
        let last = segments.last().unwrap();
        let bytes = fs::metadata(last).unwrap().len() as usize;
        change(last, |file| file.truncate(bytes.saturating_sub(cut)));
        let served = survivors_after_mending(dir.path()).await;
        let lost = RECORDS as usize - served.len();
        assert!(lost <= (cut / PAGE + 2) * RECORDS_OF_A_PAGE, "{lost} lost by cutting {cut}");
    }
}

#[tokio::test]
async fn a_torn_last_transaction_is_dropped_and_an_older_frame_costs_little() {
    let dir = filled(false).await;
    let logs = files(dir.path(), ".db-wal");
    let log = logs.iter().max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap();
    change(log, |bytes| bytes[32 + 24 + 1000] ^= 1);
    let served = survivors_after_mending(dir.path()).await;
    assert!(RECORDS as usize - served.len() <= RECORDS_OF_A_PAGE, "served {served:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever is flipped wherever: records are right or listed, and the log goes on.
    #[test]
    fn flips_anywhere_never_give_a_wrong_record(
        clean: bool,
        file: prop::sample::Index,
        places in prop::collection::vec((any::<prop::sample::Index>(), 1u8..), 1..20),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let dir = filled(clean).await;
            let mut candidates = files(dir.path(), ".db");
            candidates.extend(files(dir.path(), ".db-wal").into_iter().filter(|log| fs::metadata(log).unwrap().len() > 0));
            change(&candidates[file.index(candidates.len())], |bytes| {
                for (place, flip) in &places {
                    let at = place.index(bytes.len());
                    bytes[at] ^= flip;
                }
            });
            drop(open(dir.path()));
            let log = open(dir.path());
            let batch = read_all(&log).await;
            let served = sound(&batch, BYTES);
            let mut all = [served, damaged(&batch)].concat();
            all.sort_unstable();
            let next = batch.next.offset;
            assert!(all.into_iter().eq(0..next));
            fill(&log, next..next + 2, BYTES).await;
        });
    }
}
