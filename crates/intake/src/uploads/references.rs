//! Attachments that refer to uploads take the files over: each file goes to one attachment, whatever is sent how often.
//!
//! The first attachment that refers to an upload owns it. That is written down, durably, before the attachment's record is
//! appended, so that neither a crash nor a client that hangs up lets another one have the file; the same attachment, sent
//! again, may have it again, and is a duplicate where files are kept. When the record is durable, receipt and owner go.

use bytes::Bytes;
use nuthatch_protocol::{BlobKey, Envelope, EventId, Item, ProjectId, Upload};
use nuthatch_store::StoreError;
use sha1::{Digest as _, Sha1 as Hasher};

use super::{InUse, UploadName, blob_of};
use crate::{
    Intake,
    durable::durably,
    plan::{self, IdSource},
    refusal::Refusal,
};

/// Longest receipt, in bytes.
const RECEIPT_MAX_BYTES: u64 = 1024;

/// Most uploads that an envelope may refer to: as many as attachments are taken.
const REFERENCES_MAX: usize = 30;

/// Gives the attachments of an envelope that refer to uploads of the project their files. Those that do not find theirs stay
/// what they are. Uploads that are found are in use.
pub(crate) async fn resolve(
    intake: &Intake,
    project: ProjectId,
    envelope: &mut Envelope,
    uses: &mut InUse<'_>,
) -> Result<(), Refusal> {
    if !envelope.items.iter().any(Item::is_reference) {
        return Ok(());
    }
    let event_id = match plan::event_id(envelope) {
        IdSource::Header(id) | IdSource::Payload(id) => id,
        IdSource::Random | IdSource::None => (intake.inner.new_event_id)(),
    };
    for item in envelope.items.iter_mut().filter(|item| item.is_reference()).take(REFERENCES_MAX) {
        let Some(reference) = item.reference() else { continue };
        let name = reference.location.and_then(|location| UploadName::in_location(&location, project));
        let said = item.attributes.attachment_length;
        let Some(name) = name.filter(|name| said.is_none_or(|bytes| bytes == name.bytes as u64)) else { continue };
        let receipt = name.receipt(project);
        if !uses.begin(receipt) {
            continue;
        }
        let Some(upload) = find(intake, receipt).await? else { continue };
        if !is_owner(intake, receipt, owner(event_id, item)).await? {
            continue;
        }
        item.attributes.content_type = reference.content_type;
        item.upload = Some(upload);
        item.payload.clear();
    }
    Ok(())
}

/// The upload of a receipt.
async fn find(intake: &Intake, receipt: BlobKey) -> Result<Option<Upload>, Refusal> {
    let found = head(intake, receipt, RECEIPT_MAX_BYTES).await?;
    Ok(found.and_then(|receipt| serde_json::from_slice(&receipt).ok()))
}

/// What makes an attachment the same when it is sent again: its event and its name.
fn owner(event_id: EventId, item: &Item) -> Bytes {
    let name = item.attributes.filename.as_deref().unwrap_or_default();
    Bytes::copy_from_slice(&Hasher::digest(format!("{event_id} {name}")))
}

/// Whether an attachment owns an upload: it does when no other one was here before it.
async fn is_owner(intake: &Intake, receipt: BlobKey, owner: Bytes) -> Result<bool, Refusal> {
    let key = owned(receipt);
    if let Some(known) = head(intake, key, owner.len() as u64).await? {
        return Ok(known == owner);
    }
    durably(intake.inner.config.append_wait, || intake.inner.blobs.put(key, owner.clone())).await?;
    Ok(true)
}

/// The blob that says who owns the upload of a receipt.
fn owned(receipt: BlobKey) -> BlobKey {
    BlobKey { id: blob_of(&format!("owner of {}", receipt.id)), ..receipt }
}

async fn head(intake: &Intake, key: BlobKey, bytes: u64) -> Result<Option<Bytes>, Refusal> {
    let read = || async move {
        match intake.inner.blobs.head(key, bytes).await {
            // Asking again would not help.
            Err(StoreError::Corrupt { .. }) => Ok(Some(Bytes::new())),
            found => found,
        }
    };
    durably(intake.inner.config.append_wait, read).await
}

/// Forgets the receipts of uploads whose files belong to attachments now.
pub(crate) async fn forget(intake: &Intake, project: ProjectId, taken: Vec<Upload>) {
    for upload in taken {
        let receipt = BlobKey::new(project, upload.received, upload.receipt);
        // The owner is known for as long as there is a receipt.
        for key in [receipt, owned(receipt)] {
            if let Err(error) = intake.inner.blobs.delete(key).await {
                tracing::warn!(%error, ?key, "what is known of an upload stays until its day goes");
                break;
            }
        }
    }
}
