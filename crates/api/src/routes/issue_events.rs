//! Events of an issue (`reference/web-api.md` §3.9).

use std::time::Duration;

use axum::{
    Json,
    extract::{OriginalUri, RawPathParams, State},
    response::{IntoResponse, Response},
};
use nuthatch_store::events::{EventPage, EventQuery, EventSummary, StoredEvent};
use serde_json::Value;

use super::{
    event_lookup::{belongs, body, in_project, read_id},
    event_page::{EventListing, EventSearch, beside, light, page, whole},
    issue::selected,
    paths::IssuePath,
};
use crate::{
    Api,
    auth::{
        access::{InIssue, Within, parameter},
        scope::EventRight,
    },
    error::{ApiError, ErrorBody},
    period::Period,
    query::{Paging, Query},
    shape::event::{Event, EventRow, Neighbours},
};

/// How many of the newest events are weighed for a recommendation.
const RECOMMENDED_FROM: usize = 10;

/// How much older than the newest a recommended event may be.
const RECOMMENDED_AGE: Duration = Duration::from_hours(7 * 24);

/// The events of an issue, newest first.
#[utoipa::path(
    get, path = "/issues/{issue}/events/", operation_id = "listIssueEvents", tag = "events",
    params(IssuePath, EventSearch, Period, EventListing, Paging),
    responses((status = 200, body = [EventRow]), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn list(
    State(api): State<Api>,
    place: Within<InIssue, EventRight>,
    OriginalUri(uri): OriginalUri,
    Query(search): Query<EventSearch>,
    Query(period): Query<Period>,
    Query(listing): Query<EventListing>,
    Query(paging): Query<Paging>,
) -> Result<Response, ApiError> {
    let query = selected(&api, &place, &search, &period).await?;
    let (events, links) = page(&api, &query, &paging, false).await?;
    let headers = links.header(&api.public_url, &uri);
    let owned = events.into_iter().map(|event| (event, Some(place.issue.id))).collect();
    if listing.is_full() {
        return Ok((headers, Json(whole(&api, owned).await?)).into_response());
    }
    Ok((headers, Json(light(&api, owned).await?)).into_response())
}

/// An event of an issue: `latest`, `oldest`, `recommended`, or by id. Neighbours are among those the query finds.
#[utoipa::path(
    get, path = "/issues/{issue}/events/{event_id}/", operation_id = "getIssueEvent", tag = "events",
    params(IssuePath, EventSearch, Period, ("event_id" = String, Path, description = "`latest`, `oldest`, `recommended` or 32 hex digits")),
    responses((status = 200, body = Event), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn detail(
    State(api): State<Api>,
    place: Within<InIssue, EventRight>,
    path: RawPathParams,
    Query(search): Query<EventSearch>,
    Query(period): Query<Period>,
) -> Result<Json<Event>, ApiError> {
    let query = selected(&api, &place, &search, &period).await?;
    let event = match parameter(&path, "event_id").unwrap_or_default() {
        "latest" => at_end(&api, &query, false).await?,
        "oldest" => at_end(&api, &query, true).await?,
        "recommended" => recommended(&api, &query).await?,
        id => match in_project(&api, &place.project, read_id(Some(id))?).await? {
            Some(event) if belongs(&api, &place.issue, &event).await? => Some(event),
            _ => None,
        },
    };
    let event = event.ok_or(ApiError::NotFound("event"))?;
    let neighbours = Neighbours {
        newer: beside(&api, &query, &event.summary, true).await?,
        older: beside(&api, &query, &event.summary, false).await?,
    };
    Ok(Json(body(&api, &event, Some(place.issue.id), neighbours).await?))
}

/// The newest event, or the oldest.
async fn at_end(api: &Api, query: &EventQuery, oldest: bool) -> Result<Option<StoredEvent>, ApiError> {
    let page = EventPage { ascending: oldest, after: None, limit: 1 };
    match api.events.search(query, &page).await?.first() {
        Some(row) => stored(api, row).await,
        None => Ok(None),
    }
}

async fn stored(api: &Api, row: &EventSummary) -> Result<Option<StoredEvent>, ApiError> {
    Ok(api.events.get(row.project_id, row.event_id).await?)
}

/// The most telling of the newest events; of equals the newest.
async fn recommended(api: &Api, query: &EventQuery) -> Result<Option<StoredEvent>, ApiError> {
    let page = EventPage { ascending: false, after: None, limit: RECOMMENDED_FROM };
    let rows = api.events.search(query, &page).await?;
    let oldest = rows.first().map(|newest| newest.timestamp.minus(RECOMMENDED_AGE));
    let mut best: Option<(u32, StoredEvent)> = None;
    for row in rows.iter().filter(|row| oldest.is_some_and(|oldest| row.timestamp >= oldest)) {
        let Some(event) = stored(api, row).await? else { continue };
        let weight = weight(&event);
        if best.as_ref().is_none_or(|(heaviest, _)| weight > *heaviest) {
            best = Some((weight, event));
        }
    }
    Ok(best.map(|(_, event)| event))
}

/// How much an event tells: what leads to other data first, then what describes the event.
fn weight(event: &StoredEvent) -> u32 {
    let Ok(body) = serde_json::from_slice::<Value>(&event.body) else { return 0 };
    let has = |path: &str| body.pointer(path).is_some_and(|value| !value.is_null());
    [
        ("/contexts/replay", 16),
        ("/contexts/profile", 8),
        ("/contexts/trace", 8),
        ("/request", 2),
        ("/breadcrumbs", 2),
        ("/user", 1),
        ("/release", 1),
    ]
    .into_iter()
    .filter(|(path, _)| has(path))
    .map(|(_, weight)| weight)
    .sum()
}
