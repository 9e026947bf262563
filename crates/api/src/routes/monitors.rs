//! Monitors and their check-ins (`reference/web-api.md` §4.5).

use axum::{
    Json,
    extract::{OriginalUri, RawPathParams, State},
    response::{IntoResponse, Response},
};
use http::StatusCode;
use nuthatch_protocol::{EventId, Timestamp};
use nuthatch_store::{
    monitors::{self, CheckInQuery},
    projects::Project,
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::paths::OrganizationPath;
use crate::{
    Api,
    auth::{
        access::{InOrganization, Within, chosen, parameter},
        scope::EventRight,
    },
    error::{ApiError, ErrorBody},
    page::{Cursor, Links, cut},
    period::Period,
    query::{Paging, Query},
    shape::monitor::{CheckIn, Monitor},
};

/// Which monitors or check-ins. What may repeat is one of several.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct MonitorSearch {
    /// Slugs or ids of projects; `-1` or absent: all.
    project: Vec<String>,
    /// Names of environments; absent: all.
    environment: Vec<String>,
}

/// The monitors of the organization, by project and slug.
#[utoipa::path(
    get, path = "/api/0/organizations/{org}/monitors/", operation_id = "listMonitors", tag = "monitors",
    params(OrganizationPath, MonitorSearch, Paging),
    responses((status = 200, body = [Monitor]), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn list(
    State(api): State<Api>,
    place: Within<InOrganization, EventRight>,
    OriginalUri(uri): OriginalUri,
    Query(search): Query<MonitorSearch>,
    Query(paging): Query<Paging>,
) -> Result<Response, ApiError> {
    let projects = place.projects(&api).await?;
    let chosen: Vec<_> = chosen(&projects, &search.project)?.iter().map(|project| project.id).collect();
    let mut monitors = api.meta.monitors(&chosen).await?;
    if !search.environment.is_empty() {
        for monitor in &mut monitors {
            monitor.environments.retain(|environment| search.environment.contains(&environment.name));
        }
        monitors.retain(|monitor| !monitor.environments.is_empty());
    }
    let (page, links) = cut(monitors, paging.cursor.as_deref(), paging.rows()?)?;
    let shown: Vec<Monitor> = page.iter().filter_map(|monitor| shape(monitor, &projects)).collect();
    Ok((links.header(&api.public_url, &uri), Json(shown)).into_response())
}

/// A monitor.
#[utoipa::path(
    get, path = "/api/0/organizations/{org}/monitors/{monitor}/", operation_id = "getMonitor", tag = "monitors",
    params(OrganizationPath, MonitorSearch, ("monitor" = String, Path, description = "Slug or id")),
    responses((status = 200, body = Monitor), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn detail(
    State(api): State<Api>,
    place: Within<InOrganization, EventRight>,
    path: RawPathParams,
    Query(search): Query<MonitorSearch>,
) -> Result<Json<Monitor>, ApiError> {
    let (monitor, project) = find(&api, &place, &path, &search).await?;
    Ok(Json(Monitor::new(&monitor, &project)))
}

/// Removes a monitor with its check-ins. The next check-in that says what to expect makes it anew.
#[utoipa::path(
    delete, path = "/api/0/organizations/{org}/monitors/{monitor}/", operation_id = "deleteMonitor", tag = "monitors",
    params(OrganizationPath, MonitorSearch, ("monitor" = String, Path, description = "Slug or id")),
    responses((status = 202), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn delete(
    State(api): State<Api>,
    place: Within<InOrganization, EventRight>,
    path: RawPathParams,
    Query(search): Query<MonitorSearch>,
) -> Result<StatusCode, ApiError> {
    if !search.environment.is_empty() {
        let detail = "a monitor is removed with all its environments; leave `environment` out";
        return Err(ApiError::Invalid(detail.to_owned()));
    }
    let (monitor, _) = find(&api, &place, &path, &search).await?;
    api.meta.delete_monitor(monitor.id).await?;
    Ok(StatusCode::ACCEPTED)
}

/// The runs of a monitor, newest first.
#[utoipa::path(
    get, path = "/api/0/organizations/{org}/monitors/{monitor}/checkins/", operation_id = "listCheckIns", tag = "monitors",
    params(OrganizationPath, MonitorSearch, Period, Paging, ("monitor" = String, Path, description = "Slug or id")),
    responses((status = 200, body = [CheckIn]), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn check_ins(
    State(api): State<Api>,
    place: Within<InOrganization, EventRight>,
    path: RawPathParams,
    OriginalUri(uri): OriginalUri,
    Query(search): Query<MonitorSearch>,
    Query(period): Query<Period>,
    Query(paging): Query<Paging>,
) -> Result<Response, ApiError> {
    let (monitor, _) = find(&api, &place, &path, &search).await?;
    let range = period.range(api.now())?;
    let cursor = Cursor::<EventId>::read(paging.cursor.as_deref())?;
    let limit = paging.rows()?;
    // One more than the page holds tells whether there is another.
    let query = CheckInQuery {
        monitor: monitor.id,
        environments: search.environment,
        from: range.from.unwrap_or(Timestamp(0)),
        until: range.until.unwrap_or(Timestamp(i64::MAX)),
        after: cursor.map(|cursor| (Timestamp(cursor.value), cursor.key)),
        limit: (limit + 1).min(monitors::PAGE_MAX),
    };
    let mut runs = api.meta.check_ins(&query).await?;
    let has_next = runs.len() == query.limit;
    runs.truncate(query.limit - 1);
    // Clients follow this list forwards only.
    let links =
        Links { has_previous: false, has_next, ..Links::around(&runs, cursor, has_next, |run| (run.added.0, run.id)) };
    let shown: Vec<CheckIn> = runs.iter().map(CheckIn::from).collect();
    Ok((links.header(&api.public_url, &uri), Json(shown)).into_response())
}

fn shape(monitor: &monitors::Monitor, projects: &[Project]) -> Option<Monitor> {
    let project = projects.iter().find(|project| project.id == monitor.project_id)?;
    Some(Monitor::new(monitor, project))
}

/// The monitor that the path names among those of the projects asked for.
async fn find(
    api: &Api,
    place: &InOrganization,
    path: &RawPathParams,
    search: &MonitorSearch,
) -> Result<(monitors::Monitor, Project), ApiError> {
    let name = parameter(path, "monitor").unwrap_or_default();
    let id = name.parse::<EventId>().ok();
    let projects = place.projects(api).await?;
    let chosen: Vec<_> = chosen(&projects, &search.project)?.iter().map(|project| project.id).collect();
    let mut monitors = api.meta.monitors(&chosen).await?;
    monitors.retain(|monitor| Some(monitor.id) == id || monitor.slug == name);
    if monitors.len() > 1 {
        let detail = format!("several projects have a monitor {name:?}; say which one with `project`");
        return Err(ApiError::Invalid(detail));
    }
    let monitor = monitors.pop().ok_or(ApiError::NotFound("monitor"))?;
    let project = projects.into_iter().find(|project| project.id == monitor.project_id);
    Ok((monitor, project.ok_or(ApiError::NotFound("monitor"))?))
}
