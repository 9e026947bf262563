//! Which uploads requests use now: each by one request at a time, and so many received at once.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use nuthatch_protocol::BlobKey;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

use crate::{Intake, refusal::Refusal};

/// The uploads that requests use.
pub(crate) struct Uploads {
    /// Their receipts: as many as these requests refer to.
    in_use: Mutex<HashSet<BlobKey>>,
    /// For those that are being received.
    places: Semaphore,
}

impl Uploads {
    /// So many are received at once.
    pub(crate) fn new(received_max: usize) -> Self {
        let places = Semaphore::new(received_max.clamp(1, Semaphore::MAX_PERMITS));
        Self { in_use: Mutex::default(), places }
    }

    /// A place to receive an upload, after a wait of at most so long.
    pub(super) async fn place(&self, longest_wait: Duration) -> Result<SemaphorePermit<'_>, Refusal> {
        match timeout(longest_wait, self.places.acquire()).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(Refusal::Overloaded),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<BlobKey>> {
        self.in_use.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The uploads that one request uses, until it has ended or was given up.
pub(crate) struct InUse<'i> {
    uploads: &'i Uploads,
    receipts: Vec<BlobKey>,
}

impl<'i> InUse<'i> {
    /// None yet.
    pub(crate) fn new(intake: &'i Intake) -> Self {
        Self { uploads: &intake.inner.uploads, receipts: Vec::new() }
    }

    /// Begins to use the upload of a receipt; not if a request does so already, be it this one.
    pub(super) fn begin(&mut self, receipt: BlobKey) -> bool {
        let is_free = self.uploads.lock().insert(receipt);
        if is_free {
            self.receipts.push(receipt);
        }
        is_free
    }
}

impl Drop for InUse<'_> {
    fn drop(&mut self) {
        if !self.receipts.is_empty() {
            let mut in_use = self.uploads.lock();
            self.receipts.iter().for_each(|receipt| _ = in_use.remove(receipt));
        }
    }
}
