//! A segment: an `SQLite` file with one table, named by its first offset, to which rows are only ever added.

use std::{
    fs::{self, File},
    ops::Range,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::{
    error::{LogError, is_damage},
    record,
};

/// Bytes of a page of a new segment. Small, as measured: a commit writes each page that it touches whole, and those of a
/// group of some records are mostly the last leaf, its parents and the header
/// (`docs/decisions/0002-log-in-sqlite-segments.md`). Segments with larger pages are read and continued.
pub(super) const PAGE_BYTES: u64 = 4 * 1024;

/// Bytes at the start of a segment that never change.
pub(super) const HEADER_BYTES: usize = 24;

/// The bytes of a page, if a file starts as a segment does: magic, page size, write-ahead log, the fixed fractions
/// (<https://www.sqlite.org/fileformat2.html> §1.3).
pub(super) fn page_bytes(header: [u8; HEADER_BYTES]) -> Option<u64> {
    let fits = header.starts_with(b"SQLite format 3\0") && header.ends_with(b"\x02\x02\x00\x40\x20\x20");
    let size = match u16::from_be_bytes([header[16], header[17]]) {
        // The largest does not fit its two bytes.
        1 => 1 << 16,
        size => u64::from(size),
    };
    (fits && is_page_size(size)).then_some(size)
}

/// Whether `SQLite` has pages of that size.
pub(super) fn is_page_size(bytes: u64) -> bool {
    bytes.is_power_of_two() && (512..=1 << 16).contains(&bytes)
}

/// The page that leads to all records: the first behind the schema.
pub(super) const ROOT_PAGE: i64 = 2;

/// Pages the writer keeps, in KiB.
const WRITER_CACHE_KIB: i64 = 16 * 1024;

/// Pages a reader keeps, in KiB.
const READER_CACHE_KIB: i64 = 1024;

/// How long a connection waits for another one of the same segment. They hold locks for one checkpoint at the most.
const BUSY_WAIT: Duration = Duration::from_secs(10);

/// What a connection may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Append and checkpoint.
    Write,
    /// Read, in the process that writes.
    Read,
    /// Read, beside a process that writes.
    ReadForeign,
}

/// Where the segment that starts with an offset is.
pub(super) fn path(dir: &Path, first: u64) -> PathBuf {
    dir.join(format!("{first:020}.db"))
}

/// The marker that says: no records from this offset to the next segment, and none lost.
pub(super) fn gap_path(dir: &Path, first: u64) -> PathBuf {
    dir.join(format!("{first:020}.gap"))
}

/// The first offset, from a file name with the extension.
pub(super) fn first_offset(name: &str, extension: &str) -> Option<u64> {
    let digits = name.strip_suffix(extension)?.strip_suffix('.')?;
    (digits.len() == 20).then(|| digits.parse().ok()).flatten()
}

/// The file and what `SQLite` keeps beside it. The file itself first, so that a crash while removing them never
/// leaves a file without its write-ahead log.
pub(super) fn files(path: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|suffix| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    })
}

/// Makes an empty segment, durably. It appears under its name when it is whole.
pub(super) fn create(dir: &Path, first: u64) -> Result<(), LogError> {
    let unfinished = create_unfinished(dir)?;
    let path = path(dir, first);
    fs::rename(&unfinished, &path).map_err(LogError::io(&path))?;
    sync_dir(dir)
}

/// Makes an empty segment under a name that is removed when the log is opened.
pub(super) fn create_unfinished(dir: &Path) -> Result<PathBuf, LogError> {
    let unfinished = dir.join("creating");
    for file in files(&unfinished) {
        remove(&file)?;
    }
    let at = || LogError::sqlite(&unfinished);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(&unfinished, flags).map_err(at())?;
    conn.pragma_update(None, "page_size", PAGE_BYTES as i64).map_err(at())?;
    conn.pragma_update(None, "journal_mode", "WAL").map_err(at())?;
    conn.pragma_update(None, "synchronous", "FULL").map_err(at())?;
    conn.execute_batch(record::SCHEMA).map_err(at())?;
    conn.close().map_err(|(_, error)| at()(error))?;
    Ok(unfinished)
}

