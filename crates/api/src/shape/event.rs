//! Events (`reference/web-api.md` §3.9): the light row of lists and the whole body.

use nuthatch_protocol::{Event as Canonical, IssueId};
use nuthatch_store::{events::EventSummary, releases};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    event_body::{self, entry::Entry},
    shape::{file::UserReport, issue::IssueMetadata, tag::search_token, version::VersionInfo},
};

/// An event in a list. It has no `release`: clients fail on an object there (`reference/web-api.md` §0.4).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventRow {
    /// 32 hex digits.
    pub(crate) id: String,
    #[serde(rename = "eventID")]
    pub(crate) event_id: String,
    #[serde(rename = "groupID")]
    pub(crate) group_id: Option<String>,
    #[serde(rename = "projectID")]
    pub(crate) project_id: String,
    #[serde(rename = "event.type")]
    pub(crate) event_type: String,
    pub(crate) message: String,
    pub(crate) title: String,
    pub(crate) location: Option<String>,
    pub(crate) culprit: String,
    pub(crate) user: Option<EventUser>,
    pub(crate) tags: Vec<EventTag>,
    pub(crate) platform: String,
    #[serde(rename = "dateCreated")]
    pub(crate) date_created: String,
    #[serde(rename = "crashFile")]
    pub(crate) crash_file: Option<String>,
    pub(crate) metadata: IssueMetadata,
}

impl EventRow {
    /// The row of an event; without its body as much as is known.
    pub(crate) fn new(event: &EventSummary, body: Option<&Canonical>, issue: Option<IssueId>) -> Self {
        let id = event.event_id.to_string();
        Self {
            event_id: id.clone(),
            id,
            group_id: issue.map(|id| id.to_string()),
            project_id: event.project_id.to_string(),
            event_type: event.event_type.clone(),
            message: event.message.clone(),
            title: event.title.clone(),
            location: body.and_then(event_body::location),
            culprit: event.culprit.clone(),
            user: body.and_then(event_body::user).or_else(|| event.user.as_deref().map(EventUser::from_text)),
            tags: tags(event),
            platform: event.platform.clone(),
            date_created: event.timestamp.to_string(),
            crash_file: None,
            metadata: event_body::metadata(body.unwrap_or(&Canonical::default()), &event.title),
        }
    }
}

/// A tag of an event.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct EventTag {
    pub(crate) key: String,
    pub(crate) value: String,
    /// What to type into the search field to find more.
    pub(crate) query: String,
}

/// All tags of an event, derived ones included, by name.
pub(crate) fn tags(event: &EventSummary) -> Vec<EventTag> {
    let mut tags: Vec<EventTag> = event
        .tags
        .iter()
        .map(|(key, value)| EventTag { key: key.clone(), value: value.clone(), query: search_token(key, value) })
        .collect();
    tags.sort_by(|a, b| a.key.cmp(&b.key));
    tags
}

/// The user whom an event happened to.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct EventUser {
    pub(crate) id: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) username: Option<String>,
    pub(crate) ip_address: Option<String>,
    pub(crate) name: Option<String>,
    #[schema(value_type = Option<Object>)]
    pub(crate) geo: Option<Value>,
    /// Whatever else the SDK sent.
    #[schema(value_type = Option<Object>)]
    pub(crate) data: Option<Value>,
}

impl EventUser {
    /// From the one text that rows keep: `id:7`, `email:…`, `username:…`, `ip:…`.
    fn from_text(text: &str) -> Self {
        let (kind, value) = text.split_once(':').unwrap_or(("id", text));
        let value = Some(value.to_owned());
        match kind {
            "email" => Self { email: value, ..Self::default() },
            "username" => Self { username: value, ..Self::default() },
            "ip" => Self { ip_address: value, ..Self::default() },
            _ => Self { id: value, ..Self::default() },
        }
    }
}

