//! Releases (`reference/web-api.md` §3.10).

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use axum::{
    Json,
    extract::{OriginalUri, RawPathParams, State},
    response::IntoResponse,
};
use http::Uri;
use nuthatch_protocol::{ProjectId, Timestamp};
use nuthatch_store::{
    events::{EventQuery, VALUES_MAX},
    projects::Project,
    releases,
    sessions::{SessionGrouping, SessionQuery},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    latest_release::Latest,
    paths::{OrganizationPath, ProjectPath},
    release_rows::{Telling, Version},
};
use crate::{
    Api,
    auth::{
        access::{InOrganization, InProject, Within, chosen, parameter},
        scope::ProjectRight,
    },
    error::{ApiError, ErrorBody},
    health::{Field, Share, Unit, ratio},
    page::cut,
    period::{Period, Range},
    query::{Paging, Query, single},
    release_search,
    shape::release::Release,
};

/// The period of health when none is given.
const PERIOD: Duration = Duration::from_hours(14 * 24);

/// Which releases, and what is told of them. What may repeat is one of several.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct ReleaseSearch {
    /// Part of the version, `release.version:>1.2`, `release.package:web`, `release.build:7`, `release:web@1.2.*`.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    query: Option<String>,
    /// Slugs or ids; `-1` or absent: all.
    project: Vec<String>,
    /// Environments that the release was seen in.
    environment: Vec<String>,
    /// `open` or `archived`; all when absent.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    status: Option<String>,
    /// `date` (when absent): the newest first. `sessions`, `users`, `crash_free_sessions`, `crash_free_users` in the
    /// period; `adoption`, `sessions_24h`, `users_24h`: the greatest first.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    sort: Option<String>,
    /// `1`: with the health of each.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    health: Option<String>,
}

