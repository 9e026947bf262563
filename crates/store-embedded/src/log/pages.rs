//! Reads records from the pages of a segment without `SQLite`, for segments that `SQLite` cannot follow any more.
//! Layout of pages, cells and rows: <https://www.sqlite.org/fileformat2.html> §1.6, §2.1, §4.1.
//!
//! Every page of the file and every frame of its write-ahead log is looked at by itself, current or not: records are
//! never changed, and the checksum of a record tells whether what looks like one is one.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

use super::{
    error::LogError,
    record::ROW_MIN_BYTES,
    segment::{self, PAGE_BYTES},
    wal,
};

const LEAF: u8 = 0x0d;
const LEAF_HEADER_BYTES: usize = 8;

/// Bytes of a row that are in its leaf (§1.6); what is more goes to overflow pages.
fn in_leaf(row_bytes: usize, page_bytes: usize) -> usize {
    let most = page_bytes - 35;
    if row_bytes <= most {
        return row_bytes;
    }
    let least = (page_bytes - 12) * 32 / 255 - 23;
    let fitting = least + (row_bytes - least) % (page_bytes - 4);
    if fitting <= most { fitting } else { least }
}

/// A row as it is in a page. Whether it is sound is for the checksum to say.
pub(super) struct RawRow {
    /// The row id.
    pub(super) offset: u64,
    /// Version, key, checksum and value, as far as the row holds what it should.
    pub(super) columns: Option<(i64, Vec<u8>, i64, Vec<u8>)>,
}

/// Visits every row that any page names, with the plausible offsets of a segment that starts with `first`; a row may
/// come more than once. Only while no connection is open: closing the files would drop the locks of this process.
pub(super) fn rows(
    path: &Path,
    first: u64,
    mut visit: impl FnMut(RawRow) -> Result<(), LogError>,
) -> Result<(), LogError> {
    let mut pages = Pages::open(path).map_err(LogError::io(path))?;
    let plausible = first..=first.saturating_add(pages.bytes / ROW_MIN_BYTES);
    let mut page = vec![0; pages.page_bytes as usize];
    for place in pages.places.clone() {
        pages.read(place, &mut page).map_err(LogError::io(path))?;
        for cell in cells(&page) {
            if let Some((payload_bytes, rest)) = varint(cell)
                && let Some((offset, rest)) = varint(rest)
                && plausible.contains(&offset)
            {
                let payload = pages.payload(payload_bytes, rest).map_err(LogError::io(path))?;
                visit(RawRow { offset, columns: payload.as_deref().and_then(columns) })?;
            }
        }
    }
    Ok(())
}

/// A page: in the file or its write-ahead log, from a byte on.
type Place = (usize, u64);

struct Pages {
    page_bytes: u64,
    files: Vec<File>,
    places: Vec<Place>,
    in_wal: HashMap<u64, Place>,
    in_file: u64,
    bytes: u64,
}

impl Pages {
    fn open(path: &Path) -> io::Result<Self> {
        let [database, log, _] = segment::files(path);
        let mut database = File::open(&database)?;
        let mut log = if fs::exists(&log)? { Some(File::open(&log)?) } else { None };
        let page_bytes = page_bytes(&mut database, log.as_mut())?;
        let in_file = database.metadata()?.len() / page_bytes;
        let mut pages = Self {
            page_bytes,
            places: (0..in_file).map(|page| (0, page * page_bytes)).collect(),
            in_wal: HashMap::new(),
            in_file,
            bytes: in_file * page_bytes,
            files: vec![database],
        };
        if let Some(mut log) = log {
            let frame_bytes = wal::FRAME_HEADER_BYTES + page_bytes;
            let frames = log.metadata()?.len().saturating_sub(wal::HEADER_BYTES) / frame_bytes;
            for frame in 0..frames {
                let start = wal::HEADER_BYTES + frame * frame_bytes;
                let mut number = [0; 4];
                log.seek(SeekFrom::Start(start))?;
                log.read_exact(&mut number)?;
                let place = (1, start + wal::FRAME_HEADER_BYTES);
                pages.places.push(place);
                pages.in_wal.insert(u64::from(u32::from_be_bytes(number)), place);
            }
            pages.bytes += frames * page_bytes;
            pages.files.push(log);
        }
        Ok(pages)
    }