/// An event, whole.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event {
    /// 32 hex digits.
    pub(crate) id: String,
    #[serde(rename = "eventID")]
    pub(crate) event_id: String,
    #[serde(rename = "groupID")]
    pub(crate) group_id: Option<String>,
    #[serde(rename = "projectID")]
    pub(crate) project_id: String,
    pub(crate) title: String,
    pub(crate) message: String,
    pub(crate) location: Option<String>,
    pub(crate) culprit: String,
    pub(crate) platform: String,
    #[serde(rename = "type")]
    pub(crate) event_type: String,
    /// When it happened.
    pub(crate) date_created: String,
    /// When the server received it.
    pub(crate) date_received: String,
    /// When a transaction began, in seconds since the epoch; null for other events.
    pub(crate) start_timestamp: Option<f64>,
    /// When a transaction ended.
    pub(crate) end_timestamp: Option<f64>,
    /// By name.
    pub(crate) tags: Vec<EventTag>,
    pub(crate) user: Option<EventUser>,
    /// `runtime`, `os`, `browser`, `device`, `trace`, and what SDKs and users add.
    #[schema(value_type = std::collections::BTreeMap<String, Object>)]
    pub(crate) contexts: Map<String, Value>,
    /// Additional data.
    #[schema(value_type = std::collections::BTreeMap<String, Value>)]
    pub(crate) context: Map<String, Value>,
    /// Packages with their versions.
    #[schema(value_type = std::collections::BTreeMap<String, Value>)]
    pub(crate) packages: Map<String, Value>,
    pub(crate) sdk: Option<EventSdk>,
    pub(crate) release: Option<EventRelease>,
    pub(crate) dist: Option<String>,
    /// Bytes of the stored event.
    pub(crate) size: u64,
    /// Exception, threads, stack trace, message, request, breadcrumbs, spans, in this order.
    pub(crate) entries: Vec<Entry>,
    /// What was wrong with the event as it came.
    pub(crate) errors: Vec<EventError>,
    pub(crate) metadata: IssueMetadata,
    /// Grouping hashes.
    pub(crate) fingerprints: Vec<String>,
    /// What a detector reported; null for errors.
    pub(crate) occurrence: Option<EventOccurrence>,
    pub(crate) measurements: Option<Value>,
    pub(crate) breakdowns: Option<Value>,
    pub(crate) crash_file: Option<String>,
    /// What the user said about it.
    pub(crate) user_report: Option<UserReport>,
    pub(crate) sdk_updates: Vec<Value>,
    pub(crate) resolved_with: Vec<Value>,
    /// The newer neighbour among the events shown.
    #[serde(rename = "nextEventID")]
    pub(crate) next_event_id: Option<String>,
    /// The older neighbour among the events shown.
    #[serde(rename = "previousEventID")]
    pub(crate) previous_event_id: Option<String>,
    /// What was changed on the way, in a tree parallel to this answer.
    #[serde(rename = "_meta")]
    #[schema(value_type = Object)]
    pub(crate) meta: Map<String, Value>,
}

/// What a detector reported with an event.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventOccurrence {
    /// 32 hex digits.
    pub(crate) id: String,
    pub(crate) project_id: u64,
    pub(crate) event_id: String,
    /// Hashes of what was sent.
    pub(crate) fingerprint: Vec<String>,
    pub(crate) issue_title: String,
    pub(crate) subtitle: String,
    pub(crate) resource_id: Option<String>,
    /// As it was sent, but for the names of its members: `parent_span` is `parentSpan`.
    #[schema(value_type = Object)]
    pub(crate) evidence_data: Map<String, Value>,
    pub(crate) evidence_display: Vec<EventEvidence>,
    /// Number of the issue type.
    #[serde(rename = "type")]
    pub(crate) issue_type: u64,
    /// Unix seconds.
    pub(crate) detection_time: Option<f64>,
    pub(crate) level: String,
    pub(crate) culprit: String,
    /// 25 low, 50 medium, 75 high; null when it names none.
    pub(crate) priority: Option<u64>,
    pub(crate) assignee: Option<String>,
}

/// One fact to show.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventEvidence {
    pub(crate) name: String,
    pub(crate) value: String,
    /// The first important one is shown where there is room for one.
    pub(crate) important: bool,
}

/// The SDK that sent an event.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventSdk {
    pub(crate) name: Option<String>,
    pub(crate) version: Option<String>,
}

/// The release of an event.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventRelease {
    pub(crate) version: String,
    pub(crate) short_version: String,
    pub(crate) version_info: Option<VersionInfo>,
    pub(crate) date_created: Option<String>,
    pub(crate) date_released: Option<String>,
    pub(crate) last_commit: Option<Value>,
}

impl EventRelease {
    /// A version, of which something may be known: `web@1.2.0` is shown as `1.2.0`.
    pub(crate) fn new(version: &str, known: Option<&releases::Release>) -> Self {
        Self {
            short_version: VersionInfo::short(version),
            version: version.to_owned(),
            version_info: VersionInfo::read(version),
            date_created: known.map(|release| release.date.to_string()),
            date_released: known.and_then(|release| release.facts.released).map(|time| time.to_string()),
            last_commit: None,
        }
    }
}

/// Something that was wrong with an event as it came.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventError {
    /// For instance `invalid_data`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) message: String,
    /// `name` (where), `value` and what else is known.
    #[schema(value_type = Object)]
    pub(crate) data: Map<String, Value>,
}

/// An event with its neighbours among events of its issue.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Neighbours {
    pub(crate) newer: Option<nuthatch_protocol::EventId>,
    pub(crate) older: Option<nuthatch_protocol::EventId>,
}

/// Where an event is, found by its id alone.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventIdLookup {
    pub(crate) organization_slug: String,
    pub(crate) project_slug: String,
    pub(crate) group_id: Option<String>,
    pub(crate) event_id: String,
    pub(crate) event: Event,
}
