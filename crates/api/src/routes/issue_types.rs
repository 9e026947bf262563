//! Issue types: those built in, what an organization changed of them, and its own.

use axum::{
    Json,
    extract::{RawPathParams, State},
};
use http::StatusCode;
use nuthatch_issues::IssueType as Model;
use nuthatch_store::issue_types::IssueTypes;

use super::paths::OrganizationPath;
use crate::{
    Api,
    auth::{
        access::{InOrganization, Within, parameter},
        scope::IssueTypeRight,
    },
    error::{ApiError, ErrorBody},
    query::Body,
    shape::issue_type::{IssueType, IssueTypeRequest},
};

/// The issue types of an organization, by number. All of them: there are at most a few hundred.
#[utoipa::path(
    get, path = "/api/0/organizations/{org}/issue-types/", operation_id = "listIssueTypes", tag = "issue types",
    params(OrganizationPath),
    responses((status = 200, body = [IssueType]), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn list(
    State(api): State<Api>,
    place: Within<InOrganization, IssueTypeRight>,
) -> Result<Json<Vec<IssueType>>, ApiError> {
    let types = issue_types(&api, &place).await?;
    Ok(Json(types.all().map(|issue_type| IssueType::new(issue_type, &types)).collect()))
}

/// Defines a type. Occurrences of it are taken from then on.
#[utoipa::path(
    post, path = "/api/0/organizations/{org}/issue-types/", operation_id = "createIssueType", tag = "issue types",
    params(OrganizationPath), request_body = IssueTypeRequest,
    responses((status = 201, body = IssueType), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)),
)]
pub(super) async fn create(
    State(api): State<Api>,
    place: Within<InOrganization, IssueTypeRight>,
    Body(request): Body<IssueTypeRequest>,
) -> Result<(StatusCode, Json<IssueType>), ApiError> {
    let created = api.meta.create_issue_type(place.organization.id, request.create()?).await?;
    Ok((StatusCode::CREATED, Json(IssueType::new(&created, &IssueTypes::new(vec![created.clone()])))))
}

/// An issue type.
#[utoipa::path(
    get, path = "/api/0/organizations/{org}/issue-types/{slug}/", operation_id = "getIssueType", tag = "issue types",
    params(OrganizationPath, ("slug" = String, Path, description = "Slug of the type")),
    responses((status = 200, body = IssueType), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn detail(
    State(api): State<Api>,
    place: Within<InOrganization, IssueTypeRight>,
    path: RawPathParams,
) -> Result<Json<IssueType>, ApiError> {
    let types = issue_types(&api, &place).await?;
    Ok(Json(IssueType::new(named(&types, &path)?, &types)))
}

/// Changes the rules of a type, of a built-in one too. Issues keep what earlier rules made of them.
#[utoipa::path(
    put, path = "/api/0/organizations/{org}/issue-types/{slug}/", operation_id = "updateIssueType", tag = "issue types",
    params(OrganizationPath, ("slug" = String, Path, description = "Slug of the type")),
    request_body = IssueTypeRequest,
    responses((status = 200, body = IssueType), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn update(
    State(api): State<Api>,
    place: Within<InOrganization, IssueTypeRight>,
    path: RawPathParams,
    Body(request): Body<IssueTypeRequest>,
) -> Result<Json<IssueType>, ApiError> {
    let types = issue_types(&api, &place).await?;
    let changed = request.change(named(&types, &path)?.clone())?;
    api.meta.put_issue_type(place.organization.id, changed.clone()).await?;
    Ok(Json(IssueType::new(&changed, &IssueTypes::new(vec![changed.clone()]))))
}

/// Removes a definition: a built-in type has its own rules again. A type that has issues stays (409).
#[utoipa::path(
    delete, path = "/api/0/organizations/{org}/issue-types/{slug}/", operation_id = "deleteIssueType",
    tag = "issue types", params(OrganizationPath, ("slug" = String, Path, description = "Slug of the type")),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)),
)]
pub(super) async fn delete(
    State(api): State<Api>,
    place: Within<InOrganization, IssueTypeRight>,
    path: RawPathParams,
) -> Result<StatusCode, ApiError> {
    let types = issue_types(&api, &place).await?;
    api.meta.remove_issue_type(place.organization.id, named(&types, &path)?.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The issue types of an organization.
pub(super) async fn issue_types(api: &Api, place: &InOrganization) -> Result<IssueTypes, ApiError> {
    Ok(IssueTypes::new(api.meta.issue_types(place.organization.id).await?))
}

/// The type that the path names.
fn named<'a>(types: &'a IssueTypes, path: &RawPathParams) -> Result<&'a Model, ApiError> {
    let slug = parameter(path, "slug").unwrap_or_default();
    types.by_slug(slug).ok_or(ApiError::NotFound("issue type"))
}
