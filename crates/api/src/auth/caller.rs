//! Who asks: a personal token or the session of the web page.

use axum::extract::FromRequestParts;
use http::{HeaderMap, Method, header, request::Parts};
use nuthatch_store::accounts::User;
use subtle::ConstantTimeEq as _;

use super::{
    cookies::{CSRF_HEADER, session_secret},
    scope::Scopes,
    secret::{csrf_token, is_project_token, secret_hash},
};
use crate::{Api, error::ApiError};

/// The account that asks, and what its credential allows.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) user: User,
    pub(crate) scopes: Scopes,
    /// Signed in with a password, not with a token.
    pub(crate) in_person: bool,
}

const NOBODY: ApiError = ApiError::Unauthenticated("authentication credentials were not provided");
pub(super) const UNKNOWN: ApiError = ApiError::Unauthenticated("invalid token or session");

impl Caller {
    /// The caller of a request; `None` when it carries no credential. One that is wrong is an error, and so is a
    /// change that is sent with a session but without its CSRF token.
    pub(crate) async fn find(api: &Api, method: &Method, headers: &HeaderMap) -> Result<Option<Self>, ApiError> {
        if let Some(token) = bearer(headers)? {
            return Self::by_token(api, token).await.map(Some);
        }
        let Some(secret) = session_secret(headers).filter(|secret| !secret.is_empty()) else { return Ok(None) };
        let Some(session) = api.meta.session(&secret_hash(&secret), api.now()).await? else { return Err(UNKNOWN) };
        let changes = !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
        if changes && !has_csrf_token(headers, &secret) {
            return Err(ApiError::Forbidden("the CSRF token is missing or wrong; reload the page".to_owned()));
        }
        let user = api.meta.user(session.user_id).await?.ok_or(UNKNOWN)?;
        Ok(Some(Self { user, scopes: Scopes::ALL, in_person: true }))
    }

    async fn by_token(api: &Api, token: &str) -> Result<Self, ApiError> {
        if is_project_token(token) && api.meta.project_token(&secret_hash(token)).await?.is_some() {
            return Err(ApiError::Forbidden("the token of a project only sends occurrences to it".to_owned()));
        }
        let token = api.meta.token(&secret_hash(token)).await?.ok_or(UNKNOWN)?;
        let user = api.meta.user(token.user_id).await?.ok_or(UNKNOWN)?;
        let scopes = Scopes::read(token.scopes.iter().map(String::as_str))
            .map_err(|word| ApiError::Internal(format!("token {} has the unknown scope {word:?}", token.id)))?;
        Ok(Self { user, scopes, in_person: false })
    }

    /// Refuses tokens: what could make a stolen one last must be done in person.
    pub(crate) fn must_be_in_person(&self) -> Result<(), ApiError> {
        if self.in_person {
            return Ok(());
        }
        Err(ApiError::Forbidden("sign in to do this; a token is not enough".to_owned()))
    }
}

/// The token that a request carries, if it carries one.
pub(super) fn bearer(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let Some(header) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    match header.to_str().map_err(|_| UNKNOWN)?.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim())),
        _ => Err(UNKNOWN),
    }
}

fn has_csrf_token(headers: &HeaderMap, session: &str) -> bool {
    let expected = csrf_token(session);
    headers.get(CSRF_HEADER).is_some_and(|sent| sent.as_bytes().ct_eq(expected.as_bytes()).into())
}

impl FromRequestParts<Api> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        Self::find(api, &parts.method, &parts.headers).await?.ok_or(NOBODY)
    }
}
