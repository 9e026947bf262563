#![no_main]
//! Any payload becomes an event that is filtered, scrubbed and grouped, or is refused.

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use nuthatch_grouping::{Config, group, mark_frames};
use nuthatch_normalize::{
    filter::{FilterSettings, Filters},
    normalize,
    scrub::{ScrubSettings, Scrubber},
};
use nuthatch_protocol::{IngestRecord, Timestamp};

fuzz_target!(|payload: &[u8]| {
    let received = Timestamp(1_700_000_000_000_000);
    let Ok(mut event) = normalize(&IngestRecord::trial(Bytes::copy_from_slice(payload), received), None) else { return };
    let (filters, _) = Filters::new(&FilterSettings::default());
    let _ = filters.reason(&event, None);
    Scrubber::new(&ScrubSettings::default()).0.scrub(&mut event);
    mark_frames(&mut event, &Config::default());
    assert!(!group(&event, &Config::default()).hashes.is_empty());
    // What is stored can be read back.
    assert!(serde_json::from_slice::<serde_json::Value>(&event.to_json()).is_ok());
});
