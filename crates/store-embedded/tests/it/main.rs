//! The adapters against the ports: conformance, agreement with the in-memory references, crashes, old formats.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod blobs;
mod events;
mod log;
mod meta;
mod quota_counts;
mod traces;
