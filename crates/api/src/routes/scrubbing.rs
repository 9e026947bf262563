//! What settings of scrubbing would do, before anybody saves them.

use std::collections::BTreeMap;

use axum::{Json, body::Bytes, extract::State};
use nuthatch_normalize::{filter::Filters, normalize, scrub::Scrubber};
use nuthatch_protocol::{Event, IngestRecord};
use serde_json::Value;

use super::{event_lookup, paths::ProjectPath};
use crate::{
    Api,
    auth::{
        access::{InProject, Within},
        scope::ProjectRight,
    },
    error::{ApiError, ErrorBody},
    query::Body,
    shape::scrubbing::{ScrubbingPreview, ScrubbingPreviewRequest},
};

/// Most changes in an answer.
const CHANGES_MAX: usize = 1_000;

/// Shows what the project's settings of scrubbing, or others, would take out of an event, with what the organization
/// requires, whose rules have `organization:` before their names. Nothing is stored.
#[utoipa::path(
    post, path = "/api/0/projects/{org}/{project}/scrubbing/preview/", operation_id = "previewScrubbing",
    tag = "projects", params(ProjectPath), request_body = ScrubbingPreviewRequest,
    responses((status = 200, body = ScrubbingPreview), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn preview(
    State(api): State<Api>,
    place: Within<InProject, ProjectRight>,
    Body(request): Body<ScrubbingPreviewRequest>,
) -> Result<Json<ScrubbingPreview>, ApiError> {
    let options = &place.project.options;
    let mut settings = options.scrubbing.clone();
    let mut wrong = BTreeMap::new();
    request.settings.change(&mut settings, &mut wrong);
    if !wrong.is_empty() {
        return Err(ApiError::InvalidFields(wrong));
    }
    let mut event = match (request.event, request.event_id) {
        (Some(event), None) => pasted(&api, &event)?,
        (None, Some(id)) => stored(&api, &place, &id).await?,
        _ => return Err(ApiError::Invalid("one of `event` and `eventID` is needed".to_owned())),
    };
    let filtered = Filters::new(&options.filters).0.reason(&event, None).map(|reason| reason.to_string());
    let required = &place.organization.organization.options.scrubbing;
    let changes = Scrubber::within(required, &settings).0.explain(&mut event);
    Ok(Json(ScrubbingPreview {
        count: changes.len(),
        changes: changes.into_iter().take(CHANGES_MAX).map(Into::into).collect(),
        filtered,
        event: Value::Object(event.0),
    }))
}

fn pasted(api: &Api, event: &Value) -> Result<Event, ApiError> {
    let record = IngestRecord::trial(Bytes::from(event.to_string()), api.now());
    normalize(&record, None)
        .map_err(|refused| ApiError::InvalidFields(BTreeMap::from([("event".to_owned(), refused.message)])))
}

/// Who may change a project's settings need not be one who may read its events.
async fn stored(api: &Api, place: &InProject, id: &str) -> Result<Event, ApiError> {
    if !place.organization.scopes.contain("event:read") {
        return Err(ApiError::Forbidden("reading a stored event needs the scope event:read".to_owned()));
    }
    let id = event_lookup::read_id(Some(id))?;
    let found = event_lookup::in_project(api, &place.project, id).await?.ok_or(ApiError::NotFound("event"))?;
    serde_json::from_slice(&found.body).map_err(|error| ApiError::Internal(format!("body of event {id}: {error}")))
}
