//! Project tokens: they send occurrences to their project and open nothing else.

use axum::{
    Json,
    extract::{RawPathParams, State},
};
use http::StatusCode;
use nuthatch_store::project_tokens::NewProjectToken;

use super::{organizations::check_name, paths::ProjectPath};
use crate::{
    Api,
    auth::{
        access::{InProject, Within, parameter},
        scope::ProjectRight,
        secret::{last_characters, project_token_text, secret_hash},
    },
    error::{ApiError, ErrorBody},
    query::Body,
    shape::account::{CreatedToken, ProjectTokenRequest, Token},
};

/// Most tokens of a project.
const TOKENS_MAX: usize = 50;

/// The tokens of a project.
#[utoipa::path(
    get, path = "/api/0/projects/{org}/{project}/tokens/", operation_id = "listProjectTokens", tag = "occurrences",
    params(ProjectPath),
    responses((status = 200, body = [Token]), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn list(
    State(api): State<Api>,
    place: Within<InProject, ProjectRight>,
) -> Result<Json<Vec<Token>>, ApiError> {
    Ok(Json(api.meta.project_tokens(place.project.id).await?.iter().map(Token::from).collect()))
}

/// Creates a token that may send occurrences to the project and nothing else; the only answer that shows it.
#[utoipa::path(
    post, path = "/api/0/projects/{org}/{project}/tokens/", operation_id = "createProjectToken", tag = "occurrences",
    params(ProjectPath), request_body = ProjectTokenRequest,
    responses((status = 201, body = CreatedToken), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn create(
    State(api): State<Api>,
    place: Within<InProject, ProjectRight>,
    Body(request): Body<ProjectTokenRequest>,
) -> Result<(StatusCode, Json<CreatedToken>), ApiError> {
    let name = check_name(request.name.as_deref().unwrap_or("Token"))?;
    if api.meta.project_tokens(place.project.id).await?.len() >= TOKENS_MAX {
        return Err(ApiError::Invalid(format!("a project has at most {TOKENS_MAX} tokens; delete one first")));
    }
    let text = project_token_text(api.random());
    let token = NewProjectToken {
        secret: secret_hash(&text),
        last_characters: last_characters(&text),
        project_id: place.project.id,
        name,
        created: api.now(),
    };
    let token = api.meta.create_project_token(token).await?;
    Ok((StatusCode::CREATED, Json(CreatedToken { row: (&token).into(), token: text })))
}

/// Revokes a token.
#[utoipa::path(
    delete, path = "/api/0/projects/{org}/{project}/tokens/{id}/", operation_id = "deleteProjectToken",
    tag = "occurrences", params(ProjectPath, ("id" = String, Path, description = "Id of the token")),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn delete(
    State(api): State<Api>,
    place: Within<InProject, ProjectRight>,
    path: RawPathParams,
) -> Result<StatusCode, ApiError> {
    let id = parameter(&path, "id").and_then(|id| id.parse::<u64>().ok()).ok_or(ApiError::NotFound("token"))?;
    if api.meta.delete_project_token(place.project.id, id).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(ApiError::NotFound("token"))
}
