//! Personal tokens. Only a person who is signed in handles them, so that a stolen token cannot make itself a better one.

use axum::{
    Json,
    extract::{RawPathParams, State},
};
use http::StatusCode;
use nuthatch_store::accounts::NewToken;

use crate::{
    Api,
    auth::{
        access::parameter,
        caller::Caller,
        scope::Scopes,
        secret::{last_characters, secret_hash, token_text},
    },
    error::{ApiError, ErrorBody},
    query::Body,
    shape::account::{CreatedToken, Token, TokenRequest},
};

/// Most tokens of an account.
const TOKENS_MAX: usize = 100;

/// Longest name of a token, in bytes.
const NAME_MAX_BYTES: usize = 200;

/// The tokens of the account.
#[utoipa::path(
    get, path = "/api/0/api-tokens/", operation_id = "listTokens", tag = "accounts",
    responses((status = 200, body = [Token]), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody)),
)]
pub(super) async fn list(State(api): State<Api>, caller: Caller) -> Result<Json<Vec<Token>>, ApiError> {
    caller.must_be_in_person()?;
    Ok(Json(api.meta.tokens(caller.user.id).await?.iter().map(Token::from).collect()))
}

/// Creates a token; the only answer that shows it.
#[utoipa::path(
    post, path = "/api/0/api-tokens/", operation_id = "createToken", tag = "accounts", request_body = TokenRequest,
    responses((status = 201, body = CreatedToken), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody)),
)]
pub(super) async fn create(
    State(api): State<Api>,
    caller: Caller,
    Body(request): Body<TokenRequest>,
) -> Result<(StatusCode, Json<CreatedToken>), ApiError> {
    caller.must_be_in_person()?;
    Scopes::read(request.scopes.iter().map(String::as_str))
        .map_err(|word| ApiError::Invalid(format!("there is no scope {word:?}")))?;
    if request.scopes.is_empty() {
        return Err(ApiError::Invalid("a token needs at least one scope".to_owned()));
    }
    if request.name.len() > NAME_MAX_BYTES {
        return Err(ApiError::Invalid(format!("name is longer than {NAME_MAX_BYTES} bytes")));
    }
    if api.meta.tokens(caller.user.id).await?.len() >= TOKENS_MAX {
        return Err(ApiError::Invalid(format!("an account has at most {TOKENS_MAX} tokens; delete one first")));
    }
    let text = token_text(api.random());
    let mut scopes = request.scopes;
    scopes.sort();
    scopes.dedup();
    let token = NewToken {
        secret: secret_hash(&text),
        last_characters: last_characters(&text),
        user_id: caller.user.id,
        name: request.name,
        scopes,
        created: api.now(),
    };
    let token = api.meta.create_token(token).await?;
    Ok((StatusCode::CREATED, Json(CreatedToken { row: (&token).into(), token: text })))
}

/// Revokes a token.
#[utoipa::path(
    delete, path = "/api/0/api-tokens/{id}/", operation_id = "deleteToken", tag = "accounts",
    params(("id" = String, Path, description = "Id of the token")),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn delete(
    State(api): State<Api>,
    caller: Caller,
    path: RawPathParams,
) -> Result<StatusCode, ApiError> {
    caller.must_be_in_person()?;
    let id = parameter(&path, "id").and_then(|id| id.parse::<u64>().ok()).ok_or(ApiError::NotFound("token"))?;
    if api.meta.delete_token(caller.user.id, id).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(ApiError::NotFound("token"))
}
