//! Attachments of traces, in the way of those of events. They may be there before the spans of their trace, and without.

use axum::{
    Json,
    extract::{RawPathParams, State},
    response::{IntoResponse, Response},
};
use http::{StatusCode, Uri};
use nuthatch_store::files::{File, FileKind, FileScope};

use super::{
    attachments::remove,
    file_content::content,
    files::{Download, find, page},
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
    uri: Uri,
    Query(paging): Query<Paging>,
) -> Result<impl IntoResponse, ApiError> {
    let trace = read_id(parameter(&path, "trace_id"))?;
    let (files, links) = page(&api, &place, FileScope::AttachmentsOfTrace(trace), &paging).await?;
    let rows: Vec<TraceAttachment> = files.iter().map(TraceAttachment::from).collect();
    Ok((links.header(&api.public_url, &uri), Json(rows)))
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
    let file = of_trace(&api, &place, &path).await?;
    if download.is_wanted() {
        return content(&api, &file).await;
    }
    Ok(Json(TraceAttachment::from(&file)).into_response())
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
    remove(&api, &of_trace(&api, &place, &path).await?).await
}

/// The attachment that the path names, if it belongs to the trace of the path.
async fn of_trace(api: &Api, place: &InProject, path: &RawPathParams) -> Result<File, ApiError> {
    let trace = read_id(parameter(path, "trace_id"))?;
    let file = find(api, place, parameter(path, "attachment")).await?;
    let theirs = file.filter(|file| file.head.owner.0 == trace.0 && file.head.kind == FileKind::TraceAttachment);
    theirs.ok_or(ApiError::NotFound("attachment"))
}
