//! A segment: a file of frames, to which frames are only ever added. Its name says its first offset and the marker of its
//! frames.

use std::{
    fs::{self, File},
    io,
    ops::Range,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use memchr::memmem;

use super::{
    error::LogError,
    frame::{self, HEADER_BYTES, Header, Marker},
};

/// Bytes that are read at once.
const CHUNK_BYTES: usize = 128 * 1024;

/// Bytes between two places that are remembered: so many are walked through at the most to get to an offset.
const STEP_BYTES: u64 = 128 * 1024;

/// All offsets are in front of this one: at a million records a second it takes 290,000 years to get there.
pub(super) const OFFSET_END: u64 = 1 << 63;

/// What a disk that cannot read a place leaves out.
const UNREADABLE_BYTES: u64 = 4096;

/// A segment, and where some of its frames are.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    /// The file.
    pub(super) path: PathBuf,
    /// Its first offset.
    pub(super) first: u64,
    /// What its frames begin with.
    pub(super) marker: Marker,
    /// Where some of its frames are, ascending.
    places: Arc<Mutex<Vec<Place>>>,
}

/// Where a frame is, or where the next one will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Its offset.
    pub(super) offset: u64,
    /// The byte it begins with.
    pub(super) byte: u64,
}

impl Segment {
    /// The segment of a file, if its name is that of one.
    pub(super) fn named(dir: &Path, name: &str) -> Option<Self> {
        let (first, marker) = name.strip_suffix(".log")?.split_once('-')?;
        let marker = u64::from_str_radix(marker, 16).ok()?;
        let segment = Self::new(dir, offset_of_name(first)?, marker.to_be_bytes());
        (segment.path.file_name()? == name).then_some(segment)
    }

    fn new(dir: &Path, first: u64, marker: Marker) -> Self {
        let path = dir.join(format!("{first:020}-{:016x}.log", u64::from_be_bytes(marker)));
        Self { path, first, marker, places: Arc::default() }
    }

    /// Makes an empty one, durably.
    pub(super) fn create(dir: &Path, first: u64) -> Result<Self, LogError> {
        let segment = Self::new(dir, first, rand::random());
        let created = File::create_new(&segment.path).map_err(LogError::io(&segment.path));
        match created.and_then(|_| sync_dir(dir)) {
            Ok(()) => Ok(segment),
            Err(error) => {
                // What cannot be removed is empty. Opening the log removes it.
                let _ = remove(&segment.path);
                Err(error)
            }
        }
    }

    /// Gives a finished file of frames with this marker its name, durably.
    pub(super) fn adopt(finished: &Path, dir: &Path, first: u64, marker: Marker) -> Result<Self, LogError> {
        let segment = Self::new(dir, first, marker);
        fs::rename(finished, &segment.path).map_err(LogError::io(&segment.path))?;
        sync_dir(dir)?;
        Ok(segment)
    }

    /// Remembers where a frame is, if the last one that is remembered is far enough in front of it.
    pub(super) fn remember(&self, place: Place) {
        let mut places = self.places();
        let last = places.last().copied().unwrap_or(Place { offset: self.first, byte: 0 });
        if place.offset > last.offset && place.byte >= last.byte + STEP_BYTES {
            places.push(place);
        }
    }

    /// Takes away what is behind its end, durably.
    pub(super) fn cut(&self, end: Place) -> Result<(), LogError> {
        let cut = || {
            let file = File::options().write(true).open(&self.path)?;
            file.set_len(end.byte)?;
            file.sync_all()
        };
        cut().map_err(LogError::io(&self.path))?;
        // Other frames come there.
        self.places().retain(|place| place.byte < end.byte);
        Ok(())
    }

    /// The last place that is remembered at or in front of an offset.
    fn before(&self, offset: u64) -> Place {
        let places = self.places();
        let behind = places.partition_point(|place| place.offset <= offset);
        places[..behind].last().copied().unwrap_or(Place { offset: self.first, byte: 0 })
    }

    fn places(&self) -> MutexGuard<'_, Vec<Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Visits every offset of a range in order, until `take` says no. Each is there or damaged: a segment has no holes.
    pub(super) fn scan(&self, range: Range<u64>, mut take: impl FnMut(Found) -> bool) -> Result<(), LogError> {
        let mut walk = Walk::open(self)?;
        let mut at = self.before(range.start);
        let missing = |offset| Found { offset, row: Err("record cannot be found in its segment".to_owned()) };
        while at.offset < range.end {
            let frame = walk.next(at)?.filter(|frame| frame.header.offset < range.end);
            let there = frame.as_ref().map_or(range.end, |frame| frame.header.offset);
            for offset in at.offset.max(range.start)..there {
                if !take(missing(offset)) {
                    return Ok(());
                }
            }
            let Some(frame) = frame else { break };
            if there >= range.start && !take(Found { offset: there, row: walk.row(&frame)? }) {
                return Ok(());
            }
            at = frame.behind();
        }
        Ok(())
    }