/// The releases of an organization; when a period is given, those that came out in it or that sent something in it. Health
/// is that of the period, two weeks when absent.
#[utoipa::path(
    get, path = "/api/0/organizations/{org}/releases/", operation_id = "listReleases", tag = "releases",
    params(OrganizationPath, ReleaseSearch, Period, Paging),
    responses((status = 200, body = [Release]), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn list(
    State(api): State<Api>,
    place: Within<InOrganization, ProjectRight>,
    OriginalUri(uri): OriginalUri,
    Query(search): Query<ReleaseSearch>,
    Query(period): Query<Period>,
    Query(paging): Query<Paging>,
) -> Result<impl IntoResponse, ApiError> {
    let projects = place.projects(&api).await?;
    let projects = chosen(&projects, &search.project)?.into_iter().cloned().collect();
    page(&api, &place, projects, &uri, search, &period, &paging).await
}

/// The releases of a project.
#[utoipa::path(
    get, path = "/api/0/projects/{org}/{project}/releases/", operation_id = "listProjectReleases", tag = "releases",
    params(ProjectPath, ReleaseSearch, Period, Paging),
    responses((status = 200, body = [Release]), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn of_project(
    State(api): State<Api>,
    place: Within<InProject, ProjectRight>,
    OriginalUri(uri): OriginalUri,
    Query(search): Query<ReleaseSearch>,
    Query(period): Query<Period>,
    Query(paging): Query<Paging>,
) -> Result<impl IntoResponse, ApiError> {
    page(&api, &place.organization, vec![place.project.clone()], &uri, search, &period, &paging).await
}

/// A release.
#[utoipa::path(
    get, path = "/api/0/organizations/{org}/releases/{version}/", operation_id = "getRelease", tag = "releases",
    params(OrganizationPath, ReleaseSearch, Period, ("version" = String, Path, description = "The version")),
    responses((status = 200, body = Release), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn detail(
    State(api): State<Api>,
    place: Within<InOrganization, ProjectRight>,
    path: RawPathParams,
    Query(search): Query<ReleaseSearch>,
    Query(period): Query<Period>,
) -> Result<Json<Release>, ApiError> {
    let projects = place.projects(&api).await?;
    let projects = chosen(&projects, &search.project)?.into_iter().cloned().collect();
    one(&api, &place, projects, parameter(&path, "version").unwrap_or_default(), search, &period).await
}

/// A release of a project.
#[utoipa::path(
    get, path = "/api/0/projects/{org}/{project}/releases/{version}/", operation_id = "getProjectRelease",
    tag = "releases",
    params(ProjectPath, ReleaseSearch, Period, ("version" = String, Path, description = "The version")),
    responses((status = 200, body = Release), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn detail_in_project(
    State(api): State<Api>,
    place: Within<InProject, ProjectRight>,
    path: RawPathParams,
    Query(search): Query<ReleaseSearch>,
    Query(period): Query<Period>,
) -> Result<Json<Release>, ApiError> {
    let version = parameter(&path, "version").unwrap_or_default();
    one(&api, &place.organization, vec![place.project.clone()], version, search, &period).await
}

fn telling(
    place: &InOrganization,
    projects: Vec<Project>,
    search: &ReleaseSearch,
    period: &Period,
    now: Timestamp,
) -> Result<Telling, ApiError> {
    let range = period.range(now)?;
    let until = range.until.unwrap_or(now);
    Ok(Telling {
        organization: place.organization.id,
        projects,
        environments: search.environment.clone(),
        with_health: matches!(search.health.as_deref(), Some("1" | "true")),
        from: range.from.unwrap_or(until.minus(PERIOD)),
        until,
        now,
    })
}

pub(super) async fn one(
    api: &Api,
    place: &InOrganization,
    projects: Vec<Project>,
    version: &str,
    search: ReleaseSearch,
    period: &Period,
) -> Result<Json<Release>, ApiError> {
    let telling = telling(place, projects, &search, period, api.now())?;
    let found = api.meta.releases(&telling.project_ids(), Some(version)).await?;
    if found.is_empty() {
        return Err(ApiError::NotFound("release"));
    }
    let row = telling.rows(api, vec![(version.to_owned(), found)]).await?.pop();
    row.map(Json).ok_or(ApiError::NotFound("release"))
}

async fn page(
    api: &Api,
    place: &InOrganization,
    projects: Vec<Project>,
    uri: &Uri,
    search: ReleaseSearch,
    period: &Period,
    paging: &Paging,
) -> Result<impl IntoResponse + use<>, ApiError> {
    let order = Order::read(search.sort.as_deref())?;
    let telling = telling(place, projects, &search, period, api.now())?;
    let mut versions: BTreeMap<String, Vec<releases::Release>> = BTreeMap::new();
    for release in api.meta.releases(&telling.project_ids(), None).await? {
        versions.entry(release.version.clone()).or_default().push(release);
    }
    if let Some(archived) = wants_archived(search.status.as_deref())? {
        versions.retain(|_, releases| releases.iter().any(|release| release.facts.archived) == archived);
    }
    let sought = release_search::read(search.query.as_deref().unwrap_or_default(), telling.now)?;
    let sought = Latest { api, projects: &telling.project_ids() }.in_events(sought).await?;
    versions.retain(|version, _| release_search::finds(&sought, version));
    if !telling.environments.is_empty() && !versions.is_empty() {
        let seen = seen(&telling, api, Range::default()).await?;
        versions.retain(|version, _| seen.contains(version));
    }
    let range = period.range(telling.now)?;
    if range != Range::default() && !versions.is_empty() {
        let seen = seen(&telling, api, range).await?;
        versions.retain(|version, releases| seen.contains(version) || came_out(releases, range));
    }
    let mut versions: Vec<Version> = versions.into_iter().collect();
    // The earliest of its dates is when a release came to be.
    let created = |(_, releases): &Version| releases.iter().map(|release| release.date).min();
    versions.sort_by_key(|version| Reverse(created(version)));
    if let Some(values) = telling.ranks(api, order).await? {
        // Those without a value come last.
        let value = |version: &Version| values.get(&version.0).copied().unwrap_or(-1.0);
        versions.sort_by(|a, b| value(b).total_cmp(&value(a)));
    }
    let (page, links) = cut(versions, paging.cursor.as_deref(), paging.rows()?)?;
    let rows = telling.rows(api, page).await?;
    Ok((links.header(&api.public_url, uri), Json(rows)))
}

/// Whether only those are meant that are put away, or only the others; `None`: all.
fn wants_archived(status: Option<&str>) -> Result<Option<bool>, ApiError> {
    match status.unwrap_or_default() {
        "" => Ok(None),
        "open" => Ok(Some(false)),
        "archived" => Ok(Some(true)),
        other => Err(ApiError::Invalid(format!("status {other:?} is not open or archived"))),
    }
}

/// Whether a version was released in a time range; when nobody said so, whether it came to be known in it.
fn came_out(releases: &[releases::Release], range: Range) -> bool {
    releases
        .iter()
        .map(|release| release.facts.released.unwrap_or(release.date))
        .any(|time| range.from.is_none_or(|from| time >= from) && range.until.is_none_or(|until| time < until))
}

/// The versions that have sessions or events in the environments and in a time range.
async fn seen(telling: &Telling, api: &Api, range: Range) -> Result<HashSet<String>, ApiError> {
    let by = SessionGrouping { release: true, ..SessionGrouping::default() };
    let sessions = telling.of_period(telling.filter(None), by);
    let from_hour = range.from.map_or(0, Timestamp::hours);
    let until_hour = range.until.map_or(i64::MAX, |until| Timestamp(until.0.saturating_sub(1)).hours() + 1);
    let sessions = SessionQuery { from_hour, until_hour, ..sessions };
    let sessions = api.meta.session_sums(&sessions).await?.into_iter().filter_map(|sum| sum.group.release);
    let filter = telling.filter(None);
    let events =
        EventQuery { projects: telling.project_ids(), hashes: None, from: range.from, until: range.until, filter };
    let events = api.events.tag_values(&events, "release", VALUES_MAX).await?.top;
    Ok(sessions.chain(events.into_iter().map(|value| value.value)).collect())
}

/// In which order releases are listed.
enum Order {
    Newest,
    /// By a number of the period, or of the last day.
    Greatest {
        field: Field,
        of_day: bool,
    },
    /// By the share of the sessions of the last day, in the project where it is greatest.
    Adoption,
}

impl Telling {
    /// What releases are ordered by, by version; `None` when it is not a number.
    async fn ranks(&self, api: &Api, order: Order) -> Result<Option<HashMap<String, f64>>, ApiError> {
        let filter = self.filter(None);
        let mut ranks: HashMap<String, f64> = HashMap::new();
        match order {
            Order::Newest => return Ok(None),
            Order::Greatest { field, of_day } => {
                let by = SessionGrouping { release: true, ..SessionGrouping::default() };
                let query = if of_day { self.of_day(filter, by) } else { self.of_period(filter, by) };
                let query = SessionQuery { with_users: field.needs_users(), ..query };
                let sums = api.meta.session_sums(&query).await?.into_iter();
                ranks.extend(sums.filter_map(|sum| Some((sum.group.release.clone()?, field.of(&sum, None).as_f64()?))));
            }
            Order::Adoption => {
                let by_project = SessionGrouping { project: true, ..SessionGrouping::default() };
                let all = api.meta.session_sums(&self.of_day(filter.clone(), by_project)).await?.into_iter();
                let all: HashMap<ProjectId, i64> =
                    all.filter_map(|sum| Some((sum.group.project?, sum.health.sessions))).collect();
                let by_release = SessionGrouping { release: true, ..by_project };
                for sum in api.meta.session_sums(&self.of_day(filter, by_release)).await? {
                    let (Some(project), Some(release)) = (sum.group.project, sum.group.release) else { continue };
                    let all = all.get(&project).copied().unwrap_or_default();
                    let Some(share) = ratio(sum.health.sessions as f64, all as f64) else { continue };
                    let rank = ranks.entry(release).or_default();
                    *rank = rank.max(share);
                }
            }
        }
        Ok(Some(ranks))
    }
}

impl Order {
    fn read(word: Option<&str>) -> Result<Self, ApiError> {
        let crash_free = |unit| Field::Rate(Share::CrashFree, unit);
        let (field, of_day) = match word.unwrap_or_default() {
            "" | "date" => return Ok(Self::Newest),
            "sessions" => (Field::Count(Unit::Session), false),
            "users" => (Field::Count(Unit::User), false),
            "crash_free_sessions" => (crash_free(Unit::Session), false),
            "crash_free_users" => (crash_free(Unit::User), false),
            "adoption" => return Ok(Self::Adoption),
            "sessions_24h" => (Field::Count(Unit::Session), true),
            "users_24h" => (Field::Count(Unit::User), true),
            other => {
                let detail = format!(
                    "sort {other:?} is not date, sessions, users, crash_free_sessions, crash_free_users, adoption, \
                     sessions_24h or users_24h"
                );
                return Err(ApiError::Invalid(detail));
            }
        };
        Ok(Self::Greatest { field, of_day })
    }
}
