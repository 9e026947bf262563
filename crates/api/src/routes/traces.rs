//! Whole traces (`reference/web-api.md` §4.3).

use axum::{
    Json,
    extract::{RawPathParams, State},
};
use nuthatch_issues::issue::short_id_text;
use nuthatch_protocol::{Event, ProjectId, TraceId, TraceItem, TraceItemKind, TypeId};
use nuthatch_query::{Expr, Op, Term, Value as QueryValue};
use nuthatch_store::{
    events::{EventPage, EventQuery, PAGE_MAX},
    projects::Project,
    traces::TRACE_ITEMS_MAX,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::{event_lookup::Issues, item_search::wrong, paths::OrganizationPath};
use crate::{
    Api,
    auth::{
        access::{InOrganization, Within, parameter},
        scope::EventRight,
    },
    error::{ApiError, ErrorBody},
    query::{Query, single},
    trace_items::{
        tree::{TraceEvent, TraceMeta, TraceRoot, roots},
        value::of_item,
    },
};

/// Most errors and occurrences that a trace is shown with.
const TRACE_EVENTS_MAX: usize = 1000;

/// How a trace is shown.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct TraceView {
    /// Items that are looked at, at most 10,000, the earliest.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<u32>)]
    limit: Option<String>,
    /// Attributes that nodes show beside what they always do.
    additional_attributes: Vec<String>,
}

impl TraceView {
    fn limit(&self) -> Result<usize, ApiError> {
        let Some(text) = self.limit.as_deref().filter(|text| !text.is_empty()) else { return Ok(TRACE_ITEMS_MAX) };
        let limit = text.parse::<usize>().map_err(|_| wrong("limit", format!("{text:?} is not a number of items")))?;
        Ok(limit.min(TRACE_ITEMS_MAX))
    }
}

/// Which trace.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", default)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct LogsOfTrace {
    /// 32 hex digits.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    trace_id: Option<String>,
}

/// The log lines of a trace.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TraceLogs {
    /// By time.
    #[schema(value_type = Vec<std::collections::BTreeMap<String, Object>>)]
    data: Vec<Map<String, Value>>,
}

