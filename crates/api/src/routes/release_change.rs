//! Making and changing releases (`reference/web-api.md` §3.10). Tools say the same thing more than once and at the same time,
//! so each request says what it knows and leaves the rest.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{RawPathParams, State},
    response::{IntoResponse, Response},
};
use http::StatusCode;
use nuthatch_protocol::{ProjectId, Timestamp, version::is_release_name};
use nuthatch_store::{
    projects::Project,
    releases::{ReleaseChange, ReleaseOutcome, ReleasePut},
};
use url::Url;

use super::{
    item_search::wrong,
    paths::{OrganizationPath, ProjectPath},
    releases::{ReleaseSearch, one},
};
use crate::{
    Api,
    auth::{
        access::{InOrganization, InProject, Within, chosen, parameter},
        scope::ReleaseRight,
    },
    error::{ApiError, ErrorBody},
    period::Period,
    query::Body,
    shape::release::{NewReleaseRequest, Release, ReleaseRequest},
};

/// Longest reference, in characters.
const REFERENCE_MAX_CHARS: usize = 250;
/// Longest address, in bytes.
const URL_MAX_BYTES: usize = 2048;

/// Makes a release, or changes one that is there: then the answer is 208. Without `projects` those that have it are meant;
/// when none has, all of the organization.
#[utoipa::path(
    post, path = "/api/0/organizations/{org}/releases/", operation_id = "createRelease", tag = "releases",
    params(OrganizationPath), request_body = NewReleaseRequest,
    responses((status = 201, body = Release), (status = 208, body = Release), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn create(
    State(api): State<Api>,
    place: Within<InOrganization, ReleaseRight>,
    Body(request): Body<NewReleaseRequest>,
) -> Result<Response, ApiError> {
    let projects = place.projects(&api).await?;
    let change = Change::read(made(request), &projects)?;
    change.create(&api, &place, projects).await
}

/// Makes a release of a project, or changes one that is there: then the answer is 208.
#[utoipa::path(
    post, path = "/api/0/projects/{org}/{project}/releases/", operation_id = "createProjectRelease", tag = "releases",
    params(ProjectPath), request_body = NewReleaseRequest,
    responses((status = 201, body = Release), (status = 208, body = Release), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn create_in_project(
    State(api): State<Api>,
    place: Within<InProject, ReleaseRight>,
    Body(request): Body<NewReleaseRequest>,
) -> Result<Response, ApiError> {
    let projects = place.organization.projects(&api).await?;
    let mut change = Change::read(made(request), &projects)?;
    change.add(place.project.id);
    change.create(&api, &place.organization, projects).await
}

/// Changes a release that is there.
#[utoipa::path(
    put, path = "/api/0/organizations/{org}/releases/{version}/", operation_id = "updateRelease", tag = "releases",
    params(OrganizationPath, ("version" = String, Path, description = "The version")), request_body = ReleaseRequest,
    responses((status = 200, body = Release), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn update(
    State(api): State<Api>,
    place: Within<InOrganization, ReleaseRight>,
    path: RawPathParams,
    Body(request): Body<ReleaseRequest>,
) -> Result<Json<Release>, ApiError> {
    let projects = place.projects(&api).await?;
    let having = projects.clone();
    change_known(&api, &place, projects, having, &path, request).await
}

/// Changes a release of a project.
#[utoipa::path(
    put, path = "/api/0/projects/{org}/{project}/releases/{version}/", operation_id = "updateProjectRelease",
    tag = "releases", params(ProjectPath, ("version" = String, Path, description = "The version")),
    request_body = ReleaseRequest,
    responses((status = 200, body = Release), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn update_in_project(
    State(api): State<Api>,
    place: Within<InProject, ReleaseRight>,
    path: RawPathParams,
    Body(request): Body<ReleaseRequest>,
) -> Result<Json<Release>, ApiError> {
    let projects = place.organization.projects(&api).await?;
    change_known(&api, &place.organization, projects, vec![place.project.clone()], &path, request).await
}

/// Changes a release that one of `having` has.
async fn change_known(
    api: &Api,
    place: &InOrganization,
    projects: Vec<Project>,
    having: Vec<Project>,
    path: &RawPathParams,
    request: ReleaseRequest,
) -> Result<Json<Release>, ApiError> {
    let version = parameter(path, "version").unwrap_or_default().to_owned();
    if api.meta.releases(&ids(&having), Some(&version)).await?.is_empty() {
        return Err(ApiError::NotFound("release"));
    }
    let request = NewReleaseRequest { version, release: request };
    let Change(put) = Change::read(request, &projects)?;
    let version = put.version.clone();
    api.meta.put_release(&ids(&projects), put, api.now()).await?;
    one(api, place, projects, &version, ReleaseSearch::default(), &Period::default()).await
}

/// A request for a release that may be there already.
fn made(NewReleaseRequest { version, release }: NewReleaseRequest) -> NewReleaseRequest {
    NewReleaseRequest { version, release: release.without_nulls() }
}

/// A request, read.
struct Change(ReleasePut);

impl Change {
    fn read(request: NewReleaseRequest, projects: &[Project]) -> Result<Self, ApiError> {
        let NewReleaseRequest { version, release } = request;
        let mut faults = BTreeMap::new();
        let mut fault = |field: &str, message: &str| drop(faults.insert(field.to_owned(), message.to_owned()));
        let version = version.trim().to_owned();
        if !is_release_name(&version) {
            fault(
                "version",
                "must have 1 to 250 characters, none of them a slash or a control character, and not be a dot or `latest`",
            );
        }
        if release
            .reference
            .as_ref()
            .and_then(Option::as_ref)
            .is_some_and(|reference| reference.chars().count() > REFERENCE_MAX_CHARS)
        {
            fault("ref", "must have at most 250 characters");
        }
        if release.url.as_ref().and_then(Option::as_ref).is_some_and(|url| !is_address(url)) {
            fault("url", "must be an address that begins with http:// or https://");
        }
        let mut time = |field: &str, text: Option<Option<String>>| {
            let Some(text) = text? else { return Some(None) };
            let time = text.parse::<Timestamp>();
            if time.is_err() {
                faults.insert(field.to_owned(), "must be a time such as 2026-01-31T12:00:00Z".to_owned());
            }
            time.ok().map(Some)
        };
        let released = time("dateReleased", release.date_released);
        let started = time("dateStarted", release.date_started);
        let archived = match release.status.as_deref() {
            None => None,
            Some("open") => Some(false),
            Some("archived") => Some(true),
            Some(_) => {
                faults.insert("status".to_owned(), "must be open or archived".to_owned());
                None
            }
        };
        if !faults.is_empty() {
            return Err(ApiError::InvalidFields(faults));
        }
        let names: Vec<String> = release.projects.unwrap_or_default().iter().map(ToString::to_string).collect();
        let named =
            if names.is_empty() { Vec::new() } else { chosen(projects, &names).map_err(|_| no_such_project())? };
        let change = ReleaseChange { reference: release.reference, url: release.url, released, started, archived };
        Ok(Self(ReleasePut { version, projects: named.iter().map(|project| project.id).collect(), change }))
    }

    fn add(&mut self, project: ProjectId) {
        if !self.0.projects.contains(&project) {
            self.0.projects.push(project);
        }
    }

    /// Makes or changes the release, and shows it.
    async fn create(self, api: &Api, place: &InOrganization, projects: Vec<Project>) -> Result<Response, ApiError> {
        let Self(put) = self;
        let (all, version) = (ids(&projects), put.version.clone());
        let mut outcome = api.meta.put_release(&all, put.clone(), api.now()).await?;
        if outcome == ReleaseOutcome::Nowhere {
            let everywhere = ReleasePut { projects: all.clone(), ..put };
            outcome = api.meta.put_release(&all, everywhere, api.now()).await?;
        }
        let status = match outcome {
            ReleaseOutcome::Created => StatusCode::CREATED,
            ReleaseOutcome::Changed => StatusCode::ALREADY_REPORTED,
            ReleaseOutcome::Nowhere => return Err(wrong("projects", "the organization has no project yet".to_owned())),
        };
        let row = one(api, place, projects, &version, ReleaseSearch::default(), &Period::default()).await?;
        Ok((status, row).into_response())
    }
}

fn no_such_project() -> ApiError {
    wrong("projects", "names a project that the organization does not have".to_owned())
}

fn ids(projects: &[Project]) -> Vec<ProjectId> {
    projects.iter().map(|project| project.id).collect()
}

fn is_address(text: &str) -> bool {
    text.len() <= URL_MAX_BYTES && Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}
