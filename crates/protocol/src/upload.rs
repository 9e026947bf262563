//! Files that are uploaded before the envelope with an attachment that refers to them (`reference/ingest-protocol.md` §2).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{BlobId, Item, ItemType, StoredPayload, Timestamp, media_type};

/// The media types of an attachment whose payload is no file but JSON that refers to one; the second is that of the first
/// SDKs.
const REFERENCES: [&str; 2] = ["application/vnd.sentry.attachment-ref+json", "application/vnd.sentry.attachment-ref"];

/// Longest payload of an attachment that refers to an upload, in bytes. A longer one refers to nothing.
const REFERENCE_MAX_BYTES: usize = 16 << 10;

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

/// What an attachment says of the upload that it refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// What the client was told where the upload is; none when the client did not get its file uploaded.
    pub location: Option<String>,
    /// Media type of the file.
    pub content_type: Option<String>,
}

impl Item {
    /// Whether it is an attachment that refers to an upload which is not known.
    pub fn is_reference(&self) -> bool {
        let is_one = |said: &str| REFERENCES.contains(&media_type(said).as_str());
        let says_so = self.attributes.content_type.as_deref().is_some_and(is_one);
        self.item_type == ItemType::Attachment && self.upload.is_none() && says_so
    }

    /// What it says of that upload; none when it is no such attachment, or cannot be read.
    pub fn reference(&self) -> Option<Reference> {
        if !self.is_reference() || self.payload.len() > REFERENCE_MAX_BYTES {
            return None;
        }
        let said: Map<String, Value> = serde_json::from_slice(&self.payload).ok()?;
        let location = match said.get("location") {
            None | Some(Value::Null) => None,
            Some(location) => Some(location.as_str()?.to_owned()),
        };
        let content_type = said.get("content_type").and_then(Value::as_str).map(str::to_owned);
        Some(Reference { location, content_type })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DataCategory, ItemAttributes};

    /// An attachment with a media type, the length of a file that its header says, and a payload.
    fn attachment(media_type: &str, length: Option<u64>, payload: &str) -> Item {
        let content_type = Some(media_type.to_owned());
        let attributes = ItemAttributes { content_type, attachment_length: length, ..ItemAttributes::default() };
        Item { attributes, ..Item::new(ItemType::Attachment, payload.to_owned()) }
    }

    #[test]
    fn a_reference_counts_as_the_file_that_it_refers_to_unless_there_is_none() {
        let located = r#"{"location":"/a"}"#;
        let long = format!("{{\"location\":null{}}}", " ".repeat(REFERENCE_MAX_BYTES));
        for (media_type, length, payload, bytes) in [
            (REFERENCES[0], Some(300), located, Some(300)),
            (REFERENCES[1], Some(0), located, Some(1)),
            (REFERENCES[0], None, located, Some(located.len() as u64)),
            // Nothing was uploaded, or that was refused and counted.
            (REFERENCES[0], Some(300), "{}", None),
            (REFERENCES[0], Some(300), r#"{"location":null,"path":"a.dmp"}"#, None),
            // What says nothing of a file is none the less something that was sent.
            (REFERENCES[0], Some(300), "[]", Some(300)),
            (REFERENCES[0], Some(300), r#"{"location":1}"#, Some(300)),
            (REFERENCES[0], Some(300), &long, Some(300)),
            // A file, whatever it holds.
            ("application/json", Some(300), "{}", Some(2)),
        ] {
            let units = DataCategory::of_item(&attachment(media_type, length, payload));
            let wanted = bytes.map(|bytes| vec![(DataCategory::Attachment, bytes), (DataCategory::AttachmentItem, 1)]);
            assert_eq!(units, wanted.unwrap_or_default(), "{media_type} {payload}");
        }
    }
}
