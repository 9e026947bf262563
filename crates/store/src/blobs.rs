//! Blobs: bytes that are kept as they came, too large for the log and the metadata.

use std::pin::Pin;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::Stream;
use nuthatch_protocol::{BlobKey, Timestamp};

use crate::StoreError;

/// Bytes by name. A blob is written once, whole, and never changed.
#[async_trait]
pub trait BlobStore: Send + Sync + 'static {
    /// Keeps bytes. When it returns they are durable, whatever happens to the machine. Again under the same name: the
    /// same bytes are there, once.
    async fn put(&self, key: BlobKey, bytes: Bytes) -> Result<(), StoreError>;

    /// Begins a blob whose bytes come piece by piece.
    async fn begin(&self, key: BlobKey) -> Result<Box<dyn BlobWriter>, StoreError>;

    /// A blob to be read piece by piece; none when it was never put, was deleted or is older than the retention.
    async fn open(&self, key: BlobKey) -> Result<Option<Blob>, StoreError>;

    /// The first bytes of a blob, at most `limit`.
    async fn head(&self, key: BlobKey, limit: u64) -> Result<Option<Bytes>, StoreError>;

    /// The length of a blob, in bytes.
    async fn size(&self, key: BlobKey) -> Result<Option<u64>, StoreError>;

    /// Removes a blob. Nothing happens when there is none.
    async fn delete(&self, key: BlobKey) -> Result<(), StoreError>;

    /// Removes every blob of the days before the day of a time, with all that is left of unfinished puts of those days.
    async fn expire(&self, before: Timestamp) -> Result<(), StoreError>;
}

/// A blob that is being written. Until it is finished, nothing is there under its name; one that is dropped before leaves
/// nothing, and one whose process dies only what [`BlobStore::expire`] removes. After an error it can only be dropped.
#[async_trait]
pub trait BlobWriter: Send {
    /// Adds bytes. They need not be durable.
    async fn add(&mut self, bytes: Bytes) -> Result<(), StoreError>;

    /// Ends the blob: it is there, and durable as after [`BlobStore::put`].
    async fn finish(self: Box<Self>) -> Result<(), StoreError>;
}

/// A blob that is being read.
pub struct Blob {
    /// Its length.
    pub bytes: u64,
    /// Its bytes, in order.
    pub pieces: Pieces,
}

/// Pieces of a blob.
pub type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes, StoreError>> + Send>>;

impl std::fmt::Debug for Blob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Blob").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}
