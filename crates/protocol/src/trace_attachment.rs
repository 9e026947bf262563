//! Attachments of traces: JSON that says what they are, and behind it the file (`reference/ingest-protocol.md` §7.2).

use bytes::Bytes;

use crate::{Item, ItemAttributes, ItemType, media_type};

/// The media type that makes an attachment one of a trace.
pub const TRACE_ATTACHMENT: &str = "application/vnd.sentry.trace-attachment";

/// Longest JSON in front of the file, in bytes. What SDKs write takes a few hundred.
pub const TRACE_ATTACHMENT_META_MAX_BYTES: usize = 64 * 1024;

/// Whether an item is an attachment that belongs to a trace rather than to an event.
pub fn is_of_trace(item_type: &ItemType, attributes: &ItemAttributes) -> bool {
    let said = attributes.content_type.as_deref();
    *item_type == ItemType::Attachment && said.is_some_and(|said| media_type(said) == TRACE_ATTACHMENT)
}

/// The two parts of an attachment of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceAttachmentParts {
    /// JSON that says what the file is and to which trace it belongs; not looked at.
    pub meta: Bytes,
    /// The file.
    pub file: Bytes,
}

impl Item {
    /// Whether it is an attachment of a trace.
    pub fn is_of_trace(&self) -> bool {
        is_of_trace(&self.item_type, &self.attributes)
    }

    /// Whether it is kept under the id of the envelope: [`ItemType::has_event_id`].
    pub fn has_event_id(&self) -> bool {
        self.item_type.has_event_id() && !self.is_of_trace()
    }

    /// Whether the envelope needs an event id for it: [`ItemType::needs_event_id`].
    pub fn needs_event_id(&self) -> bool {
        self.item_type.needs_event_id() && !self.is_of_trace()
    }

    /// The parts of an attachment of a trace, without copying; `None` for other items, and when the header does not say
    /// where the JSON ends, or says what cannot be.
    pub fn trace_attachment(&self) -> Option<TraceAttachmentParts> {
        let length = self.attributes.meta_length.filter(|_| self.is_of_trace())? as usize;
        let is_sound = length <= TRACE_ATTACHMENT_META_MAX_BYTES && length <= self.payload.len();
        is_sound.then(|| {
            let mut file = self.payload.clone();
            TraceAttachmentParts { meta: file.split_to(length), file }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(content_type: &str, meta_length: Option<u32>, payload: &str) -> Option<(String, String)> {
        let content_type = Some(content_type.to_owned());
        let attributes = ItemAttributes { content_type, meta_length, ..ItemAttributes::default() };
        let item = Item { attributes, ..Item::new(ItemType::Attachment, payload.to_owned()) };
        let text = |bytes: Bytes| String::from_utf8_lossy(&bytes).into_owned();
        item.trace_attachment().map(|parts| (text(parts.meta), text(parts.file)))
    }

    #[test]
    fn an_attachment_of_a_trace_is_split_where_its_header_says() {
        let both = |meta: &str, file: &str| Some((meta.to_owned(), file.to_owned()));
        assert_eq!(parts(TRACE_ATTACHMENT, Some(2), "{}file"), both("{}", "file"));
        assert_eq!(parts(&format!("{}; x=1", TRACE_ATTACHMENT.to_uppercase()), Some(2), "{}"), both("{}", ""));
        assert_eq!(parts(TRACE_ATTACHMENT, Some(3), "{}"), None);
        assert_eq!(parts(TRACE_ATTACHMENT, Some(u32::MAX), "{}"), None);
        assert_eq!(parts(TRACE_ATTACHMENT, None, "{}file"), None);
        assert_eq!(parts("text/plain", Some(2), "{}file"), None);
        let (long, meta_length) = (" ".repeat(TRACE_ATTACHMENT_META_MAX_BYTES + 1), TRACE_ATTACHMENT_META_MAX_BYTES);
        assert!(parts(TRACE_ATTACHMENT, Some(meta_length as u32), &long).is_some());
        assert_eq!(parts(TRACE_ATTACHMENT, Some(meta_length as u32 + 1), &long), None);
    }
}
