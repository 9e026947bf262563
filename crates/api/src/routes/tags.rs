//! Tags of all events of a project or organization (`reference/web-api.md` §3.2): what search fields complete.

use std::collections::BTreeSet;

use axum::{
    Json,
    extract::{OriginalUri, RawPathParams, State},
    response::IntoResponse,
};
use http::Uri;
use nuthatch_protocol::ProjectId;
use nuthatch_query::Expr;
use nuthatch_store::events::{EventQuery, VALUES_MAX};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    event_page::in_environments,
    paths::{OrganizationPath, ProjectPath},
};
use crate::{
    Api,
    auth::{
        access::{InOrganization, InProject, Within, chosen, parameter},
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

/// Whose tags: of which projects of an organization, in which environments.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct TagSearch {
    /// Slugs or ids; `-1`, or absent: all.
    project: Vec<String>,
    /// Only of events in these environments.
    environment: Vec<String>,
}

impl TagSearch {
    /// All events that are meant in a period; `None` when there is no project to ask about.
    async fn query(&self, api: &Api, place: &InOrganization, period: &Period) -> Result<Option<EventQuery>, ApiError> {
        let projects = place.projects(api).await?;
        let projects: Vec<ProjectId> = chosen(&projects, &self.project)?.iter().map(|project| project.id).collect();
        query(api, projects, &self.environment, period)
    }
}

/// In which environments.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct EnvironmentSearch {
    /// Only of events in these environments.
    environment: Vec<String>,
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
    params(OrganizationPath, TagSearch, Period),
    responses((status = 200, body = [TagKey]), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn of_organization(
    State(api): State<Api>,
    place: Within<InOrganization, EventRight>,
    Query(tags): Query<TagSearch>,
    Query(period): Query<Period>,
) -> Result<Json<Vec<TagKey>>, ApiError> {
    Ok(Json(keys(&api, tags.query(&api, &place, &period).await?).await?))
}

/// The values of a tag in an organization, most frequent first.
#[utoipa::path(
    get, path = "/api/0/organizations/{org}/tags/{key}/values/", operation_id = "listTagValues", tag = "tags",
    params(OrganizationPath, TagSearch, ValueSearch, Period, Paging, ("key" = String, Path, description = "Name of the tag")),
    responses((status = 200, body = [TagValue]), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
#[expect(clippy::too_many_arguments, reason = "one extractor each")]
pub(super) async fn values_of_organization(
    State(api): State<Api>,
    place: Within<InOrganization, EventRight>,
    OriginalUri(uri): OriginalUri,
    path: RawPathParams,
    Query(tags): Query<TagSearch>,
    Query(search): Query<ValueSearch>,
    Query(period): Query<Period>,
    Query(paging): Query<Paging>,
) -> Result<impl IntoResponse, ApiError> {
    let query = tags.query(&api, &place, &period).await?;
    let key = parameter(&path, "key").unwrap_or_default();
    page(&api, query, key, &uri, &search, &paging).await
}

/// The tags of a project, most frequent first.
#[utoipa::path(
    get, path = "/api/0/projects/{org}/{project}/tags/", operation_id = "listProjectTags", tag = "tags",
    params(ProjectPath, EnvironmentSearch, Period),
    responses((status = 200, body = [TagKey]), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn of_project(
    State(api): State<Api>,
    place: Within<InProject, EventRight>,
    Query(tags): Query<EnvironmentSearch>,
    Query(period): Query<Period>,
) -> Result<Json<Vec<TagKey>>, ApiError> {
    let query = query(&api, vec![place.project.id], &tags.environment, &period)?;
    Ok(Json(keys(&api, query).await?))
}

/// The values of a tag in a project, most frequent first.
#[utoipa::path(
    get, path = "/api/0/projects/{org}/{project}/tags/{key}/values/", operation_id = "listProjectTagValues",
    tag = "tags",
    params(ProjectPath, EnvironmentSearch, ValueSearch, Period, Paging, ("key" = String, Path, description = "Name of the tag")),
    responses((status = 200, body = [TagValue]), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
#[expect(clippy::too_many_arguments, reason = "one extractor each")]
pub(super) async fn values_of_project(
    State(api): State<Api>,
    place: Within<InProject, EventRight>,
    OriginalUri(uri): OriginalUri,
    path: RawPathParams,
    Query(tags): Query<EnvironmentSearch>,
    Query(search): Query<ValueSearch>,
    Query(period): Query<Period>,
    Query(paging): Query<Paging>,
) -> Result<impl IntoResponse, ApiError> {
    let query = query(&api, vec![place.project.id], &tags.environment, &period)?;
    let key = parameter(&path, "key").unwrap_or_default();
    page(&api, query, key, &uri, &search, &paging).await
}

/// The environments that events of an organization named, by name.
#[utoipa::path(
    get, path = "/api/0/organizations/{org}/environments/", operation_id = "listEnvironments", tag = "organizations",
    params(OrganizationPath),
    responses((status = 200, body = [Environment]), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn environments(
    State(api): State<Api>,
    place: Within<InOrganization, EventRight>,
) -> Result<Json<Vec<Environment>>, ApiError> {
    let projects: Vec<ProjectId> = place.projects(&api).await?.iter().map(|project| project.id).collect();
    let facts = api.meta.project_facts(&projects).await?;
    let names: BTreeSet<String> = facts.into_iter().flat_map(|facts| facts.environments).collect();
    let row = |(index, name): (usize, String)| Environment { id: (index + 1).to_string(), name };
    Ok(Json(names.into_iter().enumerate().map(row).collect()))
}

/// All events of some projects in a period; `None` when there is no project to ask about.
fn query(
    api: &Api,
    projects: Vec<ProjectId>,
    environments: &[String],
    period: &Period,
) -> Result<Option<EventQuery>, ApiError> {
    let range = period.range(api.now())?;
    let filter = in_environments(environments).unwrap_or_else(Expr::all);
    let query = EventQuery { projects, hashes: None, from: range.from, until: range.until, filter };
    Ok((!query.projects.is_empty()).then_some(query))
}

async fn keys(api: &Api, query: Option<EventQuery>) -> Result<Vec<TagKey>, ApiError> {
    let Some(query) = query else { return Ok(Vec::new()) };
    let keys = api.events.tag_keys(&query).await?;
    Ok(keys.iter().map(|(key, total)| TagKey::new(key, *total)).collect())
}

async fn page(
    api: &Api,
    query: Option<EventQuery>,
    key: &str,
    uri: &Uri,
    search: &ValueSearch,
    paging: &Paging,
) -> Result<impl IntoResponse + use<>, ApiError> {
    let mut values = match query {
        Some(query) => api.events.tag_values(&query, key, VALUES_MAX).await?.top,
        None => Vec::new(),
    };
    let sought = search.query.as_deref().unwrap_or_default().to_lowercase();
    values.retain(|value| value.value.to_lowercase().contains(&sought));
    let (page, links) = cut(values, paging.cursor.as_deref(), paging.rows()?)?;
    let rows: Vec<TagValue> = page.iter().map(|value| TagValue::new(key, value)).collect();
    Ok((links.header(&api.public_url, uri), Json(rows)))
}
