//! Dead letters.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use nuthatch_store::dead_letters::{Letter, StoredLetter};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Most bytes of a payload that are shown.
pub(crate) const PAYLOAD_SHOWN_MAX_BYTES: usize = 256 * 1024;

/// A message that was accepted and could not be handled.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeadLetter {
    pub(crate) id: String,
    /// The id that the sender was answered.
    #[serde(rename = "eventID")]
    pub(crate) event_id: Option<String>,
    /// Stable word for the cause.
    pub(crate) reason: String,
    /// What was wrong, for people.
    pub(crate) message: String,
    /// Where in the payload: a JSON path or a byte offset.
    pub(crate) place: Option<String>,
    /// Where the record was: topic, partition and offset.
    pub(crate) source: String,
    /// When it was refused.
    pub(crate) date_created: String,
    /// Bytes of the record; 0 when nothing is left of it.
    pub(crate) size: u64,
    /// A replay was asked for and is not done.
    pub(crate) replay_requested: bool,
}

impl From<&Letter> for DeadLetter {
    fn from(letter: &Letter) -> Self {
        let header = &letter.header;
        Self {
            id: letter.id.to_string(),
            event_id: header.event_id.map(|id| id.to_string()),
            reason: header.reason.clone(),
            message: header.message.clone(),
            place: header.place.clone(),
            source: header.source.to_string(),
            date_created: header.at.to_string(),
            size: letter.bytes,
            replay_requested: letter.replay_requested,
        }
    }
}

/// How the bytes of a payload are written.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PayloadEncoding {
    /// As they are: they are UTF-8.
    Text,
    /// As Base64: they are not.
    Base64,
}

/// A dead letter with what it holds.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeadLetterDetail {
    #[serde(flatten)]
    pub(crate) letter: DeadLetter,
    /// What was known when the message was accepted.
    #[schema(value_type = Option<Object>)]
    pub(crate) header: Option<Map<String, Value>>,
    /// The payload, at most 256 KiB of it.
    pub(crate) payload: String,
    pub(crate) encoding: PayloadEncoding,
    /// Bytes of the whole payload.
    pub(crate) payload_size: u64,
    /// The payload goes on behind what is shown.
    pub(crate) truncated: bool,
}

impl From<&StoredLetter> for DeadLetterDetail {
    fn from(stored: &StoredLetter) -> Self {
        let (header, payload) = stored.content();
        let header = header.and_then(|header| match serde_json::to_value(header) {
            Ok(Value::Object(members)) => Some(members),
            _ => None,
        });
        let (shown, encoding) = match std::str::from_utf8(&payload) {
            Ok(text) => (text[..text.floor_char_boundary(PAYLOAD_SHOWN_MAX_BYTES)].to_owned(), PayloadEncoding::Text),
            Err(_) => {
                let bytes = &payload[..payload.len().min(PAYLOAD_SHOWN_MAX_BYTES)];
                (BASE64_STANDARD.encode(bytes), PayloadEncoding::Base64)
            }
        };
        Self {
            letter: (&stored.letter).into(),
            header,
            payload: shown,
            encoding,
            payload_size: payload.len() as u64,
            truncated: payload.len() > PAYLOAD_SHOWN_MAX_BYTES,
        }
    }
}

/// How many dead letters there are for a reason.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeadLetterReason {
    pub(crate) reason: String,
    pub(crate) count: u64,
}

/// How many dead letters a request was about.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeadLettersChanged {
    pub(crate) count: u64,
}

/// How to replay.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ReplayRequest {
    /// What takes the place of the payload; absent: it stays as it is.
    pub(crate) payload: Option<String>,
}
