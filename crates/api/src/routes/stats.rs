//! Counts over time (`reference/web-api.md` §3.2).

use axum::{Json, extract::State};
use nuthatch_protocol::{DataCategory, Outcome, Timestamp};
use nuthatch_store::outcomes::{OutcomeGrouping, OutcomeQuery};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    issues::series,
    paths::{IssuePath, ProjectPath},
};
use crate::{
    Api,
    auth::{
        access::{InIssue, InProject, Within},
        scope::{EventRight, ProjectRight},
    },
    error::{ApiError, ErrorBody},
    period::Period,
    query::{Query, single},
    series::{DAY_SECS, HOUR_SECS, INTERVALS_MAX, Intervals, Series},
};

/// What is counted of a project, and how.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct StatsQuery {
    /// `received` (when absent), `generated` (accepted), `blacklisted` (filtered) or `rejected` (limited or invalid).
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    stat: Option<String>,
    /// Unix seconds; a day ago when absent.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<f64>)]
    since: Option<String>,
    /// Unix seconds; now when absent.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<f64>)]
    until: Option<String>,
    /// `10s`, `1m`, `1h` (when absent) or `1d`. Counts are kept by the minute, and by the hour after seven days.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    resolution: Option<String>,
}

/// Error events of a project per interval, by the time they were received: `[[unix seconds, events], …]`.
#[utoipa::path(
    get, path = "/api/0/projects/{org}/{project}/stats/", operation_id = "getProjectStats", tag = "projects",
    params(ProjectPath, StatsQuery),
    responses((status = 200, body = Vec<(i64, u64)>), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn of_project(
    State(api): State<Api>,
    place: Within<InProject, ProjectRight>,
    Query(wanted): Query<StatsQuery>,
) -> Result<Json<Series>, ApiError> {
    let secs = match wanted.resolution.as_deref().unwrap_or("1h") {
        "10s" => 10,
        "1m" => 60,
        "1h" => HOUR_SECS,
        "1d" => DAY_SECS,
        other => return Err(ApiError::Invalid(format!("resolution {other:?} is not 10s, 1m, 1h or 1d"))),
    };
    let until = time("until", wanted.until.as_deref())?.unwrap_or(api.now());
    let day_before = Timestamp::from_secs(until.secs().saturating_sub(DAY_SECS));
    let since = time("since", wanted.since.as_deref())?.unwrap_or(day_before);
    if since > until || (until.secs() - since.secs()) / secs >= INTERVALS_MAX {
        return Err(ApiError::Invalid(format!("since must be before until, by at most {INTERVALS_MAX} intervals")));
    }
    let intervals = Intervals::covering(since, until, secs);
    let outcomes = match wanted.stat.as_deref().unwrap_or("received") {
        "received" => vec![Outcome::Accepted, Outcome::Filtered, Outcome::RateLimited, Outcome::Invalid],
        "generated" => vec![Outcome::Accepted],
        "blacklisted" => vec![Outcome::Filtered],
        "rejected" => vec![Outcome::RateLimited, Outcome::Invalid],
        other => {
            return Err(ApiError::Invalid(format!(
                "stat {other:?} is not received, rejected, blacklisted or generated"
            )));
        }
    };
    let query = OutcomeQuery {
        projects: vec![place.project.id],
        keys: Vec::new(),
        categories: vec![DataCategory::Error],
        outcomes,
        reasons: Vec::new(),
        from_minute: intervals.first.div_euclid(60),
        // Minutes that shorter intervals are in the middle of are counted where they begin.
        until_minute: (intervals.first + intervals.count * secs + 59).div_euclid(60),
        interval_minutes: (secs / 60).max(1),
        by: OutcomeGrouping::default(),
    };
    let sums = api.meta.outcome_sums(&query).await?;
    Ok(Json(intervals.fill(sums.into_iter().map(|sum| (sum.start_minute * 60, sum.quantity)))))
}

/// Events of an issue over the period (14 days when absent), by the hour or day: `[[unix seconds, events], …]`.
#[utoipa::path(
    get, path = "/issues/{issue}/stats/", operation_id = "getIssueStats", tag = "issues", params(IssuePath, Period),
    responses((status = 200, body = Vec<(i64, u64)>), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn of_issue(
    State(api): State<Api>,
    place: Within<InIssue, EventRight>,
    Query(period): Query<Period>,
) -> Result<Json<Series>, ApiError> {
    let Some(intervals) = Intervals::of_group_stats("auto", period.range(api.now())?, api.now()) else {
        return Ok(Json(Series::new()));
    };
    let counts = series(&api, std::slice::from_ref(&place.issue), intervals).await?;
    Ok(Json(counts.into_values().next().unwrap_or_default()))
}

fn time(name: &str, text: Option<&str>) -> Result<Option<Timestamp>, ApiError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let time = text.parse::<f64>().ok().and_then(Timestamp::from_secs_f64);
    time.map(Some).ok_or_else(|| ApiError::Invalid(format!("{name} {text:?} is not a number of unix seconds")))
}
