//! What a record of the log holds: a JSON header on one line, LF, then the payload untouched. The payload is
//! the bulk and is never parsed on the way in.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    DataCategory, EventId, ItemAttributes, KeyId, LetterId, Origin, Position, ProjectId, StoredPayload, Timestamp,
    Units,
};

/// One accepted item, as intake appends it to the log.
#[derive(Debug, Clone, PartialEq)]
pub struct IngestRecord {
    /// What intake knew when it answered.
    pub header: IngestHeader,
    /// The item's payload, decompressed, byte for byte as sent.
    pub payload: Bytes,
}

/// What newer browsers say of themselves in headers of their own, because their `User-Agent` says the same for all (§5.3).
/// Each is as it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ClientHints {
    /// `Sec-CH-UA`: a list of brands with versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brands: Option<String>,
    /// `Sec-CH-UA-Platform`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// `Sec-CH-UA-Platform-Version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_version: Option<String>,
    /// `Sec-CH-UA-Model`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

impl ClientHints {
    /// The names of the headers, in the order of the fields.
    pub const HEADERS: [&str; 4] = ["Sec-CH-UA", "Sec-CH-UA-Platform", "Sec-CH-UA-Platform-Version", "Sec-CH-UA-Model"];

    /// Reads the hints, given how to find a header.
    pub fn read(header: impl Fn(&str) -> Option<String>) -> Self {
        let [brands, platform, platform_version, model] = Self::HEADERS.map(header);
        Self { brands, platform, platform_version, model }
    }

    /// The headers that were sent, by name.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let said = [&self.brands, &self.platform, &self.platform_version, &self.model];
        Self::HEADERS.into_iter().zip(said).filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }

    /// Whether nothing was sent.
    pub fn is_empty(&self) -> bool {
        self.headers().next().is_none()
    }
}

/// What intake knew of an item when it answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IngestHeader {
    /// The project of the key.
    pub project_id: ProjectId,
    /// The key that authenticated; 0 when it came over the web API, without one.
    pub key_id: KeyId,
    /// Id of the event it is or belongs to: envelope header, else payload, else random
    /// (`reference/ingest-protocol.md` §6). What belongs to no event has a random id of its own.
    pub event_id: EventId,
    /// The envelope item type (`event`); decides how the payload is read.
    pub item_type: String,
    /// What else the item's header said.
    #[serde(default, skip_serializing_if = "ItemAttributes::is_empty")]
    pub attributes: ItemAttributes,
    /// Where the payload is, when it is not in the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<StoredPayload>,
    /// The dead letter that it was, if it is a replay: as that it has its effect once, however often it is appended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub letter_id: Option<LetterId>,
    /// When the request was received, by the server's clock.
    pub received: Timestamp,
    /// When the client says it sent the envelope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
    /// Client address (§5.3), if it parses as one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ip: Option<std::net::IpAddr>,
    /// `User-Agent` of the request. Events do not look at it: theirs is among the headers of their own request (§5.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// Client hints of the request, beside its `User-Agent`.
    #[serde(default, skip_serializing_if = "ClientHints::is_empty")]
    pub client_hints: ClientHints,
    /// `sentry_client`, for instance `sentry.python/2.75.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Protocol version from the authentication, `7` when absent.
    #[serde(default = "default_version")]
    pub version: String,
}

fn default_version() -> String {
    "7".to_owned()
}

/// Bytes that are not a record of the log.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The header line does not end.
    #[error("record has no header line")]
    NoHeader,
    /// The header line is not the JSON it should be.
    #[error("record header: {0}")]
    Header(#[from] serde_json::Error),
}

impl IngestRecord {
    /// What it counts as, when no more of it is known than its header says.
    pub fn units(&self) -> Units {
        let Self { header, payload } = self;
        let key_id = Some(header.key_id).filter(|id| *id != KeyId::default());
        let origin = Origin { received: header.received, project_id: Some(header.project_id), key_id };
        let bytes = header.blob.map_or(payload.len() as u64, |stored| stored.bytes);
        let counts = DataCategory::of(&header.item_type.as_str().into(), &header.attributes, bytes);
        Units { origin, counts }
    }

