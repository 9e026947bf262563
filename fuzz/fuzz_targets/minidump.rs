#![no_main]
//! Crash reports: forms, forms inside forms, packed dumps, msgpack.

use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    nuthatch_fuzz::post("/api/1/minidump/", "multipart/form-data; boundary=X", body);
    nuthatch_fuzz::post("/api/1/minidump/", "application/x-dmp", body);
});
