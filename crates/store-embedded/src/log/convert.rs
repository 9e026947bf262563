//! Segments of the first format: `SQLite` files (`<first offset>.db`) with a row for each record. They are made into
//! segments of frames when a log is opened.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
};

use rusqlite::{Connection, ErrorCode, OpenFlags, Row, config::DbConfig, types::ValueRef};

use super::{
    error::LogError,
    frame,
    partition::{names, quarantine},
    segment::{Segment, offset_of_name, remove},
};

/// The version of a record that these segments have.
const VERSION: i64 = 1;

/// Bytes of frames that are gathered before they are written.
const BUFFER_BYTES: usize = 1024 * 1024;

/// A segment of frames that is not finished.
const UNFINISHED: &str = "converting";

const ROWS: &str = "SELECT offset, version, key, checksum, value FROM record WHERE offset >= ?1 ORDER BY offset";

/// Least bytes a row takes in its file: key, checksum and row header.
const ROW_MIN_BYTES: u64 = 24;

/// What a `SQLite` file begins with.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// What became of a segment.
pub(super) struct Converted {
    /// Its first offset.
    pub(super) first: u64,
    /// Sound records.
    pub(super) records: u64,
    /// What was wrong. The segment is in the quarantine then.
    pub(super) damage: Option<String>,
}

/// Whether a folder holds segments of the first format.
pub(super) fn is_needed(dir: &Path) -> Result<bool, LogError> {
    Ok(names(dir)?.iter().any(|name| first_of(name).is_some()))
}

fn first_of(name: &str) -> Option<u64> {
    name.strip_suffix(".db").and_then(offset_of_name)
}

/// Converts what is there, one segment after the other: after a crash it goes on with the next. Takes as much free space as the
/// largest of them.
pub(super) fn convert(dir: &Path) -> Result<Vec<Converted>, LogError> {
    let names = names(dir)?;
    let there: BTreeSet<u64> = names.iter().filter_map(|name| Some(Segment::named(dir, name)?.first)).collect();
    let old: BTreeSet<u64> = names.iter().filter_map(|name| first_of(name)).collect();
    let mut results = Vec::new();
    for &first in &old {
        let path = dir.join(format!("{first:020}.db"));
        let mut is_wanted = false;
        if !there.contains(&first) {
            let unfinished = dir.join(UNFINISHED);
            let is_last = there.iter().chain(&old).all(|other| *other <= first);
            let converted = convert_one(dir, &path, &unfinished, first, is_last);
            if converted.is_err() {
                // It would take the space that may be what is missing.
                let _ = remove(&unfinished);
            }
            let converted = converted?;
            is_wanted = converted.damage.is_some();
            results.push(converted);
        }
        // The write-ahead log first: alone it would be taken for a leaving.
        for ending in ["-wal", "", "-shm"] {
            let file = beside(&path, ending);
            let aside = quarantine(dir).join(file.file_name().unwrap_or_default());
            if is_wanted && file.exists() {
                fs::rename(&file, &aside).map_err(LogError::io(&aside))?;
            } else {
                remove(&file)?;
            }
        }
    }
    let endings = [".db-wal", ".db-shm", ".rebuilding"];
    let is_leaving = |name: &&String| {
        endings.iter().any(|ending| name.ends_with(ending))
            || name.starts_with(UNFINISHED)
            || name.starts_with("creating")
    };
    for name in names.iter().filter(is_leaving) {
        remove(&dir.join(name))?;
    }
    Ok(results)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn convert_one(dir: &Path, path: &Path, unfinished: &Path, first: u64, is_last: bool) -> Result<Converted, LogError> {
    let file = File::create(unfinished).map_err(LogError::io(unfinished))?;
    let frames = Frames { path: unfinished, file, marker: rand::random(), buffer: Vec::new() };
    let mut copying =
        Copying { path, next: first, damaged: 0, frames, converted: Converted { first, records: 0, damage: None } };
    match open(path).and_then(|conn| copying.copy_all(&conn)) {
        Err(LogError::Sqlite { source, .. }) if is_damage(&source) => {
            copying.converted.damage = Some(source.to_string());
        }
        copied => copied?,
    }
    let Copying { next, damaged, mut frames, converted, .. } = copying;
    frames.flush()?;
    frames.file.sync_all().map_err(LogError::io(unfinished))?;
    if is_last && damaged > 0 {
        // So that the offsets of damaged records at the end are not given away again.
        Segment::create(dir, next + damaged)?;
    }
    Segment::adopt(unfinished, dir, first, frames.marker)?;
    Ok(converted)
}

/// Opens a segment; a file that is none is not for `SQLite`, which would make one of an empty file and remove its write-ahead log.
fn open(path: &Path) -> Result<Connection, LogError> {
    let mut magic = [0; MAGIC.len()];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut magic));
    if read.is_err() || magic != MAGIC {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_NOTADB);
        return Err(LogError::sqlite(path)(rusqlite::Error::SqliteFailure(code, None)));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(LogError::sqlite(path))?;
    // What is put aside is put aside as it was.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(LogError::sqlite(path))?;
    Ok(conn)
}

