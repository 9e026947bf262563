//! Issues (`reference/web-api.md` §3.4–§3.6).

use std::collections::BTreeMap;

use nuthatch_issues::{Status, effective_status, issue::short_id_text};
use nuthatch_protocol::{Timestamp, TypeId};
use nuthatch_store::{issue_types::IssueTypes, projects};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;
use utoipa::ToSchema;

use crate::{
    query::{or_default, present},
    shape::{
        account::User, activity::Activity, event::EventRelease, people::People, project::ProjectSummary, tag::TagKey,
    },
};

/// An issue in a list.
///
/// Counts and times are those of its whole life: they agree with the order of the list whatever period is shown.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Issue {
    pub(crate) id: String,
    /// Project in capitals, dash, counter: `WEB-4`.
    pub(crate) short_id: String,
    pub(crate) title: String,
    pub(crate) culprit: String,
    pub(crate) logger: Option<String>,
    pub(crate) level: String,
    pub(crate) platform: String,
    pub(crate) permalink: String,
    pub(crate) share_id: Option<String>,
    /// `unresolved`, `resolved` or `ignored` (archived).
    pub(crate) status: String,
    /// `new`, `ongoing`, `escalating`, `regressed`, `archived_…`; null when resolved.
    pub(crate) substatus: Option<String>,
    /// What ends the archiving, if something does.
    pub(crate) status_details: StatusDetails,
    pub(crate) is_public: bool,
    pub(crate) is_bookmarked: bool,
    pub(crate) is_subscribed: bool,
    pub(crate) has_seen: bool,
    pub(crate) is_unhandled: bool,
    /// Whether people may change status and priority: not of every type.
    pub(crate) is_editable: bool,
    /// `high`, `medium` or `low`.
    pub(crate) priority: String,
    pub(crate) priority_locked_at: Option<String>,
    pub(crate) project: ProjectSummary,
    /// `error`, `default`, `generic`, …
    #[serde(rename = "type")]
    pub(crate) event_type: String,
    pub(crate) issue_type: String,
    /// Its name for people.
    pub(crate) issue_type_name: String,
    pub(crate) issue_category: String,
    pub(crate) metadata: IssueMetadata,
    pub(crate) num_comments: u64,
    pub(crate) user_count: u64,
    /// Number of events, as text.
    pub(crate) count: String,
    /// How many of them are counted and not kept, because too many came at once.
    pub(crate) unkept_count: u64,
    pub(crate) first_seen: String,
    pub(crate) last_seen: String,
    pub(crate) assigned_to: Option<Actor>,
    pub(crate) subscription_details: Option<Value>,
    pub(crate) annotations: Vec<Value>,
    /// Events per interval under the name of the period asked for: `[[unix seconds, events], …]`. Null when left out.
    pub(crate) stats: Option<BTreeMap<String, Vec<(i64, u64)>>>,
    pub(crate) lifetime: Lifetime,
    pub(crate) filtered: Option<Lifetime>,
    pub(crate) matching_event_id: Option<String>,
    pub(crate) matching_event_environment: Option<String>,
    pub(crate) seer_fixability_score: Option<f64>,
    pub(crate) seer_autofix_last_triggered: Option<String>,
}

/// What ends the archiving of an issue: the first of these that is met. What is not waited for is absent.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StatusDetails {
    /// A time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ignore_until: Option<String>,
    /// Events: how many are missing; with a window how many in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ignore_count: Option<u64>,
    /// They have to come within so many minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ignore_window: Option<u32>,
    /// Users: how many are missing; with a window how many in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ignore_user_count: Option<u64>,
    /// They have to come within so many minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ignore_user_window: Option<u32>,
}

impl StatusDetails {
    pub(crate) fn of(issue: &nuthatch_issues::Issue) -> Self {
        let Some(snooze) = &issue.snooze else { return Self::default() };
        let missing = |wanted: u64, window: Option<u32>, before: u64, now: u64| match window {
            Some(_) => wanted,
            None => wanted.saturating_sub(now.saturating_sub(before)),
        };
        let events = |wanted| missing(wanted, snooze.event_window_mins, snooze.events_before, issue.times_seen);
        let users = |wanted| missing(wanted, snooze.user_window_mins, snooze.users_before, issue.user_count);
        Self {
            ignore_until: snooze.until.map(|until| until.to_string()),
            ignore_count: snooze.events.map(events),
            ignore_window: snooze.event_window_mins,
            ignore_user_count: snooze.users.map(users),
            ignore_user_window: snooze.user_window_mins,
        }
    }
}

/// What the list shows besides the title; which keys there are depends on the type.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IssueMetadata {
    /// Type of the exception.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<String>,
    /// Its value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) filename: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) function: Option<String>,
    #[serde(flatten)]
    pub(crate) more: Map<String, Value>,
}

impl IssueMetadata {
    pub(crate) fn new(mut metadata: Map<String, Value>) -> Self {
        let mut take = |key: &str| match metadata.remove(key) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let [kind, value, title, filename, function] =
            ["type", "value", "title", "filename", "function"].map(&mut take);
        Self { kind, value, title, filename, function, more: metadata }
    }
}

