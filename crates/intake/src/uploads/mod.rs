//! Files that come before the envelope that refers to them (`reference/ingest-protocol.md` §2).
//!
//! Nothing is remembered of an upload but in the blob store: the file, and a receipt that says where the file is. The receipt
//! is written when the file is durable, and found by what the client was told: whoever does not know that cannot find it.
//! An attachment that refers to the file takes it over ([`references`]), and the receipt goes. What nothing refers to goes
//! with its day.

mod in_use;
mod references;

use std::{borrow::Cow, fmt, str::FromStr, time::Duration};

use axum::body::Body;
use http::request::Parts;
use nuthatch_protocol::{
    BlobId, BlobKey, DataCategory, EventId, ItemAttributes, ItemType, Outcome, ProjectId, Timestamp, Upload,
};
use sha1::{Digest as _, Sha1 as Hasher};

use crate::{
    Intake, accept, beside, body,
    durable::durably,
    keys::Grant,
    quotas::LimitsMet,
    refusal::{Refusal, UploadFault},
};

pub(crate) use in_use::{InUse, Uses};
pub(crate) use references::{forget, resolve};

/// Time within which the bytes of an upload have to follow its beginning.
const BEGINNING_MAX_AGE: Duration = Duration::from_hours(24);

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

    /// The blob of the receipt.
    fn receipt(self, project: ProjectId) -> BlobKey {
        BlobKey::new(project, self.begun, blob_of(&format!("upload {self}")))
    }
}

/// A blob for what a text says. A hash, so that no name of a client's leads to a blob that is something else.
fn blob_of(text: &str) -> BlobId {
    let hash: [u8; 20] = Hasher::digest(text).into();
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    BlobId(id)
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
    let receipt = name.receipt(project);
    let mut uses = InUse::new(intake);
    if !uses.begin(receipt) {
        return Err(UploadFault::Complete.into());
    }
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
        record(intake, grant, name.bytes, Outcome::RateLimited, reason.to_owned().into()).await?;
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

/// Records what became of a file of so many bytes that is not taken: nothing may ever refer to it. One whose length is not
/// known counts as the shortest.
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
