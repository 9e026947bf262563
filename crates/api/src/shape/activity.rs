//! What happened to an issue (`reference/web-api.md` §3.7).

use nuthatch_issues::{Assignee, Cause};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::shape::{account::User, people::People};

/// Something that happened to an issue.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Activity {
    pub(crate) id: String,
    /// For instance `set_resolved`, `assigned`, `set_regression`, `first_seen`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// Null: the system.
    pub(crate) user: Option<User>,
    #[serde(rename = "sentry_app")]
    pub(crate) sentry_app: Option<Value>,
    #[schema(value_type = Object)]
    pub(crate) data: Value,
    pub(crate) date_created: String,
    /// Who or what caused it.
    pub(crate) cause: ActivityCause,
}

/// The cause of an activity.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ActivityCause {
    /// `user`, `occurrence` (an event), `rule` (checked with each event), `detector` (its status change), `job` (started by
    /// a clock); `system`: not known, as it happened before causes were kept.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// Of a rule: `snooze` or `forecast`. Of a job: `auto-transition-to-ongoing`, `auto-resolve-by-age` or `end-snoozes`.
    pub(crate) name: Option<String>,
    /// The detector that the status change named.
    pub(crate) detector_id: Option<String>,
}

impl From<Cause> for ActivityCause {
    fn from(cause: Cause) -> Self {
        let (kind, name, detector) = match cause {
            Cause::System => ("system", None, None),
            Cause::User { .. } => ("user", None, None),
            Cause::Occurrence => ("occurrence", None, None),
            Cause::Rule { rule } => ("rule", Some(rule.as_str()), None),
            Cause::Detector { id } => ("detector", None, id),
            Cause::Job { job } => ("job", Some(job.as_str()), None),
        };
        Self { kind: kind.to_owned(), name: name.map(str::to_owned), detector_id: detector.map(|id| id.to_string()) }
    }
}

/// The activities of an issue, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Activities {
    pub(crate) activity: Vec<Activity>,
}

/// The data of an activity; of an assignment with the name and address of the assignee.
fn data(activity: &nuthatch_issues::Activity, people: &People) -> Value {
    let mut data = activity.data.as_object().cloned().unwrap_or_default();
    let text = |key: &str| activity.data.get(key).and_then(Value::as_str).unwrap_or_default();
    let assignee = Assignee::parse(&format!("{}:{}", text("assigneeType"), text("assignee")));
    if let Some(actor) = assignee.and_then(|assignee| people.actor(assignee)) {
        data.insert("assigneeName".to_owned(), actor.name.into());
        data.extend(actor.email.map(|email| ("assigneeEmail".to_owned(), email.into())));
    }
    Value::Object(data)
}

/// The activities of an issue, newest first, its beginning last.
pub(crate) fn activities(
    issue: &nuthatch_issues::Issue,
    stored: &[nuthatch_issues::Activity],
    people: &People,
) -> Vec<Activity> {
    let row = |(index, activity): (usize, &nuthatch_issues::Activity)| Activity {
        id: format!("{}{:04}", activity.at.millis(), stored.len() - index),
        kind: activity.kind.as_str().to_owned(),
        user: activity.cause.user().and_then(|id| people.user(id)).cloned(),
        sentry_app: None,
        data: data(activity, people),
        date_created: activity.at.to_string(),
        cause: activity.cause.into(),
    };
    let first_seen = Activity {
        id: "0".to_owned(),
        kind: "first_seen".to_owned(),
        user: None,
        sentry_app: None,
        data: Value::Object(Map::from_iter([("priority".to_owned(), Value::from(issue.initial_priority.as_str()))])),
        date_created: issue.first_seen.to_string(),
        cause: Cause::Occurrence.into(),
    };
    stored.iter().enumerate().map(row).chain([first_seen]).collect()
}
