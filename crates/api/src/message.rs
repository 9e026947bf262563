//! Messages of producers that come over HTTP: what they leave out is filled in, then they are checked like those of the
//! topic `ingest-occurrences` and become records of it (`reference/issue-platform.md` §2, §3).

use md5::{Digest as _, Md5};
use nuthatch_issues::{DecodeError, DecodeReason, TopicRecord};
use nuthatch_protocol::{EventId, Partition, ProjectId, Timestamp, TypeId};
use nuthatch_store::{issue_types::IssueTypes, log::NewRecord};
use serde_json::{Map, Value, json};

/// What kind of message an address takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Occurrence,
    StatusChange,
}

impl Kind {
    fn payload_type(self) -> &'static str {
        match self {
            Self::Occurrence => "occurrence",
            Self::StatusChange => "status_change",
        }
    }
}

/// What messages are completed with and checked against.
pub(crate) struct Desk<'a> {
    pub(crate) kind: Kind,
    /// The project of the path.
    pub(crate) project: ProjectId,
    /// The types of its organization.
    pub(crate) types: &'a IssueTypes,
    pub(crate) now: Timestamp,
    /// Partitions of the topic.
    pub(crate) partitions: Partition,
}

/// A message that was accepted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Accepted {
    /// Its id, in its normal form.
    pub(crate) id: String,
    pub(crate) partition: Partition,
    pub(crate) record: NewRecord,
}

impl Desk<'_> {
    /// Completes and checks a message; `id` is for one that comes without.
    pub(crate) fn accept(&self, item: Value, id: EventId) -> Result<Accepted, DecodeError> {
        let Value::Object(mut message) = item else { return Err(refused("$", "expected an object")) };
        self.settle_project(&mut message)?;
        self.settle_kind(&mut message)?;
        fill(&mut message, "id", || json!(id));
        if self.kind == Kind::Occurrence {
            self.settle_type(&mut message)?;
            self.complete(&mut message);
        }
        let text = message.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        // Status changes may have any id.
        let normal = text.parse::<EventId>().ok().filter(|_| self.kind == Kind::Occurrence);
        if let Some(normal) = normal {
            message.insert("id".to_owned(), json!(normal));
        }
        let id = normal.map_or(text, |normal| normal.to_string());
        let TopicRecord { partition, key, value } = TopicRecord::of(&message, self.now, self.partitions)?;
        Ok(Accepted { id, partition, record: NewRecord { key, value: value.into() } })
    }

    /// The path decides about the project.
    fn settle_project(&self, message: &mut Map<String, Value>) -> Result<(), DecodeError> {
        fill(message, "project_id", || json!(self.project));
        if message.get("project_id").and_then(Value::as_f64) == Some(self.project.0 as f64) {
            return Ok(());
        }
        Err(refused("$.project_id", format!("expected {}, the project of the address, or nothing", self.project)))
    }

    fn settle_kind(&self, message: &mut Map<String, Value>) -> Result<(), DecodeError> {
        let kind = self.kind.payload_type();
        fill(message, "payload_type", || json!(kind));
        if message.get("payload_type") == Some(&json!(kind)) {
            return Ok(());
        }
        Err(refused("$.payload_type", format!("expected {kind:?} at this address, or nothing")))
    }

    /// A slug becomes the number; either must be that of a type.
    fn settle_type(&self, message: &mut Map<String, Value>) -> Result<(), DecodeError> {
        let Some(given) = message.get("type").filter(|given| !given.is_null()) else { return Ok(()) };
        let known = match given {
            Value::String(slug) => self.types.by_slug(slug),
            // What is no number is refused by the decoder.
            Value::Number(number) => match number.as_f64().filter(|number| number.fract() == 0.0) {
                Some(number) if (0.0..=f64::from(u32::MAX)).contains(&number) => {
                    self.types.by_id(TypeId(number as u32))
                }
                _ => None,
            },
            _ => return Ok(()),
        };
        let unknown = || refused("$.type", format!("issue type {given} does not exist: define it, or correct `type`"));
        let id = known.ok_or_else(unknown)?.id;
        message.insert("type".to_owned(), json!(id));
        Ok(())
    }

    /// Fills in what follows from the rest: an event of its own gets the id of the occurrence.
    fn complete(&self, message: &mut Map<String, Value>) {
        fill(message, "detection_time", || json!(self.now.as_secs_f64()));
        let is_without_event = is_absent(message, "event");
        if is_without_event && !is_absent(message, "event_id") {
            return;
        }
        let id = message.get("id").cloned().unwrap_or_default();
        let time = message.get("detection_time").cloned().unwrap_or_default();
        fill(message, "event", || json!({}));
        let Some(Value::Object(event)) = message.get_mut("event") else { return };
        let is_named = !is_absent(event, "event_id");
        fill(event, "project_id", || json!(self.project));
        fill(event, "platform", || json!("other"));
        fill(event, "timestamp", || time);
        fill(event, "received", || json!(self.now.as_secs_f64()));
        if !is_named {
            fill(message, "event_id", || id);
        }
    }
}

/// The id of a message that comes without: the same one for the same place in a repeated request, so that what was
/// accepted before is recognised.
pub(crate) fn repeatable_id(kind: Kind, project: ProjectId, idempotency_key: &str, index: usize) -> EventId {
    let name = format!("{}/{project}/{index}/{idempotency_key}", kind.payload_type());
    uuid(Md5::digest(name.as_bytes()).into(), 3)
}

/// A UUID (RFC 9562) of a version from its bytes.
pub(crate) fn uuid(mut bytes: [u8; 16], version: u8) -> EventId {
    bytes[6] = bytes[6] & 0x0f | version << 4;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    EventId(bytes)
}

/// Null and empty text say as little as nothing.
fn is_absent(object: &Map<String, Value>, key: &str) -> bool {
    object.get(key).is_none_or(|value| value.is_null() || value == "")
}

fn fill(object: &mut Map<String, Value>, key: &str, value: impl FnOnce() -> Value) {
    if is_absent(object, key) {
        object.insert(key.to_owned(), value());
    }
}

fn refused(path: &str, message: impl Into<String>) -> DecodeError {
    DecodeError { reason: DecodeReason::InvalidPayload, path: path.to_owned(), message: message.into() }
}
