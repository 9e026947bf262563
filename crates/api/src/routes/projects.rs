//! Projects (`reference/web-api.md` §3.2).

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{OriginalUri, State},
    response::IntoResponse,
};
use http::StatusCode;
use nuthatch_protocol::{PublicKey, TypeId};
use nuthatch_query::Expr;
use nuthatch_store::{
    Change, StoreError,
    events::{EventQuery, VALUES_MAX},
    files::{FileKind, FileQuery, FileScope, UserReportQuery},
    issues::{IssueCondition, IssueQuery, IssueSort, IssueTest},
    projects::NewProject,
    traces::{TracePage, TraceQuery},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    organizations::{check_name, shape as organization_shape},
    paths::{OrganizationPath, ProjectPath},
    slug::{check_slug, made_up},
};
use crate::{
    Api,
    auth::{
        access::{InOrganization, InProject, Within},
        caller::Caller,
        scope::ProjectRight,
    },
    error::{ApiError, ErrorBody},
    page::cut,
    query::{Body, Paging, Query, single},
    shape::{
        filter::change_lists,
        project::{NewProjectRequest, Project, ProjectDetail, ProjectRequest, ReleaseName, read_domains},
        team::TeamSummary,
    },
    trace_items::Dataset,
};

/// Longest name of a platform, in bytes.
const PLATFORM_MAX_BYTES: usize = 64;

/// Which projects.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct ProjectSearch {
    /// Part of the name or slug; also `slug:x`, `id:1`, `platform:x`.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    query: Option<String>,
}

impl ProjectSearch {
    fn finds(&self, project: &nuthatch_store::projects::Project) -> bool {
        let query = self.query.as_deref().unwrap_or_default().trim();
        match query.split_once(':') {
            Some(("slug", slug)) => project.slug == slug,
            Some(("id", id)) => project.id.to_string() == id,
            Some(("platform", platform)) => project.platform.as_deref() == Some(platform),
            _ => {
                let sought = query.to_lowercase();
                project.slug.contains(&sought) || project.name.to_lowercase().contains(&sought)
            }
        }
    }
}

/// The projects of an organization.
#[utoipa::path(
    get, path = "/api/0/organizations/{org}/projects/", operation_id = "listProjects", tag = "projects",
    params(OrganizationPath, ProjectSearch, Paging),
    responses((status = 200, body = [Project]), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn list(
    State(api): State<Api>,
    place: Within<InOrganization, ProjectRight>,
    OriginalUri(uri): OriginalUri,
    Query(search): Query<ProjectSearch>,
    Query(paging): Query<Paging>,
) -> Result<impl IntoResponse, ApiError> {
    let projects = place.projects(&api).await?;
    let found = projects.into_iter().filter(|project| search.finds(project)).collect();
    let (page, links) = cut(found, paging.cursor.as_deref(), paging.rows()?)?;
    let mut rows = Vec::with_capacity(page.len());
    for project in &page {
        rows.push(shape(&api, &place, project).await?);
    }
    Ok((links.header(&api.public_url, &uri), Json(rows)))
}

/// The projects of all organizations of the account.
#[utoipa::path(
    get, path = "/api/0/projects/", operation_id = "listAllProjects", tag = "projects", params(ProjectSearch, Paging),
    responses((status = 200, body = [Project]), (status = 401, body = ErrorBody)),
)]
pub(super) async fn all(
    State(api): State<Api>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Query(search): Query<ProjectSearch>,
    Query(paging): Query<Paging>,
) -> Result<impl IntoResponse, ApiError> {
    let mut found = Vec::new();
    for place in InOrganization::all(&api, &caller).await? {
        if place.scopes.contain("project:read") {
            let projects = place.projects(&api).await?.into_iter().filter(|project| search.finds(project));
            found.extend(projects.map(|project| (place.clone(), project)));
        }
    }
    let (page, links) = cut(found, paging.cursor.as_deref(), paging.rows()?)?;
    let mut rows = Vec::with_capacity(page.len());
    for (place, project) in &page {
        rows.push(shape(&api, place, project).await?);
    }
    Ok((links.header(&api.public_url, &uri), Json(rows)))
}

