//! One issue (`reference/web-api.md` §3.5–§3.7).

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{OriginalUri, State},
    response::IntoResponse,
};
use nuthatch_issues::{
    Issue as Model,
    forecast::{first_hour, forecast},
};
use nuthatch_query::Expr;
use nuthatch_store::events::EventQuery;

use super::{
    event_lookup::{hashes_of, release},
    event_page::EventSearch,
    issue_change,
    issue_files::count_reports,
    issue_types::issue_types,
    issues::{context, series},
    latest_release::Latest,
    organizations::people,
    paths::IssuePath,
};
use crate::{
    Api,
    auth::{
        access::{InIssue, Within},
        scope::EventRight,
    },
    error::{ApiError, ErrorBody},
    page::cut,
    period::{Period, Range},
    query::{Body, Paging, Query},
    series::Intervals,
    shape::{
        activity::{Activities, Activity, activities as activity_rows},
        issue::{Issue, IssueDetail, IssueHash, IssueRequest},
        people::People,
        tag::TagKey,
    },
};

/// Most activities that are shown.
const ACTIVITIES_MAX: usize = 100;

/// An issue.
#[utoipa::path(
    get, path = "/issues/{issue}/", operation_id = "getIssue", tag = "issues", params(IssuePath),
    responses((status = 200, body = IssueDetail), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn detail(
    State(api): State<Api>,
    place: Within<InIssue, EventRight>,
) -> Result<Json<IssueDetail>, ApiError> {
    let query = events_of(&api, &place, Range::default(), Expr::all()).await?;
    let tags = api.events.tag_keys(&query).await?.iter().map(|(key, total)| TagKey::new(key, *total)).collect();
    let people = people(&api, &place.organization).await?;
    let issue = &place.issue;
    Ok(Json(IssueDetail {
        row: row(&api, &place, issue, &people).await?,
        activity: stored_activities(&api, issue, &people).await?,
        seen_by: Vec::new(),
        participants: Vec::new(),
        user_report_count: count_reports(&api, &place).await?,
        escalates_above: escalates_above(&api, &place).await?,
        first_release: release(&api, issue.project_id, issue.first_release.as_deref()).await?,
        last_release: release(&api, issue.project_id, issue.last_release.as_deref()).await?,
        tags,
        plugin_actions: Vec::new(),
        plugin_issues: Vec::new(),
        plugin_contexts: Vec::new(),
    }))
}

/// Resolves, archives, reopens, assigns an issue or sets its priority.
#[utoipa::path(
    put, path = "/issues/{issue}/", operation_id = "updateIssue", tag = "issues", params(IssuePath),
    request_body = IssueRequest,
    responses((status = 200, body = Issue), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn update(
    State(api): State<Api>,
    place: Within<InIssue, EventRight>,
    Body(request): Body<IssueRequest>,
) -> Result<Json<Issue>, ApiError> {
    let actions = issue_change::actions(&api, &place.organization, &request).await?;
    let types = issue_types(&api, &place.organization).await?;
    issue_change::check_editable(&actions, [&place.issue], &types)?;
    let actor = place.organization.caller.user.id;
    let changed = issue_change::apply(&api, actor, vec![place.issue.id], actions).await?;
    let people = people(&api, &place.organization).await?;
    let issue = changed.first().unwrap_or(&place.issue);
    Ok(Json(row(&api, &place, issue, &people).await?))
}

/// What happened to an issue, newest first.
#[utoipa::path(
    get, path = "/issues/{issue}/activities/", operation_id = "listActivities", tag = "issues", params(IssuePath),
    responses((status = 200, body = Activities), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn activities(
    State(api): State<Api>,
    place: Within<InIssue, EventRight>,
) -> Result<Json<Activities>, ApiError> {
    let people = people(&api, &place.organization).await?;
    Ok(Json(Activities { activity: stored_activities(&api, &place.issue, &people).await? }))
}

/// The hashes an issue owns.
#[utoipa::path(
    get, path = "/issues/{issue}/hashes/", operation_id = "listHashes", tag = "issues", params(IssuePath, Paging),
    responses((status = 200, body = [IssueHash]), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn hashes(
    State(api): State<Api>,
    place: Within<InIssue, EventRight>,
    OriginalUri(uri): OriginalUri,
    Query(paging): Query<Paging>,
) -> Result<impl IntoResponse, ApiError> {
    let hashes = api.meta.hashes(place.issue.id).await?;
    let (page, links) = cut(hashes, paging.cursor.as_deref(), paging.rows()?)?;
    let row = |hash: nuthatch_protocol::Hash| IssueHash {
        id: hash.to_string(),
        latest_event: None,
        merged_by_seer: false,
        seer_match_distance: None,
    };
    Ok((links.header(&api.public_url, &uri), Json(page.into_iter().map(row).collect::<Vec<_>>())))
}

/// The events of an issue in a time range that meet a condition.
async fn events_of(api: &Api, place: &InIssue, range: Range, filter: Expr) -> Result<EventQuery, ApiError> {
    let hashes = Some(hashes_of(api, place.project.id, place.issue.id).await?);
    let projects = vec![place.project.id];
    let filter = Latest { api, projects: &projects }.in_events(filter).await?;
    Ok(EventQuery { projects, hashes, from: range.from, until: range.until, filter })
}

/// The events of an issue that a request selects.
pub(super) async fn selected(
    api: &Api,
    place: &InIssue,
    search: &EventSearch,
    period: &Period,
) -> Result<EventQuery, ApiError> {
    let now = api.now();
    events_of(api, place, period.range(now)?, search.filter(now)?).await
}

async fn stored_activities(api: &Api, issue: &Model, people: &People) -> Result<Vec<Activity>, ApiError> {
    Ok(activity_rows(issue, &api.meta.activities(issue.id, ACTIVITIES_MAX).await?, people))
}

/// The events an hour above which an issue escalates, if it is archived until it does.
async fn escalates_above(api: &Api, place: &InIssue) -> Result<Option<u64>, ApiError> {
    let (issue, now) = (&place.issue, api.now());
    let types = issue_types(api, &place.organization).await?;
    let escalates = types.by_id(issue.type_id).is_some_and(|issue_type| issue_type.escalates);
    if !issue.awaits_escalation() || !escalates {
        return Ok(None);
    }
    let counts = api.meta.hourly_counts(&[issue.id], first_hour(now)).await?;
    let counts = counts.into_iter().map(|(_, hour, count)| (hour, count));
    Ok(Some(forecast(counts, issue.state_since, now)))
}

/// The row of one issue, with the graphs of a day and of a month.
async fn row(api: &Api, place: &InIssue, issue: &Model, people: &People) -> Result<Issue, ApiError> {
    let mut stats = BTreeMap::new();
    for name in ["24h", "30d"] {
        if let Some(intervals) = Intervals::of_group_stats(name, Range::default(), api.now()) {
            let series = series(api, std::slice::from_ref(issue), intervals).await?;
            stats.extend(series.into_values().map(|series| (name.to_owned(), series)));
        }
    }
    let types = issue_types(api, &place.organization).await?;
    Ok(Issue::new(issue, &context(api, &place.organization, &place.project, people, &types), Some(stats)))
}
