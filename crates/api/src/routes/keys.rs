//! Client keys (`reference/web-api.md` §3.3).

use axum::{
    Json,
    extract::{OriginalUri, RawPathParams, State},
    response::IntoResponse,
};
use http::{StatusCode, Uri};
use nuthatch_protocol::PublicKey;
use nuthatch_store::projects::{NewKey, ProjectKey};

use super::{
    organizations::check_name,
    paths::{OrganizationPath, ProjectPath},
};
use crate::{
    Api,
    auth::{
        access::{InOrganization, InProject, Within, parameter},
        scope::ProjectRight,
    },
    error::{ApiError, ErrorBody},
    page::cut,
    query::{Body, Paging, Query},
    shape::key::{Key, KeyRequest},
};

/// Most keys of a project.
const KEYS_MAX: usize = 50;

/// The keys of a project.
#[utoipa::path(
    get, path = "/api/0/projects/{org}/{project}/keys/", operation_id = "listKeys", tag = "projects",
    params(ProjectPath, Paging),
    responses((status = 200, body = [Key]), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn list(
    State(api): State<Api>,
    place: Within<InProject, ProjectRight>,
    OriginalUri(uri): OriginalUri,
    Query(paging): Query<Paging>,
) -> Result<impl IntoResponse, ApiError> {
    page(&api, &uri, &paging, api.meta.keys(place.project.id).await?)
}

/// The keys of all projects of an organization.
#[utoipa::path(
    get, path = "/api/0/organizations/{org}/project-keys/", operation_id = "listOrganizationKeys", tag = "projects",
    params(OrganizationPath, Paging),
    responses((status = 200, body = [Key]), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn of_organization(
    State(api): State<Api>,
    place: Within<InOrganization, ProjectRight>,
    OriginalUri(uri): OriginalUri,
    Query(paging): Query<Paging>,
) -> Result<impl IntoResponse, ApiError> {
    let mut keys = Vec::new();
    for project in place.projects(&api).await? {
        keys.extend(api.meta.keys(project.id).await?);
    }
    page(&api, &uri, &paging, keys)
}

fn page(api: &Api, uri: &Uri, paging: &Paging, keys: Vec<ProjectKey>) -> Result<impl IntoResponse + use<>, ApiError> {
    let (page, links) = cut(keys, paging.cursor.as_deref(), paging.rows()?)?;
    let rows: Vec<Key> = page.iter().map(|key| Key::new(key, &api.public_url)).collect();
    Ok((links.header(&api.public_url, uri), Json(rows)))
}

/// Creates a key.
#[utoipa::path(
    post, path = "/api/0/projects/{org}/{project}/keys/", operation_id = "createKey", tag = "projects",
    params(ProjectPath), request_body = KeyRequest,
    responses((status = 201, body = Key), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn create(
    State(api): State<Api>,
    place: Within<InProject, ProjectRight>,
    Body(request): Body<KeyRequest>,
) -> Result<(StatusCode, Json<Key>), ApiError> {
    let name = check_name(request.name.as_deref().unwrap_or("Key"))?;
    let rate_limit = request.checked_limit()?.flatten();
    if api.meta.keys(place.project.id).await?.len() >= KEYS_MAX {
        return Err(ApiError::Invalid(format!("a project has at most {KEYS_MAX} keys; delete one first")));
    }
    let (project_id, public, created) = (place.project.id, PublicKey(api.random()), api.now());
    let is_active = request.is_active.unwrap_or(true);
    let new = NewKey { project_id, name, public, is_active, rate_limit, created };
    let key = api.meta.create_key(new).await?;
    Ok((StatusCode::CREATED, Json(Key::new(&key, &api.public_url))))
}

/// A key.
#[utoipa::path(
    get, path = "/api/0/projects/{org}/{project}/keys/{key}/", operation_id = "getKey", tag = "projects",
    params(ProjectPath, ("key" = String, Path, description = "Public half of the key")),
    responses((status = 200, body = Key), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn detail(
    State(api): State<Api>,
    place: Within<InProject, ProjectRight>,
    path: RawPathParams,
) -> Result<Json<Key>, ApiError> {
    Ok(Json(Key::new(&find(&api, &place, &path).await?, &api.public_url)))
}

/// Renames a key, switches it on or off, limits it. It takes effect with the next request.
#[utoipa::path(
    put, path = "/api/0/projects/{org}/{project}/keys/{key}/", operation_id = "updateKey", tag = "projects",
    params(ProjectPath, ("key" = String, Path, description = "Public half of the key")), request_body = KeyRequest,
    responses((status = 200, body = Key), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn update(
    State(api): State<Api>,
    place: Within<InProject, ProjectRight>,
    path: RawPathParams,
    Body(request): Body<KeyRequest>,
) -> Result<Json<Key>, ApiError> {
    let key = find(&api, &place, &path).await?;
    let rate_limit = request.checked_limit()?;
    let name = request.name.map(|name| check_name(&name)).transpose()?;
    let change = Box::new(move |key: &mut ProjectKey| {
        key.rate_limit = rate_limit.unwrap_or(key.rate_limit);
        key.name = name.unwrap_or_else(|| key.name.clone());
        key.is_active = request.is_active.unwrap_or(key.is_active);
        Ok(())
    });
    let key = api.meta.change_key(key.id, change).await?;
    Ok(Json(Key::new(&key, &api.public_url)))
}

/// Deletes a key; events that were sent with it stay.
#[utoipa::path(
    delete, path = "/api/0/projects/{org}/{project}/keys/{key}/", operation_id = "deleteKey", tag = "projects",
    params(ProjectPath, ("key" = String, Path, description = "Public half of the key")),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn delete(
    State(api): State<Api>,
    place: Within<InProject, ProjectRight>,
    path: RawPathParams,
) -> Result<StatusCode, ApiError> {
    let key = find(&api, &place, &path).await?;
    api.meta.delete_key(key.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The key that the path names, if it belongs to the project.
async fn find(api: &Api, place: &InProject, path: &RawPathParams) -> Result<ProjectKey, ApiError> {
    let public = parameter(path, "key").and_then(|text| text.parse::<PublicKey>().ok());
    let keys = api.meta.keys(place.project.id).await?;
    keys.into_iter().find(|key| Some(key.public) == public).ok_or(ApiError::NotFound("key"))
}
