//! Receiving an upload: piece by piece to the blob store, so that a large file over a slow line takes neither memory nor the
//! place of other requests.

use std::{borrow::Cow, mem, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use http::request::Parts;
use nuthatch_protocol::{
    BlobId, BlobKey, DataCategory, ItemAttributes, ItemType, Outcome, ProjectId, Sha1, StoredPayload, Upload,
};
use sha1::{Digest as _, Sha1 as Hasher};
use tokio::time::timeout;

use super::{InUse, UploadName};
use crate::{
    Intake, accept,
    body::{self, Pieces, Room},
    decode::Encoding,
    durable::durably,
    keys::Grant,
    quotas::{Admission, LimitsMet},
    refusal::{Refusal, UploadFault},
};

/// Time within which the bytes of an upload have to follow its beginning.
const BEGINNING_MAX_AGE: Duration = Duration::from_hours(24);

/// Bytes that are written at once, which is what is held of an upload: few enough to compute their checksum on the thread that
/// serves requests.
const PIECE_BYTES: usize = 256 << 10;

/// Bytes that a client has to send in a second, on average, beside the time that any body has.
const BYTES_PER_SEC_MIN: u64 = 32 << 10;

/// Takes the bytes of an upload: all of them, or none at all, which only begins it. How many were taken.
pub(crate) async fn receive(
    intake: &Intake,
    grant: &Grant,
    parts: &Parts,
    body: Body,
    name: UploadName,
) -> Result<usize, Refusal> {
    let inner = &intake.inner;
    let (project, now) = (grant.key.project_id, inner.clock.now());
    if name.begun > now || name.begun <= now.minus(BEGINNING_MAX_AGE) {
        return Err(UploadFault::Unknown.into());
    }
    let (receipt, mut uses) = (name.receipt(project), InUse::new(intake));
    let is_free = uses.begin(receipt);
    if !is_free || durably(inner.config.append_wait, || inner.blobs.size(receipt)).await?.is_some() {
        return Err(UploadFault::Complete.into());
    }
    let (body, _room) = unpacked(intake, parts, body, name).await?;
    let mut pieces = Pieces::new(body, name.bytes, inner.config.body_timeout)?;
    // First, so that nobody sends in vain what is not let through.
    let admitted = Admitted::new(intake, grant, parts, name).await?;
    let first = pieces.next().await?;
    if first.is_none() && name.bytes > 0 {
        return Ok(0);
    }
    let place = inner.uploads.place(inner.config.room_wait).await?;
    let longest = inner.config.body_timeout + Duration::from_secs(name.bytes as u64 / BYTES_PER_SEC_MIN);
    let file = timeout(longest, write(intake, project, name, first, pieces)).await;
    let file = file.map_err(|_| Refusal::BodyTimeout)??;
    drop(place);
    let upload = Upload { receipt: receipt.id, received: name.begun, file };
    // Ids, numbers and a time always serialise.
    let upload = Bytes::from(serde_json::to_vec(&upload).map_err(|_| Refusal::Unavailable)?);
    durably(inner.config.append_wait, || inner.blobs.put(receipt, upload.clone())).await?;
    admitted.keep();
    Ok(name.bytes)
}

/// The body without its compression, and the room it takes when it was compressed: then it is read as a whole, as SDKs do not
/// compress what they upload.
async fn unpacked(
    intake: &Intake,
    parts: &Parts,
    body: Body,
    name: UploadName,
) -> Result<(Body, Option<Room>), Refusal> {
    if body::encoding(&parts.headers)? == Encoding::Identity {
        return Ok((body, None));
    }
    let config = &intake.inner.config;
    let limit = name.bytes.min(config.envelope_max_bytes);
    let received = body::read(&parts.headers, body, limit, &intake.inner.memory, config).await?;
    Ok((Body::from(received.bytes), Some(received.room)))
}

/// Writes the file of an upload, durably, if as many bytes come as were said.
async fn write(
    intake: &Intake,
    project: ProjectId,
    name: UploadName,
    first: Option<Bytes>,
    mut pieces: Pieces,
) -> Result<StoredPayload, Refusal> {
    let inner = &intake.inner;
    let id = BlobId((inner.new_event_id)().0);
    let key = BlobKey::new(project, name.begun, id);
    let mut blob = durably(inner.config.append_wait, || inner.blobs.begin(key)).await?;
    let (mut hasher, mut bytes) = (Hasher::new(), 0);
    let new_piece = || Vec::with_capacity(PIECE_BYTES.min(name.bytes));
    let (mut next, mut piece) = (first, new_piece());
    while let Some(mut data) = next {
        bytes += data.len();
        while !data.is_empty() {
            piece.extend_from_slice(&data.split_to(data.len().min(PIECE_BYTES - piece.len())));
            if piece.len() == PIECE_BYTES {
                // What is left of the disk is for events.
                if !inner.log.has_room() {
                    return Err(Refusal::Unavailable);
                }
                hasher.update(&piece);
                blob.add(mem::replace(&mut piece, new_piece()).into()).await?;
            }
        }
        next = pieces.next().await?;
    }
    if bytes != name.bytes {
        return Err(UploadFault::Short.into());
    }
    hasher.update(&piece);
    blob.add(piece.into()).await?;
    blob.finish().await?;
    Ok(StoredPayload { id, bytes: bytes as u64, sha1: Sha1(hasher.finalize().into()) })
}

/// What quotas have counted for an upload: given back unless it is kept, also when its client hangs up.
struct Admitted<'i> {
    intake: &'i Intake,
    admission: Option<Admission>,
}

impl<'i> Admitted<'i> {
    /// Asks the quotas. Nothing may ever refer to an upload that they do not let through, so it is recorded what became of it.
    async fn new(intake: &'i Intake, grant: &Grant, parts: &Parts, name: UploadName) -> Result<Self, Refusal> {
        let (inner, bytes) = (&intake.inner, name.bytes as u64);
        let mut admission = inner.quotas.admit_upload(&grant.quotas, bytes, inner.log.has_room(), &*inner.clock);
        LimitsMet::note(parts, mem::take(&mut admission.limits));
        if let Some(reason) = admission.reason(0) {
            record(intake, grant, name.bytes, Outcome::RateLimited, reason.to_owned().into()).await?;
            return Err(Refusal::RateLimited);
        }
        Ok(Self { intake, admission: Some(admission) })
    }

    fn keep(mut self) {
        self.admission = None;
    }
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        if let Some(admission) = &self.admission {
            self.intake.inner.quotas.give_back(admission);
        }
    }
}

/// Records what became of a file of so many bytes that is not taken. One whose length is not known counts as the shortest.
pub(crate) async fn record(
    intake: &Intake,
    grant: &Grant,
    bytes: usize,
    outcome: Outcome,
    reason: Cow<'static, str>,
) -> Result<(), Refusal> {
    let origin = accept::origin(intake, &grant.key);
    let units = DataCategory::of(&ItemType::Attachment, &ItemAttributes::default(), bytes as u64).into_iter();
    let counted = units.map(|(category, quantity)| (origin.key(category, outcome, reason.clone()), quantity));
    intake.inner.recorder.record(counted.collect()).await
}
