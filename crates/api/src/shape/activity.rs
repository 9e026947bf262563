//! What happened to an issue (`reference/web-api.md` §3.7).

use std::collections::HashMap;

use nuthatch_protocol::UserId;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::shape::account::User;

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
}

/// The activities of an issue, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Activities {
    pub(crate) activity: Vec<Activity>,
}

/// The activities of an issue, newest first, its beginning last.
pub(crate) fn activities(
    issue: &nuthatch_issues::Issue,
    stored: &[nuthatch_issues::Activity],
    users: &HashMap<UserId, User>,
) -> Vec<Activity> {
    let row = |(index, activity): (usize, &nuthatch_issues::Activity)| Activity {
        id: format!("{}{:04}", activity.at.millis(), stored.len() - index),
        kind: activity.kind.as_str().to_owned(),
        user: activity.user_id.and_then(|id| users.get(&id)).cloned(),
        sentry_app: None,
        data: if activity.data.is_object() { activity.data.clone() } else { Value::Object(Map::new()) },
        date_created: activity.at.to_string(),
    };
    let first_seen = Activity {
        id: "0".to_owned(),
        kind: "first_seen".to_owned(),
        user: None,
        sentry_app: None,
        data: Value::Object(Map::from_iter([("priority".to_owned(), Value::from(issue.initial_priority.as_str()))])),
        date_created: issue.first_seen.to_string(),
    };
    stored.iter().enumerate().map(row).chain([first_seen]).collect()
}
