//! The engine from outside: rules one by one, and whole histories against a serial model.
#![allow(clippy::unwrap_used, clippy::panic)]

mod actions;
mod decoding;
mod histories;
mod make;
mod model;
mod occurrences;
mod state;
mod status_changes;
