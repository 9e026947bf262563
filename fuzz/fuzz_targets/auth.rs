//! Whatever stands in a header or a query, it is credentials, none, or a fault.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nuthatch_protocol::{Auth, auth::query_value};

fuzz_target!(|text: &str| {
    let _ = Auth::from_header(text);
    let _ = Auth::from_query(text);
    let _ = query_value(text, "sentry_key");
});
