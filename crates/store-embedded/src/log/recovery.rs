//! Opening what is on disk, whatever happened to it. Nothing here is a reason not to start except an error that says
//! nothing about the data (no permission, no room).
//!
//! * Only the last segment is walked through, to find its end. An append that did not end, so that nobody was told of it, is
//!   cut off whole.
//! * Damage costs the records it is in: they are read as damaged, found when they are read. A last segment with damage gets no
//!   more records.
//! * Offsets that were given away are not given away again, damaged or not: as far as any header or any consumer
//!   remembers them.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use nuthatch_protocol::{Partition, Position, Topic};

use super::{
    convert,
    error::LogError,
    partition::{PartitionLog, Stretch, list, quarantine},
    segment::{self, Rest, Segment, Tail},
};

/// What was wrong when the log was opened, and what was done about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecoveryReport {
    /// In the order found; empty when all was well.
    pub findings: Vec<Finding>,
}

/// One thing that was wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The first record of the segment, or `None` for the positions of consumers.
    pub at: Option<Position>,
    /// What was done.
    pub outcome: Outcome,
    /// What was wrong, for people.
    pub reason: String,
}

/// What was done about something wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A new segment is begun behind one with damage, whose damaged records are read as damaged.
    Sealed,
    /// The segment was moved to `quarantine/`: no record is to be found in it, or there is another one with its first offset.
    Quarantined,
    /// A segment of the first format was moved to `quarantine/`; the new one holds its sound records.
    Rescued {
        /// How many.
        records: u64,
    },
    /// The positions that consumers released were moved to `quarantine/` and start over.
    PositionsReset,
}

impl RecoveryReport {
    /// Adds a finding, and tells the operator.
    pub(super) fn add(&mut self, at: Option<Position>, outcome: Outcome, reason: String) {
        let place = at.map_or_else(|| "consumers".to_owned(), |at| at.to_string());
        tracing::warn!(place, ?outcome, reason, "log.recovered");
        self.findings.push(Finding { at, outcome, reason });
    }
}

/// Opens a partition for writing. `foremost` is how far the foremost consumer is.
pub(super) fn open(
    topic: Topic,
    partition: Partition,
    dir: PathBuf,
    foremost: u64,
    report: &mut RecoveryReport,
) -> Result<PartitionLog, LogError> {
    let at = |offset| Some(Position { topic, partition, offset });
    let aside = quarantine(&dir);
    if !aside.exists() {
        fs::create_dir_all(&aside).map_err(LogError::io(&aside))?;
        // The partition, its topic, the log.
        dir.ancestors().take(3).try_for_each(segment::sync_dir)?;
    }
    for converted in convert::convert(&dir)? {
        let records = converted.records;
        tracing::info!(place = ?at(converted.first), records, "log.converted");
        if let Some(reason) = converted.damage {
            report.add(at(converted.first), Outcome::Rescued { records }, reason);
        }
    }
    let mut stretches = list(&dir)?;
    for (first, reason) in tidy(&dir, &mut stretches)? {
        report.add(at(first), Outcome::Quarantined, reason.to_owned());
    }
    let mut next = 0;
    if let Some(Stretch::Records(last)) = stretches.last() {
        let Tail { end, rest } = last.tail()?;
        next = end.offset;
        let first = at(last.first);
        match rest {
            Rest::Nothing => {}
            Rest::Unfinished => last.cut(end)?,
            Rest::Damaged if end.offset == last.first => {
                put_aside(&dir, &last.path)?;
                stretches.pop();
                stretches.push(Stretch::Records(Segment::create(&dir, next)?));
                report.add(first, Outcome::Quarantined, "there is no record in it".to_owned());
            }
            Rest::Damaged => {
                stretches.push(Stretch::Records(Segment::create(&dir, next)?));
                report.add(first, Outcome::Sealed, "it has bytes that are not those of records".to_owned());
            }
        }
    }
    next = go_on(&dir, &mut stretches, next, foremost)?;
    Ok(PartitionLog::new(topic, partition, dir, stretches, next))
}

/// Sees to it that there is a segment to append to, and that it is behind the foremost consumer.
fn go_on(dir: &Path, stretches: &mut Vec<Stretch>, end: u64, foremost: u64) -> Result<u64, LogError> {
    let next = end.max(foremost);
    if next == end && !stretches.is_empty() {
        return Ok(next);
    }
    // A last segment without any offset makes room for the one, or the gap, that starts where it does.
    let empty = stretches.pop_if(|last| last.first() == end);
    if next > end && (empty.is_some() || !stretches.is_empty()) {
        let gap = segment::gap_path(dir, end);
        File::create(&gap).and_then(|file| file.sync_all()).map_err(LogError::io(&gap))?;
        stretches.push(Stretch::Gap(end));
    }
    stretches.push(Stretch::Records(Segment::create(dir, next)?));
    if let Some(Stretch::Records(empty)) = empty {
        segment::remove(&empty.path)?;
    }
    Ok(next)
}

/// Moves a file to the quarantine.
fn put_aside(dir: &Path, path: &Path) -> Result<(), LogError> {
    let aside = quarantine(dir);
    let to = aside.join(path.file_name().unwrap_or_default());
    fs::rename(path, &to).map_err(LogError::io(&to))?;
    segment::sync_dir(&aside)
}

/// Removes what unfinished work left: stretches that another one with the same first offset stands for; gaps and empty segments
/// that begin where the segment in front still has records, because that one went on; and a gap behind which nothing was begun.
/// What has records and is still in the way is put aside; gives its first offset, and why.
fn tidy(dir: &Path, stretches: &mut Vec<Stretch>) -> Result<Vec<(u64, &'static str)>, LogError> {
    let mut aside = Vec::new();
    for index in (0..stretches.len()).rev() {
        let first = stretches[index].first();
        let is_empty = match &stretches[index] {
            Stretch::Gap(_) => true,
            Stretch::Records(segment) => fs::metadata(&segment.path).is_ok_and(|meta| meta.len() == 0),
        };
        let is_replaced = stretches.get(index + 1).is_some_and(|next| next.first() == first);
        let leads_nowhere = index + 1 == stretches.len() && matches!(stretches[index], Stretch::Gap(_));
        let is_passed = is_empty
            && match index.checked_sub(1).map(|before| &stretches[before]) {
                Some(Stretch::Records(before)) => before.tail()?.end.offset > first,
                Some(Stretch::Gap(_)) | None => false,
            };
        if !(is_replaced || leads_nowhere || is_passed) {
            continue;
        }
        match stretches.remove(index) {
            Stretch::Records(segment) if is_empty => segment::remove(&segment.path)?,
            Stretch::Records(segment) => {
                put_aside(dir, &segment.path)?;
                aside.push((first, "another segment begins with the same offset"));
            }
            Stretch::Gap(first) => segment::remove(&segment::gap_path(dir, first))?,
        }
    }
    Ok(aside)
}
