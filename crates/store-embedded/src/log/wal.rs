//! Checks a write-ahead log before `SQLite` reads it. `SQLite` takes frames up to the first whose checksum is wrong
//! and drops the rest in silence: right for a torn last transaction, loss when an older frame was damaged.
//! Layout: <https://www.sqlite.org/fileformat2.html> §4.1, §4.2.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
};

use super::segment::PAGE_BYTES;

/// Bytes in front of the first frame.
pub(super) const HEADER_BYTES: u64 = 32;
/// Bytes in front of the page of a frame.
pub(super) const FRAME_HEADER_BYTES: u64 = 24;
/// Bytes of a frame.
pub(super) const FRAME_BYTES: u64 = FRAME_HEADER_BYTES + PAGE_BYTES;

const MAGIC_LITTLE_ENDIAN: u32 = 0x377f_0682;
const MAGIC_BIG_ENDIAN: u32 = 0x377f_0683;

/// What is wrong with a write-ahead log such that committed transactions would be dropped, if anything is.
pub(super) fn damage(path: &Path) -> io::Result<Option<String>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let frames = file.metadata()?.len().saturating_sub(HEADER_BYTES) / FRAME_BYTES;
    if frames == 0 {
        return Ok(None);
    }
    let mut file = BufReader::with_capacity(FRAME_BYTES as usize, file);
    let mut header = [0; HEADER_BYTES as usize];
    file.read_exact(&mut header)?;
    let mut sum = match word(&header, 0) {
        MAGIC_LITTLE_ENDIAN => Sum { big_endian: false, words: (0, 0) },
        MAGIC_BIG_ENDIAN => Sum { big_endian: true, words: (0, 0) },
        other => return Ok(Some(format!("write-ahead log starts with {other:08x}"))),
    };
    sum.add(&header[..24]);
    if sum.words != (word(&header, 24), word(&header, 28)) {
        return Ok(Some("header of the write-ahead log has a wrong checksum".to_owned()));
    }
    let mut frame = vec![0; FRAME_BYTES as usize];
    let mut broken_at = None;
    let mut broken_commit_ended = false;
    for number in 0..frames {
        file.read_exact(&mut frame)?;
        let of_this_log = frame[8..16] == header[16..24];
        if let Some(broken_at) = broken_at {
            // Behind the end are frames of older logs; frames of this one behind a whole broken transaction can only
            // have been written after that transaction was durable.
            if of_this_log && broken_commit_ended {
                return Ok(Some(format!("frame {broken_at} of {frames} of the write-ahead log is damaged")));
            }
            broken_commit_ended |= of_this_log && word(&frame, 4) != 0;
            continue;
        }
        sum.add(&frame[..8]);
        sum.add(&frame[FRAME_HEADER_BYTES as usize..]);
        if !of_this_log || sum.words != (word(&frame, 16), word(&frame, 20)) {
            broken_at = Some(number);
            broken_commit_ended = of_this_log && word(&frame, 4) != 0;
        }
    }
    Ok(None)
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// The running checksum of a write-ahead log (§4.2).
struct Sum {
    big_endian: bool,
    words: (u32, u32),
}

impl Sum {
    fn add(&mut self, bytes: &[u8]) {
        let (mut a, mut b) = self.words;
        for pair in bytes.chunks_exact(8) {
            let word = |at: usize| {
                let bytes = [pair[at], pair[at + 1], pair[at + 2], pair[at + 3]];
                if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
            };
            a = a.wrapping_add(word(0)).wrapping_add(b);
            b = b.wrapping_add(word(4)).wrapping_add(a);
        }
        self.words = (a, b);
    }
}
