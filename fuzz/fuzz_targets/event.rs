#![no_main]
//! Any payload becomes an event or is refused.

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use nuthatch_protocol::{IngestRecord, Timestamp};

fuzz_target!(|payload: &[u8]| {
    let received = Timestamp(1_700_000_000_000_000);
    let _ = nuthatch_normalize::normalize(&IngestRecord::trial(Bytes::copy_from_slice(payload), received));
});
