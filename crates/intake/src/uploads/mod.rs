//! Files that come before the envelope that refers to them (`reference/ingest-protocol.md` §2).
//!
//! Nothing is remembered of an upload but in the blob store: the file, and a receipt that says where the file is. The receipt
//! is written when the file is durable, and found by what the client was told: whoever does not know that cannot find it.
//! An attachment that refers to the file takes it over, and the receipt goes. What nothing refers to goes with its day.

use std::{fmt, str::FromStr, time::Duration};

use axum::body::Body;
use http::request::Parts;
use nuthatch_protocol::{
    BlobId, BlobKey, DataCategory, Envelope, EventId, ItemAttributes, ItemType, Outcome, ProjectId, Timestamp, Upload,
};
use nuthatch_store::StoreError;
use serde::Deserialize;
use sha1::{Digest as _, Sha1 as Hasher};

use crate::{
    Intake, accept, beside, body,
    durable::durably,
    keys::Grant,
    quotas::LimitsMet,
    refusal::{Refusal, UploadFault},
};

/// Time within which the bytes of an upload have to follow its beginning.
const BEGINNING_MAX_AGE: Duration = Duration::from_hours(24);

/// Longest receipt, in bytes.
const RECEIPT_MAX_BYTES: u64 = 1024;

/// Longest payload of an attachment that refers to an upload, in bytes.
const REFERENCE_MAX_BYTES: usize = 16 << 10;

/// Most uploads that an envelope may refer to: as many as attachments are taken.
const REFERENCES_MAX: usize = 30;

/// The name of an upload, `{microseconds}.{32 hex digits}.{bytes}`: a part of its location. The digits are random.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UploadName {
    /// When the upload began.
    begun: Timestamp,
    secret: EventId,
    /// The length of the file.
    pub(crate) bytes: usize,
}

impl UploadName {
    /// The name of an upload that begins.
    pub(crate) fn new(begun: Timestamp, secret: EventId, bytes: usize) -> Self {
        Self { begun, secret, bytes }
    }

    /// Where clients find the upload: a path.
    pub(crate) fn location(self, project: ProjectId) -> String {
        format!("/api/{project}/upload/{self}/")
    }

    /// The name in a location, if that is one of the project: a path, or an address that ends with one.
    fn in_location(location: &str, project: ProjectId) -> Option<Self> {
        let path = location.split(['?', '#']).next()?.trim_end_matches('/');
        let mut segments = path.rsplit('/');
        let name = segments.next()?.parse().ok()?;
        let is_upload = segments.next() == Some("upload");
        let is_of_project = segments.next()?.parse() == Ok(project);
        (is_upload && is_of_project).then_some(name)
    }

    /// The blob of the receipt. A hash, so that no name leads to a blob that is no receipt.
    fn receipt(self) -> BlobId {
        let hash: [u8; 20] = Hasher::digest(format!("upload {self}")).into();
        let mut id = [0; 16];
        id.copy_from_slice(&hash[..16]);
        BlobId(id)
    }
}

impl fmt::Display for UploadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.begun.0, self.secret, self.bytes)
    }
}

impl FromStr for UploadName {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let read = || {
            let mut parts = text.split('.');
            let (begun, secret, bytes) = (parts.next()?, parts.next()?, parts.next()?);
            Some(Self {
                begun: Timestamp(begun.parse().ok()?),
                secret: secret.parse().ok()?,
                bytes: bytes.parse().ok()?,
            })
        };
        read().filter(|name| name.to_string() == text).ok_or(())
    }
}

