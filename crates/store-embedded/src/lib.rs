//! The ports on one data directory: the log and the metadata in SQLite, events and traces in tantivy, blobs as files.

pub mod blobs;
pub mod events;
pub mod log;
pub mod meta;
pub mod quota_counts;
pub mod traces;

mod index;
