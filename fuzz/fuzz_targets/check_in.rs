//! Bytes are a check-in of a monitor whose slug is fit for an URL, or are refused.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|payload: &[u8]| {
    if let Ok(check_in) = nuthatch_normalize::check_in(payload) {
        assert!(!check_in.slug.is_empty() && check_in.slug.len() <= 50);
        assert!(check_in.slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b)));
    }
});
