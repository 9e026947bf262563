//! Opening what is on disk, whatever happened to it. Nothing here is a reason not to start except an error that says
//! nothing about the data (no permission, no room).
//!
//! * Sound segments are opened as they are; `SQLite` itself drops a transaction that was torn by a crash.
//! * A segment that `SQLite` cannot follow goes to the quarantine, and a new one is made of every record in it whose
//!   checksum is right. If there is none, its offsets are lost, and read as damaged.
//! * Offsets that were given away are not given away again, damaged or not: as far as any page or any consumer
//!   remembers them.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

use nuthatch_protocol::{Partition, Position, Topic};
use rusqlite::Connection;

use super::{
    error::LogError,
    pages,
    partition::{Content, PartitionLog, Segment, list, names, quarantine},
    record,
    segment::{self, Access, Tail},
    wal,
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
    /// The segment was moved to `quarantine/`; a new one holds its sound records.
    Rebuilt {
        /// How many.
        records: u64,
        /// The offset the partition goes on with, if the segment was its last. Records behind the last one that any
        /// page still names are cut off.
        next: Option<u64>,
    },
    /// The segment was moved to `quarantine/`; no record in it is sound. Its offsets are read as damaged.
    Quarantined,
    /// Damaged records at the end stay where they are, are read as damaged, and a new segment is begun behind them.
    Sealed,
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
    let aside = quarantine(&dir);
    fs::create_dir_all(&aside).map_err(LogError::io(&aside))?;
    segment::sync_dir(&dir)?;
    let mut segments = list(&dir)?;
    tidy(&dir, &mut segments)?;
    let mut next = 0;
    for index in 0..segments.len() {
        let Segment { first, content } = segments[index];
        let last = index + 1 == segments.len();
        let at = Some(Position { topic, partition, offset: first });
        next = first;
        if content == Content::Lost && last {
            pages::rows(&segment::path(&aside, first), first, |row| {
                next = next.max(row.offset + 1);
                Ok(())
            })?;
        }
        if content != Content::Records {
            continue;
        }
        match examine(&dir, first, last)? {
            Ok(Tail { next: end, damage }) => {
                next = end;
                if let Some(reason) = damage {
                    report.add(at, Outcome::Sealed, reason);
                    segments.push(Segment { first: next, content: Content::Records });
                    segment::create(&dir, next)?;
                }
            }
            Err(reason) => {
                let rebuilt = rebuild(&dir, first)?;
                next = rebuilt.next;
                let outcome = if rebuilt.records > 0 {
                    Outcome::Rebuilt { records: rebuilt.records, next: last.then_some(next) }
                } else {
                    segments[index].content = Content::Lost;
                    Outcome::Quarantined
                };
                report.add(at, outcome, reason);
            }
        }
    }
    next = go_on(&dir, &mut segments, next, foremost)?;
    Ok(PartitionLog::new(topic, partition, dir, segments, next))
}

/// Sees to it that there is a segment to append to, and that it is behind the foremost consumer.
fn go_on(dir: &Path, segments: &mut Vec<Segment>, end: u64, foremost: u64) -> Result<u64, LogError> {
    let next = end.max(foremost);
    if next == end && segments.last().is_some_and(|last| last.content == Content::Records) {
        return Ok(next);
    }
    // A last segment without any offset makes room for the one, or the gap, that starts where it does.
    let empty = segments.pop_if(|last| last.first == end);
    if next > end && !segments.is_empty() {
        let gap = segment::gap_path(dir, end);
        File::create(&gap).and_then(|file| file.sync_all()).map_err(LogError::io(&gap))?;
        segments.push(Segment { first: end, content: Content::Gap });
    }
    segment::create(dir, next)?;
    segments.push(Segment { first: next, content: Content::Records });
    if empty.is_some_and(|empty| empty.content == Content::Records) {
        for file in segment::files(&segment::path(dir, end)) {
            segment::remove(&file)?;
        }
    }
    Ok(next)
}

/// Removes what unfinished work left.
fn tidy(dir: &Path, segments: &mut Vec<Segment>) -> Result<(), LogError> {
    for name in names(dir)? {
        let stem = name.strip_suffix("-wal").or_else(|| name.strip_suffix("-shm"));
        let orphan = stem.is_some_and(|stem| !dir.join(stem).exists());
        if orphan || name.starts_with("creating") {
            segment::remove(&dir.join(name))?;
        }
    }
    // A gap with the segment it was to replace still there: finished if the next segment was made, else not begun.
    for index in 0..segments.len() {
        let Segment { first, content } = segments[index];
        let gap = segment::gap_path(dir, first);
        if content == Content::Records && gap.exists() {
            let path = segment::path(dir, first);
            if index + 1 < segments.len() {
                for file in segment::files(&path) {
                    segment::remove(&file)?;
                }
                segments[index].content = Content::Gap;
            } else {
                segment::remove(&gap)?;
            }
        }
    }
    while let Some(Segment { first, content: Content::Gap }) = segments.last() {
        segment::remove(&segment::gap_path(dir, *first))?;
        segments.pop();
    }
    Ok(())
}

