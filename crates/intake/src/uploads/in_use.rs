//! Which uploads are being received or taken over: each by one request at a time.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use nuthatch_protocol::BlobKey;

use crate::Intake;

/// The receipts of the uploads that requests use now. As many as these requests refer to.
#[derive(Default)]
pub(crate) struct Uses(Mutex<HashSet<BlobKey>>);

impl Uses {
    fn lock(&self) -> MutexGuard<'_, HashSet<BlobKey>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The uploads that one request uses, until it has ended or was given up.
pub(crate) struct InUse<'i> {
    uses: &'i Uses,
    receipts: Vec<BlobKey>,
}

impl<'i> InUse<'i> {
    /// None yet.
    pub(crate) fn new(intake: &'i Intake) -> Self {
        Self { uses: &intake.inner.uploads, receipts: Vec::new() }
    }

    /// Begins to use the upload of a receipt; not if a request does so already, be it this one.
    pub(super) fn begin(&mut self, receipt: BlobKey) -> bool {
        let is_free = self.uses.lock().insert(receipt);
        if is_free {
            self.receipts.push(receipt);
        }
        is_free
    }
}

impl Drop for InUse<'_> {
    fn drop(&mut self) {
        if !self.receipts.is_empty() {
            let mut uses = self.uses.lock();
            self.receipts.iter().for_each(|receipt| _ = uses.remove(receipt));
        }
    }
}