/// The spans of a trace as trees, those without a known parent as roots, each with the errors and occurrences that happened
/// in it; those that happened in none are roots behind them. None of an unknown trace.
#[utoipa::path(
    get, path = "/api/0/organizations/{org}/trace/{trace_id}/", operation_id = "getTrace", tag = "traces",
    params(OrganizationPath, TraceView, ("trace_id" = String, Path, description = "32 hex digits")),
    responses((status = 200, body = [TraceRoot]), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn tree(
    State(api): State<Api>,
    place: Within<InOrganization, EventRight>,
    path: RawPathParams,
    Query(view): Query<TraceView>,
) -> Result<Json<Vec<TraceRoot>>, ApiError> {
    let trace = read_id(parameter(&path, "trace_id"))?;
    let (projects, mut items) = items(&api, &place, trace, view.limit()?).await?;
    items.retain(|item| item.kind == TraceItemKind::Span);
    let events = events(&api, &projects, trace).await?;
    Ok(Json(roots(&items, events, &projects, &view.additional_attributes)))
}

/// How much there is of a trace.
#[utoipa::path(
    get, path = "/api/0/organizations/{org}/trace-meta/{trace_id}/", operation_id = "getTraceMeta", tag = "traces",
    params(OrganizationPath, ("trace_id" = String, Path, description = "32 hex digits")),
    responses((status = 200, body = Object), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn meta(
    State(api): State<Api>,
    place: Within<InOrganization, EventRight>,
    path: RawPathParams,
) -> Result<Json<Value>, ApiError> {
    let trace = read_id(parameter(&path, "trace_id"))?;
    let (projects, items) = items(&api, &place, trace, TRACE_ITEMS_MAX).await?;
    let events = events(&api, &projects, trace).await?;
    Ok(Json(TraceMeta::of(&items, &events).json()))
}

/// Fields of a log line in a trace.
const LOG_FIELDS: [&str; 9] =
    ["id", "project.id", "project.name", "trace", "span_id", "severity", "timestamp", "timestamp_precise", "message"];

/// The log lines of a trace, by time.
#[utoipa::path(
    get, path = "/api/0/organizations/{org}/trace-logs/", operation_id = "listTraceLogs", tag = "traces",
    params(OrganizationPath, LogsOfTrace),
    responses((status = 200, body = TraceLogs), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn logs(
    State(api): State<Api>,
    place: Within<InOrganization, EventRight>,
    Query(which): Query<LogsOfTrace>,
) -> Result<Json<TraceLogs>, ApiError> {
    let (projects, items) = items(&api, &place, read_id(which.trace_id.as_deref())?, TRACE_ITEMS_MAX).await?;
    let row = |item: &TraceItem| {
        LOG_FIELDS.iter().map(|field| ((*field).to_owned(), of_item(item, field, &projects))).collect()
    };
    let logs = items.iter().filter(|item| item.kind == TraceItemKind::Log);
    Ok(Json(TraceLogs { data: logs.map(row).collect() }))
}

pub(super) fn read_id(text: Option<&str>) -> Result<TraceId, ApiError> {
    let text = text.unwrap_or_default();
    text.parse().map_err(|error| wrong("traceId", format!("{text:?}: {error}")))
}

/// The errors and occurrences of a trace, by time: at most [`TRACE_EVENTS_MAX`], the earliest. What no issue shows is left
/// out.
async fn events(api: &Api, projects: &[Project], trace: TraceId) -> Result<Vec<TraceEvent>, ApiError> {
    let op = Op::In(vec![QueryValue::Text(trace.to_string())]);
    let filter = Expr::Term(Term { key: "trace".to_owned(), op });
    let ids: Vec<ProjectId> = projects.iter().map(|project| project.id).collect();
    let query = EventQuery { projects: ids, hashes: None, from: None, until: None, filter };
    let (mut found, mut issues) = (Vec::new(), Issues::default());
    let mut page = EventPage { ascending: true, after: None, limit: PAGE_MAX };
    while !query.projects.is_empty() && found.len() < TRACE_EVENTS_MAX {
        let rows = api.events.search(&query, &page).await?;
        page.after = rows.last().map(|row| (row.timestamp, row.event_id));
        let is_last = rows.len() < page.limit;
        for row in rows {
            let issue = issues.of(api, row.project_id, &row.hashes).await?;
            let project = projects.iter().find(|project| project.id == row.project_id);
            let (Some(issue), Some(project)) = (issue, project) else { continue };
            let stored = api.events.get(row.project_id, row.event_id).await?;
            let body: Event = stored.and_then(|stored| serde_json::from_slice(&stored.body).ok()).unwrap_or_default();
            found.push(TraceEvent {
                event_type: if issue.type_id == TypeId::ERROR { "error" } else { "occurrence" },
                event_id: row.event_id.to_string(),
                issue_id: issue.id.0,
                short_id: short_id_text(&project.slug, issue.short_id),
                level: row.level.as_str().to_owned(),
                description: row.title,
                culprit: row.culprit,
                issue_type: issue.type_id.0,
                start_timestamp: row.timestamp.as_secs_f64(),
                transaction: body.text(&["transaction"]).map(str::to_owned),
                project_id: project.id.0,
                project_slug: project.slug.clone(),
                span_id: body.text(&["contexts", "trace", "span_id"]).and_then(|id| id.parse().ok()),
            });
        }
        if is_last {
            break;
        }
    }
    found.truncate(TRACE_EVENTS_MAX);
    Ok(found)
}

/// The items of a trace in the projects of an organization.
async fn items(
    api: &Api,
    place: &InOrganization,
    trace: TraceId,
    limit: usize,
) -> Result<(Vec<Project>, Vec<TraceItem>), ApiError> {
    let projects = place.projects(api).await?;
    let ids: Vec<ProjectId> = projects.iter().map(|project| project.id).collect();
    let items = if ids.is_empty() { Vec::new() } else { api.traces.trace(&ids, trace, limit).await? };
    Ok((projects, items))
}
