//! An in-memory reference of each port: plain, obviously right, and the oracle the adapters are tested against.

pub mod blobs;
pub mod events;
pub mod log;
pub mod meta;
pub mod quota_counts;
pub mod traces;

pub use blobs::MemoryBlobs;
pub use events::MemoryEvents;
pub use log::MemoryLog;
pub use meta::MemoryMeta;
pub use quota_counts::MemoryQuotaCounts;
pub use traces::MemoryTraces;
