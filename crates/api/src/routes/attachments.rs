//! Attachments of events (`reference/web-api.md` §3.9). They may be there before their event, and without one.

use axum::{
    extract::{OriginalUri, RawPathParams, State},
    response::{IntoResponse, Response},
};
use http::StatusCode;
use nuthatch_protocol::{EventId, TraceId};
use nuthatch_store::files::{File, FileHead, FileKind, FileScope};

use super::{
    event_lookup::read_id,
    files::{Download, find, listed, shown},
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
    let owner = event(&path)?;
    listed::<Attachment>(&api, &place, owner.scope(), &uri, &paging).await
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
    let file = event(&path)?.attachment(&api, &place, &path).await?;
    shown::<Attachment>(&api, &file, &download).await
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
    event(&path)?.remove_attachment(&api, &place, &path).await
}

/// The event of the path.
fn event(path: &RawPathParams) -> Result<Owner, ApiError> {
    Ok(Owner::Event(read_id(parameter(path, "event_id"))?))
}

/// What attachments belong to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Owner {
    Event(EventId),
    Trace(TraceId),
}

impl Owner {
    /// Its attachments, as a list of files.
    pub(super) fn scope(self) -> FileScope {
        match self {
            Self::Event(event) => FileScope::AttachmentsOf(event),
            Self::Trace(trace) => FileScope::AttachmentsOfTrace(trace),
        }
    }

    fn has(self, head: &FileHead) -> bool {
        match self {
            Self::Event(event) => head.owner == event && FileKind::ATTACHMENTS.contains(&head.kind),
            Self::Trace(trace) => head.owner.0 == trace.0 && head.kind == FileKind::TraceAttachment,
        }
    }

    /// The attachment that the path names, if it is one of its.
    pub(super) async fn attachment(self, api: &Api, place: &InProject, path: &RawPathParams) -> Result<File, ApiError> {
        let file = find(api, place, parameter(path, "attachment")).await?;
        file.filter(|file| self.has(&file.head)).ok_or(ApiError::NotFound("attachment"))
    }

    /// Removes the attachment that the path names, with its bytes.
    pub(super) async fn remove_attachment(
        self,
        api: &Api,
        place: &InProject,
        path: &RawPathParams,
    ) -> Result<StatusCode, ApiError> {
        let file = self.attachment(api, place, path).await?;
        // The row goes first: what nothing refers to goes with its day, when this ends in between.
        api.meta.remove_file(file.id).await?;
        if let Some(key) = file.head.blob_key() {
            api.blobs.delete(key).await?;
        }
        Ok(StatusCode::NO_CONTENT)
    }
}
