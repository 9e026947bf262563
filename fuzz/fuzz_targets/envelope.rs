//! Bytes are an envelope that is written back and read again as it was, or a fault inside the bytes.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use nuthatch_protocol::Envelope;

fuzz_target!(|body: &[u8]| {
    let body = Bytes::copy_from_slice(body);
    match Envelope::parse(&body) {
        Ok(envelope) => {
            let mut again = Envelope::parse(&envelope.encode()).expect("what is written is well formed");
            for (item, first) in again.items.iter_mut().zip(&envelope.items) {
                item.offset = first.offset;
            }
            assert_eq!(again, envelope);
        }
        Err(error) => assert!(error.offset <= body.len()),
    }
});
