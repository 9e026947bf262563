//! Dead letters of a project: what was accepted and could not be handled. A replay is only asked for here; the worker does
//! it.

use axum::{
    Json,
    extract::{OriginalUri, RawPathParams, State},
    response::IntoResponse,
};
use http::StatusCode;
use nuthatch_protocol::LetterId;
use nuthatch_store::dead_letters::{Letter, LetterCursor, LetterFilter, LetterQuery, LetterScope, StoredLetter};
use serde::Deserialize;
use utoipa::IntoParams;

use super::paths::ProjectPath;
use crate::{
    Api,
    auth::{
        access::{InProject, Within, parameter},
        scope::DeadLetterRight,
    },
    error::{ApiError, ErrorBody},
    page::{Cursor, Links},
    query::{Body, Paging, Query, single},
    shape::dead_letter::{DeadLetter, DeadLetterDetail, DeadLetterReason, DeadLettersChanged, ReplayRequest},
    telemetry,
};

/// Which letters.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct LetterSearch {
    /// Only those refused for this reason; empty or absent: all.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    reason: Option<String>,
}

impl LetterSearch {
    fn filter(self, place: &InProject) -> LetterFilter {
        let reason = self.reason.filter(|reason| !reason.is_empty());
        LetterFilter { scope: LetterScope::Project(place.project.id), reason }
    }
}

/// The dead letters of a project, newest first.
#[utoipa::path(
    get, path = "/api/0/projects/{org}/{project}/dead-letters/", operation_id = "listDeadLetters",
    tag = "dead letters", params(ProjectPath, LetterSearch, Paging),
    responses((status = 200, body = [DeadLetter]), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn list(
    State(api): State<Api>,
    place: Within<InProject, DeadLetterRight>,
    OriginalUri(uri): OriginalUri,
    Query(search): Query<LetterSearch>,
    Query(paging): Query<Paging>,
) -> Result<impl IntoResponse, ApiError> {
    let cursor = Cursor::<LetterId>::read(paging.cursor.as_deref())?;
    let cursor = cursor.map(|cursor| LetterCursor { id: cursor.key, backwards: cursor.backwards });
    let query = LetterQuery { filter: search.filter(&place), cursor, limit: paging.rows()? };
    let page = api.meta.letters(&query).await?;
    let place_of = |letter: Option<&Letter>, backwards| {
        let key = letter.map_or(LetterId(1), |letter| letter.id);
        Cursor { value: 0, key, backwards }.to_string()
    };
    let links = Links {
        previous: place_of(page.letters.first(), true),
        has_previous: page.has_previous,
        next: place_of(page.letters.last(), false),
        has_next: page.has_next,
    };
    let rows: Vec<DeadLetter> = page.letters.iter().map(DeadLetter::from).collect();
    Ok((links.header(&api.public_url, &uri), Json(rows)))
}

/// How many dead letters of a project there are for each reason.
#[utoipa::path(
    get, path = "/api/0/projects/{org}/{project}/dead-letters/reasons/", operation_id = "countDeadLetters",
    tag = "dead letters", params(ProjectPath),
    responses((status = 200, body = [DeadLetterReason]), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn reasons(
    State(api): State<Api>,
    place: Within<InProject, DeadLetterRight>,
) -> Result<Json<Vec<DeadLetterReason>>, ApiError> {
    let counts = api.meta.letter_counts(LetterScope::Project(place.project.id)).await?;
    Ok(Json(counts.into_iter().map(|(reason, count)| DeadLetterReason { reason, count }).collect()))
}

/// A dead letter with what it holds.
#[utoipa::path(
    get, path = "/api/0/projects/{org}/{project}/dead-letters/{letter}/", operation_id = "getDeadLetter",
    tag = "dead letters", params(ProjectPath, ("letter" = String, Path, description = "Id")),
    responses((status = 200, body = DeadLetterDetail), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn detail(
    State(api): State<Api>,
    place: Within<InProject, DeadLetterRight>,
    path: RawPathParams,
) -> Result<Json<DeadLetterDetail>, ApiError> {
    Ok(Json((&find(&api, &place, &path).await?).into()))
}

/// Asks for a dead letter to be handled again, as it is or with another payload. When it is done the letter is gone; if the
/// message is refused again, it is a new letter.
#[utoipa::path(
    post, path = "/api/0/projects/{org}/{project}/dead-letters/{letter}/replay/", operation_id = "replayDeadLetter",
    tag = "dead letters", params(ProjectPath, ("letter" = String, Path, description = "Id")),
    request_body = ReplayRequest,
    responses((status = 202), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn replay(
    State(api): State<Api>,
    place: Within<InProject, DeadLetterRight>,
    path: RawPathParams,
    Body(request): Body<ReplayRequest>,
) -> Result<StatusCode, ApiError> {
    let stored = find(&api, &place, &path).await?;
    let record = stored.replacement(request.payload.map(Into::into))?;
    api.meta.request_replay(stored.letter.id, record).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Asks for all dead letters of a project, or all of a reason, to be handled again.
#[utoipa::path(
    post, path = "/api/0/projects/{org}/{project}/dead-letters/replay/", operation_id = "replayDeadLetters",
    tag = "dead letters", params(ProjectPath, LetterSearch),
    responses((status = 202, body = DeadLettersChanged), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn replay_all(
    State(api): State<Api>,
    place: Within<InProject, DeadLetterRight>,
    Query(search): Query<LetterSearch>,
) -> Result<(StatusCode, Json<DeadLettersChanged>), ApiError> {
    let count = api.meta.request_replays(&search.filter(&place)).await?;
    Ok((StatusCode::ACCEPTED, Json(DeadLettersChanged { count })))
}

/// Removes a dead letter for good.
#[utoipa::path(
    delete, path = "/api/0/projects/{org}/{project}/dead-letters/{letter}/", operation_id = "discardDeadLetter",
    tag = "dead letters", params(ProjectPath, ("letter" = String, Path, description = "Id")),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn discard(
    State(api): State<Api>,
    place: Within<InProject, DeadLetterRight>,
    path: RawPathParams,
) -> Result<StatusCode, ApiError> {
    let stored = find(&api, &place, &path).await?;
    let count = api.meta.remove_letters(&[stored.letter.id]).await?;
    telemetry::letters_discarded(count);
    Ok(StatusCode::NO_CONTENT)
}

/// Removes all dead letters of a project, or all of a reason, for good.
#[utoipa::path(
    delete, path = "/api/0/projects/{org}/{project}/dead-letters/", operation_id = "discardDeadLetters",
    tag = "dead letters", params(ProjectPath, LetterSearch),
    responses((status = 200, body = DeadLettersChanged), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn discard_all(
    State(api): State<Api>,
    place: Within<InProject, DeadLetterRight>,
    Query(search): Query<LetterSearch>,
) -> Result<Json<DeadLettersChanged>, ApiError> {
    let count = api.meta.remove_all_letters(&search.filter(&place)).await?;
    telemetry::letters_discarded(count);
    Ok(Json(DeadLettersChanged { count }))
}

/// The letter that the path names, if it belongs to the project.
async fn find(api: &Api, place: &InProject, path: &RawPathParams) -> Result<StoredLetter, ApiError> {
    let id = parameter(path, "letter").and_then(|text| text.parse::<LetterId>().ok());
    let found = match id {
        Some(id) => api.meta.letter(id).await?,
        None => None,
    };
    let theirs = found.filter(|stored| stored.letter.header.project_id == Some(place.project.id));
    theirs.ok_or(ApiError::NotFound("dead letter"))
}
