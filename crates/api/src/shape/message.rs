//! Messages of producers, and what became of each.

#![expect(dead_code, reason = "requests are described here and read as JSON, so that each item is judged on its own")]

use nuthatch_issues::DecodeError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Occurrences to send: one, or a list of at most 1000.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum OccurrencesRequest {
    One(Box<OccurrenceRequest>),
    Many(Vec<OccurrenceRequest>),
}

/// Something that was found. Unknown members are ignored.
#[derive(Deserialize, ToSchema)]
pub(crate) struct OccurrenceRequest {
    /// UUID by which repetitions are recognised; absent: made from `Idempotency-Key` and the place in the list, or by
    /// chance.
    id: Option<String>,
    /// Absent: the project of the address. Another one is refused.
    project_id: Option<u64>,
    /// What occurrences of one issue have in common; not empty.
    fingerprint: Vec<String>,
    /// Number or slug of the issue type.
    #[serde(rename = "type")]
    issue_type: TypeName,
    issue_title: String,
    /// The second line.
    subtitle: String,
    culprit: Option<String>,
    /// `debug`, `info` (when absent), `warning`, `error` or `fatal`.
    level: Option<String>,
    /// Unix seconds or RFC 3339; now when absent.
    detection_time: Option<Time>,
    /// Free id of what is affected.
    resource_id: Option<String>,
    /// Free content, for machines.
    #[schema(value_type = Option<Object>)]
    evidence_data: Option<Map<String, Value>>,
    /// Facts to show, for people.
    evidence_display: Option<Vec<EvidenceRequest>>,
    /// 25 low, 50 medium, 75 high; absent: that of the type.
    priority: Option<i64>,
    /// `user:1`; for a new issue.
    assignee: Option<String>,
    /// UUID of an event that was stored before. With neither this nor `event`, a small event is made.
    event_id: Option<String>,
    /// The event that shows it; `event_id`, `project_id`, `platform`, `timestamp` and `received` may be absent.
    #[schema(value_type = Option<Object>)]
    event: Option<Map<String, Value>>,
}

/// One fact to show.
#[derive(Deserialize, ToSchema)]
pub(crate) struct EvidenceRequest {
    name: String,
    value: String,
    /// The first important one is shown where there is room for one.
    important: bool,
}

/// Number or slug of an issue type.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum TypeName {
    Number(u32),
    Slug(String),
}

/// Unix seconds, or RFC 3339.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Time {
    Seconds(f64),
    Text(String),
}

/// Status changes to send: one, or a list of at most 1000.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum StatusChangesRequest {
    One(Box<StatusChangeRequest>),
    Many(Vec<StatusChangeRequest>),
}

/// A change of the status of the issue that a fingerprint leads to.
#[derive(Deserialize, ToSchema)]
pub(crate) struct StatusChangeRequest {
    /// By which repetitions are recognised; absent: as for occurrences.
    id: Option<String>,
    /// Absent: the project of the address. Another one is refused.
    project_id: Option<u64>,
    fingerprint: Vec<String>,
    /// 0 unresolved, 1 resolved, 2 ignored.
    new_status: i64,
    /// 1 archived until escalating, 2 escalating, 3 ongoing, 4 archived until a condition is met, 5 archived forever, 6
    /// regressed, 7 new; absent when resolved.
    new_substatus: Option<i64>,
    detector_id: Option<i64>,
    /// Data of the activity that the change writes.
    #[schema(value_type = Option<Object>)]
    activity_data: Option<Map<String, Value>>,
}

/// What became of each message, in the order they were sent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SentItems {
    /// Says so when every one was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<String>,
    pub(crate) items: Vec<SentItem>,
}

/// What became of a message.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SentItem {
    /// `accepted`: durable, and handled soon. `refused`: not kept.
    pub(crate) status: String,
    /// Id of an accepted message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    /// Kind of a refusal: `invalid_payload`, `event_schema_invalid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// Where it is wrong, as a JSON path from the message on (`$.evidence_display[1].name`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    /// What is wrong there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
}

impl SentItem {
    pub(crate) fn accepted(id: String) -> Self {
        Self { status: "accepted".to_owned(), id: Some(id), reason: None, path: None, message: None }
    }

    pub(crate) fn refused(error: DecodeError) -> Self {
        Self {
            status: "refused".to_owned(),
            id: None,
            reason: Some(error.reason.as_str().to_owned()),
            path: Some(error.path),
            message: Some(error.message),
        }
    }
}
