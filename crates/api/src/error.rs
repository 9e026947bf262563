//! The one error of the API. Its words go to the client as `{"detail": …}` (`reference/web-api.md` §1.4); causes that
//! are none of the client's business are logged once, with the id of the request, and hidden.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use nuthatch_store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Api;

/// Why a request was not answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// 400: the request is wrong; says what and where.
    #[error("{0}")]
    Invalid(String),
    /// 400: members of the body are wrong; each by its path, with what is expected there.
    #[error("{}", fields_text(.0))]
    InvalidFields(BTreeMap<String, String>),
    /// 401: nobody, or nobody we know, asks.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// 403: the one who asks may not.
    #[error("{0}")]
    Forbidden(String),
    /// 404: not there, or not theirs to see.
    #[error("{0} was not found")]
    NotFound(&'static str),
    /// 409: the name is taken, or what is to go away is needed.
    #[error("{0}")]
    Conflict(String),
    /// 408: the body took too long to come.
    #[error("the body took too long to come; send it again")]
    BodyTimeout,
    /// 413: the body is too large.
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    /// 413: more at once than is taken.
    #[error("at most {most} {what} are taken at once")]
    TooMuch { most: usize, what: &'static str },
    /// 429: too often; when to try again.
    #[error("too many attempts; try again in {0} seconds")]
    TooMany(u64),
    /// 503: a store is away.
    #[error("temporarily unavailable")]
    Unavailable(#[source] StoreError),
    /// 500: our fault.
    #[error("internal error")]
    Internal(String),
}

/// What every error answers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    /// What was wrong.
    pub(crate) detail: String,
    /// Names the request in the server's log; with internal errors only.
    #[serde(rename = "requestId", skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<String>,
    /// What is wrong with members of the body, by their paths (`noise.ignoreLimit`), beside the detail.
    #[serde(flatten)]
    #[schema(ignore)]
    pub(crate) fields: BTreeMap<String, [String; 1]>,
}

impl ErrorBody {
    /// An answer of words alone.
    pub(crate) fn of(detail: String) -> Self {
        Self { detail, request_id: None, fields: BTreeMap::new() }
    }
}

fn fields_text(fields: &BTreeMap<String, String>) -> String {
    fields.iter().map(|(field, message)| format!("{field}: {message}")).collect::<Vec<_>>().join("; ")
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable { .. } => Self::Unavailable(error),
            StoreError::Corrupt { .. } => Self::Internal(error.to_string()),
            StoreError::Conflict(_) | StoreError::InUse(_) => Self::Conflict(error.to_string()),
            StoreError::NotFound(what) => Self::NotFound(what),
            StoreError::Invalid(message) => Self::Invalid(message),
        }
    }
}

/// Seconds after which a client may try again what was temporarily unavailable.
const RETRY_SECS: u64 = 1;

/// The cause of an answer, for [`report`]; never sent.
#[derive(Clone)]
struct Cause(Arc<str>);

impl ApiError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Invalid(_) | Self::InvalidFields(_) => StatusCode::BAD_REQUEST,
            Self::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge(_) | Self::TooMuch { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let fields = if let Self::InvalidFields(fields) = &self { fields.clone() } else { BTreeMap::new() };
        let fields = fields.into_iter().map(|(field, message)| (field, [message])).collect();
        let body = ErrorBody { fields, ..ErrorBody::of(self.to_string()) };
        let mut response = (self.status(), Json(body)).into_response();
        let retry_after = match &self {
            Self::TooMany(seconds) => Some(*seconds),
            Self::Unavailable(_) => Some(RETRY_SECS),
            _ => None,
        };
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        let cause = match self {
            Self::Unavailable(cause) => Some(cause.to_string()),
            Self::Internal(cause) => Some(cause),
            _ => None,
        };
        if let Some(cause) = cause {
            response.extensions_mut().insert(Cause(cause.into()));
        }
        response
    }
}

/// Logs the cause of an answer once, and names the request to the client.
pub(crate) async fn report(State(api): State<Api>, request: Request, next: Next) -> Response {
    let id = request.headers().get("x-request-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    let Some(Cause(cause)) = response.extensions().get::<Cause>().cloned() else { return response };
    let id = id.unwrap_or_else(|| crate::auth::secret::hex(&api.random::<8>()));
    let status = response.status();
    tracing::error!(request_id = %id, %method, path, status = status.as_u16(), %cause, "request failed");
    let detail = if status == StatusCode::SERVICE_UNAVAILABLE { "temporarily unavailable" } else { "internal error" };
    let body = ErrorBody { request_id: Some(id), ..ErrorBody::of(detail.to_owned()) };
    let mut answer = (status, Json(body)).into_response();
    answer.headers_mut().extend(response.headers().get(header::RETRY_AFTER).map(|v| (header::RETRY_AFTER, v.clone())));
    answer
}
