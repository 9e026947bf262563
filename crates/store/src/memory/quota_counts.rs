//! In-memory reference of what is kept of quotas.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use crate::{QuotaCountStore, StoreError};

/// A note.
#[derive(Debug, Default)]
pub struct MemoryQuotaCounts {
    counts: Mutex<Option<Bytes>>,
}

impl MemoryQuotaCounts {
    /// Nothing is kept.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Bytes>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl QuotaCountStore for MemoryQuotaCounts {
    async fn keep_quota_counts(&self, counts: Bytes) -> Result<(), StoreError> {
        *self.lock() = Some(counts);
        Ok(())
    }

    async fn quota_counts(&self) -> Result<Option<Bytes>, StoreError> {
        Ok(self.lock().clone())
    }
}
