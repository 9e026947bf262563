//! Lists of issues and their companions (`reference/web-api.md` §3.4).

use std::collections::{BTreeMap, HashMap};

use axum::{
    Json,
    extract::{OriginalUri, RawPathParams, State},
    response::IntoResponse,
};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use nuthatch_protocol::{EventId, IssueId, ProjectId};
use nuthatch_store::{issue_types::IssueTypes, issues::HITS_MAX, projects::Project};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    event_lookup,
    issue_selection::{IssueSelection, Selected},
    issue_types::issue_types,
    organizations::people,
    paths::{OrganizationPath, ProjectPath},
};
use crate::{
    Api,
    auth::{
        access::{InOrganization, InProject, Within, issue_of, parameter},
        scope::EventRight,
    },
    error::{ApiError, ErrorBody},
    page::{Cursor, Links},
    period::Period,
    query::{Paging, Query, single},
    series::{HOUR_SECS, Intervals, Series},
    shape::{
        issue::{Issue, IssueContext, IssueStats, ShortId},
        people::People,
    },
};

/// Most issues whose graphs are asked for at once.
const STATS_MAX: usize = 100;

/// Most searches that are counted at once.
const COUNTS_MAX: usize = 20;

/// How issues are listed.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", default)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct IssueListing {
    /// Period of `stats`: `24h` (when absent), `14d`, `30d`, `auto`; empty: none.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    group_stats_period: Option<String>,
    /// Parts to leave out: `stats`.
    collapse: Vec<String>,
    /// `1`: a query that is a short id or an event id answers with that one issue, and `X-Sentry-Direct-Hit: 1`.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    short_id_lookup: Option<String>,
}