/// The way through a segment.
struct Copying<'a> {
    path: &'a Path,
    /// The offset behind the last sound record.
    next: u64,
    /// Rows behind that one which are damaged.
    damaged: u64,
    frames: Frames<'a>,
    converted: Converted,
}

impl Copying<'_> {
    /// Copies what `SQLite` gets at: where it gets no further, it tries offset by offset as far as the last one.
    fn copy_all(&mut self, conn: &Connection) -> Result<(), LogError> {
        let bytes = fs::metadata(self.path).map_or(0, |meta| meta.len());
        let mut tries = bytes / ROW_MIN_BYTES;
        let mut from = self.next;
        while let Err(error) = self.copy(conn, from)? {
            self.converted.damage = Some(error.to_string());
            from = self.next.max(from + 1);
            tries = tries.saturating_sub(1);
            if tries == 0 || last(conn, from).is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Copies rows from an offset on; ends with what `SQLite` cannot read.
    fn copy(&mut self, conn: &Connection, from: u64) -> Result<rusqlite::Result<()>, LogError> {
        let mut statement = match conn.prepare_cached(ROWS) {
            Err(error) if is_damage(&error) => return Ok(Err(error)),
            statement => statement.map_err(LogError::sqlite(self.path))?,
        };
        let from = i64::try_from(from).unwrap_or(i64::MAX);
        let mut rows = statement.query([from]).map_err(LogError::sqlite(self.path))?;
        loop {
            match rows.next() {
                Ok(Some(row)) => match sound(row) {
                    Some((offset, key, value)) if offset >= self.next => {
                        self.frames.add(offset, key, value)?;
                        self.next = offset + 1;
                        self.damaged = 0;
                        self.converted.records += 1;
                    }
                    // Its offset is missing from the new segment, so it is read as damaged.
                    _ => {
                        self.damaged += 1;
                        self.converted.damage = Some("a record is damaged".to_owned());
                    }
                },
                Ok(None) => return Ok(Ok(())),
                Err(error) if is_damage(&error) => return Ok(Err(error)),
                Err(error) => return Err(LogError::sqlite(self.path)(error)),
            }
        }
    }
}

/// The last offset, if it is not in front of one.
fn last(conn: &Connection, from: u64) -> Option<u64> {
    let last: i64 =
        conn.query_row("SELECT offset FROM record ORDER BY offset DESC LIMIT 1", (), |row| row.get(0)).ok()?;
    u64::try_from(last).ok().filter(|last| *last >= from)
}

/// Offset, key and value of a row, if it is what was appended: its checksum is a CRC-32 over version, offset, key and value.
fn sound<'a>(row: &'a Row<'_>) -> Option<(u64, [u8; 16], &'a [u8])> {
    let (ValueRef::Integer(offset), ValueRef::Integer(VERSION)) = (row.get_ref(0).ok()?, row.get_ref(1).ok()?) else {
        return None;
    };
    let (key, value) = (row.get_ref(2).ok()?.as_blob().ok()?, row.get_ref(4).ok()?.as_blob().ok()?);
    let mut crc = crc32fast::Hasher::new();
    crc.update(&[VERSION as u8]);
    crc.update(&offset.to_be_bytes());
    crc.update(key);
    crc.update(value);
    let is_sound = row.get_ref(3).ok()?.as_i64().ok()? == i64::from(crc.finalize());
    Some((u64::try_from(offset).ok()?, key.try_into().ok()?, value)).filter(|_| is_sound)
}

/// Whether what is in the file is wrong, which trying again does not mend.
fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown))
        // The file ends in front of a page of a value, or the disk cannot read one.
        || error.sqlite_error().is_some_and(|error| {
            matches!(error.extended_code, rusqlite::ffi::SQLITE_IOERR_SHORT_READ | rusqlite::ffi::SQLITE_IOERR_READ)
        })
        // The statements are constants: what does not fit them is the schema, which every segment is made with.
        || matches!(error, rusqlite::Error::SqlInputError { .. })
}

/// The segment that is being made.
struct Frames<'a> {
    path: &'a Path,
    file: File,
    marker: frame::Marker,
    buffer: Vec<u8>,
}

impl Frames<'_> {
    fn add(&mut self, offset: u64, key: [u8; 16], value: &[u8]) -> Result<(), LogError> {
        frame::write(&mut self.buffer, self.marker, offset, key, value, false);
        if self.buffer.len() >= BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), LogError> {
        self.file.write_all(&self.buffer).map_err(LogError::io(self.path))?;
        self.buffer.clear();
        Ok(())
    }
}
