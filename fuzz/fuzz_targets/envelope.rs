#![no_main]
//! What is read as an envelope is written as one that holds the same; and it is taken or refused.

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use nuthatch_protocol::Envelope;

fuzz_target!(|body: &[u8]| {
    if let Ok(envelope) = Envelope::parse(&Bytes::copy_from_slice(body)) {
        let again = Envelope::parse(&envelope.encode()).expect("what was written is read");
        assert_eq!(again.header, envelope.header);
        assert_eq!(again.items.len(), envelope.items.len());
        for (again, item) in again.items.iter().zip(&envelope.items) {
            let parts = |item: &nuthatch_protocol::Item| {
                (item.item_type.clone(), item.payload.clone(), item.attributes.clone())
            };
            assert_eq!(parts(again), parts(item));
        }
    }
    nuthatch_fuzz::post("/api/1/envelope/", "application/x-sentry-envelope", body);
});
