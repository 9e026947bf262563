//! The envelope: a header line, then items, each a header line and a payload (`reference/ingest-protocol.md` §6).
//! Read without copying payloads: they are slices of the body.

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{Dsn, EventId, ItemType, Timestamp, Upload};

/// Most items in an envelope. SDKs send a handful; the largest sum of the limits of §5.2 is below 300.
pub const ITEMS_MAX: usize = 1000;

/// Longest header line, of the envelope or of an item, in bytes.
pub const HEADER_MAX_BYTES: usize = 64 * 1024;

/// What one request carries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Envelope {
    /// The first line.
    pub header: EnvelopeHeader,
    /// The items, in order.
    pub items: Vec<Item>,
}

/// What the first line says. Keys meant for relays only (`remote_addr`, `forwarded_for`, …) are ignored: they would
/// let a client choose its own address.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EnvelopeHeader {
    /// Id of the event the envelope is about; wins over the payload's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<EventId>,
    /// Authentication of clients that can set neither header nor query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dsn: Option<Dsn>,
    /// When the client sent it, by its own clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
    /// The trace that the envelope's events belong to (§15).
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceHeader>,
}

/// What the first line says about the trace; sampling happens in SDKs, so most of it does not matter here.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TraceHeader {
    /// The replay that was recorded meanwhile.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub replay_id: Option<EventId>,
}

/// One item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What the payload is.
    pub item_type: ItemType,
    /// The payload, untouched.
    pub payload: Bytes,
    /// What else the item's header says.
    pub attributes: ItemAttributes,
    /// Where the item's header starts in the body, in bytes. Only for messages; not written.
    pub offset: usize,
    /// The uploaded file that takes the place of the payload: found by intake, not written.
    pub upload: Option<Upload>,
}

/// What the header of an item says besides type and length. A value of the wrong shape counts as absent, because only
/// the grammar can refuse an envelope.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ItemAttributes {
    /// Media type of the payload; tells containers of entries apart (§7.12).
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Name of an attached file.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// What an attachment is (§7.2).
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub attachment_type: Option<String>,
    /// Platform of a profile or a chunk of one; of a profile, intake takes it from the payload.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Entries of a container, as the client counts them.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub item_count: Option<u32>,
    /// Bytes of the JSON in front of a trace attachment ([`crate::trace_attachment`]).
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub meta_length: Option<u32>,
    /// Bytes of the file that an attachment refers to ([`crate::upload`]).
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub attachment_length: Option<u64>,
    /// Span of a trace attachment.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub span_id: Option<String>,
    /// The replay that was recorded meanwhile: intake takes it from the envelope's trace (§15).
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub replay_id: Option<EventId>,
    /// The profile that came with a transaction: intake takes it from the profile (§7.10).
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub profile_id: Option<EventId>,
}

impl ItemAttributes {
    /// Whether the header says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[derive(Serialize, Deserialize)]
struct ItemHeader {
    #[serde(rename = "type")]
    item_type: ItemType,
    #[serde(default)]
    length: Option<u32>,
    #[serde(flatten)]
    attributes: ItemAttributes,
}

/// A value, if it has the right shape.
fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).ok())
}

/// Why bytes are not an envelope, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{fault} at byte {offset}")]
pub struct EnvelopeError {
    /// Where in the body, in bytes.
    pub offset: usize,
    /// What.
    pub fault: EnvelopeFault,
}

/// What is wrong with an envelope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeFault {
    /// Nothing there at all.
    #[error("empty envelope")]
    Empty,
    /// A header line is not the JSON object it should be.
    #[error("invalid header: {0}")]
    Header(String),
    /// A header is not followed by a line feed at once.
    #[error("header does not end with its closing brace and a line feed")]
    HeaderEnd,
    /// A header is longer than [`HEADER_MAX_BYTES`].
    #[error("header longer than {HEADER_MAX_BYTES} bytes")]
    HeaderTooLong,
    /// The payload is shorter than its header says.
    #[error("unexpected end: payload of {length} bytes expected, {left} left")]
    PayloadTruncated {
        /// What the header says.
        length: usize,
        /// What is there.
        left: usize,
    },
    /// The payload is longer than its header says.
    #[error("no line feed after the payload")]
    PayloadEnd,
    /// More than [`ITEMS_MAX`].
    #[error("more than {ITEMS_MAX} items")]
    TooManyItems,
}

impl EnvelopeFault {
    /// Whether the bytes may be well formed but exceed a bound, rather than being malformed.
    pub fn is_limit(&self) -> bool {
        matches!(self, Self::HeaderTooLong | Self::TooManyItems)
    }
}

impl Envelope {
    /// Reads an envelope. Payloads share the body's memory.
    pub fn parse(body: &Bytes) -> Result<Self, EnvelopeError> {
        let mut cursor = Cursor { body, at: 0 };
        let header = cursor.header()?;
        let mut items = Vec::new();
        while cursor.skip_white_space() {
            if items.len() == ITEMS_MAX {
                return Err(cursor.error(EnvelopeFault::TooManyItems));
            }
            items.push(cursor.item()?);
        }
        Ok(Self { header, items })
    }