    /// The last sound record with a key in a range.
    pub(super) fn find(&self, range: Range<u64>, key: [u8; 16]) -> Result<Option<(u64, Bytes)>, LogError> {
        let mut walk = Walk::open(self)?;
        let mut at = self.before(range.start);
        let mut last = None;
        while let Some(frame) = walk.next(at)?.filter(|frame| frame.header.offset < range.end) {
            at = frame.behind();
            if frame.header.offset >= range.start
                && frame.header.key == key
                && let Ok((_, value)) = walk.row(&frame)?
            {
                last = Some((frame.header.offset, value));
            }
        }
        Ok(last)
    }

    /// Finds the end. Values are not looked at: a damaged one is found when it is read.
    pub(super) fn tail(&self) -> Result<Tail, LogError> {
        let mut walk = Walk::open(self)?;
        // From the start, as a place in between can be in the middle of an append.
        let mut at = Place { offset: self.first, byte: 0 };
        // Where the last append begins, and whether it ends.
        let (mut append, mut goes_on) = (at, false);
        let mut is_damaged = false;
        while let Some(frame) = walk.next(at)? {
            is_damaged |= frame.byte != at.byte;
            if !goes_on {
                append = frame.place();
            }
            at = frame.behind();
            goes_on = frame.header.goes_on || at.byte > walk.file_bytes;
        }
        let rest = walk.rest(at.byte)?;
        is_damaged |= walk.is_unreadable || rest == Rest::Damaged;
        Ok(match (is_damaged, goes_on) {
            // What is behind the damage may be what ends the append.
            (true, _) => Tail { end: at, rest: Rest::Damaged },
            (false, true) => Tail { end: append, rest: Rest::Unfinished },
            (false, false) => Tail { end: at, rest },
        })
    }
}

/// What a scan finds at an offset.
pub(super) struct Found {
    /// The offset.
    pub(super) offset: u64,
    /// Key and value, or why there are none.
    pub(super) row: Result<([u8; 16], Bytes), String>,
}

/// Where a segment ends.
pub(super) struct Tail {
    /// Where the next frame belongs.
    pub(super) end: Place,
    /// What else is in the file.
    pub(super) rest: Rest,
}

/// What is in a file besides whole frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// Nothing.
    Nothing,
    /// The beginning of an append that nobody was told of.
    Unfinished,
    /// Bytes that no append wrote, or not all of them.
    Damaged,
}

struct Frame {
    byte: u64,
    header: Header,
}

impl Frame {
    fn place(&self) -> Place {
        Place { offset: self.header.offset, byte: self.byte }
    }

    fn behind(&self) -> Place {
        Place { offset: self.header.offset + 1, byte: self.byte + self.header.frame_bytes() }
    }
}

/// A way through a segment, from frame to frame.
struct Walk<'a> {
    segment: &'a Segment,
    file: File,
    file_bytes: u64,
    /// Bytes of the file, from a byte on.
    chunk: Vec<u8>,
    chunk_at: u64,
    /// The byte the last frame begins with.
    last: Option<u64>,
    /// The disk did not give all bytes.
    is_unreadable: bool,
}

