//! Tags of all events of a project or organization (`reference/web-api.md` §3.2): what search fields complete.

use axum::{
    Json,
    extract::{RawPathParams, State},
    response::IntoResponse,
};
use http::Uri;
use nuthatch_protocol::ProjectId;
use nuthatch_query::Expr;
use nuthatch_store::events::{EventQuery, VALUES_MAX};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::paths::{OrganizationPath, ProjectPath};
use crate::{
    Api,
    auth::{
        access::{InOrganization, InProject, Within, parameter},
        scope::EventRight,
    },
    error::{ApiError, ErrorBody},
    page::cut,
    period::Period,
    query::{Paging, Query, single},
    shape::tag::{TagKey, TagValue},
};

/// Which values.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct ValueSearch {
    /// Part of the value.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    query: Option<String>,
}

/// An environment that events named.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Environment {
    id: String,
    name: String,
}

/// The tags of an organization, most frequent first.
#[utoipa::path(
    get, path = "/api/0/organizations/{org}/tags/", operation_id = "listTags", tag = "tags",
    params(OrganizationPath, Period),
    responses((status = 200, body = [TagKey]), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn of_organization(
    State(api): State<Api>,
    place: Within<InOrganization, EventRight>,
    Query(period): Query<Period>,
) -> Result<Json<Vec<TagKey>>, ApiError> {
    let projects = projects_of(&api, &place).await?;
    Ok(Json(keys(&api, projects, &period).await?))
}

/// The values of a tag in an organization, most frequent first.
#[utoipa::path(
    get, path = "/api/0/organizations/{org}/tags/{key}/values/", operation_id = "listTagValues", tag = "tags",
    params(OrganizationPath, ValueSearch, Period, Paging, ("key" = String, Path, description = "Name of the tag")),
    responses((status = 200, body = [TagValue]), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn values_of_organization(
    State(api): State<Api>,
    place: Within<InOrganization, EventRight>,
    uri: Uri,
    path: RawPathParams,
    Query(search): Query<ValueSearch>,
    Query(period): Query<Period>,
    Query(paging): Query<Paging>,
) -> Result<impl IntoResponse, ApiError> {
    let projects = projects_of(&api, &place).await?;
    let key = parameter(&path, "key").unwrap_or_default();
    page(&api, projects, key, &uri, &search, &period, &paging).await
}

/// The tags of a project, most frequent first.
#[utoipa::path(
    get, path = "/api/0/projects/{org}/{project}/tags/", operation_id = "listProjectTags", tag = "tags",
    params(ProjectPath, Period),
    responses((status = 200, body = [TagKey]), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn of_project(
    State(api): State<Api>,
    place: Within<InProject, EventRight>,
    Query(period): Query<Period>,
) -> Result<Json<Vec<TagKey>>, ApiError> {
    Ok(Json(keys(&api, vec![place.project.id], &period).await?))
}

/// The values of a tag in a project, most frequent first.
#[utoipa::path(
    get, path = "/api/0/projects/{org}/{project}/tags/{key}/values/", operation_id = "listProjectTagValues",
    tag = "tags",
    params(ProjectPath, ValueSearch, Period, Paging, ("key" = String, Path, description = "Name of the tag")),
    responses((status = 200, body = [TagValue]), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn values_of_project(
    State(api): State<Api>,
    place: Within<InProject, EventRight>,
    uri: Uri,
    path: RawPathParams,
    Query(search): Query<ValueSearch>,
    Query(period): Query<Period>,
    Query(paging): Query<Paging>,
) -> Result<impl IntoResponse, ApiError> {
    let key = parameter(&path, "key").unwrap_or_default();
    page(&api, vec![place.project.id], key, &uri, &search, &period, &paging).await
}

/// The environments that events of an organization named.
#[utoipa::path(
    get, path = "/api/0/organizations/{org}/environments/", operation_id = "listEnvironments", tag = "organizations",
    params(OrganizationPath),
    responses((status = 200, body = [Environment]), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn environments(
    State(api): State<Api>,
    place: Within<InOrganization, EventRight>,
) -> Result<Json<Vec<Environment>>, ApiError> {
    let Some(query) = query(projects_of(&api, &place).await?, &Period::default(), &api)? else {
        return Ok(Json(Vec::new()));
    };
    let values = api.events.tag_values(&query, "environment", VALUES_MAX).await?.top;
    let row = |(index, value): (usize, nuthatch_store::events::TagValue)| Environment {
        id: (index + 1).to_string(),
        name: value.value,
    };
    Ok(Json(values.into_iter().enumerate().map(row).collect()))
}

async fn projects_of(api: &Api, place: &InOrganization) -> Result<Vec<ProjectId>, ApiError> {
    Ok(place.projects(api).await?.into_iter().map(|project| project.id).collect())
}

/// All events of some projects in a period; `None` when there is no project to ask about.
fn query(projects: Vec<ProjectId>, period: &Period, api: &Api) -> Result<Option<EventQuery>, ApiError> {
    let range = period.range(api.now())?;
    let query = EventQuery { projects, hashes: None, from: range.from, until: range.until, filter: Expr::all() };
    Ok((!query.projects.is_empty()).then_some(query))
}

async fn keys(api: &Api, projects: Vec<ProjectId>, period: &Period) -> Result<Vec<TagKey>, ApiError> {
    let Some(query) = query(projects, period, api)? else { return Ok(Vec::new()) };
    let keys = api.events.tag_keys(&query).await?;
    Ok(keys.iter().map(|(key, total)| TagKey::new(key, *total)).collect())
}

async fn page(
    api: &Api,
    projects: Vec<ProjectId>,
    key: &str,
    uri: &Uri,
    search: &ValueSearch,
    period: &Period,
    paging: &Paging,
) -> Result<impl IntoResponse + use<>, ApiError> {
    let mut values = match query(projects, period, api)? {
        Some(query) => api.events.tag_values(&query, key, VALUES_MAX).await?.top,
        None => Vec::new(),
    };
    let sought = search.query.as_deref().unwrap_or_default().to_lowercase();
    values.retain(|value| value.value.to_lowercase().contains(&sought));
    let (page, links) = cut(values, paging.cursor.as_deref(), paging.rows()?)?;
    let rows: Vec<TagValue> = page.iter().map(|value| TagValue::new(key, value)).collect();
    Ok((links.header(&api.public_url, uri), Json(rows)))
}