    /// Reads the first line only: enough to authenticate.
    pub fn parse_header(body: &Bytes) -> Result<EnvelopeHeader, EnvelopeError> {
        Cursor { body, at: 0 }.header()
    }

    /// Writes the envelope with explicit lengths, so that payloads may hold anything.
    pub fn encode(&self) -> Bytes {
        // Headers of ids, texts and numbers always serialise.
        let line = |value: serde_json::Result<Vec<u8>>| value.unwrap_or_default();
        let mut out = line(serde_json::to_vec(&self.header));
        for item in &self.items {
            let length = u32::try_from(item.payload.len()).ok();
            let header = ItemHeader { item_type: item.item_type.clone(), length, attributes: item.attributes.clone() };
            out.push(b'\n');
            out.extend(line(serde_json::to_vec(&header)));
            out.push(b'\n');
            out.extend_from_slice(&item.payload);
        }
        Bytes::from(out)
    }
}

impl Item {
    /// An item to send.
    pub fn new(item_type: ItemType, payload: impl Into<Bytes>) -> Self {
        Self { item_type, payload: payload.into(), attributes: ItemAttributes::default(), offset: 0, upload: None }
    }
}

/// A place in the body.
struct Cursor<'b> {
    body: &'b Bytes,
    at: usize,
}

impl Cursor<'_> {
    fn error(&self, fault: EnvelopeFault) -> EnvelopeError {
        EnvelopeError { offset: self.at, fault }
    }

    /// Moves over white space; whether anything is left.
    fn skip_white_space(&mut self) -> bool {
        let rest = &self.body[self.at..];
        self.at += rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.at < self.body.len()
    }

    /// Index of the next line feed, or the end.
    fn line_end(&self) -> usize {
        let rest = &self.body[self.at..];
        rest.iter().position(|byte| *byte == b'\n').map_or(self.body.len(), |length| self.at + length)
    }

    fn header(&mut self) -> Result<EnvelopeHeader, EnvelopeError> {
        if !self.skip_white_space() {
            return Err(EnvelopeError { offset: 0, fault: EnvelopeFault::Empty });
        }
        self.header_line()
    }

    /// Reads a JSON object up to its line feed and steps behind that.
    fn header_line<'s, T: Deserialize<'s>>(&'s mut self) -> Result<T, EnvelopeError> {
        let Self { body, at } = *self;
        let error = |offset, fault| EnvelopeError { offset, fault };
        // The bound keeps a body without line feeds from being searched and parsed as one header.
        let window = &body[at..body.len().min(at + HEADER_MAX_BYTES + 1)];
        let length = match window.iter().position(|byte| *byte == b'\n') {
            Some(length) => length,
            None if window.len() > HEADER_MAX_BYTES => return Err(error(at, EnvelopeFault::HeaderTooLong)),
            None => window.len(),
        };
        let line = &window[..length];
        if line.first() != Some(&b'{') {
            return Err(error(at, EnvelopeFault::Header("expected a JSON object".to_owned())));
        }
        let header = serde_json::from_slice(line).map_err(|cause| {
            let offset = at + cause.column().saturating_sub(1).min(length);
            error(offset, EnvelopeFault::Header(reason(&cause)))
        })?;
        // JSON allows white space here, the grammar does not: a carriage return would become part of the framing.
        if line.last() != Some(&b'}') {
            return Err(error(at + length - 1, EnvelopeFault::HeaderEnd));
        }
        self.at = (at + length + 1).min(body.len());
        Ok(header)
    }

    fn item(&mut self) -> Result<Item, EnvelopeError> {
        let offset = self.at;
        let ItemHeader { item_type, length, attributes } = self.header_line()?;
        let end = match length {
            None => self.line_end(),
            Some(length) => {
                let (length, left) = (length as usize, self.body.len() - self.at);
                if length > left {
                    return Err(self.error(EnvelopeFault::PayloadTruncated { length, left }));
                }
                self.at + length
            }
        };
        let payload = self.body.slice(self.at..end);
        self.at = end;
        match self.body.get(end) {
            None => {}
            Some(b'\n') => self.at += 1,
            Some(_) => return Err(self.error(EnvelopeFault::PayloadEnd)),
        }
        Ok(Item { item_type, payload, attributes, offset, upload: None })
    }
}