impl<'a> Walk<'a> {
    fn open(segment: &'a Segment) -> Result<Self, LogError> {
        let opened = File::open(&segment.path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (file_bytes, file) = opened.map_err(LogError::io(&segment.path))?;
        Ok(Self { segment, file, file_bytes, chunk: Vec::new(), chunk_at: 0, last: None, is_unreadable: false })
    }

    /// The frame at a place or, where there is none, the next one that can be found: behind the start of the last one, which need
    /// not be as long as it says when bytes went or came.
    fn next(&mut self, at: Place) -> Result<Option<Frame>, LogError> {
        let mut frame = self.frame(at.byte, at.offset)?;
        let mut byte = self.last.unwrap_or(at.byte) + 1;
        while frame.is_none() {
            let marker = self.segment.marker;
            let chunk = self.bytes(byte, CHUNK_BYTES)?;
            if chunk.len() < HEADER_BYTES {
                return Ok(None);
            }
            match memmem::find(chunk, &marker) {
                Some(found) => {
                    byte += found as u64;
                    frame = self.frame(byte, at.offset)?;
                    byte += 1;
                }
                None => byte += (chunk.len() - (marker.len() - 1)) as u64,
            }
        }
        if let Some(frame) = &frame {
            self.segment.remember(frame.place());
            self.last = Some(frame.byte);
        }
        Ok(frame)
    }

    /// The frame that begins with a byte, if there is one and its offset is not in front of the one expected.
    fn frame(&mut self, byte: u64, expected: u64) -> Result<Option<Frame>, LogError> {
        let marker = self.segment.marker;
        let header = frame::header(self.bytes(byte, HEADER_BYTES)?, marker);
        Ok(header.filter(|header| (expected..OFFSET_END).contains(&header.offset)).map(|header| Frame { byte, header }))
    }

    /// Key and value of a frame, or what is wrong with it.
    fn row(&mut self, frame: &Frame) -> Result<Result<([u8; 16], Bytes), String>, LogError> {
        let value = self.bytes(frame.byte + HEADER_BYTES as u64, frame.header.value_bytes)?;
        Ok(frame.header.check(value).map(|()| (frame.header.key, Bytes::copy_from_slice(value))))
    }

    /// What is behind the last frame.
    fn rest(&mut self, mut byte: u64) -> Result<Rest, LogError> {
        if byte >= self.file_bytes {
            return Ok(Rest::Nothing);
        }
        if self.file_bytes - byte < HEADER_BYTES as u64 {
            return Ok(Rest::Unfinished);
        }
        // A file system may have made the file longer, and lost what it was made longer for.
        loop {
            let chunk = self.bytes(byte, CHUNK_BYTES)?;
            if chunk.is_empty() {
                return Ok(Rest::Unfinished);
            }
            if chunk.iter().any(|byte| *byte != 0) {
                return Ok(Rest::Damaged);
            }
            byte += chunk.len() as u64;
        }
    }

    /// So many bytes from a byte on; less only at the end of the file.
    fn bytes(&mut self, from: u64, count: usize) -> Result<&[u8], LogError> {
        let count = usize::try_from(self.file_bytes.saturating_sub(from)).map_or(count, |there| there.min(count));
        let ahead = from.checked_sub(self.chunk_at).and_then(|ahead| usize::try_from(ahead).ok());
        if let Some(ahead) = ahead.filter(|ahead| ahead.saturating_add(count) <= self.chunk.len()) {
            return Ok(&self.chunk[ahead..][..count]);
        }
        self.chunk.resize(count.max(CHUNK_BYTES), 0);
        let read = fill(&mut self.chunk, from, |buffer, from| self.file.read_at(buffer, from));
        let (read, is_unreadable) = read.map_err(LogError::io(&self.segment.path))?;
        self.is_unreadable |= is_unreadable;
        self.chunk.truncate(read);
        self.chunk_at = from;
        Ok(&self.chunk[..count.min(read)])
    }
}

/// Reads until the buffer is full or the file ends: how many bytes, and whether some are zeros because the disk could not read
/// them. That is damage like any other: trying again would not help, and it is not to hold up what is behind it.
fn fill(
    buffer: &mut [u8],
    from: u64,
    mut read_at: impl FnMut(&mut [u8], u64) -> io::Result<usize>,
) -> io::Result<(usize, bool)> {
    let (mut read, mut is_unreadable) = (0, false);
    while read < buffer.len() {
        let at = from + read as u64;
        // From one block to the next once one could not be read, so that its neighbours are.
        let block =
            usize::try_from(UNREADABLE_BYTES - at % UNREADABLE_BYTES).map_or(buffer.len(), |block| read + block);
        let to = if is_unreadable { block.min(buffer.len()) } else { buffer.len() };
        match read_at(&mut buffer[read..to], at) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.raw_os_error() == Some(libc::EIO) => {
                if is_unreadable {
                    buffer[read..to].fill(0);
                    read = to;
                }
                is_unreadable = true;
            }
            Err(error) => return Err(error),
        }
    }
    Ok((read, is_unreadable))
}

/// The marker that says: no records from this offset to the next segment, and none lost.
pub(super) fn gap_path(dir: &Path, first: u64) -> PathBuf {
    dir.join(format!("{first:020}.gap"))
}

/// An offset as it is written in names.
pub(super) fn offset_of_name(digits: &str) -> Option<u64> {
    let are_digits = digits.len() == 20 && digits.bytes().all(|digit| digit.is_ascii_digit());
    are_digits.then(|| digits.parse().ok()).flatten()
}

/// Syncs a folder, so that files made or renamed in it stay.
pub(super) fn sync_dir(dir: &Path) -> Result<(), LogError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(LogError::io(dir))
}

/// Removes a file that may be gone already.
pub(super) fn remove(path: &Path) -> Result<(), LogError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(LogError::io(path)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk of 5 blocks that cannot read the third.
    #[test]
    fn a_block_that_cannot_be_read_costs_no_other() {
        let disk: Vec<u8> = (0..5 * UNREADABLE_BYTES).map(|byte| (byte % 250) as u8 + 1).collect();
        let bad = 2 * 4096..3 * 4096;
        let read_at = |buffer: &mut [u8], from: u64| {
            let from = from as usize;
            let to = disk.len().min(from + buffer.len());
            if from < bad.end && bad.start < to {
                return Err(io::Error::from_raw_os_error(libc::EIO));
            }
            buffer[..to - from].copy_from_slice(&disk[from..to]);
            Ok(to - from)
        };
        for from in [0, 100, 4096, 2 * 4096 + 7] {
            let mut buffer = vec![0xee; disk.len()];
            assert_eq!(fill(&mut buffer, from as u64, read_at).unwrap(), (disk.len() - from, true));
            let expected = (from..disk.len()).map(|at| if bad.contains(&at) { 0 } else { disk[at] });
            assert!(buffer.iter().copied().take(disk.len() - from).eq(expected), "from {from}");
        }
        let mut buffer = vec![0; 4096];
        assert_eq!(fill(&mut buffer, 3 * 4096, read_at).unwrap(), (4096, false));
    }
}
