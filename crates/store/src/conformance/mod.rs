//! What every adapter of a port must do, as one suite a port. Every adapter, the in-memory reference included, runs it.

pub mod blobs;
pub mod events;
pub mod log;
pub mod meta;
pub mod quota_counts;
pub mod traces;
