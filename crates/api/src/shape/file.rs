//! Files: attachments of events, profiles, segments of replays; and what users said about events.

use std::collections::BTreeMap;

use nuthatch_store::files::{self, FileHead};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A file that came with an event (`reference/web-api.md` §3.9).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Attachment {
    pub(crate) id: String,
    /// 32 hex digits.
    #[serde(rename = "event_id")]
    pub(crate) event_id: String,
    /// `event.attachment`, `event.minidump`, `event.view_hierarchy`, …
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) name: String,
    /// As the client gave it: nothing to rely on.
    pub(crate) mimetype: String,
    /// Bytes.
    pub(crate) size: u64,
    pub(crate) sha1: String,
    /// Headers that the file came with.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) date_created: String,
}

impl From<&files::File> for Attachment {
    fn from(file: &files::File) -> Self {
        let head = &file.head;
        Self {
            id: file.id.to_string(),
            event_id: head.owner.to_string(),
            kind: head.attachment_type.clone().unwrap_or_else(|| head.kind.as_str().to_owned()),
            name: head.name.clone(),
            mimetype: head.content_type.clone(),
            size: head.bytes,
            sha1: head.sha1.to_string(),
            headers: BTreeMap::from([("Content-Type".to_owned(), head.content_type.clone())]),
            date_created: head.received.to_string(),
        }
    }
}

/// A file that belongs to a trace.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TraceAttachment {
    pub(crate) id: String,
    /// As the client gave it: 32 hex digits.
    pub(crate) attachment_id: String,
    /// 32 hex digits.
    pub(crate) trace_id: String,
    /// 16 hex digits; null when it belongs to no span.
    pub(crate) span_id: Option<String>,
    pub(crate) name: String,
    /// As the client gave it: nothing to rely on.
    pub(crate) mimetype: String,
    /// Bytes.
    pub(crate) size: u64,
    pub(crate) sha1: String,
    /// When it was made.
    pub(crate) timestamp: String,
    /// Plain values under their names.
    #[schema(value_type = BTreeMap<String, Object>)]
    pub(crate) attributes: Map<String, Value>,
    pub(crate) date_created: String,
}

impl From<&files::File> for TraceAttachment {
    fn from(file: &files::File) -> Self {
        let FileHead { owner, part, name, content_type, bytes, sha1, received, in_trace, .. } = &file.head;
        let in_trace = in_trace.as_ref();
        Self {
            id: file.id.to_string(),
            attachment_id: part.clone(),
            trace_id: owner.to_string(),
            span_id: in_trace.and_then(|place| place.span_id).map(|span| span.to_string()),
            name: name.clone(),
            mimetype: content_type.clone(),
            size: *bytes,
            sha1: sha1.to_string(),
            timestamp: in_trace.map_or(*received, |place| place.timestamp).to_string(),
            attributes: in_trace.map(|place| place.attributes.clone()).unwrap_or_default(),
            date_created: received.to_string(),
        }
    }
}

/// Something that is kept as bytes.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct File {
    pub(crate) id: String,
    /// `attachment`, `profile`, `replay_event`, …
    pub(crate) kind: String,
    /// The event, replay, profile, profiler or trace that it belongs to: 32 hex digits.
    pub(crate) owner: String,
    /// What tells it from others of its kind and owner: the segment of a replay, the id of a chunk or of a trace's
    /// attachment.
    pub(crate) part: String,
    pub(crate) name: String,
    /// As the client gave it: nothing to rely on.
    pub(crate) mimetype: String,
    /// Bytes.
    pub(crate) size: u64,
    pub(crate) sha1: String,
    pub(crate) date_created: String,
}

impl From<&files::File> for File {
    fn from(file: &files::File) -> Self {
        let FileHead { kind, owner, part, name, content_type, bytes, sha1, received, .. } = &file.head;
        Self {
            id: file.id.to_string(),
            kind: kind.as_str().to_owned(),
            owner: owner.to_string(),
            part: part.clone(),
            name: name.clone(),
            mimetype: content_type.clone(),
            size: *bytes,
            sha1: sha1.to_string(),
            date_created: received.to_string(),
        }
    }
}

/// What a user said about an event (`reference/web-api.md` §4.9).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserReport {
    /// The event's: an event has one report, the newest.
    pub(crate) id: String,
    #[serde(rename = "eventID")]
    pub(crate) event_id: String,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) comments: String,
    pub(crate) date_created: String,
    /// The account of who said it: none, as whoever uses an application has none here.
    #[schema(value_type = Option<Object>)]
    pub(crate) user: Option<()>,
    pub(crate) event: ReportedEvent,
}

/// The event that a report is about.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReportedEvent {
    pub(crate) id: String,
    #[serde(rename = "eventID")]
    pub(crate) event_id: String,
}

/// A report in a list, with the issue of its event.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserReportRow {
    #[serde(flatten)]
    pub(crate) report: UserReport,
    /// Null when the event is not there, or not yet.
    pub(crate) issue: Option<ReportedIssue>,
}

/// The issue that a report is about.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReportedIssue {
    pub(crate) id: String,
    pub(crate) short_id: String,
    pub(crate) title: String,
}

impl From<&files::UserReport> for UserReport {
    fn from(report: &files::UserReport) -> Self {
        let id = report.event_id.to_string();
        Self {
            id: id.clone(),
            event_id: id.clone(),
            name: report.name.clone(),
            email: report.email.clone(),
            comments: report.comments.clone(),
            date_created: report.received.to_string(),
            user: None,
            event: ReportedEvent { event_id: id.clone(), id },
        }
    }
}

/// A report to take.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct UserReportRequest {
    /// The event, which need not be there yet: 32 hex digits.
    pub(crate) event_id: String,
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) email: String,
    /// At most 4096 characters.
    pub(crate) comments: String,
}
