//! Checks a write-ahead log before `SQLite` reads it. `SQLite` takes frames up to the first whose checksum is wrong
//! and drops the rest in silence: right for a torn last transaction, loss when an older frame was damaged.
//! Layout: <https://www.sqlite.org/fileformat2.html> §4.1, §4.2.

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek},
    path::Path,
};

use super::segment::is_page_size;

/// Bytes in front of the first frame.
pub(super) const HEADER_BYTES: u64 = 32;
/// Bytes in front of the page of a frame.
pub(super) const FRAME_HEADER_BYTES: u64 = 24;

/// Bytes that are read at a time.
const READ_BYTES: usize = 256 * 1024;

const MAGIC_LITTLE_ENDIAN: u32 = 0x377f_0682;
const MAGIC_BIG_ENDIAN: u32 = 0x377f_0683;

/// The bytes of a page of a write-ahead log, as its header says; `None` when it has no header that says so.
pub(super) fn page_bytes(file: &mut File) -> io::Result<Option<u64>> {
    let mut header = [0; HEADER_BYTES as usize];
    file.rewind()?;
    match file.read_exact(&mut header) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let bytes = u64::from(word(&header, 8));
    Ok(is_page_size(bytes).then_some(bytes))
}

/// What is wrong with a write-ahead log such that committed transactions would be dropped, if anything is.
pub(super) fn damage(path: &Path) -> io::Result<Option<String>> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let bytes = file.metadata()?.len();
    if bytes <= HEADER_BYTES {
        return Ok(None);
    }
    let Some(page_bytes) = page_bytes(&mut file)? else {
        return Ok(Some("write-ahead log does not say how large its pages are".to_owned()));
    };
    let frame_bytes = FRAME_HEADER_BYTES + page_bytes;
    let frames = (bytes - HEADER_BYTES) / frame_bytes;
    if frames == 0 {
        return Ok(None);
    }
    file.rewind()?;
    let mut file = BufReader::with_capacity(READ_BYTES, file);
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
    let mut frame = vec![0; frame_bytes as usize];
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
