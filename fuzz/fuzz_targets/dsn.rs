#![no_main]
//! What is read as a DSN is written as one that means the same.

use libfuzzer_sys::fuzz_target;
use nuthatch_protocol::Dsn;

fuzz_target!(|text: &str| {
    if let Ok(dsn) = text.parse::<Dsn>() {
        assert_eq!(dsn.to_string().parse().as_ref(), Ok(&dsn));
    }
});
