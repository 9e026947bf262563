//! A producer's message as a record of the topic `ingest-occurrences` (`reference/issue-platform.md` §2).

use md5::{Digest as _, Md5};
use nuthatch_protocol::{EventId, Partition, ProjectId, Timestamp};
use serde_json::{Map, Value};

use super::{DecodeError, Decoded, decode};

/// A message as it is appended to the topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicRecord {
    /// Messages with the same project and first fingerprint part keep their order: they share a partition.
    pub partition: Partition,
    /// The event of an occurrence that brings one, so that others which only name it find it; else the id of the message.
    pub key: [u8; 16],
    /// The message as JSON.
    pub value: Vec<u8>,
}

impl TopicRecord {
    /// The record of a message, for a topic of so many partitions.
    ///
    /// # Errors
    ///
    /// What [`decode()`] finds wrong with the message.
    pub fn of(message: &Map<String, Value>, now: Timestamp, partitions: Partition) -> Result<Self, DecodeError> {
        let value = serde_json::to_vec(message).unwrap_or_default();
        let decoded = decode(&value, now)?;
        let key = match &decoded {
            Decoded::Occurrence { occurrence, .. } => occurrence.event_id.0,
            Decoded::Lookup(_) | Decoded::StatusChange(_) | Decoded::Unknown(_) => key_of_id(message),
        };
        let partition = partition(message, decoded.project_id(), partitions);
        Ok(Self { partition, key, value })
    }
}

/// The id, or the MD5 of its text when it is no UUID.
fn key_of_id(message: &Map<String, Value>) -> [u8; 16] {
    let text = message.get("id").and_then(Value::as_str).unwrap_or_default();
    text.parse::<EventId>().map_or_else(|_| Md5::digest(text.as_bytes()).into(), |id| id.0)
}

fn partition(message: &Map<String, Value>, project: ProjectId, partitions: Partition) -> Partition {
    let part = message.get("fingerprint").and_then(|parts| parts.get(0)).and_then(Value::as_str);
    let key = format!("{}-{project}", part.unwrap_or_default());
    let [a, b, c, d, ..] = <[u8; 16]>::from(Md5::digest(key.as_bytes()));
    // The remainder is below a partition number.
    (u32::from_be_bytes([a, b, c, d]) % u32::from(partitions.max(1))) as Partition
}
