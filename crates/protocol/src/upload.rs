//! Files that are uploaded before the envelope with an attachment that refers to them (`reference/ingest-protocol.md` §2).

use serde::{Deserialize, Serialize};

use crate::{BlobId, Item, ItemType, StoredPayload, Timestamp};

/// The media types of an attachment whose payload is no file but JSON that refers to one; the second is that of the first
/// SDKs.
const REFERENCES: [&str; 2] = ["application/vnd.sentry.attachment-ref+json", "application/vnd.sentry.attachment-ref"];

/// A file that was uploaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// Under which blob this is kept until an attachment has taken the file.
    pub receipt: BlobId,
    /// When the upload began: the day on which both blobs are.
    pub received: Timestamp,
    /// The file.
    pub file: StoredPayload,
}

impl Item {
    /// Whether it is an attachment that refers to an upload which is not known.
    pub fn is_reference(&self) -> bool {
        let media_type = self.attributes.content_type.as_deref().and_then(|said| said.split(';').next());
        let is_one = |said: &str| REFERENCES.iter().any(|known| said.trim().eq_ignore_ascii_case(known));
        self.item_type == ItemType::Attachment && self.upload.is_none() && media_type.is_some_and(is_one)
    }
}
