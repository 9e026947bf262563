//! Messages of the issue platform in their decoded form (`reference/issue-platform.md` §3). Errors are built
//! as [`Occurrence`] directly; other producers send JSON, which the crate `issues` decodes into these.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{EventId, Hash, Level, ProjectId, Timestamp};

/// Number of an issue type; 1 is `error` (§9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TypeId(pub u32);

impl TypeId {
    /// Errors: grouped by their grouping hashes, not by a producer's fingerprint.
    pub const ERROR: Self = Self(1);

    /// What people write about an application (§9).
    pub const FEEDBACK: Self = Self(6001);
}

/// Priority of an issue (§10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// 25
    Low,
    /// 50
    Medium,
    /// 75
    High,
}

impl Priority {
    /// The stored number.
    pub fn number(self) -> u8 {
        match self {
            Self::Low => 25,
            Self::Medium => 50,
            Self::High => 75,
        }
    }

    /// The priority nearest to a number.
    pub fn nearest(number: i64) -> Self {
        match number {
            ..=37 => Self::Low,
            38..=62 => Self::Medium,
            _ => Self::High,
        }
    }

    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// A message of the issue platform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "payload_type", rename_all = "snake_case")]
pub enum Message {
    /// Something was found.
    Occurrence(Box<Occurrence>),
    /// An issue is to change its status.
    StatusChange(StatusChange),
    /// Of a kind nobody knows: without effect (§3.1).
    Unknown(UnknownMessage),
}

impl Message {
    /// The project.
    pub fn project_id(&self) -> ProjectId {
        match self {
            Self::Occurrence(occurrence) => occurrence.project_id,
            Self::StatusChange(change) => change.project_id,
            Self::Unknown(message) => message.project_id,
        }
    }

    /// Hashes in the order of look-up.
    pub fn hashes(&self) -> &[Hash] {
        match self {
            Self::Occurrence(occurrence) => &occurrence.hashes,
            Self::StatusChange(change) => &change.hashes,
            Self::Unknown(message) => &message.hashes,
        }
    }
}

/// Something that was found: an error, or a detector's finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Occurrence {
    /// Its own id. An error's occurrence has the id of the event.
    pub id: EventId,
    /// The project.
    pub project_id: ProjectId,
    /// The event that shows it.
    pub event_id: EventId,
    /// Hashes in the order of look-up; never empty. The first one that an issue owns decides.
    pub hashes: Vec<Hash>,
    /// The issue type.
    pub type_id: TypeId,
    /// Title of the issue.
    pub title: String,
    /// Second line; the exception's value for an error.
    pub subtitle: String,
    /// Where, in words.
    pub culprit: String,
    /// Severity.
    pub level: Level,
    /// When it was detected.
    pub detection_time: Timestamp,
    /// Free id of what is affected.
    pub resource_id: Option<String>,
    /// Free content, for machines.
    pub evidence_data: Option<Value>,
    /// Facts to show, for people.
    pub evidence_display: Vec<Evidence>,
    /// Explicit priority. `None`: the type's for a new issue, unchanged for an existing one (§14.19).
    pub priority: Option<Priority>,
    /// `user:<id>` or `team:<id>`; only used when the issue is created.
    pub assignee: Option<String>,
    /// Where its event is.
    pub path: EventPath,
    /// What the issue takes over from the event.
    pub event: EventFacts,
}

/// Where the event of an occurrence is (§6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventPath {
    /// It is the event: an error, grouped here.
    Error,
    /// It came in the message and is stored with it.
    Full,
    /// It came in the message and is only looked at: its spans are still being collected.
    Light,
    /// It was stored before.
    Found,
    /// It should have been stored before, but is not there.
    Missing,
}

/// What an issue takes over from an event of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventFacts {
    /// When it happened.
    pub timestamp: Timestamp,
    /// `error`, `default`, `generic`, … (`reference/web-api.md` §3.4).
    pub event_type: String,
    /// Platform.
    pub platform: String,
    /// Logger name, if any.
    pub logger: Option<String>,
    /// Release, if any.
    pub release: Option<String>,
    /// Environment, if any.
    pub environment: Option<String>,
    /// The user as one text (`id:42`), for the count of users.
    pub user: Option<String>,
    /// What the issue list shows: `type`, `value`, `filename`, `function`, … (`reference/grouping.md` §14).
    pub metadata: serde_json::Map<String, Value>,
    /// Text that free text search of issues looks at.
    pub search_text: String,
    /// Whether an exception says that nobody caught it.
    pub unhandled: bool,
}

/// One fact to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What it is.
    pub name: String,
    /// Its value.
    pub value: String,
    /// The first important one is shown where there is room for one.
    pub important: bool,
}

/// A message of a kind nobody knows, as far as every message is alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnknownMessage {
    /// For the detection of duplicates.
    pub id: String,
    /// The project.
    pub project_id: ProjectId,
    /// Hashes in the order of look-up.
    pub hashes: Vec<Hash>,
    /// The kind, as sent.
    pub kind: String,
}

/// A request of a producer to change an issue's status (§3.6). Numbers are as sent; §8 says which pairs are legal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatusChange {
    /// For the detection of duplicates.
    pub id: String,
    /// The project.
    pub project_id: ProjectId,
    /// Hashes in the order of look-up; never empty.
    pub hashes: Vec<Hash>,
    /// §10.
    pub new_status: i64,
    /// §10.
    pub new_substatus: Option<i64>,
    /// The detector that decided, if any.
    pub detector_id: Option<i64>,
    /// Data of the activity that the change writes.
    pub activity_data: Option<Value>,
}