/// What the JSON reader says, without its line number (always 1) and bounded, as it may quote the client.
fn reason(cause: &serde_json::Error) -> String {
    const REASON_MAX_CHARS: usize = 200;
    let text = cause.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    text.chars().take(REASON_MAX_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<Vec<(String, String)>, EnvelopeError> {
        let envelope = Envelope::parse(&Bytes::copy_from_slice(text.as_bytes()))?;
        let text = |item: &Item| String::from_utf8_lossy(&item.payload).into_owned();
        Ok(envelope.items.iter().map(|item| (item.item_type.to_string(), text(item))).collect())
    }

    fn item(item_type: &str, payload: &str) -> (String, String) {
        (item_type.to_owned(), payload.to_owned())
    }

    #[test]
    fn payloads_end_where_the_length_or_the_line_does() {
        for (text, items) in [
            ("{}", vec![]),
            ("{}\n\n \n", vec![]),
            ("{}\n{\"type\":\"a\",\"length\":3}\nx\ny\n", vec![item("a", "x\ny")]),
            ("{}\n{\"type\":\"a\",\"length\":3}\nx\ny", vec![item("a", "x\ny")]),
            (
                "{}\n{\"type\":\"a\"}\nxy\r\n{\"type\":\"b\",\"length\":null}\nz",
                vec![item("a", "xy\r"), item("b", "z")],
            ),
            ("{}\n{\"type\":\"a\",\"length\":0}\n\n\n{\"type\":\"b\"}", vec![item("a", ""), item("b", "")]),
            ("{}\n{\"type\":\"a\",\"length\":0}\n", vec![item("a", "")]),
        ] {
            assert_eq!(parse(text), Ok(items), "{text:?}");
        }
    }

    #[test]
    fn damage_is_named_with_its_place() {
        for (text, offset, fault) in [
            ("", 0, "empty"),
            (" \n", 0, "empty"),
            ("[]", 0, "object"),
            ("{}\r\n", 2, "closing brace"),
            ("{}\n{\"type\":1}\n", 3 + 8, "invalid type"),
            ("{}\n{\"length\":1}\nx", 3 + 11, "missing field `type`"),
            ("{}\n{\"type\":\"a\",\"length\":-1}\nx", 3 + 22, "invalid value"),
            ("{}\n{\"type\":\"a\",\"length\":5}\nxy", 27, "5 bytes expected, 2 left"),
            ("{}\n{\"type\":\"a\",\"length\":1}", 26, "1 bytes expected, 0 left"),
            ("{}\n{\"type\":\"a\",\"length\":1}\nxy", 28, "no line feed"),
            ("{\"event_id\":\"x\"}", 15, "not a UUID"),
            ("{\"sent_at\":\"2026-01-01T00:00:00Z\",\"sent_at\":null}", 42, "duplicate"),
        ] {
            let error = parse(text).expect_err(text);
            assert_eq!(error.offset, offset, "{text:?}: {error}");
            assert!(error.to_string().contains(fault), "{text:?}: {error}");
        }
    }

    #[test]
    fn headers_and_items_are_bounded() {
        let many = "{}".to_owned() + &"\n{\"type\":\"a\"}\n".repeat(ITEMS_MAX + 1);
        assert_eq!(parse(&many).expect_err("too many").fault, EnvelopeFault::TooManyItems);
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(HEADER_MAX_BYTES));
        assert_eq!(parse(&long).expect_err("too long").fault, EnvelopeFault::HeaderTooLong);
        let error = parse(&format!("{{}}\n{{\"type\":{}1", "[".repeat(10_000))).expect_err("nested");
        assert!(matches!(error.fault, EnvelopeFault::Header(_)));
    }

    #[test]
    fn payloads_share_the_memory_of_the_body() {
        let body = Bytes::from_static(b"{}\n{\"type\":\"event\"}\n{\"a\":1}");
        let envelope = Envelope::parse(&body).expect("well formed");
        assert_eq!(envelope.items[0].payload.as_ptr(), body[20..].as_ptr());
    }

    fn any_envelope() -> impl Strategy<Value = Envelope> {
        let item_type = prop_oneof![Just("event".to_owned()), "[a-z_]{1,12}", ".{0,8}"];
        let items = proptest::collection::vec((item_type, proptest::collection::vec(any::<u8>(), 0..200)), 0..6);
        let header = (any::<Option<[u8; 16]>>(), proptest::option::of(-1_000_000_000_000_i64..4_000_000_000_000_000));
        (header, items).prop_map(|((event_id, sent_at), items)| Envelope {
            header: EnvelopeHeader {
                event_id: event_id.map(EventId),
                dsn: None,
                sent_at: sent_at.map(Timestamp),
                trace: None,
            },
            items: items.into_iter().map(|(word, payload)| Item::new(word.as_str().into(), payload)).collect(),
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(envelope in any_envelope()) {
            let mut read = Envelope::parse(&envelope.encode()).expect("well formed");
            for item in &mut read.items {
                item.offset = 0;
            }
            prop_assert_eq!(read, envelope);
        }

        #[test]
        fn any_bytes_are_read_or_refused_inside_the_body(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let body = Bytes::from([b"{}\n{\"type\":\"event\"}\n".as_slice(), &bytes].concat());
            for body in [body, Bytes::from(bytes)] {
                if let Err(error) = Envelope::parse(&body) {
                    prop_assert!(error.offset <= body.len());
                }
            }
        }

        #[test]
        fn a_changed_byte_never_panics(envelope in any_envelope(), at: prop::sample::Index, byte: u8) {
            let mut bytes = envelope.encode().to_vec();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = Envelope::parse(&Bytes::from(bytes));
        }
    }
}
