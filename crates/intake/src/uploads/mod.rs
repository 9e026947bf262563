//! Files that come before the envelope that refers to them (`reference/ingest-protocol.md` §2).
//!
//! Nothing is remembered of an upload but in the blob store: the file, and a receipt that says where the file is. The receipt
//! is written when the file is durable ([`receive`](mod@receive)), and found by what the client was told: whoever does not know
//! that cannot find it. An attachment that refers to the file takes it over ([`references`]), and the receipt goes. What nothing
//! refers to goes with its day.

mod in_use;
mod receive;
mod references;

use std::{fmt, str::FromStr};

use nuthatch_protocol::{BlobId, BlobKey, EventId, ProjectId, Timestamp};
use sha1::{Digest as _, Sha1 as Hasher};

pub(crate) use in_use::{InUse, Uploads};
pub(crate) use receive::{receive, record};
pub(crate) use references::{forget, resolve};

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