/// A user or team.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Actor {
    /// `user` or `team`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) email: Option<String>,
}

/// Numbers of the whole life of an issue.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Lifetime {
    pub(crate) count: String,
    pub(crate) user_count: u64,
    pub(crate) first_seen: String,
    pub(crate) last_seen: String,
    pub(crate) stats: Option<Value>,
}

impl Lifetime {
    fn new(issue: &nuthatch_issues::Issue) -> Self {
        Self {
            count: issue.times_seen.to_string(),
            user_count: issue.user_count,
            first_seen: issue.first_seen.to_string(),
            last_seen: issue.last_seen.to_string(),
            stats: None,
        }
    }
}

/// What the shape of an issue needs besides the issue.
pub(crate) struct IssueContext<'a> {
    pub(crate) public_url: &'a Url,
    pub(crate) organization: &'a projects::Organization,
    pub(crate) project: &'a projects::Project,
    pub(crate) people: &'a People,
    pub(crate) types: &'a IssueTypes,
    pub(crate) now: Timestamp,
}

impl Issue {
    pub(crate) fn new(
        issue: &nuthatch_issues::Issue,
        context: &IssueContext<'_>,
        stats: Option<BTreeMap<String, Vec<(i64, u64)>>>,
    ) -> Self {
        let [issue_type, issue_type_name, issue_category] = issue_type(issue.type_id, context.types);
        let known = context.types.by_id(issue.type_id);
        let (status, substatus) = effective_status(issue, known, context.project.resolve_age_hours, context.now);
        let root = context.public_url.as_str().trim_end_matches('/');
        Self {
            id: issue.id.to_string(),
            short_id: short_id_text(&context.project.slug, issue.short_id),
            title: issue.title.clone(),
            culprit: issue.culprit.clone(),
            logger: issue.logger.clone(),
            level: issue.level.as_str().to_owned(),
            platform: issue.platform.clone(),
            permalink: format!("{root}/organizations/{}/issues/{}/", context.organization.slug, issue.id),
            share_id: None,
            status: status.as_str().to_owned(),
            substatus: substatus.map(|substatus| substatus.as_str().to_owned()),
            status_details: if status == Status::Ignored { StatusDetails::of(issue) } else { StatusDetails::default() },
            is_public: false,
            is_bookmarked: false,
            is_subscribed: false,
            has_seen: true,
            is_unhandled: issue.unhandled,
            is_editable: known.is_none_or(|issue_type| issue_type.is_editable),
            priority: issue.priority.as_str().to_owned(),
            priority_locked_at: issue.priority_locked_at.map(|time| time.to_string()),
            project: context.project.into(),
            event_type: issue.event_type.clone(),
            issue_type,
            issue_type_name,
            issue_category,
            metadata: IssueMetadata::new(issue.metadata.clone()),
            num_comments: 0,
            user_count: issue.user_count,
            count: issue.times_seen.to_string(),
            unkept_count: issue.flood.thinned,
            first_seen: issue.first_seen.to_string(),
            last_seen: issue.last_seen.to_string(),
            assigned_to: issue.assignee.and_then(|assignee| context.people.actor(assignee)),
            subscription_details: None,
            annotations: Vec::new(),
            stats,
            lifetime: Lifetime::new(issue),
            filtered: None,
            matching_event_id: None,
            matching_event_environment: None,
            seer_fixability_score: None,
            seer_autofix_last_triggered: None,
        }
    }
}

/// Slug, name and category of an issue type; a retired one is known by its number.
fn issue_type(id: TypeId, types: &IssueTypes) -> [String; 3] {
    match types.by_id(id) {
        Some(known) => [known.slug.clone(), known.name.clone(), known.category.clone()],
        None => [format!("type_{}", id.0), format!("Type {}", id.0), "outage".to_owned()],
    }
}

/// An issue with what belongs to it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IssueDetail {
    #[serde(flatten)]
    pub(crate) row: Issue,
    /// Newest first.
    pub(crate) activity: Vec<Activity>,
    pub(crate) seen_by: Vec<User>,
    pub(crate) participants: Vec<User>,
    /// Among the 1000 newest reports of the project.
    pub(crate) user_report_count: u64,
    /// Of an issue that is archived until it escalates: the events an hour above which it does today. Null for others.
    pub(crate) escalates_above: Option<u64>,
    pub(crate) first_release: Option<EventRelease>,
    pub(crate) last_release: Option<EventRelease>,
    /// Most frequent first.
    pub(crate) tags: Vec<TagKey>,
    pub(crate) plugin_actions: Vec<Value>,
    pub(crate) plugin_issues: Vec<Value>,
    pub(crate) plugin_contexts: Vec<Value>,
}

/// The numbers of an issue in a list, for graphs that are loaded after the list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IssueStats {
    pub(crate) id: String,
    pub(crate) count: String,
    pub(crate) user_count: u64,
    pub(crate) first_seen: String,
    pub(crate) last_seen: String,
    pub(crate) stats: BTreeMap<String, Vec<(i64, u64)>>,
    pub(crate) lifetime: Lifetime,
    pub(crate) filtered: Option<Lifetime>,
    pub(crate) is_unhandled: bool,
}

