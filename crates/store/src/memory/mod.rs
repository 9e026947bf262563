//! An in-memory reference of each port: plain, obviously right, and the oracle the adapters are tested against.

pub mod blobs;
pub mod events;
pub mod log;
pub mod meta;
pub mod traces;

pub use blobs::MemoryBlobs;
pub use events::MemoryEvents;
pub use log::MemoryLog;
pub use meta::MemoryMeta;
pub use traces::MemoryTraces;