/// A project.
#[utoipa::path(
    get, path = "/api/0/projects/{org}/{project}/", operation_id = "getProject", tag = "projects", params(ProjectPath),
    responses((status = 200, body = ProjectDetail), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn detail(
    State(api): State<Api>,
    place: Within<InProject, ProjectRight>,
) -> Result<Json<ProjectDetail>, ApiError> {
    Ok(Json(whole(&api, &place.organization, &place.project).await?))
}

/// Creates a project with a first key.
#[utoipa::path(
    post, path = "/api/0/organizations/{org}/projects/", operation_id = "createProject", tag = "projects",
    params(OrganizationPath), request_body = NewProjectRequest,
    responses((status = 201, body = Project), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)),
)]
pub(super) async fn create(
    State(api): State<Api>,
    place: Within<InOrganization, ProjectRight>,
    Body(request): Body<NewProjectRequest>,
) -> Result<(StatusCode, Json<Project>), ApiError> {
    let project = make(&api, &place, request).await?;
    Ok((StatusCode::CREATED, Json(shape(&api, &place, &project).await?)))
}

/// Makes a project with a first key.
pub(super) async fn make(
    api: &Api,
    place: &InOrganization,
    request: NewProjectRequest,
) -> Result<nuthatch_store::projects::Project, ApiError> {
    let name = check_name(&request.name)?;
    let slug = request.slug.filter(|slug| !slug.is_empty());
    let slug = slug.map_or_else(|| Ok(made_up(api, "project", &name)), |slug| check_slug(&slug))?;
    let new = NewProject {
        organization_id: place.organization.id,
        slug,
        name,
        platform: check_platform(request.platform)?,
        first_key: PublicKey(api.random()),
        created: api.now(),
    };
    Ok(api.meta.create_project(new).await?.0)
}

/// Changes a project.
#[utoipa::path(
    put, path = "/api/0/projects/{org}/{project}/", operation_id = "updateProject", tag = "projects",
    params(ProjectPath), request_body = ProjectRequest,
    responses((status = 200, body = ProjectDetail), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)),
)]
pub(super) async fn update(
    State(api): State<Api>,
    place: Within<InProject, ProjectRight>,
    Body(request): Body<ProjectRequest>,
) -> Result<Json<ProjectDetail>, ApiError> {
    let project = change_project(&api, &place.project, move |project| write(&request, project)).await?;
    Ok(Json(whole(&api, &place.organization, &project).await?))
}

/// Changes a project in the transaction that writes it. The change is tried before, for what a request gets wrong.
pub(super) async fn change_project(
    api: &Api,
    project: &nuthatch_store::projects::Project,
    change: impl Fn(&mut nuthatch_store::projects::Project) -> Result<(), ApiError> + Send + 'static,
) -> Result<nuthatch_store::projects::Project, ApiError> {
    change(&mut project.clone())?;
    let change: Change<_> = Box::new(move |project: &mut nuthatch_store::projects::Project| {
        change(project).map_err(|error| StoreError::Invalid(error.to_string()))
    });
    Ok(api.meta.change_project(project.id, change).await?)
}

/// Writes what a request asks for into a project.
fn write(request: &ProjectRequest, project: &mut nuthatch_store::projects::Project) -> Result<(), ApiError> {
    if let Some(name) = &request.name {
        project.name = check_name(name)?;
    }
    if let Some(slug) = &request.slug {
        project.slug = check_slug(slug)?;
    }
    if let Some(platform) = &request.platform {
        project.platform = check_platform(platform.clone())?;
    }
    let mut wrong = BTreeMap::new();
    request.scrubbing.clone().change(&mut project.options.scrubbing, &mut wrong);
    if let Some(lists) = &request.options {
        change_lists(&mut project.options.filters, lists, &mut wrong);
    }
    if let Some(domains) = &request.allowed_domains {
        project.options.allowed_domains = read_domains(domains, &mut wrong);
    }
    if let Some(hours) = request.resolve_age(&mut wrong) {
        project.resolve_age_hours = hours;
    }
    request.find_unread(&mut wrong);
    if wrong.is_empty() { Ok(()) } else { Err(ApiError::InvalidFields(wrong)) }
}

/// A project with its settings.
async fn whole(
    api: &Api,
    place: &InOrganization,
    project: &nuthatch_store::projects::Project,
) -> Result<ProjectDetail, ApiError> {
    Ok(ProjectDetail::new(shape(api, place, project).await?, project))
}

