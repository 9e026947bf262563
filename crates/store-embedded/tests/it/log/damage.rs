//! What must be true when bytes on disk change: no panic, no refusal to start, every sound record served, every
//! other one listed, no offset given twice.

use std::{
    fs,
    path::{Path, PathBuf},
};

use nuthatch_store::Log as _;
use nuthatch_store_embedded::log::{EmbeddedLog, Outcome};
use proptest::prelude::*;
use tempfile::TempDir;

use super::{TOPIC, damaged, fill, open, read_all, record, sound};

const BYTES: usize = 20_000;
const RECORDS: u64 = 40;
/// What is in front of the value of a record.
const HEADER: usize = 44;
/// What a record takes in its file.
const FRAME: usize = HEADER + BYTES;

/// A log of several segments.
async fn filled() -> TempDir {
    let dir = TempDir::new().unwrap();
    let log = open(dir.path());
    fill(&log, 0..RECORDS, BYTES).await;
    drop(log);
    dir
}

/// The segments, in order.
fn segments(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir.join("log/ingest-events/0")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|end| end == "log")).collect();
    files.sort();
    files
}

/// The offset a segment begins with.
fn first(segment: &Path) -> u64 {
    segment.file_name().unwrap().to_str().unwrap()[..20].parse().unwrap()
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

/// Opens, checks that every offset is served or listed, appends, and opens again.
async fn survivors(dir: &Path) -> Vec<u64> {
    drop(open(dir));
    let log = open(dir);
    assert_eq!(log.recovery().findings, [], "mended once");
    let batch = read_all(&log).await;
    let served = sound(&batch, BYTES);
    let mut all = [served.clone(), damaged(&batch)].concat();
    all.sort_unstable();
    let next = batch.next.offset;
    assert!(all.into_iter().eq(0..next), "every offset is served or listed, once");
    fill(&log, next..next + 3, BYTES).await;
    drop(log);
    let log = open(dir);
    assert_eq!(log.recovery().findings, []);
    let again = sound(&read_all(&log).await, BYTES);
    assert!(again.into_iter().eq(served.iter().copied().chain(next..next + 3)));
    served
}

#[tokio::test]
async fn a_flipped_value_costs_that_record() {
    let dir = filled().await;
    change(&segments(dir.path())[1], |bytes| bytes[FRAME + HEADER + 5000] ^= 1);
    let log = open(dir.path());
    assert_eq!(log.recovery().findings, []);
    let batch = read_all(&log).await;
    assert_eq!(damaged(&batch), [first(&segments(dir.path())[1]) + 1]);
    assert!(batch.damaged[0].reason.contains("checksum"), "{}", batch.damaged[0].reason);
    assert_eq!(sound(&batch, BYTES).len() as u64, RECORDS - 1);
}

/// Every byte in front of a value, in the first, a middle and the last segment, and in the first, a middle and the last record of it.
#[tokio::test]
async fn a_flipped_byte_of_a_header_costs_that_record() {
    let dir = filled().await;
    let files = segments(dir.path());
    for file in [&files[0], &files[1], files.last().unwrap()] {
        let whole = fs::read(file).unwrap();
        let frames = whole.len() / FRAME;
        for frame in [0, frames / 2, frames - 1] {
            for byte in 0..HEADER {
                change(file, |bytes| bytes[frame * FRAME + byte] ^= 0x10);
                let log = EmbeddedLog::open_read_only(dir.path()).unwrap();
                let batch = read_all(&log).await;
                let offset = first(file) + frame as u64;
                if offset == RECORDS - 1 {
                    assert_eq!(batch.next.offset, offset, "nothing is behind it that says it was there");
                } else {
                    assert_eq!(damaged(&batch), [offset], "byte {byte}");
                }
                assert_eq!(sound(&batch, BYTES).len() as u64, RECORDS - 1);
                fs::write(file, &whole).unwrap();
            }
        }
    }
}

#[tokio::test]
async fn a_destroyed_stretch_costs_the_records_it_touches() {
    for (from, to) in [(0, 10), (10, FRAME), (FRAME - 1, 2 * FRAME + 1), (0, 3 * FRAME), (FRAME / 2, 4 * FRAME)] {
        for filler in [0, 0xff, 0xa5] {
            let dir = filled().await;
            let file = &segments(dir.path())[1];
            change(file, |bytes| bytes[from..to].fill(filler));
            let lost = first(file) + (from / FRAME) as u64..first(file) + to.div_ceil(FRAME) as u64;
            let served = survivors(dir.path()).await;
            assert!(served.into_iter().eq((0..RECORDS).filter(|offset| !lost.contains(offset))), "{from} to {to}");
        }
    }
}

#[tokio::test]
async fn bytes_that_went_or_came_in_the_middle_cost_one_record() {
    for (at_end, bytes_in_place) in [(false, 0), (false, 3000), (true, 0), (true, 3000)] {
        let dir = filled().await;
        let files = segments(dir.path());
        let file = if at_end { files.last().unwrap() } else { &files[1] };
        // Of the last but one record, or of another in the middle.
        let frame = if at_end { fs::read(file).unwrap().len() / FRAME - 2 } else { 1 };
        let from = frame * FRAME + HEADER + 100;
        change(file, |bytes| drop(bytes.splice(from..from + 200, vec![7; bytes_in_place])));
        let lost = first(file) + frame as u64;
        assert!(survivors(dir.path()).await.into_iter().eq((0..RECORDS).filter(|offset| *offset != lost)));
    }
}

#[tokio::test]
async fn damage_in_the_last_segment_is_reported_and_gets_no_more_records() {
    let dir = filled().await;
    let last = segments(dir.path()).pop().unwrap();
    change(&last, |bytes| bytes[3] ^= 1);
    let log = open(dir.path());
    assert_eq!(log.recovery().findings.len(), 1);
    assert_eq!(log.recovery().findings[0].outcome, Outcome::Sealed);
    let before = fs::metadata(&last).unwrap().len();
    fill(&log, RECORDS..RECORDS + 2, BYTES).await;
    assert_eq!(damaged(&read_all(&log).await), [first(&last)]);
    assert_eq!(fs::metadata(&last).unwrap().len(), before);
}

#[tokio::test]
async fn garbage_in_the_middle_costs_its_segment() {
    let dir = filled().await;
    let files = segments(dir.path());
    change(&files[1], |bytes| bytes.fill(0xa5));
    let lost = first(&files[1])..first(&files[2]);
    let served = survivors(dir.path()).await;
    assert!(served.into_iter().eq((0..RECORDS).filter(|offset| !lost.contains(offset))));
}

#[tokio::test]
async fn garbage_at_the_end_is_put_aside() {
    let dir = filled().await;
    let last = segments(dir.path()).pop().unwrap();
    change(&last, |bytes| bytes.fill(0xa5));
    let log = open(dir.path());
    assert_eq!(log.recovery().findings[0].outcome, Outcome::Quarantined);
    let aside = last.parent().unwrap().join("quarantine").join(last.file_name().unwrap());
    assert!(fs::read(aside).unwrap().iter().all(|byte| *byte == 0xa5), "it is kept to be looked at");
    drop(log);
    assert!(survivors(dir.path()).await.into_iter().eq(0..first(&last)));
}

#[tokio::test]
async fn a_missing_file_costs_its_records() {
    let dir = filled().await;
    let files = segments(dir.path());
    fs::remove_file(&files[1]).unwrap();
    let lost = first(&files[1])..first(&files[2]);
    let served = survivors(dir.path()).await;
    assert!(served.into_iter().eq((0..RECORDS).filter(|offset| !lost.contains(offset))));
}

/// A process that is killed while it writes leaves the beginning of what it wrote, and nobody was told of it.
#[tokio::test]
async fn a_cut_end_costs_what_was_cut_and_is_no_damage() {
    for cut in [1, 43, 44, 45, BYTES, FRAME - 1, FRAME, FRAME + 1, FRAME + BYTES] {
        let dir = filled().await;
        let last = segments(dir.path()).pop().unwrap();
        change(&last, |file| file.truncate(file.len().saturating_sub(cut)));
        let log = open(dir.path());
        assert_eq!(log.recovery().findings, [], "cut by {cut}");
        drop(log);
        let left = RECORDS - (cut.div_ceil(FRAME) as u64).min(RECORDS - first(&last));
        assert!(survivors(dir.path()).await.into_iter().eq(0..left), "cut by {cut}");
    }
}

/// Three records of one append: all or none.
#[tokio::test]
async fn an_append_that_was_cut_is_gone_whole() {
    for cut in [1, 44, BYTES, FRAME, FRAME + 1, 2 * FRAME, 3 * FRAME - 1, 3 * FRAME] {
        let dir = TempDir::new().unwrap();
        let log = open(dir.path());
        fill(&log, 0..2, BYTES).await;
        log.append(TOPIC, 0, (2..5).map(|number| record(number, BYTES)).collect()).await.unwrap();
        drop(log);
        change(&segments(dir.path())[0], |file| file.truncate(file.len() - cut));
        assert_eq!(open(dir.path()).recovery().findings, [], "cut by {cut}");
        assert!(survivors(dir.path()).await.into_iter().eq(0..2), "cut by {cut}");
    }
}

#[tokio::test]
async fn damage_at_the_end_of_an_append_costs_only_what_is_damaged() {
    let dir = TempDir::new().unwrap();
    let log = open(dir.path());
    log.append(TOPIC, 0, (0..3).map(|number| record(number, BYTES)).collect()).await.unwrap();
    drop(log);
    change(&segments(dir.path())[0], |file| file[2 * FRAME + 3] ^= 1);
    assert!(survivors(dir.path()).await.into_iter().eq(0..2));
}

#[tokio::test]
async fn zeros_at_the_end_are_no_damage() {
    let dir = filled().await;
    change(segments(dir.path()).last().unwrap(), |file| file.resize(file.len() + 10_000, 0));
    assert_eq!(open(dir.path()).recovery().findings, []);
    assert!(survivors(dir.path()).await.into_iter().eq(0..RECORDS));
}

/// Whoever sends values does not know the marker; with one that is not it, nothing of a value is taken for a record.
#[tokio::test]
async fn a_value_that_looks_like_records_is_not_taken_for_them() {
    let dir = TempDir::new().unwrap();
    let log = open(dir.path());
    fill(&log, 0..3, 100).await;
    let frames = fs::read(&segments(dir.path())[0]).unwrap();
    // Another log wrote them: the same but for the marker.
    let other = TempDir::new().unwrap();
    let to = open(other.path());
    let value = nuthatch_store::log::NewRecord { key: [0; 16], value: frames.into() };
    to.append(TOPIC, 0, vec![value]).await.unwrap();
    to.append(TOPIC, 0, vec![record(1, BYTES)]).await.unwrap();
    drop(to);
    change(&segments(other.path())[0], |bytes| bytes[20] ^= 1);
    let batch = read_all(&open(other.path())).await;
    assert_eq!(damaged(&batch), [0]);
    assert_eq!(sound(&batch, BYTES), [1]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever is flipped wherever: records are right or listed, and the log goes on.
    #[test]
    fn flips_anywhere_never_give_a_wrong_record(
        file: prop::sample::Index,
        places in prop::collection::vec((any::<prop::sample::Index>(), 1u8..), 1..20),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let dir = filled().await;
            let files = segments(dir.path());
            let mut touched = std::collections::BTreeSet::new();
            let file = &files[file.index(files.len())];
            change(file, |bytes| {
                for (place, flip) in &places {
                    let at = place.index(bytes.len());
                    bytes[at] ^= flip;
                    touched.insert(first(file) + (at / FRAME) as u64);
                }
            });
            let served = survivors(dir.path()).await;
            let lost = (0..RECORDS).filter(|offset| !served.contains(offset));
            for offset in lost {
                assert!(touched.contains(&offset), "record {offset} was not touched");
            }
        });
    }
}
