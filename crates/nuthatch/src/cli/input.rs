//! What commands read.

use std::{io::Read as _, path::Path};

use anyhow::Context as _;
use bytes::Bytes;

/// Largest file that is read.
const FILE_MAX_BYTES: u64 = 200 << 20;

/// Reads a file, or standard input when it is `-`.
pub(crate) fn read(file: &Path) -> anyhow::Result<Bytes> {
    let mut bytes = Vec::new();
    let mut source: Box<dyn std::io::Read> = if file.as_os_str() == "-" {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(file).with_context(|| format!("cannot open {}", file.display()))?)
    };
    source
        .by_ref()
        .take(FILE_MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("cannot read {}", file.display()))?;
    anyhow::ensure!(bytes.len() as u64 <= FILE_MAX_BYTES, "{} is larger than {FILE_MAX_BYTES} bytes", file.display());
    Ok(bytes.into())
}
