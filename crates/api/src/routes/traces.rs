//! Whole traces (`reference/web-api.md` §4.3).

use axum::{
    Json,
    extract::{RawPathParams, State},
};
use nuthatch_protocol::{ProjectId, TraceId, TraceItem, TraceItemKind};
use nuthatch_store::{projects::Project, traces::TRACE_ITEMS_MAX};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::{item_search::wrong, paths::OrganizationPath};
use crate::{
    Api,
    auth::{
        access::{InOrganization, Within, parameter},
        scope::EventRight,
    },
    error::{ApiError, ErrorBody},
    query::{Query, single},
    trace_items::{
        tree::{TraceMeta, TraceNode, roots},
        value::of_item,
    },
};

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

/// The spans of a trace as trees, those without a known parent as roots; none of an unknown trace.
#[utoipa::path(
    get, path = "/api/0/organizations/{org}/trace/{trace_id}/", operation_id = "getTrace", tag = "traces",
    params(OrganizationPath, TraceView, ("trace_id" = String, Path, description = "32 hex digits")),
    responses((status = 200, body = [TraceNode]), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn tree(
    State(api): State<Api>,
    place: Within<InOrganization, EventRight>,
    path: RawPathParams,
    Query(view): Query<TraceView>,
) -> Result<Json<Vec<TraceNode>>, ApiError> {
    let (projects, mut items) = items(&api, &place, parameter(&path, "trace_id"), view.limit()?).await?;
    items.retain(|item| item.kind == TraceItemKind::Span);
    Ok(Json(roots(&items, &projects, &view.additional_attributes)))
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
    let (_, items) = items(&api, &place, parameter(&path, "trace_id"), TRACE_ITEMS_MAX).await?;
    Ok(Json(TraceMeta::of(&items).json()))
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
    let (projects, items) = items(&api, &place, which.trace_id.as_deref(), TRACE_ITEMS_MAX).await?;
    let row = |item: &TraceItem| {
        LOG_FIELDS.iter().map(|field| ((*field).to_owned(), of_item(item, field, &projects))).collect()
    };
    let logs = items.iter().filter(|item| item.kind == TraceItemKind::Log);
    Ok(Json(TraceLogs { data: logs.map(row).collect() }))
}

/// The items of a trace in the projects of an organization.
async fn items(
    api: &Api,
    place: &InOrganization,
    trace_id: Option<&str>,
    limit: usize,
) -> Result<(Vec<Project>, Vec<TraceItem>), ApiError> {
    let text = trace_id.unwrap_or_default();
    let trace: TraceId = text.parse().map_err(|error| wrong("traceId", format!("{text:?}: {error}")))?;
    let projects = place.projects(api).await?;
    let ids: Vec<ProjectId> = projects.iter().map(|project| project.id).collect();
    let items = if ids.is_empty() { Vec::new() } else { api.traces.trace(&ids, trace, limit).await? };
    Ok((projects, items))
}