/// Where a segment ends, or why it must be rebuilt. The end is looked for only in the last one.
fn examine(dir: &Path, first: u64, last: bool) -> Result<Result<Tail, String>, LogError> {
    let path = segment::path(dir, first);
    if rebuilding(dir, first).exists() {
        return Ok(Err("rebuilding it was interrupted".to_owned()));
    }
    // Before `SQLite` sees the files: it takes an empty file for a new database and removes its write-ahead log.
    let mut header = [0; segment::HEADER_BYTES];
    let read = File::open(&path).and_then(|mut file| file.read_exact(&mut header));
    if read.is_err() || segment::page_bytes(header).is_none() {
        return Ok(Err("its header is damaged".to_owned()));
    }
    if let Some(reason) = wal::damage(&segment::files(&path)[1]).map_err(LogError::io(&path))? {
        return Ok(Err(reason));
    }
    let looked = segment::open(&path, Access::Write).and_then(|conn| look(&path, &conn, first, last));
    match looked {
        Err(error) if error.is_damage() => Ok(Err(error.to_string())),
        other => other.map(Ok),
    }
}

fn look(path: &Path, conn: &Connection, first: u64, last: bool) -> Result<Tail, LogError> {
    let at = || LogError::sqlite(path);
    let (root, schema): (i64, String) = conn
        .query_row("SELECT rootpage, sql FROM sqlite_schema WHERE name = 'record'", (), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .map_err(at())?;
    if (root, schema.as_str()) != (segment::ROOT_PAGE, record::SCHEMA) {
        // The error that stands for what `SQLite` would say if it knew.
        return Err(LogError::Damaged { path: path.to_owned(), reason: "its schema is damaged" });
    }
    // Looks at every page that leads to others: behind a damaged one are records that may be sound.
    conn.query_row("SELECT count(*) FROM record", (), |_| Ok(())).map_err(at())?;
    if last {
        return segment::tail(path, conn, first);
    }
    Ok(Tail { next: first, damage: None })
}

struct Rebuilt {
    records: u64,
    next: u64,
}

/// Says that a segment is being rebuilt from its copy in the quarantine.
fn rebuilding(dir: &Path, first: u64) -> PathBuf {
    dir.join(format!("{first:020}.rebuilding"))
}

/// Moves a segment to the quarantine and makes a new one of its sound records, if there are any.
fn rebuild(dir: &Path, first: u64) -> Result<Rebuilt, LogError> {
    let path = segment::path(dir, first);
    let aside = segment::path(&quarantine(dir), first);
    let marker = rebuilding(dir, first);
    if !marker.exists() {
        for (from, to) in segment::files(&path).iter().zip(segment::files(&aside)).take(2) {
            segment::remove(&to)?;
            if from.exists() {
                fs::hard_link(from, &to).map_err(LogError::io(&to))?;
            }
        }
        segment::sync_dir(&quarantine(dir))?;
        File::create(&marker).and_then(|file| file.sync_all()).map_err(LogError::io(&marker))?;
        segment::sync_dir(dir)?;
    }
    let unfinished = segment::create_unfinished(dir)?;
    let mut conn = Connection::open(&unfinished).map_err(LogError::sqlite(&unfinished))?;
    let transaction = conn.transaction().map_err(LogError::sqlite(&unfinished))?;
    let mut next = first;
    let mut records = 0;
    {
        let mut insert = transaction.prepare(segment::INSERT_MISSING).map_err(LogError::sqlite(&unfinished))?;
        pages::rows(&aside, first, |row| {
            next = next.max(row.offset + 1);
            let Some((version, key, checksum, value)) = row.columns else { return Ok(()) };
            if record::check(row.offset, version, &key, checksum, &value).is_ok() {
                let row = (segment::sql(row.offset), version, key, checksum, value);
                records += insert.execute(row).map_err(LogError::sqlite(&unfinished))? as u64;
            }
            Ok(())
        })?;
    }
    transaction.commit().map_err(LogError::sqlite(&unfinished))?;
    conn.close().map_err(|(_, error)| LogError::sqlite(&unfinished)(error))?;
    let [_, log, index] = segment::files(&path);
    segment::remove(&log)?;
    segment::remove(&index)?;
    if records > 0 {
        fs::rename(&unfinished, &path).map_err(LogError::io(&path))?;
    } else {
        segment::remove(&unfinished)?;
        segment::remove(&path)?;
    }
    segment::sync_dir(dir)?;
    segment::remove(&marker)?;
    Ok(Rebuilt { records, next })
}
