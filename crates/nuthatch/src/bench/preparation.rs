//! What an event costs between the log and the issues, on one core: normal form, inbound filters, scrubbing, grouping.

use std::{hint::black_box, time::Instant};

use nuthatch_normalize::{
    filter::{FilterSettings, Filters},
    normalize,
    scrub::{ScrubSettings, Scrubber},
};
use nuthatch_protocol::IngestRecord;
use serde_json::{Value, json};

use crate::{
    now,
    sample::{Samples, Sequence, Size},
};

/// Different events of each size.
const EVENTS: usize = 500;

/// Runs over all of them; the median counts, the others show the noise.
const RUNS: usize = 5;

/// Measures both sizes.
pub(super) fn measure() -> anyhow::Result<Value> {
    Ok(json!({"3kb": of_size(Size::Usual)?, "20kb": of_size(Size::Large)?}))
}

fn of_size(size: Size) -> anyhow::Result<Value> {
    let samples = Samples::new(1)?;
    let mut random = Sequence::new(5);
    let at = now();
    let records: Vec<IngestRecord> = (0..EVENTS)
        .map(|_| IngestRecord::trial(samples.event(&mut random, at, size).body.to_string().into(), at))
        .collect();
    let bytes: usize = records.iter().map(|record| record.payload.len()).sum();
    let (scrubber, _) = Scrubber::new(&ScrubSettings::default());
    let (filters, _) = Filters::new(&FilterSettings::default());
    // Once beforehand: patterns and tables are made at their first use.
    let mut events = records.iter().map(|record| normalize(record, None)).collect::<Result<Vec<_>, _>>()?;
    for event in &mut events {
        scrubber.scrub(event);
    }

    let read = median(|| {
        for record in &records {
            black_box(serde_json::from_slice::<Value>(&record.payload)).ok();
        }
    });
    let normalized = median(|| {
        for record in &records {
            black_box(normalize(record, None)).ok();
        }
    });
    let filtered = median(|| {
        for event in &events {
            black_box(filters.reason(event, None));
        }
    });
    let scrubbed = median_of(
        || events.clone(),
        |mut events| {
            for event in &mut events {
                scrubber.scrub(event);
            }
            events
        },
    );
    Ok(json!({
        "event_bytes": bytes / EVENTS, "read_us": read, "normalize_us": normalized, "filter_us": filtered,
        "scrub_us": scrubbed,
    }))
}

/// Microseconds an event.
fn median(mut work: impl FnMut()) -> f64 {
    median_of(|| (), |()| work())
}

/// Microseconds an event of what is done with what was made before; dropping what is left is not part of it.
fn median_of<T, R>(mut make: impl FnMut() -> T, mut work: impl FnMut(T) -> R) -> f64 {
    let mut micros = [0.0; RUNS];
    for micros in &mut micros {
        let made = make();
        let begun = Instant::now();
        let left = black_box(work(made));
        *micros = begun.elapsed().as_secs_f64() * 1e6 / EVENTS as f64;
        drop(left);
    }
    micros.sort_unstable_by(f64::total_cmp);
    micros[RUNS / 2]
}

/// For people.
pub(super) fn describe(figures: &Value) -> String {
    let mut out = String::new();
    for name in ["3kb", "20kb"] {
        let at = |key: &str| figures[name][key].as_f64().unwrap_or(f64::NAN);
        out += &format!(
            "normalise + scrub    {:>8.0} us an event of {:.1} KB on one core: normal form {:.0} us (of which reading JSON \
             {:.0} us), scrubbing {:.0} us; filters {:.1} us\n",
            at("normalize_us") + at("scrub_us"),
            at("event_bytes") / 1000.0,
            at("normalize_us"),
            at("read_us"),
            at("scrub_us"),
            at("filter_us"),
        );
    }
    out
}