    fn read(&mut self, (file, start): Place, page: &mut [u8]) -> io::Result<()> {
        self.files[file].seek(SeekFrom::Start(start))?;
        self.files[file].read_exact(page)
    }

    /// The whole of a row whose first part is in its leaf. `None` when it leads nowhere.
    fn payload(&mut self, bytes: u64, local: &[u8]) -> io::Result<Option<Vec<u8>>> {
        if bytes > self.bytes {
            return Ok(None);
        }
        let bytes = bytes as usize;
        let page_bytes = self.page_bytes as usize;
        let in_leaf = in_leaf(bytes, page_bytes);
        if in_leaf == bytes {
            return Ok(local.get(..bytes).map(<[u8]>::to_vec));
        }
        let (Some(start), Some(next)) = (local.get(..in_leaf), local.get(in_leaf..in_leaf + 4)) else {
            return Ok(None);
        };
        let mut payload = start.to_vec();
        let mut next = number(next);
        let mut page = vec![0; page_bytes];
        while payload.len() < bytes {
            let in_file = (1..=self.in_file).contains(&next).then(|| (0, (next - 1) * self.page_bytes));
            let Some(place) = self.in_wal.get(&next).copied().or(in_file) else { return Ok(None) };
            self.read(place, &mut page)?;
            next = number(&page[..4]);
            payload.extend_from_slice(&page[4..4 + (page_bytes - 4).min(bytes - payload.len())]);
        }
        Ok(Some(payload))
    }
}

/// The bytes of a page: as the segment says, else as its write-ahead log does, else as new segments have them.
fn page_bytes(database: &mut File, log: Option<&mut File>) -> io::Result<u64> {
    let mut header = [0; segment::HEADER_BYTES];
    database.rewind()?;
    let said = match database.read_exact(&mut header) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => None,
        read => read.map(|()| segment::page_bytes(header))?,
    };
    let said = match (said, log) {
        (None, Some(log)) => wal::page_bytes(log)?,
        (said, _) => said,
    };
    Ok(said.unwrap_or(PAGE_BYTES))
}

/// The cells of a leaf page of a table; none of any other page.
fn cells(page: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_leaf = page.first() == Some(&LEAF);
    let count = page.get(3..5).map_or(0, |count| usize::from(u16::from_be_bytes([count[0], count[1]])));
    let pointers = page.get(LEAF_HEADER_BYTES..).unwrap_or_default().chunks_exact(2);
    pointers
        .take(if is_leaf { count } else { 0 })
        .filter_map(|pointer| page.get(usize::from(u16::from_be_bytes([pointer[0], pointer[1]]))..))
}

/// Version, key, checksum and value of a row (§2.1). The first column is the row id and kept as null.
fn columns(payload: &[u8]) -> Option<(i64, Vec<u8>, i64, Vec<u8>)> {
    let (header_bytes, mut types) = varint(payload)?;
    let mut body = payload.get(usize::try_from(header_bytes).ok()?..)?;
    let mut column = || {
        let (kind, rest) = varint(types)?;
        types = rest;
        let bytes = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind,
            5 => 6,
            6 => 8,
            blob if blob >= 12 && blob % 2 == 0 => (blob - 12) / 2,
            _ => return None,
        };
        let (value, rest) = body.split_at_checked(usize::try_from(bytes).ok()?)?;
        body = rest;
        Some((kind, value))
    };
    let _offset = column()?;
    let (version, key, checksum, value) = (column()?, column()?, column()?, column()?);
    Some((integer(version), key.1.to_vec(), integer(checksum), value.1.to_vec()))
}

fn integer((kind, bytes): (u64, &[u8])) -> i64 {
    match kind {
        9 => 1,
        _ => bytes.iter().fold(0, |value, &byte| value << 8 | i64::from(byte)),
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

/// A variable-length integer: seven bits a byte, the highest bit says that more follow, a ninth byte counts whole.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (at, &byte) in bytes.iter().take(8).enumerate() {
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[at + 1..]));
        }
    }
    bytes.get(8).map(|&byte| (value << 8 | u64::from(byte), &bytes[9..]))
}
