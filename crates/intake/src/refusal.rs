//! Every way a request is refused, with its status and body (`reference/ingest-protocol.md` §4, §8).

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use nuthatch_protocol::{AuthError, EnvelopeError};
use nuthatch_store::StoreError;
use serde::Serialize;

use crate::decode::DecodeError;

/// What `Retry-After` says when the server cannot take anything, in seconds.
const RETRY_AFTER_SECS: u16 = 10;

/// Why a request was refused. The message is the `detail` of the answer; it never quotes the client.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("missing authorization information")]
    NoAuth,
    #[error("multiple authorization payloads detected")]
    AmbiguousAuth,
    #[error(transparent)]
    Auth(#[from] AuthError),
    #[error("invalid project id: expected a positive number")]
    ProjectId,
    #[error("event submission rejected with_reason: ProjectId")]
    Key,
    #[error("event submission rejected with_reason: Cors")]
    Origin,
    #[error("event submission rejected with_reason: RateLimited")]
    RateLimited,
    /// Nothing is taken until there is room in the log. Where clients know rate limits it is one.
    #[error("server is out of room for what is sent")]
    LogFull,
    #[error("empty request body")]
    Empty,
    #[error("invalid event envelope")]
    Envelope(#[from] EnvelopeError),
    #[error("invalid event envelope")]
    DsnMismatch,
    #[error("invalid event payload")]
    Store(String),
    #[error("unsupported media type")]
    MediaType {
        /// What would be taken.
        supported: &'static str,
    },
    #[error("invalid event id in the path: expected 32 hex digits")]
    EventIdInPath,
    #[error("invalid multipart data")]
    Multipart(String),
    #[error("missing minidump")]
    NoDump,
    #[error("invalid minidump")]
    Dump(&'static str),
    #[error("missing crash dump")]
    NoPlayStationDump,
    #[error("invalid crash dump")]
    PlayStationDump,
    #[error("invalid check-in")]
    CheckIn(String),
    #[error("too many reports")]
    TooManyReports {
        /// How many a request may bring.
        reports_max: usize,
    },
    #[error("unsupported content encoding: use gzip, deflate, br or zstd")]
    Encoding,
    #[error("corrupt compressed body")]
    Corrupt(String),
    #[error("request body too large")]
    BodyTooLarge {
        /// The bound that was exceeded.
        bytes_max: usize,
    },
    #[error("envelope item too large")]
    ItemTooLarge {
        /// Its place in the envelope, from 0.
        index: usize,
        /// What it is, in bounded words.
        label: String,
        /// Its length.
        bytes: usize,
        /// The bound of its type.
        bytes_max: usize,
    },
    #[error("envelope items too large")]
    ItemsTooLarge {
        /// The place of the first one too much in the envelope, from 0.
        index: usize,
        /// What they are, in bounded words.
        label: String,
        /// The bound of all of them.
        bytes_max: usize,
    },
    #[error("too many envelope items")]
    TooManyItems {
        /// The place of the first one too much in the envelope, from 0.
        index: usize,
        /// What they are, in bounded words.
        label: String,
        /// How many an envelope may hold.
        items_max: usize,
    },
    #[error("too many event items")]
    SecondEvent {
        /// Its place in the envelope, from 0.
        index: usize,
    },
    #[error(transparent)]
    Upload(#[from] UploadFault),
    #[error("request body broke off")]
    BodyBroken(String),
    #[error("request body did not arrive in time")]
    BodyTimeout,
    #[error("server is overloaded")]
    Overloaded,
    #[error("server cannot store events now")]
    Unavailable,
    #[error("server is shutting down")]
    Closed,
}

/// Why an upload was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UploadFault {
    #[error("missing header Tus-Resumable")]
    NoVersion,
    #[error("unsupported version of tus: use 1.0.0")]
    Version,
    #[error("missing or invalid header Upload-Length")]
    Length,
    #[error("missing or invalid header Upload-Offset")]
    Offset,
    #[error("missing header Content-Type")]
    NoType,
    #[error("upload shorter than its length: send all of it again")]
    Short,
    #[error("unknown upload")]
    Unknown,
    #[error("upload is complete or does not go on at this offset")]
    Complete,
}

impl UploadFault {
    fn status(self) -> StatusCode {
        match self {
            Self::NoVersion | Self::Length | Self::Offset | Self::NoType | Self::Short => StatusCode::BAD_REQUEST,
            Self::Version => StatusCode::PRECONDITION_FAILED,
            Self::Unknown => StatusCode::NOT_FOUND,
            Self::Complete => StatusCode::CONFLICT,
        }
    }

    /// The stable word of the ledger, when a file was sent and is not taken. Whoever speaks another version has sent none
    /// yet, and a complete upload is there.
    fn reason(self) -> Option<&'static str> {
        Some(match self {
            Self::NoVersion | Self::Version | Self::Complete => return None,
            Self::Length => "upload_length",
            Self::Offset => "upload_offset",
            Self::NoType => "content_type",
            Self::Short => "short_upload",
            Self::Unknown => "unknown_upload",
        })
    }
}

impl From<DecodeError> for Refusal {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::Corrupt(cause) => Self::Corrupt(cause.to_string()),
            DecodeError::TooLarge(bytes_max) => Self::BodyTooLarge { bytes_max },
        }
    }
}

impl From<StoreError> for Refusal {
    /// What the store says is for the operator, not for the client.
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "intake cannot use its store");
        Self::Unavailable
    }
}