/// The issues of an organization.
#[utoipa::path(
    get, path = "/api/0/organizations/{org}/issues/", operation_id = "listIssues", tag = "issues",
    params(OrganizationPath, IssueSelection, Period, IssueListing, Paging),
    responses((status = 200, body = [Issue]), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn list(
    State(api): State<Api>,
    place: Within<InOrganization, EventRight>,
    OriginalUri(uri): OriginalUri,
    Query(selection): Query<IssueSelection>,
    Query(period): Query<Period>,
    Query(listing): Query<IssueListing>,
    Query(paging): Query<Paging>,
) -> Result<impl IntoResponse, ApiError> {
    page(&api, &place, None, &uri, &selection, &period, &listing, &paging).await
}

/// The issues of a project.
#[utoipa::path(
    get, path = "/api/0/projects/{org}/{project}/issues/", operation_id = "listProjectIssues", tag = "issues",
    params(ProjectPath, IssueSelection, Period, IssueListing, Paging),
    responses((status = 200, body = [Issue]), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn of_project(
    State(api): State<Api>,
    place: Within<InProject, EventRight>,
    OriginalUri(uri): OriginalUri,
    Query(selection): Query<IssueSelection>,
    Query(period): Query<Period>,
    Query(listing): Query<IssueListing>,
    Query(paging): Query<Paging>,
) -> Result<impl IntoResponse, ApiError> {
    page(&api, &place.organization, Some(&place.project), &uri, &selection, &period, &listing, &paging).await
}

#[expect(clippy::too_many_arguments, reason = "the parameters of a list, each a group of its own")]
async fn page(
    api: &Api,
    place: &InOrganization,
    project: Option<&Project>,
    uri: &Uri,
    selection: &IssueSelection,
    period: &Period,
    listing: &IssueListing,
    paging: &Paging,
) -> Result<impl IntoResponse + use<>, ApiError> {
    let projects = place.projects(api).await?;
    if listing.short_id_lookup.as_deref() == Some("1") {
        let sought = selection.query.as_deref().unwrap_or_default().trim();
        if let Some(issue) = direct_hit(api, &projects, sought).await? {
            let rows = rows(api, place, &projects, &[issue], period, listing).await?;
            let mut headers = hits(1);
            headers.insert(HeaderName::from_static("x-sentry-direct-hit"), HeaderValue::from_static("1"));
            return Ok((headers, Json(rows)));
        }
    }
    let cursor = Cursor::<u64>::read(paging.cursor.as_deref())?;
    let per_page = paging.rows()?;
    let found = match selection.select(api, place, &projects, project, period).await? {
        Selected::Nothing => {
            nuthatch_store::issues::IssuePage { issues: Vec::new(), has_previous: false, has_next: false, hits: 0 }
        }
        Selected::Query(mut query) => {
            query.cursor = cursor.map(|cursor| nuthatch_store::issues::IssueCursor {
                value: cursor.value,
                id: IssueId(cursor.key),
                backwards: cursor.backwards,
            });
            query.limit = per_page;
            api.meta.issues(&query).await?
        }
    };
    let sort = selection.sort()?;
    let links = Links::around(&found.issues, cursor, found.has_next, |issue| (sort.value(issue), issue.id.0));
    let links = Links { has_previous: found.has_previous, has_next: found.has_next, ..links };
    let mut headers = hits(found.hits);
    headers.extend(links.header(&api.public_url, uri));
    Ok((headers, Json(rows(api, place, &projects, &found.issues, period, listing).await?)))
}

fn hits(count: u64) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(HeaderName::from_static("x-hits"), HeaderValue::from(count));
    headers.insert(HeaderName::from_static("x-max-hits"), HeaderValue::from(HITS_MAX));
    headers
}

/// The issue that a search text names: a short id, or the id of an event.
async fn direct_hit(api: &Api, projects: &[Project], sought: &str) -> Result<Option<nuthatch_issues::Issue>, ApiError> {
    if let Ok(id) = sought.parse::<EventId>() {
        let Some((project, event)) = event_lookup::among(api, projects, id).await? else { return Ok(None) };
        let Some(id) = event_lookup::issue_of(api, project.id, &event.summary.hashes).await? else { return Ok(None) };
        return Ok(api.meta.issue(id).await?);
    }
    if sought.contains('-') {
        return Ok(issue_of(api, projects, sought).await?.map(|(_, issue)| issue));
    }
    Ok(None)
}

async fn rows(
    api: &Api,
    place: &InOrganization,
    projects: &[Project],
    issues: &[nuthatch_issues::Issue],
    period: &Period,
    listing: &IssueListing,
) -> Result<Vec<Issue>, ApiError> {
    let name = listing.group_stats_period.as_deref().unwrap_or("24h");
    let wanted = !listing.collapse.iter().any(|part| part == "stats");
    let intervals = if wanted { Intervals::of_group_stats(name, period.range(api.now())?, api.now()) } else { None };
    let mut stats = match intervals {
        Some(intervals) => series(api, issues, intervals).await?,
        None => HashMap::new(),
    };
    let people = people(api, place).await?;
    let types = issue_types(api, place).await?;
    let by_id: HashMap<ProjectId, &Project> = projects.iter().map(|project| (project.id, project)).collect();
    let shaped = issues.iter().filter_map(|issue| {
        let project = by_id.get(&issue.project_id)?;
        let context = context(api, place, project, &people, &types);
        let series = stats.remove(&issue.id).map(|series| BTreeMap::from([(name.to_owned(), series)]));
        Some(Issue::new(issue, &context, series))
    });
    Ok(shaped.collect())
}

/// What the shape of an issue of this organization needs.
pub(super) fn context<'a>(
    api: &'a Api,
    place: &'a InOrganization,
    project: &'a Project,
    people: &'a People,
    types: &'a IssueTypes,
) -> IssueContext<'a> {
    let now = api.now();
    IssueContext { public_url: &api.public_url, organization: &place.organization, project, people, types, now }
}

/// Events per interval of each issue.
pub(super) async fn series(
    api: &Api,
    issues: &[nuthatch_issues::Issue],
    intervals: Intervals,
) -> Result<HashMap<IssueId, Series>, ApiError> {
    let ids: Vec<IssueId> = issues.iter().map(|issue| issue.id).collect();
    let mut counts: HashMap<IssueId, Vec<(i64, u64)>> = ids.iter().map(|id| (*id, Vec::new())).collect();
    for (id, hour, count) in api.meta.hourly_counts(&ids, intervals.first.div_euclid(HOUR_SECS)).await? {
        counts.entry(id).or_default().push((hour * HOUR_SECS, count));
    }
    Ok(counts.into_iter().map(|(id, counts)| (id, intervals.fill(counts))).collect())
}

/// Which issues' graphs.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", default)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct StatsSelection {
    /// Ids of issues, at most 100.
    groups: Vec<String>,
    /// Period of `stats`: `24h` (when absent), `14d`, `30d`, `auto`.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    group_stats_period: Option<String>,
}