impl IssueStats {
    pub(crate) fn new(issue: &nuthatch_issues::Issue, stats: BTreeMap<String, Vec<(i64, u64)>>) -> Self {
        let lifetime = Lifetime::new(issue);
        Self {
            id: issue.id.to_string(),
            count: lifetime.count.clone(),
            user_count: lifetime.user_count,
            first_seen: lifetime.first_seen.clone(),
            last_seen: lifetime.last_seen.clone(),
            stats,
            lifetime,
            filtered: None,
            is_unhandled: issue.unhandled,
        }
    }
}

/// A hash that an issue owns.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IssueHash {
    pub(crate) id: String,
    pub(crate) latest_event: Option<super::event::EventRow>,
    pub(crate) merged_by_seer: bool,
    pub(crate) seer_match_distance: Option<f64>,
}

/// A short id and what it stands for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ShortId {
    pub(crate) organization_slug: String,
    pub(crate) project_slug: String,
    pub(crate) group_id: String,
    pub(crate) group: Issue,
    pub(crate) short_id: String,
}

/// What of issues can be changed; all optional, unknown members are ignored.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct IssueRequest {
    /// `resolved`, `unresolved`, `ignored` (also `archived`, `muted`).
    pub(crate) status: Option<String>,
    /// `archived_until_escalating`, `archived_until_condition_met`, `archived_forever`, `ongoing`, …
    pub(crate) substatus: Option<String>,
    /// What ends the archiving.
    #[serde(deserialize_with = "or_default")]
    pub(crate) status_details: StatusDetailsRequest,
    /// `user:1`, an e-mail address, `team:2`, `#team`; empty: nobody.
    #[serde(deserialize_with = "present")]
    pub(crate) assigned_to: Option<Option<String>>,
    /// `high`, `medium` or `low`.
    pub(crate) priority: Option<String>,
    // What nobody can change yet is known, so that a request for it is not answered as if it were done.
    #[schema(ignore)]
    has_seen: Option<bool>,
    #[schema(ignore)]
    is_bookmarked: Option<bool>,
    #[schema(ignore)]
    is_subscribed: Option<bool>,
    #[schema(ignore)]
    is_public: Option<bool>,
    #[schema(ignore)]
    inbox: Option<bool>,
    #[schema(ignore)]
    discard: Option<bool>,
    #[schema(ignore)]
    merge: Option<Value>,
}

impl IssueRequest {
    /// A change that is asked for and cannot be made. What an issue always is may be asked for.
    pub(crate) fn unsupported(&self) -> Option<&'static str> {
        let details = &self.status_details;
        let is_there = |value: &Value| !matches!(value, Value::Null | Value::Bool(false));
        let asked = [
            ("hasSeen", self.has_seen == Some(false)),
            ("isBookmarked", self.is_bookmarked == Some(true)),
            ("isSubscribed", self.is_subscribed == Some(true)),
            ("isPublic", self.is_public == Some(true)),
            ("inbox", self.inbox.is_some()),
            ("discard", self.discard == Some(true)),
            ("merge", self.merge.as_ref().is_some_and(is_there)),
            ("statusDetails.inNextRelease", details.in_next_release.as_ref().is_some_and(is_there)),
            ("statusDetails.inRelease", details.in_release.as_ref().is_some_and(is_there)),
            ("statusDetails.inCommit", details.in_commit.as_ref().is_some_and(is_there)),
        ];
        asked.into_iter().find(|(_, is_asked)| *is_asked).map(|(member, _)| member)
    }
}

/// What ends an archiving: the first of these that is met. Only with the status `ignored`.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct StatusDetailsRequest {
    /// Minutes from now, at most a year of them.
    #[schema(minimum = 1, maximum = 525_600)]
    pub(crate) ignore_duration: Option<i64>,
    /// A time (RFC 3339) instead.
    pub(crate) ignore_until: Option<String>,
    /// So many more events.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub(crate) ignore_count: Option<i64>,
    /// They have to come within so many minutes, at most a week.
    #[schema(minimum = 1, maximum = 10_080)]
    pub(crate) ignore_window: Option<i64>,
    /// So many more users; with a window so many users, at most 1000.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub(crate) ignore_user_count: Option<i64>,
    /// They have to come within so many minutes, at most a week.
    #[schema(minimum = 1, maximum = 10_080)]
    pub(crate) ignore_user_window: Option<i64>,
    #[schema(ignore)]
    in_next_release: Option<Value>,
    #[schema(ignore)]
    in_release: Option<Value>,
    #[schema(ignore)]
    in_commit: Option<Value>,
}

/// What a change of several issues made of them; members that were not changed are absent.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IssuesChanged {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status_details: Option<StatusDetails>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) substatus: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) assigned_to: Option<Option<Actor>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) priority: Option<String>,
}

/// The status of a word of a request, with its synonyms.
pub(crate) fn status_word(word: &str) -> Option<Status> {
    Some(match word {
        "resolved" => Status::Resolved,
        "unresolved" => Status::Unresolved,
        "ignored" | "archived" | "muted" => Status::Ignored,
        _ => return None,
    })
}
