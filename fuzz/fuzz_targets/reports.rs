#![no_main]
//! What browsers and platforms post as JSON: policy reports, network errors, check-ins, logs.

use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    for path in ["/api/1/security/", "/api/1/nel/", "/api/1/cron/job/", "/api/1/integration/vercel/logs/"] {
        nuthatch_fuzz::post(path, "application/json", body);
    }
    nuthatch_fuzz::post("/api/1/integration/vercel/logs/", "application/x-ndjson", body);
    nuthatch_fuzz::post("/api/1/store/", "application/json", body);
});