pub(super) async fn shape(
    api: &Api,
    place: &InOrganization,
    project: &nuthatch_store::projects::Project,
) -> Result<Project, ApiError> {
    let totals = api.meta.project_totals(project.id).await?;
    let has = api.meta.team_projects(place.organization.id).await?;
    let teams = api.meta.teams(place.organization.id).await?;
    let teams = teams.iter().filter(|team| has.contains(&(team.id, project.id))).map(TeamSummary::from).collect();
    let latest = api.meta.latest_releases(&[project.id]).await?.pop().map(|(_, version)| ReleaseName { version });
    let has_monitors = !api.meta.monitors(&[project.id]).await?.is_empty();
    let has_feedbacks = has_issues(api, place, project, TypeId::FEEDBACK).await?;
    let row = Project::new(project, organization_shape(api, place), totals, place.scopes, teams);
    Ok(Project {
        latest_release: latest,
        environments: environments(api, project).await?,
        first_transaction_event: has_items(api, project, Dataset::Transactions).await?,
        has_logs: has_items(api, project, Dataset::Logs).await?,
        has_trace_metrics: has_items(api, project, Dataset::Metrics).await?,
        has_user_reports: has_reports(api, project).await?,
        has_profiles: has_files(api, project, &[FileKind::Profile, FileKind::ProfileChunk]).await?,
        has_replays: has_files(api, project, &[FileKind::ReplayEvent, FileKind::ReplayVideo]).await?,
        has_feedbacks,
        has_new_feedbacks: has_feedbacks,
        has_monitors,
        ..row
    })
}

/// The environments that events name, the most frequent first.
async fn environments(api: &Api, project: &nuthatch_store::projects::Project) -> Result<Vec<String>, ApiError> {
    let events = EventQuery { projects: vec![project.id], hashes: None, from: None, until: None, filter: Expr::all() };
    let values = api.events.tag_values(&events, "environment", VALUES_MAX).await?.top;
    Ok(values.into_iter().map(|value| value.value).collect())
}

/// Whether a project has items of a dataset.
async fn has_items(api: &Api, project: &nuthatch_store::projects::Project, dataset: Dataset) -> Result<bool, ApiError> {
    let query = TraceQuery {
        projects: vec![project.id],
        kind: dataset.kind(),
        from: None,
        until: None,
        filter: dataset.condition().unwrap_or_else(Expr::all),
    };
    let first = TracePage { by: None, ascending: false, after: None, limit: 1 };
    Ok(!api.traces.search(&query, &first).await?.is_empty())
}

/// Whether users of a project said something about its events.
async fn has_reports(api: &Api, project: &nuthatch_store::projects::Project) -> Result<bool, ApiError> {
    let first = UserReportQuery { project_id: project.id, cursor: None, limit: 1 };
    Ok(!api.meta.user_reports(&first).await?.rows.is_empty())
}

/// Whether a project has files of one of some kinds.
async fn has_files(
    api: &Api,
    project: &nuthatch_store::projects::Project,
    kinds: &[FileKind],
) -> Result<bool, ApiError> {
    for kind in kinds {
        let first = FileQuery { project_id: project.id, scope: FileScope::Kind(*kind), cursor: None, limit: 1 };
        if !api.meta.files(&first).await?.rows.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a project has issues of a type.
async fn has_issues(
    api: &Api,
    place: &InOrganization,
    project: &nuthatch_store::projects::Project,
    type_id: TypeId,
) -> Result<bool, ApiError> {
    let first = IssueQuery {
        organization: place.organization.id,
        projects: vec![project.id],
        filter: vec![IssueCondition { negated: false, test: IssueTest::Types(vec![type_id]) }],
        seen_since: None,
        sort: IssueSort::LastSeen,
        cursor: None,
        limit: 1,
    };
    Ok(!api.meta.issues(&first).await?.issues.is_empty())
}

fn check_platform(platform: Option<String>) -> Result<Option<String>, ApiError> {
    match platform.filter(|platform| !platform.is_empty()) {
        Some(platform) if platform.len() > PLATFORM_MAX_BYTES => {
            Err(ApiError::Invalid(format!("platform is longer than {PLATFORM_MAX_BYTES} bytes")))
        }
        platform => Ok(platform),
    }
}