/// Opens a segment that is there. An error that [`LogError::is_damage`] when it is not one.
pub(super) fn open(path: &Path, access: Access) -> Result<Connection, LogError> {
    let mode = match access {
        Access::Write | Access::Read => OpenFlags::SQLITE_OPEN_READ_WRITE,
        Access::ReadForeign => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    let at = || LogError::sqlite(path);
    let conn = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(at())?;
    conn.busy_timeout(BUSY_WAIT).map_err(at())?;
    // Checkpoints are made where they do not hold anything up, never by chance by the last one to close.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(at())?;
    conn.pragma_update(None, "wal_autocheckpoint", 0).map_err(at())?;
    if access == Access::Write {
        conn.pragma_update(None, "synchronous", "FULL").map_err(at())?;
        conn.pragma_update(None, "cache_size", -WRITER_CACHE_KIB).map_err(at())?;
    } else {
        conn.pragma_update(None, "query_only", true).map_err(at())?;
        conn.pragma_update(None, "cache_size", -READER_CACHE_KIB).map_err(at())?;
    }
    conn.prepare(SCAN).map_err(at())?;
    Ok(conn)
}

/// Rows in order from an offset to another.
const SCAN: &str =
    "SELECT offset, version, key, checksum, value FROM record WHERE offset >= ?1 AND offset < ?2 ORDER BY offset";

/// Rows with a key from an offset to another, the last one first.
const FIND: &str = "SELECT offset, version, key, checksum, value FROM record
    WHERE offset >= ?1 AND offset < ?2 AND key = ?3 ORDER BY offset DESC";

/// Rows, the last one first.
const TAIL: &str = "SELECT offset, version, key, checksum, value FROM record ORDER BY offset DESC";

/// Adds a row.
pub(super) const INSERT: &str = "INSERT INTO record VALUES (?1, ?2, ?3, ?4, ?5)";

/// Adds a row that may be there already.
pub(super) const INSERT_MISSING: &str = "INSERT OR IGNORE INTO record VALUES (?1, ?2, ?3, ?4, ?5)";

/// What a scan finds at an offset.
pub(super) struct Found {
    /// The offset.
    pub(super) offset: u64,
    /// Key and value, or why there are none.
    pub(super) row: Result<([u8; 16], Bytes), String>,
}

/// Visits every offset of a range in order, until `take` says no. Each is there or damaged: a segment has no holes.
///
/// Where `SQLite` cannot read a page, offsets are tried one by one until one is behind that page. Rows whose offset
/// does not fit are left out; the offset they had is then found missing.
pub(super) fn scan(
    path: &Path,
    conn: &Connection,
    range: Range<u64>,
    mut take: impl FnMut(Found) -> bool,
) -> Result<(), LogError> {
    let mut statement = conn.prepare_cached(SCAN).map_err(LogError::sqlite(path))?;
    let mut expected = range.start;
    while expected < range.end {
        let mut rows = statement.query((sql(expected), sql(range.end))).map_err(LogError::sqlite(path))?;
        let unreadable = loop {
            let (offset, row) = match rows.next() {
                Ok(Some(row)) => {
                    let offset = row.get::<_, i64>(0).map_err(LogError::sqlite(path))? as u64;
                    (offset, record::sound(offset, row))
                }
                Ok(None) => break None,
                Err(error) if is_damage(&error) => break Some(error.to_string()),
                Err(error) => return Err(LogError::sqlite(path)(error)),
            };
            if offset < expected || (offset > expected && row.is_err()) {
                continue;
            }
            while expected < offset {
                if !take(missing(expected)) {
                    return Ok(());
                }
                expected += 1;
            }
            if !take(Found { offset, row }) {
                return Ok(());
            }
            expected += 1;
        };
        let lost_end = if unreadable.is_some() { expected + 1 } else { range.end };
        while expected < lost_end {
            let found = unreadable
                .as_ref()
                .map_or_else(|| missing(expected), |reason| Found { offset: expected, row: Err(reason.clone()) });
            if !take(found) {
                return Ok(());
            }
            expected += 1;
        }
    }
    Ok(())
}

fn missing(offset: u64) -> Found {
    Found { offset, row: Err("record is missing from its segment".to_owned()) }
}

/// The last sound record with a key in a range.
pub(super) fn find(
    path: &Path,
    conn: &Connection,
    range: Range<u64>,
    key: [u8; 16],
) -> Result<Option<(u64, Bytes)>, LogError> {
    let mut statement = conn.prepare_cached(FIND).map_err(LogError::sqlite(path))?;
    let mut rows =
        statement.query((sql(range.start), sql(range.end), key.as_slice())).map_err(LogError::sqlite(path))?;
    loop {
        match rows.next() {
            Ok(Some(row)) => {
                let offset = row.get::<_, i64>(0).map_err(LogError::sqlite(path))? as u64;
                if let Ok((_, value)) = record::sound(offset, row) {
                    return Ok(Some((offset, value)));
                }
            }
            Ok(None) => return Ok(None),
            // Around the damage, forwards.
            Err(error) if is_damage(&error) => break,
            Err(error) => return Err(LogError::sqlite(path)(error)),
        }
    }
    let mut last = None;
    scan(path, conn, range, |found| {
        if let Ok((found_key, value)) = found.row
            && found_key == key
        {
            last = Some((found.offset, value));
        }
        true
    })?;
    Ok(last)
}

/// Where a segment ends.
pub(super) struct Tail {
    /// The offset behind the last record.
    pub(super) next: u64,
    /// What is wrong at the end, if anything is.
    pub(super) damage: Option<String>,
}

/// Finds the end of a segment. An error that [`LogError::is_damage`] when it cannot be read.
///
/// The last sound row says where it is; each damaged row behind that was a record too.
pub(super) fn tail(path: &Path, conn: &Connection, first: u64) -> Result<Tail, LogError> {
    let mut statement = conn.prepare(TAIL).map_err(LogError::sqlite(path))?;
    let mut rows = statement.query(()).map_err(LogError::sqlite(path))?;
    let mut damaged = 0;
    let mut damage = None;
    let last = loop {
        match rows.next() {
            Ok(Some(row)) => {
                let offset = row.get::<_, i64>(0).map_err(LogError::sqlite(path))? as u64;
                match record::sound(offset, row) {
                    Ok(_) if offset >= first => break Some(offset),
                    Ok(_) => damage = Some(format!("record {offset} is in the segment that starts with {first}")),
                    Err(reason) => damage = Some(reason),
                }
                damaged += 1;
            }
            Ok(None) => break None,
            Err(error) => return Err(LogError::sqlite(path)(error)),
        }
    };
    Ok(Tail { next: last.map_or(first, |last| last + 1) + damaged, damage })
}

/// An offset as `SQLite` keeps it. Offsets stay far under 2^63: at a million records a second for 290,000 years.
pub(super) fn sql(offset: u64) -> i64 {
    i64::try_from(offset).unwrap_or(i64::MAX)
}

/// Syncs a folder, so that files made or renamed in it stay.
pub(super) fn sync_dir(dir: &Path) -> Result<(), LogError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(LogError::io(dir))
}

/// Removes a file that may be gone already.
pub(super) fn remove(path: &Path) -> Result<(), LogError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(LogError::io(path)(error)),
        _ => Ok(()),
    }
}
