//! A text is a DSN that is written as it is read, or none.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nuthatch_protocol::Dsn;

fuzz_target!(|text: &str| {
    if let Ok(dsn) = text.parse::<Dsn>() {
        assert_eq!(dsn.to_string().parse::<Dsn>().as_ref(), Ok(&dsn));
    }
});
