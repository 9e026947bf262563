//! Payloads that lie beside their records: files go to the blob store, so that nothing large passes through the log.
//!
//! A blob is durable before its record is appended. When the record then is not, nothing refers to the blob, and it goes
//! with its day.

use bytes::Bytes;
use nuthatch_protocol::{
    BlobId, BlobKey, Item, ItemType, ProjectId, Sha1, StoredPayload, Timestamp, trace_attachment::TraceAttachmentParts,
};
use nuthatch_store::StoreError;
use sha1::{Digest as _, Sha1 as Hasher};

use crate::{Intake, durable::durably, refusal::Refusal};

/// Most bytes whose checksum is computed on the thread that serves requests: well under a millisecond.
const INLINE_CHECKSUM_BYTES: usize = 256 << 10;

/// What a record holds of an item's payload.
pub(crate) struct Kept {
    /// What of the payload is in the record.
    pub(crate) payload: Bytes,
    /// What of it lies beside.
    pub(crate) blob: Option<StoredPayload>,
}

/// Puts a file into the blob store, without what an attachment of a trace says in front of it; leaves other payloads as
/// they are.
pub(crate) async fn keep(
    intake: &Intake,
    project_id: ProjectId,
    received: Timestamp,
    item: &Item,
) -> Result<Kept, Refusal> {
    if let Some(upload) = item.upload {
        return Ok(Kept { payload: Bytes::new(), blob: Some(upload.file) });
    }
    if !lies_beside(&item.item_type) {
        return Ok(Kept { payload: item.payload.clone(), blob: None });
    }
    let whole = || TraceAttachmentParts { meta: Bytes::new(), file: item.payload.clone() };
    let TraceAttachmentParts { meta, file } = item.trace_attachment().unwrap_or_else(whole);
    let stored = put(intake, project_id, received, file).await?;
    Ok(Kept { payload: meta, blob: Some(stored) })
}

/// Puts a file into the blob store, durably.
async fn put(
    intake: &Intake,
    project_id: ProjectId,
    received: Timestamp,
    file: Bytes,
) -> Result<StoredPayload, Refusal> {
    let inner = &intake.inner;
    let id = BlobId((inner.new_event_id)().0);
    let key = BlobKey::new(project_id, received, id);
    let sha1 = checksum(file.clone()).await?;
    durably(inner.config.append_wait, || inner.blobs.put(key, file.clone())).await?;
    Ok(StoredPayload { id, bytes: file.len() as u64, sha1 })
}

fn lies_beside(item_type: &ItemType) -> bool {
    matches!(
        item_type,
        ItemType::Attachment
            | ItemType::UnrealReport
            | ItemType::Profile
            | ItemType::ProfileChunk
            | ItemType::ProfileChunkUi
            | ItemType::ReplayRecording
            | ItemType::ReplayVideo
    )
}

async fn checksum(bytes: Bytes) -> Result<Sha1, Refusal> {
    let is_small = bytes.len() <= INLINE_CHECKSUM_BYTES;
    let compute = move || Sha1(Hasher::digest(&bytes).into());
    if is_small {
        return Ok(compute());
    }
    tokio::task::spawn_blocking(compute)
        .await
        .map_err(|error| StoreError::Unavailable { store: "checksum", cause: error.to_string() }.into())
}
