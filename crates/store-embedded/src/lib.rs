//! The ports on one data directory: the log and the metadata in SQLite, the events in tantivy.

pub mod events;
pub mod log;
pub mod meta;
