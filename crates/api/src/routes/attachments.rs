//! Attachments of events (`reference/web-api.md` §3.9). They may be there before their event, and without one.

use axum::{
    Json,
    extract::{OriginalUri, RawPathParams, State},
    response::{IntoResponse, Response},
};
use http::StatusCode;
use nuthatch_protocol::EventId;
use nuthatch_store::files::{File, FileKind, FileScope};

use super::{
    event_lookup::read_id,
    file_content::content,
    files::{Download, find, page},
    paths::ProjectPath,
};
use crate::{
    Api,
    auth::{
        access::{InProject, Within, parameter},
        scope::EventRight,
    },
    error::{ApiError, ErrorBody},
    query::{Paging, Query},
    shape::file::Attachment,
};

/// The attachments of an event, newest first.
#[utoipa::path(
    get, path = "/api/0/projects/{org}/{project}/events/{event_id}/attachments/", operation_id = "listAttachments",
    tag = "files", params(ProjectPath, ("event_id" = String, Path, description = "32 hex digits"), Paging),
    responses((status = 200, body = [Attachment]), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn list(
    State(api): State<Api>,
    place: Within<InProject, EventRight>,
    path: RawPathParams,
    OriginalUri(uri): OriginalUri,
    Query(paging): Query<Paging>,
) -> Result<impl IntoResponse, ApiError> {
    let event = read_id(parameter(&path, "event_id"))?;
    let (files, links) = page(&api, &place, FileScope::AttachmentsOf(event), &paging).await?;
    let rows: Vec<Attachment> = files.iter().map(Attachment::from).collect();
    Ok((links.header(&api.public_url, &uri), Json(rows)))
}

/// An attachment; with `download` its bytes.
#[utoipa::path(
    get, path = "/api/0/projects/{org}/{project}/events/{event_id}/attachments/{attachment}/",
    operation_id = "getAttachment", tag = "files",
    params(ProjectPath, ("event_id" = String, Path, description = "32 hex digits"), ("attachment" = String, Path, description = "Id"), Download),
    responses((status = 200, body = Attachment), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn detail(
    State(api): State<Api>,
    place: Within<InProject, EventRight>,
    path: RawPathParams,
    Query(download): Query<Download>,
) -> Result<Response, ApiError> {
    let file = of_event(&api, &place, &path).await?;
    if download.is_wanted() {
        return content(&api, &file).await;
    }
    Ok(Json(Attachment::from(&file)).into_response())
}

/// Removes an attachment for good.
#[utoipa::path(
    delete, path = "/api/0/projects/{org}/{project}/events/{event_id}/attachments/{attachment}/",
    operation_id = "deleteAttachment", tag = "files",
    params(ProjectPath, ("event_id" = String, Path, description = "32 hex digits"), ("attachment" = String, Path, description = "Id")),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn delete(
    State(api): State<Api>,
    place: Within<InProject, EventRight>,
    path: RawPathParams,
) -> Result<StatusCode, ApiError> {
    remove(&api, &of_event(&api, &place, &path).await?).await
}

/// Removes a file with its bytes.
pub(super) async fn remove(api: &Api, file: &File) -> Result<StatusCode, ApiError> {
    // The row goes first: what nothing refers to goes with its day, when this ends in between.
    api.meta.remove_file(file.id).await?;
    if let Some(key) = file.head.blob_key() {
        api.blobs.delete(key).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The attachment that the path names, if it belongs to the event of the path.
async fn of_event(api: &Api, place: &InProject, path: &RawPathParams) -> Result<File, ApiError> {
    let event: EventId = read_id(parameter(path, "event_id"))?;
    let file = find(api, place, parameter(path, "attachment")).await?;
    let theirs = file.filter(|file| file.head.owner == event && FileKind::ATTACHMENTS.contains(&file.head.kind));
    theirs.ok_or(ApiError::NotFound("attachment"))
}
