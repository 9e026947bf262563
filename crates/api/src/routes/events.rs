//! Events of a project, and events known by their id alone (`reference/web-api.md` §3.9).

use std::collections::HashMap;

use axum::{
    Json,
    extract::{OriginalUri, RawPathParams, State},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use nuthatch_query::Expr;
use nuthatch_store::events::EventQuery;

use super::{
    event_lookup::{among, body, hashes_of, in_project, issue_of, read_id},
    event_page::{EventListing, EventSearch, beside, light, page, whole},
    latest_release::Latest,
    paths::{OrganizationPath, ProjectPath},
};
use crate::{
    Api,
    auth::{
        access::{InOrganization, InProject, Within, parameter},
        scope::EventRight,
    },
    error::{ApiError, ErrorBody},
    event_body::errors::with_errors,
    period::{Period, Range},
    query::{Paging, Query},
    shape::event::{Event, EventIdLookup, EventRow, Neighbours},
};

/// The events of a project, newest first.
#[utoipa::path(
    get, path = "/api/0/projects/{org}/{project}/events/", operation_id = "listProjectEvents", tag = "events",
    params(ProjectPath, EventSearch, Period, EventListing, Paging),
    responses((status = 200, body = [EventRow]), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn of_project(
    State(api): State<Api>,
    place: Within<InProject, EventRight>,
    OriginalUri(uri): OriginalUri,
    Query(search): Query<EventSearch>,
    Query(period): Query<Period>,
    Query(listing): Query<EventListing>,
    Query(paging): Query<Paging>,
) -> Result<Response, ApiError> {
    let now = api.now();
    let query = all_of(&api, &place, period.range(now)?, search.filter(now)?).await?;
    let (events, links) = page(&api, &query, &paging, false).await?;
    let mut owners = HashMap::new();
    let mut owned = Vec::with_capacity(events.len());
    for event in events {
        let issue = match owners.get(&event.hashes) {
            Some(issue) => *issue,
            None => issue_of(&api, place.project.id, &event.hashes).await?,
        };
        owners.insert(event.hashes.clone(), issue);
        owned.push((event, issue));
    }
    let headers = links.header(&api.public_url, &uri);
    if listing.is_full() {
        return Ok((headers, Json(whole(&api, owned).await?)).into_response());
    }
    Ok((headers, Json(light(&api, owned).await?)).into_response())
}

async fn all_of(api: &Api, place: &InProject, range: Range, filter: Expr) -> Result<EventQuery, ApiError> {
    let projects = vec![place.project.id];
    let filter = Latest { api, projects: &projects }.in_events(filter).await?;
    Ok(EventQuery { projects, hashes: None, from: range.from, until: range.until, filter })
}

/// An event, whole. Its neighbours are those of its issue.
#[utoipa::path(
    get, path = "/api/0/projects/{org}/{project}/events/{event_id}/", operation_id = "getEvent", tag = "events",
    params(ProjectPath, EventSearch, Period, ("event_id" = String, Path, description = "32 hex digits")),
    responses((status = 200, body = Event), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn detail(
    State(api): State<Api>,
    place: Within<InProject, EventRight>,
    path: RawPathParams,
    Query(search): Query<EventSearch>,
    Query(period): Query<Period>,
) -> Result<Json<Event>, ApiError> {
    let id = read_id(parameter(&path, "event_id"))?;
    let event = in_project(&api, &place.project, id).await?.ok_or(ApiError::NotFound("event"))?;
    let issue = issue_of(&api, place.project.id, &event.summary.hashes).await?;
    let now = api.now();
    let mut query = all_of(&api, &place, period.range(now)?, search.filter(now)?).await?;
    query.hashes = Some(match issue {
        Some(issue) => hashes_of(&api, place.project.id, issue).await?,
        None => event.summary.hashes.iter().map(|hash| (place.project.id, *hash)).collect(),
    });
    let neighbours = Neighbours {
        newer: beside(&api, &query, &event.summary, true).await?,
        older: beside(&api, &query, &event.summary, false).await?,
    };
    Ok(Json(body(&api, &event, issue, neighbours).await?))
}

/// The canonical JSON of an event as it is stored, with what its notes say was wrong among its `errors`.
#[utoipa::path(
    get, path = "/api/0/projects/{org}/{project}/events/{event_id}/json/", operation_id = "getEventJson",
    tag = "events", params(ProjectPath, ("event_id" = String, Path, description = "32 hex digits")),
    responses((status = 200, body = Object), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn json(
    State(api): State<Api>,
    place: Within<InProject, EventRight>,
    path: RawPathParams,
) -> Result<Response, ApiError> {
    let id = read_id(parameter(&path, "event_id"))?;
    let event = in_project(&api, &place.project, id).await?.ok_or(ApiError::NotFound("event"))?;
    let json = with_errors(event.body).map_err(|error| ApiError::Internal(format!("event {id}: {error}")))?;
    let media_type = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(([media_type], json).into_response())
}

/// Where an event is that is known by its id alone.
#[utoipa::path(
    get, path = "/api/0/organizations/{org}/eventids/{event_id}/", operation_id = "findEvent", tag = "events",
    params(OrganizationPath, ("event_id" = String, Path, description = "32 hex digits")),
    responses((status = 200, body = EventIdLookup), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn by_id(
    State(api): State<Api>,
    place: Within<InOrganization, EventRight>,
    path: RawPathParams,
) -> Result<Json<EventIdLookup>, ApiError> {
    let id = read_id(parameter(&path, "event_id"))?;
    let projects = place.projects(&api).await?;
    let (project, event) = among(&api, &projects, id).await?.ok_or(ApiError::NotFound("event"))?;
    let issue = issue_of(&api, project.id, &event.summary.hashes).await?;
    Ok(Json(EventIdLookup {
        organization_slug: place.organization.slug.clone(),
        project_slug: project.slug.clone(),
        group_id: issue.map(|id| id.to_string()),
        event_id: id.to_string(),
        event: body(&api, &event, issue, Neighbours::default()).await?,
    }))
}
