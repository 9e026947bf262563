//! Who sends occurrences: a producer with the token of its project, or an account.

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use nuthatch_protocol::{OrganizationId, ProjectId};
use nuthatch_store::projects::{Organization, Project};

use super::{
    access::{InProject, Place as _, parameter},
    caller::{Caller, UNKNOWN, bearer},
    secret::{is_project_token, secret_hash},
};
use crate::{Api, error::ApiError};

/// What the token of a project may do, and nothing else; personal tokens can have it too.
pub(crate) const SCOPE: &str = "occurrence:write";

/// The project of the path, to which the caller may send occurrences.
#[derive(Debug, Clone)]
pub(crate) struct Producer {
    pub(crate) project: Project,
}

impl FromRequestParts<Api> for Producer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        let path = RawPathParams::from_request_parts(parts, api)
            .await
            .map_err(|error| ApiError::Invalid(error.to_string()))?;
        if let Some(token) = bearer(&parts.headers)?.filter(|token| is_project_token(token)) {
            let project = by_token(api, token, &path).await?;
            return Ok(Self { project });
        }
        let caller = Caller::from_request_parts(parts, api).await?;
        let place = InProject::find(api, caller, &path).await?;
        let scopes = place.organization().scopes;
        if scopes.contain("event:write") || scopes.contain(SCOPE) {
            return Ok(Self { project: place.project });
        }
        Err(ApiError::Forbidden(format!("this needs the scope event:write or {SCOPE}")))
    }
}

/// The project of a token, if it is the one that the path names; others do not exist for the token.
async fn by_token(api: &Api, token: &str, path: &RawPathParams) -> Result<Project, ApiError> {
    let token = api.meta.project_token(&secret_hash(token)).await?.ok_or(UNKNOWN)?;
    let project = api.meta.project(token.project_id).await?.ok_or(UNKNOWN)?;
    let organizations = api.meta.organizations().await?;
    let organization = organizations.iter().find(|organization| organization.id == project.organization_id);
    let is_meant = organization.is_some_and(|organization| names(path, organization, &project));
    if is_meant { Ok(project) } else { Err(ApiError::NotFound("project")) }
}

/// Whether a path names this project of this organization, each by slug or id.
fn names(path: &RawPathParams, organization: &Organization, project: &Project) -> bool {
    let name = parameter(path, "org").unwrap_or_default();
    let is_organization = organization.slug == name || name.parse::<OrganizationId>() == Ok(organization.id);
    let name = parameter(path, "project").unwrap_or_default();
    is_organization && (project.slug == name || name.parse::<ProjectId>() == Ok(project.id))
}
