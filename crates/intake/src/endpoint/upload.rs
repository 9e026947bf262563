//! Large attachments before their envelope: tus 1.0.0 with creation and creation-with-upload
//! (`reference/ingest-protocol.md` §2). The bytes come in one piece, with the request that begins the upload or in the one
//! after it; an upload that broke off is begun anew.

use std::str::FromStr;

use axum::{
    body::{Body, HttpBody as _},
    extract::{Path, Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts};
use nuthatch_protocol::{Outcome, ProjectId};

use super::{media_type, project_id};
use crate::{
    Intake,
    credentials::credentials,
    keys::Grant,
    refusal::{Refusal, UploadFault},
    uploads::{self, UploadName},
};

const VERSION: HeaderValue = HeaderValue::from_static("1.0.0");
const EXTENSIONS: HeaderValue = HeaderValue::from_static("creation,creation-with-upload");
const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const TUS_VERSION: HeaderName = HeaderName::from_static("tus-version");
const TUS_EXTENSION: HeaderName = HeaderName::from_static("tus-extension");
const TUS_MAX_SIZE: HeaderName = HeaderName::from_static("tus-max-size");
const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");

/// What a page may read of an answer: also what tus has.
const EXPOSE_HEADERS: HeaderValue = HeaderValue::from_static(
    "x-sentry-error, x-sentry-rate-limits, retry-after, location, upload-offset, tus-resumable, tus-version, tus-extension, \
     tus-max-size",
);

/// The media type of bytes that are uploaded.
const BYTES: &str = "application/offset+octet-stream";

/// Begins an upload, and takes its bytes when they come with the request.
pub(crate) async fn create(State(intake): State<Intake>, Path(project): Path<String>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = number(&parts.headers, &UPLOAD_LENGTH);
    let taken = async |grant: &Grant| created(&intake, grant, &parts, body, bytes).await;
    answer(granted(&intake, &project, &parts, bytes, taken).await)
}

/// Takes the bytes of an upload that was begun.
pub(crate) async fn append(
    State(intake): State<Intake>,
    Path((project, upload)): Path<(String, String)>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let name: Option<UploadName> = upload.parse().ok();
    let taken = async |grant: &Grant| appended(&intake, grant, &parts, body, name).await;
    answer(granted(&intake, &project, &parts, name.map(|name| name.bytes), taken).await)
}

/// Says what is offered.
pub(crate) fn offer(intake: &Intake) -> [(HeaderName, HeaderValue); 5] {
    [
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSE_HEADERS),
        (TUS_RESUMABLE, VERSION),
        (TUS_VERSION, VERSION),
        (TUS_EXTENSION, EXTENSIONS),
        (TUS_MAX_SIZE, HeaderValue::from(intake.inner.config.upload_max_bytes)),
    ]
}

async fn created(
    intake: &Intake,
    grant: &Grant,
    parts: &Parts,
    body: Body,
    bytes: Option<usize>,
) -> Result<Response, Refusal> {
    let bytes = bytes.ok_or(UploadFault::Length)?;
    let bytes_max = intake.inner.config.upload_max_bytes;
    if bytes > bytes_max {
        return Err(Refusal::BodyTooLarge { bytes_max });
    }
    let name = UploadName::new(intake.inner.clock.now(), (intake.inner.new_event_id)(), bytes);
    if !body.is_end_stream() {
        typed(&parts.headers)?;
    }
    let offset = uploads::receive(intake, grant, parts, body, name).await?;
    let location = location(intake, grant.key.project_id, name);
    let location = HeaderValue::from_str(&location).map_err(|_| Refusal::Unavailable)?;
    let headers = [(header::LOCATION, location), (UPLOAD_OFFSET, HeaderValue::from(offset))];
    Ok((StatusCode::CREATED, headers).into_response())
}

async fn appended(
    intake: &Intake,
    grant: &Grant,
    parts: &Parts,
    body: Body,
    name: Option<UploadName>,
) -> Result<Response, Refusal> {
    typed(&parts.headers)?;
    let name = name.ok_or(UploadFault::Unknown)?;
    if name.bytes > intake.inner.config.upload_max_bytes {
        return Err(UploadFault::Unknown.into());
    }
    let offset: usize = number(&parts.headers, &UPLOAD_OFFSET).ok_or(UploadFault::Offset)?;
    if offset != 0 {
        return Err(UploadFault::Complete.into());
    }
    let offset = uploads::receive(intake, grant, parts, body, name).await?;
    Ok((StatusCode::NO_CONTENT, [(UPLOAD_OFFSET, HeaderValue::from(offset))]).into_response())
}

/// Where clients find an upload: an address under the public one, which may have a path in front of it that the way here
/// takes away. A path when no public address is known.
fn location(intake: &Intake, project: ProjectId, name: UploadName) -> String {
    let public_url = intake.inner.config.public_url.as_ref();
    let root = public_url.map_or("", |url| url.as_str().trim_end_matches('/'));
    format!("{root}{}", name.location(project))
}

/// Takes what somebody sends who may upload, if the version is right. What is refused of it is counted, as the file of so many
/// bytes that it said it would be.
async fn granted(
    intake: &Intake,
    project: &str,
    parts: &Parts,
    bytes: Option<usize>,
    take: impl AsyncFnOnce(&Grant) -> Result<Response, Refusal>,
) -> Result<Response, Refusal> {
    let project = project_id(project)?;
    let version = parts.headers.get(TUS_RESUMABLE).ok_or(UploadFault::NoVersion)?;
    if *version != VERSION {
        return Err(UploadFault::Version.into());
    }
    let auth = credentials(parts)?.ok_or(Refusal::NoAuth)?;
    let grant = intake.inner.keys.authorize(auth.key, Some(project)).await?;
    let taken = if grant.origins.allow(&parts.headers) { take(&grant).await } else { Err(Refusal::Origin) };
    if let Some(reason) = taken.as_ref().err().and_then(Refusal::reason) {
        uploads::record(intake, &grant, bytes.unwrap_or_default(), Outcome::Invalid, reason).await?;
    }
    taken
}

/// Whether the body is said to be the bytes of an upload.
fn typed(headers: &HeaderMap) -> Result<(), Refusal> {
    match media_type(headers).as_str() {
        BYTES => Ok(()),
        "" => Err(UploadFault::NoType.into()),
        _ => Err(Refusal::MediaType { supported: BYTES }),
    }
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Option<usize> {
    let text = headers.get(name)?.to_str().ok()?;
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| usize::from_str(text).ok())?
}

/// Every answer says the version; one that refuses another version, which there are.
fn answer(result: Result<Response, Refusal>) -> Response {
    let mut response = result.into_response();
    let is_of_other_version = response.status() == StatusCode::PRECONDITION_FAILED;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSE_HEADERS);
    headers.insert(TUS_RESUMABLE, VERSION);
    if is_of_other_version {
        headers.insert(TUS_VERSION, VERSION);
    }
    response
}
