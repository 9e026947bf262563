//! Releases (`reference/web-api.md` §3.10).

use std::{collections::BTreeMap, fmt};

use nuthatch_protocol::OrganizationId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::version::VersionInfo;
use crate::query::present;

/// A release of an organization: one version, of one or more projects.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Release {
    pub(crate) id: u64,
    pub(crate) version: String,
    pub(crate) short_version: String,
    pub(crate) version_info: Option<VersionInfo>,
    pub(crate) status: &'static str,
    #[serde(rename = "ref")]
    pub(crate) reference: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) date_released: Option<String>,
    /// When the first event or session named it.
    pub(crate) date_created: String,
    pub(crate) date_started: Option<String>,
    #[schema(value_type = Object)]
    pub(crate) data: Map<String, Value>,
    /// Issues that were first seen in it.
    pub(crate) new_groups: u64,
    #[schema(value_type = Option<Object>)]
    pub(crate) owner: Option<Value>,
    pub(crate) commit_count: u64,
    pub(crate) deploy_count: u64,
    #[schema(value_type = Option<Object>)]
    pub(crate) last_commit: Option<Value>,
    #[schema(value_type = Option<Object>)]
    pub(crate) last_deploy: Option<Value>,
    #[schema(value_type = Vec<Object>)]
    pub(crate) authors: Vec<Value>,
    pub(crate) projects: Vec<ReleaseProject>,
    pub(crate) first_event: Option<String>,
    pub(crate) last_event: Option<String>,
    #[schema(value_type = Object)]
    pub(crate) current_project_meta: Map<String, Value>,
    pub(crate) user_agent: Option<String>,
}

/// A project that has the release.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReleaseProject {
    pub(crate) id: u64,
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) platform: Option<String>,
    pub(crate) platforms: Vec<String>,
    pub(crate) new_groups: u64,
    /// Whether there are sessions of it.
    pub(crate) has_health_data: bool,
    /// With `health=1`.
    pub(crate) health_data: Option<ReleaseHealth>,
}

/// How a release fares in a project. Numbers are those of the period, percentages 0 to 100; null without sessions.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReleaseHealth {
    /// Median duration of sessions that ended as they should, in milliseconds.
    #[serde(rename = "durationP50")]
    pub(crate) duration_p50: Option<f64>,
    #[serde(rename = "durationP90")]
    pub(crate) duration_p90: Option<f64>,
    pub(crate) crash_free_users: Option<f64>,
    pub(crate) crash_free_sessions: Option<f64>,
    pub(crate) total_users: u64,
    #[serde(rename = "totalUsers24h")]
    pub(crate) total_users_24h: u64,
    #[serde(rename = "totalProjectUsers24h")]
    pub(crate) total_project_users_24h: u64,
    pub(crate) total_sessions: u64,
    #[serde(rename = "totalSessions24h")]
    pub(crate) total_sessions_24h: u64,
    #[serde(rename = "totalProjectSessions24h")]
    pub(crate) total_project_sessions_24h: u64,
    /// Of the project's users of the last day.
    pub(crate) adoption: Option<f64>,
    /// Of the project's sessions of the last day.
    pub(crate) sessions_adoption: Option<f64>,
    pub(crate) sessions_crashed: u64,
    /// Sessions with errors that did not end badly.
    pub(crate) sessions_errored: u64,
    pub(crate) has_health_data: bool,
    /// `24h`: sessions by the hour, `[[unix seconds, sessions], …]`.
    #[schema(value_type = BTreeMap<String, Vec<(i64, u64)>>)]
    pub(crate) stats: BTreeMap<&'static str, Vec<(i64, u64)>>,
}

/// A release to make.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NewReleaseRequest {
    pub(crate) version: String,
    #[serde(flatten)]
    pub(crate) release: ReleaseRequest,
}

/// What is said about a release; what is absent stays as it is. Null takes it back when a release is changed, and leaves it
/// when one is made that is there already: tools make the same one at the same time.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReleaseRequest {
    /// Slugs or ids of projects that have it.
    pub(crate) projects: Option<Vec<ProjectName>>,
    /// The commit or tag it was made of.
    #[serde(rename = "ref", default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub(crate) reference: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub(crate) url: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub(crate) date_released: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub(crate) date_started: Option<Option<String>>,
    /// `open` or `archived`
    pub(crate) status: Option<String>,
}

impl ReleaseRequest {
    /// With what is null as if it were absent.
    pub(crate) fn without_nulls(self) -> Self {
        let [reference, url, date_released, date_started] =
            [self.reference, self.url, self.date_released, self.date_started].map(|member| member.flatten().map(Some));
        Self { reference, url, date_released, date_started, ..self }
    }
}

/// The slug of a project, or its id: a slug of digits comes as a number, too.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum ProjectName {
    Id(u64),
    Slug(String),
}

impl fmt::Display for ProjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Slug(slug) => slug.fmt(f),
        }
    }
}

/// The number by which clients know a release. Made of its name, and short enough for every client's numbers.
pub(crate) fn release_id(organization: OrganizationId, version: &str) -> u64 {
    let digest = Sha256::digest(format!("{organization} {version}"));
    digest.iter().take(6).fold(0, |number, byte| number << 8 | u64::from(*byte))
}
