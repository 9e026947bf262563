#![no_main]
//! Spans and log records of OpenTelemetry, in both encodings.

use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    for path in ["/api/1/integration/otlp/v1/traces", "/api/1/integration/otlp/v1/logs"] {
        for content_type in ["application/x-protobuf", "application/json"] {
            nuthatch_fuzz::post(path, content_type, body);
        }
    }
});