    /// An event that nobody sent, as if it had been received now: to try rules on. Its id is the payload's, or nil.
    pub fn trial(payload: Bytes, received: Timestamp) -> Self {
        let event: serde_json::Value = serde_json::from_slice(&payload).unwrap_or_default();
        let event_id = event.get("event_id").and_then(|id| id.as_str()?.parse().ok()).unwrap_or(EventId([0; 16]));
        let header = IngestHeader {
            project_id: ProjectId(1),
            key_id: KeyId(1),
            event_id,
            item_type: "event".to_owned(),
            attributes: ItemAttributes::default(),
            blob: None,
            letter_id: None,
            received,
            sent_at: None,
            client_ip: None,
            user_agent: None,
            client_hints: ClientHints::default(),
            client: None,
            version: default_version(),
        };
        Self { header, payload }
    }

    /// The bytes that go to the log.
    pub fn encode(&self) -> Bytes {
        encode(&self.header, &self.payload)
    }

    /// Reads what [`Self::encode`] wrote, without copying the payload.
    pub fn decode(bytes: &Bytes) -> Result<Self, RecordError> {
        let (header, payload) = decode(bytes)?;
        Ok(Self { header, payload })
    }
}

/// A message that was accepted and could not be handled, with all that is needed to look at it and replay it.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadLetter {
    /// Why, and where it came from.
    pub header: DeadLetterHeader,
    /// The record as it was in the log.
    pub original: Bytes,
}

/// Why a message was refused, and where it came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeadLetterHeader {
    /// Where the record was; also its identity, so that a replay after a crash adds nothing.
    pub source: Position,
    /// The project, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<ProjectId>,
    /// The event, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<EventId>,
    /// Stable word for the cause, for instance `invalid_json`.
    pub reason: String,
    /// What was wrong, for people.
    pub message: String,
    /// Where in the payload: a JSON path or a byte offset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// When it was refused.
    pub at: Timestamp,
}

impl DeadLetter {
    /// The bytes that go to the log.
    pub fn encode(&self) -> Bytes {
        encode(&self.header, &self.original)
    }

    /// Reads what [`Self::encode`] wrote.
    pub fn decode(bytes: &Bytes) -> Result<Self, RecordError> {
        let (header, original) = decode(bytes)?;
        Ok(Self { header, original })
    }
}

fn encode(header: &impl Serialize, payload: &Bytes) -> Bytes {
    // A header of plain strings and numbers always serialises; an empty one would fail to decode and be reported.
    let mut out = serde_json::to_vec(header).unwrap_or_default();
    out.reserve_exact(payload.len() + 1);
    out.push(b'\n');
    out.extend_from_slice(payload);
    Bytes::from(out)
}

fn decode<H: for<'de> Deserialize<'de>>(bytes: &Bytes) -> Result<(H, Bytes), RecordError> {
    let end = bytes.iter().position(|b| *b == b'\n').ok_or(RecordError::NoHeader)?;
    Ok((serde_json::from_slice(&bytes[..end])?, bytes.slice(end + 1..)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BlobId, Sha1};

    #[test]
    fn a_record_comes_back_as_it_went() {
        let record = IngestRecord {
            header: IngestHeader {
                project_id: ProjectId(1),
                key_id: KeyId(2),
                event_id: EventId([7; 16]),
                item_type: "event".to_owned(),
                attributes: ItemAttributes { filename: Some("a.txt".to_owned()), ..ItemAttributes::default() },
                blob: Some(StoredPayload { id: BlobId([9; 16]), bytes: 5, sha1: Sha1([3; 20]) }),
                letter_id: None,
                received: Timestamp(1_700_000_000_000_001),
                user_agent: Some("curl/8".to_owned()),
                client_hints: ClientHints { model: Some("Pixel 9".to_owned()), ..ClientHints::default() },
                sent_at: None,
                client_ip: Some([127, 0, 0, 1].into()),
                client: Some("sentry.python/2.75.0".to_owned()),
                version: "7".to_owned(),
            },
            payload: Bytes::from_static(b"{\"a\":\n1}\n"),
        };
        assert_eq!(IngestRecord::decode(&record.encode()).expect("decodes"), record);
        assert!(IngestRecord::decode(&Bytes::from_static(b"{}")).is_err());
        assert!(IngestRecord::decode(&Bytes::from_static(b"{}\n")).is_err());
    }
}
