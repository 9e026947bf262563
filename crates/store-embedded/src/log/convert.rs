//! Segments of the first format: `SQLite` files (`<first offset>.db`) with a row for each record. They are made into
//! segments of frames when a log is opened.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::Write as _,
    path::Path,
};

use rusqlite::{Connection, ErrorCode, OpenFlags, Row, types::ValueRef};

use super::{
    error::LogError,
    frame,
    partition::{names, quarantine},
    segment::{Segment, offset_of_name, remove, sync_dir},
};

/// The version of a record that these segments have.
const VERSION: i64 = 1;

/// Bytes of frames that are gathered before they are written.
const BUFFER_BYTES: usize = 1024 * 1024;

/// A segment of frames that is not finished.
const UNFINISHED: &str = "converting";

const ROWS: &str = "SELECT offset, version, key, checksum, value FROM record WHERE offset >= ?1 ORDER BY offset";

/// What became of a segment.
pub(super) struct Converted {
    /// Its first offset.
    pub(super) first: u64,
    /// Sound records.
    pub(super) records: u64,
    /// What was wrong. The segment is in the quarantine then.
    pub(super) damage: Option<String>,
}

/// Converts what is there, one segment after the other: after a crash it goes on with the next.
pub(super) fn convert(dir: &Path) -> Result<Vec<Converted>, LogError> {
    let names = names(dir)?;
    let of = |name: &String, ending: &str| name.strip_suffix(ending).and_then(offset_of_name);
    let converted: BTreeSet<u64> = names.iter().filter_map(|name| Some(Segment::named(dir, name)?.first)).collect();
    let mut old: Vec<u64> = names.iter().filter_map(|name| of(name, ".db")).collect();
    old.sort_unstable();
    let mut results = Vec::new();
    for first in old {
        let path = dir.join(format!("{first:020}.db"));
        if !converted.contains(&first) {
            results.push(convert_one(dir, &path, first)?);
        }
        for ending in ["", "-wal", "-shm"] {
            remove(&beside(&path, ending))?;
        }
    }
    let leavings =
        |name: &&String| name.ends_with(".db-wal") || name.ends_with(".db-shm") || name.starts_with(UNFINISHED);
    for name in names.iter().filter(leavings) {
        remove(&dir.join(name))?;
    }
    Ok(results)
}

fn beside(path: &Path, ending: &str) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn convert_one(dir: &Path, path: &Path, first: u64) -> Result<Converted, LogError> {
    let unfinished = dir.join(UNFINISHED);
    let file = File::create(&unfinished).map_err(LogError::io(&unfinished))?;
    let mut frames = Frames { path: &unfinished, file, marker: rand::random(), buffer: Vec::new() };
    let mut converted = Converted { first, records: 0, damage: None };
    let mut from = first;
    let read = open(path).and_then(|conn| {
        while let Err(error) = copy(path, &conn, &mut from, &mut frames, &mut converted)? {
            converted.damage = Some(error.to_string());
            // Around the damage: what `SQLite` gets at from the other end.
            let Some(behind) = first_behind(&conn, from) else { break };
            from = behind;
        }
        Ok(())
    });
    match read {
        Err(LogError::Sqlite { source, .. }) if is_damage(&source) => converted.damage = Some(source.to_string()),
        read => read?,
    }
    frames.flush()?;
    frames.file.sync_all().map_err(LogError::io(&unfinished))?;
    if converted.damage.is_some() {
        let aside = quarantine(dir);
        for path in [path.to_owned(), beside(path, "-wal")] {
            let to = aside.join(path.file_name().unwrap_or_default());
            if path.exists() {
                fs::rename(&path, &to).map_err(LogError::io(&to))?;
            }
        }
        sync_dir(&aside)?;
    }
    Segment::adopt(&unfinished, dir, first, frames.marker)?;
    Ok(converted)
}

fn open(path: &Path) -> Result<Connection, LogError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags).map_err(LogError::sqlite(path))
}

/// Copies rows from an offset on, which moves on; ends with what `SQLite` cannot read.
fn copy(
    path: &Path,
    conn: &Connection,
    from: &mut u64,
    frames: &mut Frames<'_>,
    converted: &mut Converted,
) -> Result<rusqlite::Result<()>, LogError> {
    let mut statement = match conn.prepare_cached(ROWS) {
        Err(error) if is_damage(&error) => return Ok(Err(error)),
        statement => statement.map_err(LogError::sqlite(path))?,
    };
    let mut rows = statement.query([i64::try_from(*from).unwrap_or(i64::MAX)]).map_err(LogError::sqlite(path))?;
    loop {
        match rows.next() {
            Ok(Some(row)) => match sound(row) {
                Some((offset, key, value)) if offset >= *from => {
                    frames.add(offset, key, value)?;
                    *from = offset + 1;
                    converted.records += 1;
                }
                // Its offset is missing from the new segment, so it is read as damaged.
                _ => converted.damage = Some("a record is damaged".to_owned()),
            },
            Ok(None) => return Ok(Ok(())),
            Err(error) if is_damage(&error) => return Ok(Err(error)),
            Err(error) => return Err(LogError::sqlite(path)(error)),
        }
    }
}

/// The first offset behind what cannot be read, found from the end.
fn first_behind(conn: &Connection, damaged: u64) -> Option<u64> {
    let mut statement = conn.prepare("SELECT offset FROM record WHERE offset > ?1 ORDER BY offset DESC").ok()?;
    let mut rows = statement.query([i64::try_from(damaged).ok()?]).ok()?;
    let mut first = None;
    while let Ok(Some(row)) = rows.next() {
        first = row.get::<_, i64>(0).ok().and_then(|offset| u64::try_from(offset).ok());
    }
    first
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
        // The file ends in front of a page of a value.
        || error.sqlite_error().is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_IOERR_SHORT_READ)
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
        frame::write(&mut self.buffer, self.marker, offset, key, value);
        if self.buffer.len() >= BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), LogError> {
        self.file.write_all(&self.buffer).map_err(LogError::io(self.path))?;
        self.buffer.clear();
        Ok(())
    }
}
