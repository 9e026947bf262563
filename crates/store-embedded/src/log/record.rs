//! The format of a record on disk. Each row carries a version byte and a CRC-32 over version, offset, key and value,
//! so a row that was changed, or that shows up under another offset, is told from a sound one.
//!
//! To change the format: raise [`VERSION`], keep reading every older one, add a golden segment for the new one.

use bytes::Bytes;
use rusqlite::{Row, types::ValueRef};

/// The version written. All versions up to it are read.
pub(super) const VERSION: u8 = 1;

/// Least bytes a record takes in a segment: key, checksum and row header. Bounds what a damaged file can claim.
pub(super) const ROW_MIN_BYTES: u64 = 24;

/// The table of a segment.
pub(super) const SCHEMA: &str = "CREATE TABLE record(
    offset INTEGER PRIMARY KEY, version INTEGER NOT NULL, key BLOB NOT NULL, checksum INTEGER NOT NULL,
    value BLOB NOT NULL) STRICT";

/// CRC-32 (IEEE) over the version byte, the offset as 8 bytes big-endian, the key and the value.
pub(super) fn checksum(version: u8, offset: u64, key: &[u8], value: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&[version]);
    crc.update(&offset.to_be_bytes());
    crc.update(key);
    crc.update(value);
    crc.finalize()
}

/// Key and value of a row (columns offset, version, key, checksum, value) if it is what was appended; what is wrong with it if not.
pub(super) fn sound(offset: u64, row: &Row<'_>) -> Result<([u8; 16], Bytes), String> {
    let malformed = |_| "row is malformed".to_owned();
    let version = row.get_ref(1).map_err(malformed)?;
    let key = row.get_ref(2).map_err(malformed)?;
    let expected = row.get_ref(3).map_err(malformed)?;
    let value = row.get_ref(4).map_err(malformed)?;
    let (ValueRef::Integer(version), ValueRef::Blob(key), ValueRef::Integer(expected), ValueRef::Blob(value)) =
        (version, key, expected, value)
    else {
        return Err("row is malformed".to_owned());
    };
    let key = check(offset, version, key, expected, value)?;
    Ok((key, Bytes::copy_from_slice(value)))
}

/// The key if the parts of a record belong together; what is wrong with them if not.
pub(super) fn check(offset: u64, version: i64, key: &[u8], expected: i64, value: &[u8]) -> Result<[u8; 16], String> {
    let Ok(version @ 1..=VERSION) = u8::try_from(version) else {
        return Err(format!("record version {version} is unknown, known are 1 to {VERSION}"));
    };
    let key: [u8; 16] = key.try_into().map_err(|_| format!("key has {} bytes, not 16", key.len()))?;
    let found = checksum(version, offset, &key, value);
    if i64::from(found) != expected {
        return Err(format!("checksum is {found:08x}, stored is {expected:08x}"));
    }
    Ok(key)
}
