//! Crash dumps: how they are packed, and whether they are what they claim to be.

use crate::{decode::Encoding, refusal::Refusal};

/// How files are packed, by their first bytes, and the ending that names it.
const PACKINGS: [(&[u8], Encoding, &str); 4] = [
    (b"\x1f\x8b", Encoding::Gzip, ".gz"),
    (b"\xfd7zXZ\0", Encoding::Xz, ".xz"),
    (b"BZh", Encoding::Bzip2, ".bz2"),
    (b"\x28\xb5\x2f\xfd", Encoding::Zstd, ".zst"),
];

/// How a file is packed, if it is.
pub(crate) fn packing(bytes: &[u8]) -> Option<Encoding> {
    PACKINGS.into_iter().find(|(magic, ..)| bytes.starts_with(magic)).map(|(_, encoding, _)| encoding)
}

/// The name of a file once it is unpacked.
pub(crate) fn unpacked_name(name: &str) -> &str {
    PACKINGS.into_iter().find_map(|(_, _, ending)| name.strip_suffix(ending)).unwrap_or(name)
}

/// Checks that bytes start as a minidump does, in either byte order.
pub(crate) fn check(dump: &[u8]) -> Result<(), Refusal> {
    if dump.starts_with(b"MDMP") || dump.starts_with(b"PMDM") {
        Ok(())
    } else {
        Err(Refusal::Dump("a minidump starts with MDMP or PMDM"))
    }
}
