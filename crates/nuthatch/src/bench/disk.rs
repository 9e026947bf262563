//! What the disk does with the same bytes when nothing else is in the way.

use std::{fs::File, io::Write as _, path::Path, time::Instant};

use anyhow::Context as _;
use bytes::Bytes;

/// Records a second when they are appended to one file, with an fdatasync after every batch.
pub(super) fn bare_append(dir: &Path, records: &[Bytes], batch: usize) -> anyhow::Result<f64> {
    let path = dir.join("bare");
    let mut file = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
    let begun = Instant::now();
    let mut joined = Vec::new();
    for records in records.chunks(batch) {
        joined.clear();
        for record in records {
            joined.extend_from_slice(record);
        }
        file.write_all(&joined)?;
        file.sync_data()?;
    }
    let secs = begun.elapsed().as_secs_f64();
    std::fs::remove_file(&path)?;
    Ok(records.len() as f64 / secs)
}
