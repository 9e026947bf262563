//! Inbound filters of a project (`reference/web-api.md` §4).

use axum::{
    Json,
    extract::{RawPathParams, State},
};
use http::StatusCode;
use nuthatch_store::projects::Project;

use super::{paths::ProjectPath, projects::change_project};
use crate::{
    Api,
    auth::{
        access::{InProject, Within, parameter},
        scope::ProjectRight,
    },
    error::{ApiError, ErrorBody},
    query::Body,
    shape::filter::{InboundFilter, InboundFilterRequest, filters},
};

/// The filters that can be switched; lists of addresses, releases and messages are among the project's options.
#[utoipa::path(
    get, path = "/api/0/projects/{org}/{project}/filters/", operation_id = "listFilters", tag = "projects",
    params(ProjectPath),
    responses((status = 200, body = [InboundFilter]), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn list(place: Within<InProject, ProjectRight>) -> Json<Vec<InboundFilter>> {
    Json(filters(place.project.options.filters.clone()))
}

/// Switches a filter. It takes effect with the next batch of events.
#[utoipa::path(
    put, path = "/api/0/projects/{org}/{project}/filters/{id}/", operation_id = "updateFilter", tag = "projects",
    params(ProjectPath, ("id" = String, Path, description = "For instance `web-crawlers`")),
    request_body = InboundFilterRequest,
    responses((status = 204), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn update(
    State(api): State<Api>,
    place: Within<InProject, ProjectRight>,
    path: RawPathParams,
    Body(request): Body<InboundFilterRequest>,
) -> Result<StatusCode, ApiError> {
    let id = parameter(&path, "id").unwrap_or_default().to_owned();
    let change = move |project: &mut Project| {
        let wrong = request.clone().change(&id, &mut project.options.filters).ok_or(ApiError::NotFound("filter"))?;
        if wrong.is_empty() { Ok(()) } else { Err(ApiError::InvalidFields(wrong)) }
    };
    change_project(&api, &place.project, change).await?;
    Ok(StatusCode::NO_CONTENT)
}
