//! What the disk does with the same bytes when nothing else is in the way.

use std::{fs::File, io::Write as _, path::Path, time::Instant};

use anyhow::Context as _;
use bytes::Bytes;
use serde_json::{Value, json};

/// Runs of a measurement; the median counts, the others show the noise.
const RUNS: usize = 3;

/// Records appended to one file, with an fdatasync after every batch.
pub(super) struct BareAppend {
    batch: usize,
    /// Records per second of each run, ascending.
    rates: [f64; RUNS],
}

impl BareAppend {
    /// Measures.
    pub(super) fn measure(dir: &Path, records: &[Bytes], batch: usize) -> anyhow::Result<Self> {
        let mut rates = [0.0; RUNS];
        for rate in &mut rates {
            *rate = append(dir, records, batch)?;
        }
        rates.sort_unstable_by(f64::total_cmp);
        Ok(Self { batch, rates })
    }

    /// For the report, with the ratio of another rate to this one.
    pub(super) fn figures(&self, rate: f64) -> Value {
        let median = self.rates[RUNS / 2];
        json!({
            "batch": self.batch, "per_second": median, "slowest": self.rates[0], "fastest": self.rates[RUNS - 1],
            "ratio": rate / median,
        })
    }
}

/// Records per second of one run.
fn append(dir: &Path, records: &[Bytes], batch: usize) -> anyhow::Result<f64> {
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
