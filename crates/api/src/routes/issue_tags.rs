//! Tags of an issue (`reference/web-api.md` §3.8).

use axum::{
    Json,
    extract::{OriginalUri, RawPathParams, State},
    response::IntoResponse,
};
use nuthatch_store::events::{TagValue as Counted, VALUES_MAX};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{event_page::EventSearch, issue::selected, paths::IssuePath};
use crate::{
    Api,
    auth::{
        access::{InIssue, Within, parameter},
        scope::EventRight,
    },
    error::{ApiError, ErrorBody},
    page::cut,
    period::Period,
    query::{Paging, Query, single},
    shape::tag::{Tag, TagValue},
};

/// Values shown of each tag when nobody says how many.
const TOP_VALUES: usize = 10;

/// Most tags of an issue that are shown with their values.
const TAGS_MAX: usize = 50;

/// Which tags.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct TagSelection {
    /// Only these tags; all when absent.
    key: Vec<String>,
    /// Values shown of each, at most 100.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<u32>)]
    limit: Option<String>,
}

/// The tags of an issue with their most frequent values.
#[utoipa::path(
    get, path = "/issues/{issue}/tags/", operation_id = "listIssueTags", tag = "tags",
    params(IssuePath, TagSelection, EventSearch, Period),
    responses((status = 200, body = [Tag]), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn list(
    State(api): State<Api>,
    place: Within<InIssue, EventRight>,
    Query(selection): Query<TagSelection>,
    Query(search): Query<EventSearch>,
    Query(period): Query<Period>,
) -> Result<Json<Vec<Tag>>, ApiError> {
    let query = selected(&api, &place, &search, &period).await?;
    let limit = match selection.limit.as_deref() {
        None => TOP_VALUES,
        given => crate::page::per_page(given)?,
    };
    let keys = api.events.tag_keys(&query).await?.into_iter().map(|(key, _)| key);
    let wanted = keys.filter(|key| selection.key.is_empty() || selection.key.contains(key)).take(TAGS_MAX);
    let mut tags = Vec::new();
    for key in wanted {
        tags.push(Tag::new(&key, &api.events.tag_values(&query, &key, limit).await?));
    }
    Ok(Json(tags))
}

/// One tag of an issue with its most frequent values.
#[utoipa::path(
    get, path = "/issues/{issue}/tags/{key}/", operation_id = "getIssueTag", tag = "tags",
    params(IssuePath, EventSearch, Period, ("key" = String, Path, description = "Name of the tag")),
    responses((status = 200, body = Tag), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn detail(
    State(api): State<Api>,
    place: Within<InIssue, EventRight>,
    path: RawPathParams,
    Query(search): Query<EventSearch>,
    Query(period): Query<Period>,
) -> Result<Json<Tag>, ApiError> {
    let query = selected(&api, &place, &search, &period).await?;
    let key = parameter(&path, "key").unwrap_or_default();
    let values = api.events.tag_values(&query, key, TOP_VALUES).await?;
    if values.total == 0 {
        return Err(ApiError::NotFound("tag"));
    }
    Ok(Json(Tag::new(key, &values)))
}

/// Order of values.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct ValueOrder {
    /// `-count` (when absent), `-date` last seen, `-age` first seen.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    sort: Option<String>,
}

/// The values of a tag of an issue, the 1000 most frequent at most.
#[utoipa::path(
    get, path = "/issues/{issue}/tags/{key}/values/", operation_id = "listIssueTagValues", tag = "tags",
    params(IssuePath, EventSearch, Period, ValueOrder, Paging, ("key" = String, Path, description = "Name of the tag")),
    responses((status = 200, body = [TagValue]), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn values(
    State(api): State<Api>,
    place: Within<InIssue, EventRight>,
    OriginalUri(uri): OriginalUri,
    path: RawPathParams,
    Query(search): Query<EventSearch>,
    Query(period): Query<Period>,
    (Query(order), Query(paging)): (Query<ValueOrder>, Query<Paging>),
) -> Result<impl IntoResponse, ApiError> {
    let query = selected(&api, &place, &search, &period).await?;
    let key = parameter(&path, "key").unwrap_or_default();
    let mut values = api.events.tag_values(&query, key, VALUES_MAX).await?.top;
    sort(&mut values, order.sort.as_deref().unwrap_or_default())?;
    let (page, links) = cut(values, paging.cursor.as_deref(), paging.rows()?)?;
    let rows: Vec<TagValue> = page.iter().map(|value| TagValue::new(key, value)).collect();
    Ok((links.header(&api.public_url, &uri), Json(rows)))
}

fn sort(values: &mut [Counted], order: &str) -> Result<(), ApiError> {
    match order {
        "" | "-count" => {}
        "-date" | "-id" => values.sort_by_key(|value| std::cmp::Reverse(value.last_seen)),
        "-age" => values.sort_by_key(|value| std::cmp::Reverse(value.first_seen)),
        other => return Err(ApiError::Invalid(format!("sort {other:?} is not -count, -date or -age"))),
    }
    Ok(())
}