/// Numbers and graphs of issues, for lists that were loaded without them.
#[utoipa::path(
    get, path = "/api/0/organizations/{org}/issues-stats/", operation_id = "getIssuesStats", tag = "issues",
    params(OrganizationPath, StatsSelection, Period),
    responses((status = 200, body = [IssueStats]), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn stats(
    State(api): State<Api>,
    place: Within<InOrganization, EventRight>,
    Query(selection): Query<StatsSelection>,
    Query(period): Query<Period>,
) -> Result<Json<Vec<IssueStats>>, ApiError> {
    if selection.groups.is_empty() || selection.groups.len() > STATS_MAX {
        return Err(ApiError::Invalid(format!("groups takes 1 to {STATS_MAX} ids of issues")));
    }
    let name = selection.group_stats_period.as_deref().unwrap_or("24h");
    let intervals = Intervals::of_group_stats(name, period.range(api.now())?, api.now())
        .ok_or_else(|| ApiError::Invalid(format!("groupStatsPeriod {name:?} is not 24h, 14d, 30d or auto")))?;
    let projects = place.projects(&api).await?;
    let mut issues = Vec::new();
    for text in &selection.groups {
        let id: IssueId = text.parse().map_err(|_| ApiError::Invalid(format!("{text:?} is not the id of an issue")))?;
        let issue = api.meta.issue(id).await?;
        issues.extend(issue.filter(|issue| projects.iter().any(|project| project.id == issue.project_id)));
    }
    let mut series = series(&api, &issues, intervals).await?;
    let shaped = issues.iter().map(|issue| {
        let series = series.remove(&issue.id).unwrap_or_default();
        IssueStats::new(issue, BTreeMap::from([(name.to_owned(), series)]))
    });
    Ok(Json(shaped.collect()))
}

/// Searches to count.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct Searches {
    /// Search texts, at most 20.
    query: Vec<String>,
    /// Slugs or ids; `-1`, or absent: all.
    project: Vec<String>,
    /// Only issues with an event in one of these environments.
    environment: Vec<String>,
}

/// How many issues each of several searches finds.
#[utoipa::path(
    get, path = "/api/0/organizations/{org}/issues-count/", operation_id = "countIssues", tag = "issues",
    params(OrganizationPath, Searches, Period),
    responses((status = 200, body = BTreeMap<String, u64>), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn count(
    State(api): State<Api>,
    place: Within<InOrganization, EventRight>,
    Query(searches): Query<Searches>,
    Query(period): Query<Period>,
) -> Result<Json<BTreeMap<String, u64>>, ApiError> {
    if searches.query.len() > COUNTS_MAX {
        return Err(ApiError::Invalid(format!("at most {COUNTS_MAX} searches are counted at once")));
    }
    let projects = place.projects(&api).await?;
    let mut counts = BTreeMap::new();
    for text in searches.query {
        let selection = IssueSelection::of_query(&text, searches.project.clone(), searches.environment.clone());
        let hits = match selection.select(&api, &place, &projects, None, &period).await? {
            Selected::Nothing => 0,
            Selected::Query(mut query) => {
                query.limit = 1;
                api.meta.issues(&query).await?.hits
            }
        };
        counts.insert(text, hits);
    }
    Ok(Json(counts))
}

/// What a short id stands for.
#[utoipa::path(
    get, path = "/api/0/organizations/{org}/shortids/{short_id}/", operation_id = "getShortId", tag = "issues",
    params(OrganizationPath, ("short_id" = String, Path, description = "For instance WEB-4")),
    responses((status = 200, body = ShortId), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn short_id(
    State(api): State<Api>,
    place: Within<InOrganization, EventRight>,
    path: RawPathParams,
) -> Result<Json<ShortId>, ApiError> {
    let projects = place.projects(&api).await?;
    let short_id = parameter(&path, "short_id").filter(|text| text.contains('-')).unwrap_or_default();
    let Some((project, issue)) = issue_of(&api, &projects, short_id).await? else {
        return Err(ApiError::NotFound("issue"));
    };
    let listing = IssueListing::default();
    let rows = rows(&api, &place, &projects, &[issue], &Period::default(), &listing).await?;
    let group = rows.into_iter().next().ok_or(ApiError::NotFound("issue"))?;
    Ok(Json(ShortId {
        organization_slug: place.organization.slug.clone(),
        project_slug: project.slug,
        group_id: group.id.clone(),
        short_id: group.short_id.clone(),
        group,
    }))
}
