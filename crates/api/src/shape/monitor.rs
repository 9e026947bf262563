//! Monitors and their check-ins (`reference/web-api.md` §4.5).

use nuthatch_protocol::{
    EventId,
    check_in::{MonitorConfig, Schedule},
};
use nuthatch_store::{monitors, projects::Project};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::project::ProjectSummary;

/// What runs expected it to be, when nobody says otherwise: minutes late, minutes long, failures, successes.
const DEFAULTS: [u32; 4] = [1, 30, 1, 1];

/// A monitor of a scheduled job.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Monitor {
    /// A UUID with dashes.
    pub(crate) id: String,
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) status: &'static str,
    pub(crate) is_muted: bool,
    /// Whether check-ins may change what it expects.
    pub(crate) is_upserting: bool,
    pub(crate) date_created: String,
    pub(crate) project: ProjectSummary,
    pub(crate) config: Config,
    pub(crate) environments: Vec<Environment>,
    /// Nobody can be named yet.
    #[schema(value_type = Option<Object>)]
    pub(crate) owner: Option<Value>,
}

/// What a monitor expects; times in minutes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Config {
    /// `crontab` or `interval`.
    pub(crate) schedule_type: &'static str,
    /// The crontab line, or `[number, unit]`.
    #[schema(value_type = Object)]
    pub(crate) schedule: Value,
    pub(crate) checkin_margin: u32,
    pub(crate) max_runtime: u32,
    pub(crate) timezone: String,
    pub(crate) failure_issue_threshold: u32,
    pub(crate) recovery_threshold: u32,
}

/// A monitor in one environment.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Environment {
    pub(crate) name: String,
    /// How its last run is doing.
    pub(crate) status: &'static str,
    pub(crate) is_muted: bool,
    pub(crate) date_created: String,
    pub(crate) last_check_in: String,
}

/// A run of a job.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CheckIn {
    /// A UUID with dashes.
    pub(crate) id: String,
    pub(crate) environment: String,
    /// `in_progress`, `ok`, `error`, `missed`, `timeout` or `unknown`.
    pub(crate) status: &'static str,
    /// In milliseconds.
    pub(crate) duration: Option<u64>,
    pub(crate) date_created: String,
    pub(crate) date_added: String,
    pub(crate) date_updated: String,
    pub(crate) date_in_progress: Option<String>,
    pub(crate) release: Option<String>,
    pub(crate) trace_id: Option<String>,
}

impl Monitor {
    pub(crate) fn new(monitor: &monitors::Monitor, project: &Project) -> Self {
        let environments = monitor.environments.iter().map(|environment| Environment {
            name: environment.name.clone(),
            status: environment.status.as_str(),
            is_muted: false,
            date_created: environment.created.to_string(),
            last_check_in: environment.last_check_in.to_string(),
        });
        Self {
            id: dashed(monitor.id),
            slug: monitor.slug.clone(),
            name: monitor.slug.clone(),
            status: "active",
            is_muted: false,
            is_upserting: true,
            date_created: monitor.created.to_string(),
            project: project.into(),
            config: Config::from(&monitor.config),
            environments: environments.collect(),
            owner: None,
        }
    }
}

impl From<&MonitorConfig> for Config {
    fn from(config: &MonitorConfig) -> Self {
        let (schedule_type, schedule) = match &config.schedule {
            Schedule::Crontab { value } => ("crontab", json!(value)),
            Schedule::Interval { value, unit } => ("interval", json!([value, unit.as_str()])),
        };
        let [margin, runtime, failures, successes] = DEFAULTS;
        Self {
            schedule_type,
            schedule,
            checkin_margin: config.checkin_margin.unwrap_or(margin),
            max_runtime: config.max_runtime.unwrap_or(runtime),
            timezone: config.timezone.clone().unwrap_or_else(|| "UTC".to_owned()),
            failure_issue_threshold: config.failure_issue_threshold.unwrap_or(failures),
            recovery_threshold: config.recovery_threshold.unwrap_or(successes),
        }
    }
}

impl From<&monitors::Run> for CheckIn {
    fn from(run: &monitors::Run) -> Self {
        Self {
            id: dashed(run.id),
            environment: run.environment.clone(),
            status: run.status.as_str(),
            duration: run.duration_ms,
            date_created: run.added.to_string(),
            date_added: run.added.to_string(),
            date_updated: run.updated.to_string(),
            date_in_progress: run.begun.map(|begun| begun.to_string()),
            release: run.release.clone(),
            trace_id: run.trace_id.map(|id| id.to_string()),
        }
    }
}

/// An id as the UUIDs of this part of the API are written.
fn dashed(id: EventId) -> String {
    let hex = id.to_string();
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| hex.get(range).unwrap_or_default());
    parts.join("-")
}