impl Refusal {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NoAuth | Self::AmbiguousAuth | Self::Auth(AuthError::Malformed | AuthError::NoKey) => {
                StatusCode::UNAUTHORIZED
            }
            Self::Key | Self::Origin => StatusCode::FORBIDDEN,
            Self::RateLimited | Self::LogFull => StatusCode::TOO_MANY_REQUESTS,
            Self::Upload(fault) => fault.status(),
            Self::Envelope(error) if error.fault.is_limit() => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Auth(AuthError::BadKey | AuthError::Version)
            | Self::ProjectId
            | Self::Empty
            | Self::Envelope(_)
            | Self::DsnMismatch
            | Self::Store(_)
            | Self::EventIdInPath
            | Self::Multipart(_)
            | Self::NoDump
            | Self::Dump(_)
            | Self::NoPlayStationDump
            | Self::PlayStationDump
            | Self::CheckIn(_)
            | Self::Corrupt(_)
            | Self::BodyBroken(_) => StatusCode::BAD_REQUEST,
            Self::Encoding | Self::MediaType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BodyTooLarge { .. }
            | Self::ItemTooLarge { .. }
            | Self::ItemsTooLarge { .. }
            | Self::TooManyItems { .. }
            | Self::TooManyReports { .. }
            | Self::SecondEvent { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::Overloaded | Self::Unavailable | Self::Closed => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The stable word of the ledger, when a request is refused for what it holds. A server that cannot take a request
    /// cannot count it either, who has no key is nobody, and what is limited has the reasons of its limits.
    pub(crate) fn reason(&self) -> Option<Cow<'static, str>> {
        Some(Cow::Borrowed(match self {
            Self::NoAuth
            | Self::AmbiguousAuth
            | Self::Auth(_)
            | Self::ProjectId
            | Self::EventIdInPath
            | Self::Key
            | Self::RateLimited
            | Self::LogFull
            | Self::Overloaded
            | Self::Unavailable
            | Self::Closed => return None,
            Self::Upload(fault) => fault.reason()?,
            Self::Origin => "cors",
            Self::Empty => "empty_envelope",
            Self::Envelope(_) => "invalid_envelope",
            Self::DsnMismatch => "dsn_mismatch",
            Self::Store(_) => "invalid_json",
            Self::Encoding => "content_encoding",
            Self::MediaType { .. } => "content_type",
            Self::Multipart(_) => "invalid_multipart",
            Self::NoDump => "missing_minidump",
            Self::Dump(_) => "invalid_minidump",
            Self::NoPlayStationDump => "missing_prosperodump",
            Self::PlayStationDump => "invalid_prosperodump",
            Self::CheckIn(_) => "invalid_check_in",
            Self::TooManyReports { .. } => "too_many_reports",
            Self::Corrupt(_) => "invalid_compression",
            Self::BodyTooLarge { .. } => "too_large",
            Self::ItemTooLarge { label, .. } | Self::ItemsTooLarge { label, .. } | Self::TooManyItems { label, .. } => {
                return Some(format!("too_large:{label}").into());
            }
            Self::SecondEvent { .. } => "duplicate_item",
            Self::BodyBroken(_) => "body_broken",
            Self::BodyTimeout => "body_timeout",
        }))
    }

    /// What and where, for people.
    pub(crate) fn causes(&self) -> Vec<String> {
        match self {
            Self::Envelope(error) => vec![error.to_string()],
            Self::Origin => vec!["the project does not take events from this origin".to_owned()],
            Self::DsnMismatch => vec!["the dsn in the envelope names another project or key".to_owned()],
            Self::Store(cause)
            | Self::Corrupt(cause)
            | Self::BodyBroken(cause)
            | Self::Multipart(cause)
            | Self::CheckIn(cause) => vec![cause.clone()],
            Self::MediaType { supported } => vec![format!("send {supported}")],
            Self::Dump(cause) => vec![(*cause).to_owned()],
            Self::TooManyReports { reports_max } => vec![format!("at most {reports_max} are taken at once")],
            Self::BodyTooLarge { bytes_max } => vec![format!("at most {bytes_max} bytes are taken")],
            Self::ItemTooLarge { index, label, bytes, bytes_max } => {
                vec![format!("item {index} ({label}) has {bytes} bytes, at most {bytes_max} are taken")]
            }
            Self::ItemsTooLarge { index, label, bytes_max } => {
                vec![format!("with item {index} ({label}) its kind exceeds {bytes_max} bytes")]
            }
            Self::TooManyItems { index, label, items_max } => {
                vec![format!("item {index} ({label}) is too much, an envelope holds at most {items_max} of its kind")]
            }
            Self::SecondEvent { index } => {
                vec![format!("item {index} is a second event; an envelope holds at most one")]
            }
            _ => Vec::new(),
        }
    }
}

#[derive(Serialize)]
struct ErrorBody {
    detail: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    causes: Vec<String>,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, detail, causes) = (self.status(), self.to_string(), self.causes());
        tracing::debug!(status = status.as_u16(), detail, ?causes, "request refused");
        let summary = HeaderValue::from_str(&detail).ok();
        let mut response = (status, axum::Json(ErrorBody { detail, causes })).into_response();
        if let Some(summary) = summary {
            response.headers_mut().insert("x-sentry-error", summary);
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER_SECS.into());
        }
        response
    }
}
