//! What users said about events (`reference/web-api.md` §4.9).

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{OriginalUri, State},
    response::IntoResponse,
};
use nuthatch_issues::issue::short_id_text;
use nuthatch_protocol::{
    EventId, IngestRecord, ItemAttributes, ItemType, KeyId, Partition, Topic, record::IngestHeader,
};
use nuthatch_store::{
    files::{UserReport as StoredReport, UserReportQuery},
    log::NewRecord,
    projects::Project,
};

use super::{
    event_lookup::issue_of,
    files::{links, read_cursor},
    paths::ProjectPath,
};
use crate::{
    Api,
    auth::{
        access::{InProject, Within},
        scope::EventRight,
    },
    error::{ApiError, ErrorBody},
    query::{Body, Paging, Query},
    shape::file::{ReportedIssue, UserReport, UserReportRequest, UserReportRow},
};

/// Longest name, address and text of a report, in characters.
const NAME_MAX_CHARS: usize = 128;
const EMAIL_MAX_CHARS: usize = 254;
const COMMENTS_MAX_CHARS: usize = 4096;

/// The reports of a project, newest first.
#[utoipa::path(
    get, path = "/api/0/projects/{org}/{project}/user-feedback/", operation_id = "listUserReports", tag = "files",
    params(ProjectPath, Paging),
    responses((status = 200, body = [UserReportRow]), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn list(
    State(api): State<Api>,
    place: Within<InProject, EventRight>,
    OriginalUri(uri): OriginalUri,
    Query(paging): Query<Paging>,
) -> Result<impl IntoResponse, ApiError> {
    let query = UserReportQuery { project_id: place.project.id, cursor: read_cursor(&paging)?, limit: paging.rows()? };
    let page = api.meta.user_reports(&query).await?;
    let mut rows = Vec::with_capacity(page.rows.len());
    for row in &page.rows {
        let issue = issue_of_event(&api, &place.project, row.report.event_id).await?;
        rows.push(UserReportRow { report: UserReport::from(&row.report), issue });
    }
    Ok((links(&page, |row| row.number).header(&api.public_url, &uri), Json(rows)))
}

/// Takes a report about an event, in the place of an older one. It is in the list as soon as the worker has come to it.
#[utoipa::path(
    post, path = "/api/0/projects/{org}/{project}/user-feedback/", operation_id = "createUserReport", tag = "files",
    params(ProjectPath), request_body = UserReportRequest,
    responses((status = 200, body = UserReportRow), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn create(
    State(api): State<Api>,
    place: Within<InProject, EventRight>,
    Body(request): Body<UserReportRequest>,
) -> Result<Json<UserReportRow>, ApiError> {
    let event_id = check(&request)?;
    let received = api.now();
    let project = &place.project;
    let payload = serde_json::to_vec(&request).map_err(|error| ApiError::Internal(error.to_string()))?;
    let header = IngestHeader {
        project_id: project.id,
        // It comes with an account instead.
        key_id: KeyId::default(),
        event_id,
        item_type: ItemType::UserReport.as_str().to_owned(),
        attributes: ItemAttributes::default(),
        blob: None,
        user_agent: None,
        client_hints: nuthatch_protocol::record::ClientHints::default(),
        letter_id: None,
        received,
        sent_at: None,
        client_ip: None,
        client: None,
        version: "7".to_owned(),
    };
    let value = IngestRecord { header, payload: payload.into() }.encode();
    api.check_room()?;
    let partitions = api.log.partitions(Topic::IngestAttachments).max(1);
    // The remainder is below a partition number.
    let partition = (project.id.0 % u64::from(partitions)) as Partition;
    api.log.append(Topic::IngestAttachments, partition, vec![NewRecord { key: event_id.0, value }]).await?;
    let UserReportRequest { name, email, comments, .. } = request;
    let report = StoredReport { project_id: project.id, event_id, name, email, comments, received };
    let issue = issue_of_event(&api, project, event_id).await?;
    Ok(Json(UserReportRow { report: UserReport::from(&report), issue }))
}

/// The event that a request is about, when all of it can be taken.
fn check(request: &UserReportRequest) -> Result<EventId, ApiError> {
    let mut wrong = BTreeMap::new();
    let mut bounded = |field: &str, text: &str, most: usize| {
        if text.chars().count() > most {
            wrong.insert(field.to_owned(), format!("at most {most} characters are taken"));
        }
    };
    bounded("name", &request.name, NAME_MAX_CHARS);
    bounded("email", &request.email, EMAIL_MAX_CHARS);
    bounded("comments", &request.comments, COMMENTS_MAX_CHARS);
    if request.comments.trim().is_empty() {
        wrong.insert("comments".to_owned(), "may not be empty".to_owned());
    }
    let event_id = request.event_id.parse();
    if event_id.is_err() {
        wrong.insert("event_id".to_owned(), "expected 32 hex digits".to_owned());
    }
    match event_id {
        Ok(event_id) if wrong.is_empty() => Ok(event_id),
        _ => Err(ApiError::InvalidFields(wrong)),
    }
}

async fn issue_of_event(api: &Api, project: &Project, event: EventId) -> Result<Option<ReportedIssue>, ApiError> {
    let Some(event) = api.events.get(project.id, event).await? else { return Ok(None) };
    let Some(id) = issue_of(api, project.id, &event.summary.hashes).await? else { return Ok(None) };
    Ok(api.meta.issue(id).await?.map(|issue| ReportedIssue {
        id: issue.id.to_string(),
        short_id: short_id_text(&project.slug, issue.short_id),
        title: issue.title,
    }))
}
