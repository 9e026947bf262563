//! A producer's JSON becomes a message, each on its own (`reference/issue-platform.md` §3, §12, with the leniencies of
//! §14.11–18 and §14.26).

mod event;
mod object;
mod occurrence;
mod record;
mod schema;

use md5::{Digest, Md5};
use nuthatch_protocol::{
    EventId, EventPath, Hash, Occurrence, ProjectId, StatusChange, Timestamp, TypeId, UnknownMessage,
    occurrence::EventFacts,
};
use serde_json::{Map, Value};

pub use self::event::user as event_user;
use self::object::Object;
pub use self::record::TopicRecord;

/// Most parts of a fingerprint.
pub const FINGERPRINT_PARTS_MAX: usize = 1000;

/// A message, read and checked.
#[derive(Debug, Clone, PartialEq)]
pub enum Decoded {
    /// An occurrence with its event.
    Occurrence {
        /// What the issue platform handles.
        occurrence: Box<Occurrence>,
        /// The event that came with it.
        event: EmbeddedEvent,
    },
    /// An occurrence of an event that was stored before.
    Lookup(LookupOccurrence),
    /// A status change.
    StatusChange(StatusChange),
    /// A message of a kind nobody knows.
    Unknown(UnknownMessage),
}

impl Decoded {
    /// The project that the message names, whether or not there is one.
    pub fn project_id(&self) -> ProjectId {
        match self {
            Self::Occurrence { occurrence, .. } | Self::Lookup(LookupOccurrence { occurrence }) => {
                occurrence.project_id
            }
            Self::StatusChange(change) => change.project_id,
            Self::Unknown(unknown) => unknown.project_id,
        }
    }

    /// The issue type that an occurrence names, whether or not there is one.
    pub fn type_id(&self) -> Option<TypeId> {
        match self {
            Self::Occurrence { occurrence, .. } | Self::Lookup(LookupOccurrence { occurrence }) => {
                Some(occurrence.type_id)
            }
            Self::StatusChange(_) | Self::Unknown(_) => None,
        }
    }
}

/// The event that comes with an occurrence.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddedEvent {
    /// The keys that are taken over (§3.5), with the id and level they have from here on.
    pub body: Map<String, Value>,
    /// Whether only the older schema understands it (§3.5).
    pub is_legacy: bool,
}

/// An occurrence whose event has to be looked up before it can be handled.
#[derive(Debug, Clone, PartialEq)]
pub struct LookupOccurrence {
    /// Complete but for `event`, of which nothing is known yet.
    occurrence: Box<Occurrence>,
}

impl LookupOccurrence {
    /// Where to look: the project and the event.
    pub fn event(&self) -> (ProjectId, EventId) {
        (self.occurrence.project_id, self.occurrence.event_id)
    }

    /// The occurrence, once the event is found.
    pub fn found(self, event: EventFacts) -> Occurrence {
        Occurrence { event, path: EventPath::Found, ..*self.occurrence }
    }

    /// The occurrence of an event that is nowhere: it will be refused, unless something else stops it before.
    pub fn missing(self) -> Occurrence {
        *self.occurrence
    }
}

/// Why a message cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct DecodeError {
    /// The kind.
    pub reason: DecodeReason,
    /// The place, as a JSON path (`$.event.tags[2]`).
    pub path: String,
    /// What is wrong there.
    pub message: String,
}

/// Kinds of messages that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DecodeReason {
    /// Not JSON.
    MalformedJson,
    /// Something is missing or wrong.
    InvalidPayload,
    /// The event that came with it is not one.
    InvalidEvent,
}

impl DecodeReason {
    /// The stable word: for counters, logs, dead letters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MalformedJson => "malformed_json",
            Self::InvalidPayload => "invalid_payload",
            Self::InvalidEvent => "event_schema_invalid",
        }
    }
}

/// Reads a message. `now` stands in for the time of receipt where the event names none.
///
/// # Errors
///
/// The first thing that is wrong, and where. Whether project and issue type exist is not known here.
pub fn decode(bytes: &[u8], now: Timestamp) -> Result<Decoded, DecodeError> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| DecodeError {
        reason: DecodeReason::MalformedJson,
        path: "$".to_owned(),
        message: error.to_string(),
    })?;
    let message = Object::root(&value)?;
    let envelope = Envelope::read(&message)?;
    match message.get("payload_type") {
        None => occurrence::decode(&message, envelope, now),
        Some(Value::String(kind)) if kind == "occurrence" => occurrence::decode(&message, envelope, now),
        Some(Value::String(kind)) if kind == "status_change" => {
            status_change(&message, envelope).map(Decoded::StatusChange)
        }
        Some(kind) => {
            let kind = kind.as_str().map_or_else(|| kind.to_string(), str::to_owned);
            let Envelope { id, project_id, hashes } = envelope;
            Ok(Decoded::Unknown(UnknownMessage { id, project_id, hashes, kind }))
        }
    }
}

/// What every message has (§14.1).
struct Envelope {
    id: String,
    project_id: ProjectId,
    hashes: Vec<Hash>,
}

impl Envelope {
    fn read(message: &Object<'_>) -> Result<Self, DecodeError> {
        let id = message.text("id")?.to_owned();
        let project_id = match u64::try_from(message.integer("project_id")?) {
            Ok(number) if number > 0 => ProjectId(number),
            _ => return Err(message.error("project_id", "expected a positive number")),
        };
        let parts = message.list("fingerprint")?;
        if parts.is_empty() || parts.len() > FINGERPRINT_PARTS_MAX {
            let expected = format!("expected 1 to {FINGERPRINT_PARTS_MAX} parts, found {}", parts.len());
            return Err(message.error("fingerprint", expected));
        }
        let hash = |(index, part): (usize, &Value)| match part {
            Value::String(text) => Ok(Hash(Md5::digest(text.as_bytes()).into())),
            _ => Err(message.error(&format!("fingerprint[{index}]"), "expected text")),
        };
        let hashes = parts.iter().enumerate().map(hash).collect::<Result<_, _>>()?;
        Ok(Self { id, project_id, hashes })
    }
}

/// Reads what a status change has besides (§3.6). Which statuses are legal is decided when it is handled.
fn status_change(message: &Object<'_>, envelope: Envelope) -> Result<StatusChange, DecodeError> {
    Ok(StatusChange {
        id: envelope.id,
        project_id: envelope.project_id,
        hashes: envelope.hashes,
        new_status: message.integer("new_status")?,
        new_substatus: message.optional_integer("new_substatus")?,
        detector_id: message.optional_integer("detector_id")?,
        activity_data: message.optional_object("activity_data")?.map(|data| Value::Object(data.map.clone())),
    })
}
