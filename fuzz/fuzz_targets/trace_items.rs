#![no_main]
//! Any payload becomes a transaction, spans, log lines or metrics, or is refused; and what has a trace has it in its
//! normal form.

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use nuthatch_normalize::{trace_items, transaction};
use nuthatch_protocol::{IngestRecord, Timestamp, TraceId};

fuzz_target!(|payload: &[u8]| {
    let mut record = IngestRecord::trial(Bytes::copy_from_slice(payload), Timestamp(1_700_000_000_000_000));
    let _ = transaction(&record, None);
    for item_type in ["span", "log", "trace_metric"] {
        item_type.clone_into(&mut record.header.item_type);
        let Ok(items) = trace_items(&record, None) else { continue };
        for entry in items.entries {
            let id = entry.content.get("trace_id").and_then(|id| id.as_str()).expect("an entry belongs to a trace");
            assert!(id.parse::<TraceId>().is_ok(), "{id}");
            assert!(entry.bytes > 0);
        }
    }
});
