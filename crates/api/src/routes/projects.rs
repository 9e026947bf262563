//! Projects (`reference/web-api.md` §3.2).

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{OriginalUri, State},
    response::IntoResponse,
};
use http::StatusCode;
use nuthatch_protocol::{ProjectId, PublicKey};
use nuthatch_store::{Change, StoreError, project_facts::ProjectFacts, projects::NewProject};
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
        project::{NewProjectRequest, Project, ProjectDetail, ProjectRequest, read_domains},
        team::TeamSummary,
    },
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
    let rows = shapes(&api, &place, &page).await?;
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
    for theirs in page.chunk_by(|(a, _), (b, _)| a.organization.id == b.organization.id) {
        let projects: Vec<_> = theirs.iter().map(|(_, project)| project.clone()).collect();
        if let Some((place, _)) = theirs.first() {
            rows.extend(shapes(&api, place, &projects).await?);
        }
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

/// A project as lists show it.
pub(super) async fn shape(
    api: &Api,
    place: &InOrganization,
    project: &nuthatch_store::projects::Project,
) -> Result<Project, ApiError> {
    shapes(api, place, std::slice::from_ref(project)).await?.pop().ok_or(ApiError::NotFound("project"))
}

/// Projects of an organization as lists show them. Nothing that they sent is looked through.
pub(super) async fn shapes(
    api: &Api,
    place: &InOrganization,
    projects: &[nuthatch_store::projects::Project],
) -> Result<Vec<Project>, ApiError> {
    let ids: Vec<ProjectId> = projects.iter().map(|project| project.id).collect();
    let facts = api.meta.project_facts(&ids).await?;
    let has = api.meta.team_projects(place.organization.id).await?;
    let teams = api.meta.teams(place.organization.id).await?;
    let shape = |(project, facts): (&nuthatch_store::projects::Project, ProjectFacts)| {
        let theirs = teams.iter().filter(|team| has.contains(&(team.id, project.id))).map(TeamSummary::from).collect();
        Project::new(project, organization_shape(api, place), facts, place.scopes, theirs)
    };
    Ok(projects.iter().zip(facts).map(shape).collect())
}

fn check_platform(platform: Option<String>) -> Result<Option<String>, ApiError> {
    match platform.filter(|platform| !platform.is_empty()) {
        Some(platform) if platform.len() > PLATFORM_MAX_BYTES => {
            Err(ApiError::Invalid(format!("platform is longer than {PLATFORM_MAX_BYTES} bytes")))
        }
        platform => Ok(platform),
    }
}
