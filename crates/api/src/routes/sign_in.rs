//! Signing in and out, and the first account.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use nuthatch_store::accounts::{NewUser, Session, User};

use crate::{
    Api,
    auth::{
        caller::Caller,
        cookies::{self, SESSION_LENGTH, session_secret},
        password::check_password,
        secret::{SECRET_BYTES, hex, secret_hash},
    },
    error::{ApiError, ErrorBody},
    query::{Body, ClientAddress},
    shape::account::{CurrentUser, LoginRequest, SetupRequest},
};

/// Longest e-mail address, in bytes (RFC 5321).
const EMAIL_MAX_BYTES: usize = 254;

/// Longest name, in bytes.
const NAME_MAX_BYTES: usize = 200;

/// Signs in; sets the cookies `nuthatch_session` and `nuthatch_csrf`. Whatever changes something must then send the
/// latter's value as `X-CSRF-Token`.
#[utoipa::path(
    post, path = "/api/0/auth/login/", operation_id = "logIn", tag = "accounts", request_body = LoginRequest,
    responses((status = 200, body = CurrentUser), (status = 401, body = ErrorBody), (status = 429, body = ErrorBody)),
)]
pub(super) async fn login(
    State(api): State<Api>,
    Ok(ClientAddress(address)): Result<ClientAddress, std::convert::Infallible>,
    headers: HeaderMap,
    Body(request): Body<LoginRequest>,
) -> Result<Response, ApiError> {
    not_a_form(&headers)?;
    let email = request.email.trim();
    api.throttle().attempt(address, email, api.now())?;
    let user = api.meta.user_by_email(email).await?;
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    let right = api.passwords().verify(request.password, hash).await?;
    let Some(user) = user.filter(|_| right) else {
        return Err(ApiError::Unauthenticated("wrong e-mail address or password"));
    };
    api.throttle().succeeded(address, email);
    begin_session(&api, &user).await
}

/// Signs out.
#[utoipa::path(
    post, path = "/api/0/auth/logout/", operation_id = "logOut", tag = "accounts",
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody)),
)]
pub(super) async fn logout(State(api): State<Api>, _: Caller, headers: HeaderMap) -> Result<Response, ApiError> {
    if let Some(secret) = session_secret(&headers) {
        api.meta.delete_session(&secret_hash(&secret)).await?;
    }
    Ok((StatusCode::NO_CONTENT, cookies::set_session(None, secure(&api))).into_response())
}

/// Creates the first account with the secret of the one-time link that the server prints, and signs in.
#[utoipa::path(
    post, path = "/api/0/auth/setup/", operation_id = "setUp", tag = "accounts", request_body = SetupRequest,
    responses((status = 201, body = CurrentUser), (status = 400, body = ErrorBody), (status = 403, body = ErrorBody)),
)]
pub(super) async fn setup(
    State(api): State<Api>,
    Ok(ClientAddress(address)): Result<ClientAddress, std::convert::Infallible>,
    headers: HeaderMap,
    Body(request): Body<SetupRequest>,
) -> Result<Response, ApiError> {
    not_a_form(&headers)?;
    let email = check_email(&request.email)?;
    if request.name.len() > NAME_MAX_BYTES {
        return Err(ApiError::Invalid(format!("name is longer than {NAME_MAX_BYTES} bytes")));
    }
    // Everything that can be wrong is checked before the link is used up.
    check_password(&request.password).map_err(|error| ApiError::Invalid(error.to_string()))?;
    let now = api.now();
    api.throttle().attempt(address, email, now)?;
    if api.meta.user_by_email(email).await?.is_some() {
        return Err(ApiError::Conflict("there is an account with this e-mail address".to_owned()));
    }
    let password_hash = api.passwords().hash(request.password, api.random()).await?;
    let new = NewUser { email: email.to_owned(), name: request.name.trim().to_owned(), password_hash, created: now };
    let Some(user) = api.meta.set_up(&secret_hash(&request.token), new, now).await? else {
        return Err(ApiError::Forbidden("this set-up link was used, is too old or was never given".to_owned()));
    };
    let mut response = begin_session(&api, &user).await?;
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

async fn begin_session(api: &Api, user: &User) -> Result<Response, ApiError> {
    let secret = hex(&api.random::<SECRET_BYTES>());
    let created = api.now();
    let session =
        Session { secret: secret_hash(&secret), user_id: user.id, created, expires: created.plus(SESSION_LENGTH) };
    api.meta.create_session(session).await?;
    Ok((cookies::set_session(Some(&secret), secure(api)), Json(CurrentUser::from(user))).into_response())
}

fn secure(api: &Api) -> bool {
    api.public_url.scheme() == "https"
}

/// A page of another origin can send forms, but not JSON: so it cannot sign a visitor in as somebody else.
fn not_a_form(headers: &HeaderMap) -> Result<(), ApiError> {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if media_type.starts_with("application/json") {
        return Ok(());
    }
    Err(ApiError::Invalid("the body must be sent as application/json".to_owned()))
}

fn check_email(text: &str) -> Result<&str, ApiError> {
    let email = text.trim();
    let plausible = email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    if plausible && email.len() <= EMAIL_MAX_BYTES && !email.contains(char::is_whitespace) {
        return Ok(email);
    }
    Err(ApiError::Invalid(format!("{email:?} is not an e-mail address")))
}
