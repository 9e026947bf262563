//! Who am I (`reference/web-api.md` §1.2).

use axum::{Json, extract::State};
use http::{HeaderMap, Method};

use crate::{
    Api,
    auth::caller::Caller,
    error::{ApiError, ErrorBody},
    shape::account::{CurrentUser, TokenCheck, TokenCheckScopes, User},
};

/// Checks a token.
#[utoipa::path(
    get, path = "/api/0/", operation_id = "checkToken", tag = "accounts",
    responses((status = 200, body = TokenCheck), (status = 401, body = ErrorBody)),
)]
pub(super) async fn check(
    State(api): State<Api>,
    method: Method,
    headers: HeaderMap,
) -> Result<Json<TokenCheck>, ApiError> {
    let caller = Caller::find(&api, &method, &headers).await?;
    Ok(Json(TokenCheck {
        version: "0".to_owned(),
        auth: caller.as_ref().map(|caller| TokenCheckScopes { scopes: caller.scopes.words() }),
        user: caller.as_ref().map(|caller| User::from(&caller.user)),
    }))
}

/// The account that asks.
#[utoipa::path(
    get, path = "/api/0/auth/", operation_id = "whoAmI", tag = "accounts",
    responses((status = 200, body = CurrentUser), (status = 401, body = ErrorBody)),
)]
pub(super) async fn whoami(caller: Caller) -> Json<CurrentUser> {
    Json(CurrentUser::from(&caller.user))
}

/// The account that asks, under its other address.
#[utoipa::path(
    get, path = "/api/0/users/me/", operation_id = "getMe", tag = "accounts",
    responses((status = 200, body = CurrentUser), (status = 401, body = ErrorBody)),
)]
pub(super) async fn me(caller: Caller) -> Json<CurrentUser> {
    Json(CurrentUser::from(&caller.user))
}