/// Takes the bytes of an upload: all of them, or none at all, which only begins it. How many were taken.
pub(crate) async fn take(
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
    let receipt = BlobKey::new(project, name.begun, name.receipt());
    if durably(inner.config.append_wait, || inner.blobs.size(receipt)).await?.is_some() {
        return Err(UploadFault::Complete.into());
    }
    let received = body::read(&parts.headers, body, name.bytes, &inner.memory, &inner.config).await?;
    match received.bytes.len() {
        bytes if bytes == name.bytes => {}
        0 => return Ok(0),
        _ => return Err(UploadFault::Short.into()),
    }
    let mut admission =
        inner.quotas.admit_upload(&grant.quotas, name.bytes as u64, inner.log.has_room(), &*inner.clock);
    LimitsMet::note(parts, std::mem::take(&mut admission.limits));
    if let Some(reason) = admission.reason(0) {
        // Nothing may ever refer to it, so this is what became of it.
        let units = DataCategory::of(&ItemType::Attachment, &ItemAttributes::default(), name.bytes as u64).into_iter();
        let origin = accept::origin(intake, &grant.key);
        let key = |category| origin.key(category, Outcome::RateLimited, reason.to_owned());
        inner.recorder.record(units.map(|(category, quantity)| (key(category), quantity)).collect()).await?;
        return Err(Refusal::RateLimited);
    }
    let keep = async {
        let file = beside::put(intake, project, name.begun, received.bytes).await?;
        let upload = Upload { receipt: receipt.id, received: name.begun, file };
        // Ids, numbers and a time always serialise.
        let upload = serde_json::to_vec(&upload).map_err(|_| Refusal::Unavailable)?;
        durably(inner.config.append_wait, || inner.blobs.put(receipt, upload.clone().into())).await
    };
    keep.await.inspect_err(|_| inner.quotas.give_back(&admission))?;
    Ok(name.bytes)
}

/// What an attachment says of the upload that it refers to.
#[derive(Deserialize)]
struct Reference {
    location: String,
    #[serde(default)]
    content_type: Option<String>,
}

/// Gives the attachments of an envelope that refer to uploads of the project their files. Those that do not find theirs stay
/// what they are.
pub(crate) async fn resolve(intake: &Intake, project: ProjectId, envelope: &mut Envelope) -> Result<(), Refusal> {
    let references = envelope.items.iter_mut().filter(|item| item.is_reference());
    for item in references.take(REFERENCES_MAX) {
        if item.payload.len() > REFERENCE_MAX_BYTES {
            continue;
        }
        let Ok(reference) = serde_json::from_slice::<Reference>(&item.payload) else { continue };
        let Some(upload) = find(intake, project, &reference.location).await? else { continue };
        if item.attributes.attachment_length.is_some_and(|length| length != upload.file.bytes) {
            continue;
        }
        item.attributes.content_type = reference.content_type;
        item.upload = Some(upload);
        item.payload.clear();
    }
    Ok(())
}

async fn find(intake: &Intake, project: ProjectId, location: &str) -> Result<Option<Upload>, Refusal> {
    let Some(name) = UploadName::in_location(location, project) else { return Ok(None) };
    let inner = &intake.inner;
    let receipt = BlobKey::new(project, name.begun, name.receipt());
    let read = || async move {
        match inner.blobs.head(receipt, RECEIPT_MAX_BYTES).await {
            // Asking again would not help.
            Err(StoreError::Corrupt { .. }) => Ok(None),
            found => found,
        }
    };
    let found = durably(inner.config.append_wait, read).await?;
    Ok(found.and_then(|receipt| serde_json::from_slice(&receipt).ok()))
}

/// Forgets the receipts of uploads whose files belong to attachments now, so that no other attachment takes the same file.
pub(crate) async fn forget(intake: &Intake, project: ProjectId, taken: Vec<Upload>) {
    for upload in taken {
        let receipt = BlobKey::new(project, upload.received, upload.receipt);
        if let Err(error) = intake.inner.blobs.delete(receipt).await {
            tracing::warn!(%error, ?receipt, "the receipt of an upload stays until its day goes");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_names_an_upload_of_its_project_only() {
        let name = UploadName::new(Timestamp(1_700_000_000_000_001), EventId([0xab; 16]), 7);
        let location = name.location(ProjectId(3));
        assert_eq!(location, format!("/api/3/upload/1700000000000001.{}.7/", "ab".repeat(16)));
        for text in [
            location.clone(),
            location.trim_end_matches('/').to_owned(),
            format!("https://errors.example.org/below{location}?length=7#x"),
        ] {
            assert_eq!(UploadName::in_location(&text, ProjectId(3)), Some(name), "{text}");
            assert_eq!(UploadName::in_location(&text, ProjectId(4)), None, "{text}");
        }
        for text in [
            String::new(),
            "/".to_owned(),
            name.to_string(),
            location.replace("/upload/", "/envelope/"),
            location.replace(".7/", ".07/"),
            location.replace(".7/", ".7.7/"),
            location.replace(".7/", ".+7/"),
            location.replace("ab", "AB"),
        ] {
            assert_eq!(UploadName::in_location(&text, ProjectId(3)), None, "{text}");
        }
    }
}
