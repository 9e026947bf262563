//! Files of a project: what is kept as bytes beside events, so that it can be found. Replays and profiles have no pages
//! of their own.

use axum::{
    Json,
    extract::{OriginalUri, RawPathParams, State},
    response::{IntoResponse, Response},
};
use http::Uri;
use nuthatch_protocol::FileId;
use nuthatch_store::files::{File as StoredFile, FileKind, FileQuery, FileScope, ListCursor, Page};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::{file_content::content, paths::ProjectPath};
use crate::{
    Api,
    auth::{
        access::{InProject, Within, parameter},
        scope::EventRight,
    },
    error::{ApiError, ErrorBody},
    page::{Cursor, Links},
    query::{Paging, Query, single},
    shape::file::File,
};

/// Which files.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct FileSearch {
    /// `attachment`, `unreal_report`, `form_data`, `profile`, `profile_chunk`, `replay_event`, `replay_recording`,
    /// `replay_video` or `trace_attachment`.
    #[serde(deserialize_with = "single")]
    #[param(value_type = String)]
    kind: Option<String>,
}

/// What of a file.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct Download {
    /// Present, with any value: its bytes.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    download: Option<String>,
}

/// The files of a project that are of one kind, newest first.
#[utoipa::path(
    get, path = "/api/0/projects/{org}/{project}/files/", operation_id = "listFiles", tag = "files",
    params(ProjectPath, FileSearch, Paging),
    responses((status = 200, body = [File]), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn list(
    State(api): State<Api>,
    place: Within<InProject, EventRight>,
    OriginalUri(uri): OriginalUri,
    Query(search): Query<FileSearch>,
    Query(paging): Query<Paging>,
) -> Result<impl IntoResponse, ApiError> {
    let kind: Option<FileKind> = search.kind.as_deref().and_then(|word| word.parse().ok());
    let kind = kind.ok_or_else(|| {
        let words: Vec<&str> = FileKind::ALL.iter().map(|kind| kind.as_str()).collect();
        ApiError::Invalid(format!("kind must be one of {}", words.join(", ")))
    })?;
    listed::<File>(&api, &place, FileScope::Kind(kind), &uri, &paging).await
}

/// A file; with `download` its bytes.
#[utoipa::path(
    get, path = "/api/0/projects/{org}/{project}/files/{file}/", operation_id = "getFile", tag = "files",
    params(ProjectPath, ("file" = String, Path, description = "Id"), Download),
    responses((status = 200, body = File), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn detail(
    State(api): State<Api>,
    place: Within<InProject, EventRight>,
    path: RawPathParams,
    Query(download): Query<Download>,
) -> Result<Response, ApiError> {
    let file = find(&api, &place, parameter(&path, "file")).await?.ok_or(ApiError::NotFound("file"))?;
    shown::<File>(&api, &file, &download).await
}

/// A page of a project's files, each in the shape of a list.
pub(super) async fn listed<T: Serialize + for<'a> From<&'a StoredFile>>(
    api: &Api,
    place: &InProject,
    scope: FileScope,
    uri: &Uri,
    paging: &Paging,
) -> Result<impl IntoResponse + use<T>, ApiError> {
    let (cursor, limit) = (read_cursor(paging)?, paging.rows()?);
    let query = FileQuery { project_id: place.project.id, scope, cursor, limit };
    let page = api.meta.files(&query).await?;
    let links = links(&page, |file| file.id.0);
    Ok((links.header(&api.public_url, uri), Json(page.rows.iter().map(T::from).collect::<Vec<T>>())))
}

/// A file in the shape of a list, or its bytes.
pub(super) async fn shown<T: Serialize + for<'a> From<&'a StoredFile>>(
    api: &Api,
    file: &StoredFile,
    download: &Download,
) -> Result<Response, ApiError> {
    if download.download.is_some() { content(api, file).await } else { Ok(Json(T::from(file)).into_response()) }
}

/// The file of an id, if it belongs to the project.
pub(super) async fn find(api: &Api, place: &InProject, id: Option<&str>) -> Result<Option<StoredFile>, ApiError> {
    let Some(id) = id.and_then(|id| id.parse::<FileId>().ok()) else { return Ok(None) };
    Ok(api.meta.file(id).await?.filter(|file| file.head.project_id == place.project.id))
}

/// Where a list that is ordered by number goes on.
pub(super) fn read_cursor(paging: &Paging) -> Result<Option<ListCursor>, ApiError> {
    let cursor = Cursor::<u64>::read(paging.cursor.as_deref())?;
    Ok(cursor.map(|Cursor { key, backwards, .. }| ListCursor { number: key.min(i64::MAX as u64), backwards }))
}

/// The neighbours of a page of such a list.
pub(super) fn links<T>(page: &Page<T>, number: impl Fn(&T) -> u64) -> Links {
    let at = |row: Option<&T>, backwards| Cursor { value: 0, key: row.map_or(1, &number), backwards }.to_string();
    Links {
        previous: at(page.rows.first(), true),
        has_previous: page.has_previous,
        next: at(page.rows.last(), false),
        has_next: page.has_next,
    }
}
