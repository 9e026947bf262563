//! A record on disk: a frame. Frames follow each other in a segment without anything in between.
//!
//! | bytes | what |
//! | --- | --- |
//! | 8 | the marker of the segment, which is in its name |
//! | 8 | the offset |
//! | 16 | the key |
//! | 4 | how many bytes the value has; the highest bit says that more of the same append follows |
//! | 4 | CRC-32 (IEEE) of the value |
//! | 4 | CRC-32 (IEEE) of all that precedes it |
//! | … | the value |
//!
//! Numbers are big-endian. Where a frame is damaged, the marker leads to the next one. It is random and not told to anybody
//! (also not in messages, see `error.rs`), so nobody can send a value that is taken for a frame.
//!
//! To change the format: give its files another extension, keep reading this one, add a golden segment.

use nuthatch_store::log::RECORD_MAX_BYTES;

/// What every frame of a segment begins with.
pub(super) type Marker = [u8; 8];

/// Bytes in front of the value.
pub(super) const HEADER_BYTES: usize = 44;

/// The bit that says that an append goes on, in the number of bytes, which needs fewer bits.
const GOES_ON: u32 = 1 << 31;
const _: () = assert!(RECORD_MAX_BYTES < GOES_ON as usize);

/// What is in front of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// The offset.
    pub(super) offset: u64,
    /// The key.
    pub(super) key: [u8; 16],
    /// Bytes of the value.
    pub(super) value_bytes: usize,
    /// Checksum of the value.
    pub(super) value_checksum: u32,
    /// The next record is of the same append.
    pub(super) goes_on: bool,
}

/// Adds a frame. A value over [`RECORD_MAX_BYTES`], which is refused before, would be read as damaged.
pub(super) fn write(to: &mut Vec<u8>, marker: Marker, offset: u64, key: [u8; 16], value: &[u8], goes_on: bool) {
    let begun = to.len();
    to.extend_from_slice(&marker);
    to.extend_from_slice(&offset.to_be_bytes());
    to.extend_from_slice(&key);
    let value_bytes = u32::try_from(value.len()).unwrap_or(u32::MAX) | if goes_on { GOES_ON } else { 0 };
    to.extend_from_slice(&value_bytes.to_be_bytes());
    to.extend_from_slice(&crc32fast::hash(value).to_be_bytes());
    let checksum = crc32fast::hash(&to[begun..]);
    to.extend_from_slice(&checksum.to_be_bytes());
    to.extend_from_slice(value);
}

/// The header that some bytes begin with, if it is one that was written.
pub(super) fn header(bytes: &[u8], marker: Marker) -> Option<Header> {
    let bytes = bytes.strip_prefix(&marker).and(bytes.first_chunk::<HEADER_BYTES>())?;
    let (covered, checksum) = bytes.split_last_chunk::<4>()?;
    if crc32fast::hash(covered) != u32::from_be_bytes(*checksum) {
        return None;
    }
    let (offset, rest) = covered[marker.len()..].split_first_chunk::<8>()?;
    let (key, rest) = rest.split_first_chunk::<16>()?;
    let (value_bytes, value_checksum) = rest.split_first_chunk::<4>()?;
    let value_bytes = u32::from_be_bytes(*value_bytes);
    let header = Header {
        offset: u64::from_be_bytes(*offset),
        key: *key,
        value_bytes: (value_bytes & !GOES_ON) as usize,
        value_checksum: u32::from_be_bytes(*value_checksum.first_chunk()?),
        goes_on: value_bytes & GOES_ON != 0,
    };
    (header.value_bytes <= RECORD_MAX_BYTES).then_some(header)
}

impl Header {
    /// Bytes of the whole frame.
    pub(super) fn frame_bytes(&self) -> u64 {
        (HEADER_BYTES + self.value_bytes) as u64
    }

    /// What is wrong with a value, if it is not the one that was written.
    pub(super) fn check(&self, value: &[u8]) -> Result<(), String> {
        if value.len() != self.value_bytes {
            return Err(format!("value has {} bytes of {}", value.len(), self.value_bytes));
        }
        let (found, written) = (crc32fast::hash(value), self.value_checksum);
        if found == written { Ok(()) } else { Err(format!("checksum is {found:08x}, written was {written:08x}")) }
    }
}
