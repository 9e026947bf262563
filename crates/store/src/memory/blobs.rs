//! In-memory reference of the blob store.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use nuthatch_protocol::{BlobKey, Timestamp};

use crate::{
    StoreError,
    blobs::{Blob, BlobStore, BlobWriter},
};

/// Blobs in a map.
#[derive(Debug, Default)]
pub struct MemoryBlobs {
    blobs: Arc<Mutex<BTreeMap<BlobKey, Bytes>>>,
}

impl MemoryBlobs {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn blobs(&self) -> MutexGuard<'_, BTreeMap<BlobKey, Bytes>> {
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, key: BlobKey) -> Option<Bytes> {
        self.blobs().get(&key).cloned()
    }
}

#[async_trait]
impl BlobStore for MemoryBlobs {
    async fn put(&self, key: BlobKey, bytes: Bytes) -> Result<(), StoreError> {
        self.blobs().insert(key, bytes);
        Ok(())
    }

    async fn begin(&self, key: BlobKey) -> Result<Box<dyn BlobWriter>, StoreError> {
        Ok(Box::new(Writer { blobs: Self { blobs: self.blobs.clone() }, key, bytes: Vec::new() }))
    }

    async fn open(&self, key: BlobKey) -> Result<Option<Blob>, StoreError> {
        Ok(self
            .get(key)
            .map(|bytes| Blob { bytes: bytes.len() as u64, pieces: Box::pin(stream::once(async { Ok(bytes) })) }))
    }

    async fn head(&self, key: BlobKey, limit: u64) -> Result<Option<Bytes>, StoreError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(self.get(key).map(|bytes| bytes.slice(..bytes.len().min(limit))))
    }

    async fn size(&self, key: BlobKey) -> Result<Option<u64>, StoreError> {
        Ok(self.get(key).map(|bytes| bytes.len() as u64))
    }

    async fn delete(&self, key: BlobKey) -> Result<(), StoreError> {
        self.blobs().remove(&key);
        Ok(())
    }

    async fn expire(&self, before: Timestamp) -> Result<(), StoreError> {
        self.blobs().retain(|key, _| key.day >= before.days());
        Ok(())
    }
}

struct Writer {
    blobs: MemoryBlobs,
    key: BlobKey,
    bytes: Vec<u8>,
}

#[async_trait]
impl BlobWriter for Writer {
    async fn add(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        self.bytes.extend_from_slice(&bytes);
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<(), StoreError> {
        self.blobs.put(self.key, self.bytes.into()).await
    }
}
