//! Attachments of traces, in the way of those of events. They may be there before the spans of their trace, and without.

use axum::{
    extract::{OriginalUri, RawPathParams, State},
    response::{IntoResponse, Response},
};
use http::StatusCode;

use super::{
    attachments::Owner,
    files::{Download, listed, shown},
    paths::ProjectPath,
    traces::read_id,
};
use crate::{
    Api,
    auth::{
        access::{InProject, Within, parameter},
        scope::EventRight,
    },
    error::{ApiError, ErrorBody},
    query::{Paging, Query},
    shape::file::TraceAttachment,
};

/// The attachments that a project has of a trace, newest first.
#[utoipa::path(
    get, path = "/api/0/projects/{org}/{project}/traces/{trace_id}/attachments/", operation_id = "listTraceAttachments",
    tag = "files", params(ProjectPath, ("trace_id" = String, Path, description = "32 hex digits"), Paging),
    responses((status = 200, body = [TraceAttachment]), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn list(
    State(api): State<Api>,
    place: Within<InProject, EventRight>,
    path: RawPathParams,
    OriginalUri(uri): OriginalUri,
    Query(paging): Query<Paging>,
) -> Result<impl IntoResponse, ApiError> {
    let owner = trace(&path)?;
    listed::<TraceAttachment>(&api, &place, owner.scope(), &uri, &paging).await
}

/// An attachment of a trace; with `download` its bytes.
#[utoipa::path(
    get, path = "/api/0/projects/{org}/{project}/traces/{trace_id}/attachments/{attachment}/",
    operation_id = "getTraceAttachment", tag = "files",
    params(ProjectPath, ("trace_id" = String, Path, description = "32 hex digits"), ("attachment" = String, Path, description = "Id"), Download),
    responses((status = 200, body = TraceAttachment), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn detail(
    State(api): State<Api>,
    place: Within<InProject, EventRight>,
    path: RawPathParams,
    Query(download): Query<Download>,
) -> Result<Response, ApiError> {
    let file = trace(&path)?.attachment(&api, &place, &path).await?;
    shown::<TraceAttachment>(&api, &file, &download).await
}

/// Removes an attachment of a trace for good.
#[utoipa::path(
    delete, path = "/api/0/projects/{org}/{project}/traces/{trace_id}/attachments/{attachment}/",
    operation_id = "deleteTraceAttachment", tag = "files",
    params(ProjectPath, ("trace_id" = String, Path, description = "32 hex digits"), ("attachment" = String, Path, description = "Id")),
    responses((status = 204), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn delete(
    State(api): State<Api>,
    place: Within<InProject, EventRight>,
    path: RawPathParams,
) -> Result<StatusCode, ApiError> {
    trace(&path)?.remove_attachment(&api, &place, &path).await
}

/// The trace of the path.
fn trace(path: &RawPathParams) -> Result<Owner, ApiError> {
    Ok(Owner::Trace(read_id(parameter(path, "trace_id"))?))
}
