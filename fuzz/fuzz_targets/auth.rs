#![no_main]
//! Credentials of headers and queries.

use libfuzzer_sys::fuzz_target;
use nuthatch_protocol::Auth;

fuzz_target!(|text: &str| {
    let _ = Auth::from_header(text);
    let _ = Auth::from_query(text);
});
