//! Occurrences and status changes from producers, over HTTP (`reference/issue-platform.md` §2, §3).

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Request, State},
};
use http::{HeaderMap, StatusCode};
use nuthatch_protocol::{DataCategory, Origin, Outcome, Outcomes, Partition, ProjectId, Topic};
use nuthatch_store::{issue_types::IssueTypes, log::NewRecord};
use serde_json::Value;

use super::paths::ProjectPath;
use crate::{
    Api,
    auth::producer::Producer,
    error::{ApiError, ErrorBody},
    message::{Desk, Kind, repeatable_id, uuid},
    query::read_body,
    shape::message::{OccurrencesRequest, SentItem, SentItems, StatusChangesRequest},
};

/// Largest body with messages, in bytes.
pub(super) const MESSAGES_MAX_BYTES: usize = 8 << 20;

/// Most messages of a request.
const MESSAGES_MAX: usize = 1000;

/// Longest `Idempotency-Key`, in bytes.
const IDEMPOTENCY_KEY_MAX_BYTES: usize = 255;

/// Sends occurrences. Each is checked on its own; the answer comes when the good ones are durable, and they become
/// issues soon after. With the header `Idempotency-Key`, a request that is sent again counts once.
#[utoipa::path(
    post, path = "/api/0/projects/{org}/{project}/occurrences/", operation_id = "sendOccurrences", tag = "occurrences",
    params(ProjectPath, ("Idempotency-Key" = Option<String>, Header, description = "Names the request: messages without id get the same ids when it is sent again")),
    request_body = OccurrencesRequest,
    responses((status = 202, body = SentItems), (status = 400, description = "Every message was refused, or the body is no JSON", body = SentItems), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 413, body = ErrorBody), (status = 503, body = ErrorBody)),
)]
pub(super) async fn occurrences(
    State(api): State<Api>,
    producer: Producer,
    headers: HeaderMap,
    request: Request,
) -> Result<(StatusCode, Json<SentItems>), ApiError> {
    send(&api, Kind::Occurrence, &producer, &headers, request).await
}

/// Sends status changes, which take their turn among the occurrences with the same fingerprint.
#[utoipa::path(
    post, path = "/api/0/projects/{org}/{project}/status-changes/", operation_id = "sendStatusChanges",
    tag = "occurrences",
    params(ProjectPath, ("Idempotency-Key" = Option<String>, Header, description = "Names the request: messages without id get the same ids when it is sent again")),
    request_body = StatusChangesRequest,
    responses((status = 202, body = SentItems), (status = 400, description = "Every message was refused, or the body is no JSON", body = SentItems), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 413, body = ErrorBody), (status = 503, body = ErrorBody)),
)]
pub(super) async fn status_changes(
    State(api): State<Api>,
    producer: Producer,
    headers: HeaderMap,
    request: Request,
) -> Result<(StatusCode, Json<SentItems>), ApiError> {
    send(&api, Kind::StatusChange, &producer, &headers, request).await
}

async fn send(
    api: &Api,
    kind: Kind,
    producer: &Producer,
    headers: &HeaderMap,
    request: Request,
) -> Result<(StatusCode, Json<SentItems>), ApiError> {
    api.check_room()?;
    let messages = read(&read_body(request, api, MESSAGES_MAX_BYTES).await?)?;
    let idempotency_key = idempotency_key(headers)?;
    let project = &producer.project;
    let types = IssueTypes::new(api.meta.issue_types(project.organization_id).await?);
    let partitions = api.log.partitions(Topic::IngestOccurrences);
    let desk = Desk { kind, project: project.id, types: &types, now: api.now(), partitions };

    let mut items = Vec::with_capacity(messages.len());
    let mut records: BTreeMap<Partition, Vec<NewRecord>> = BTreeMap::new();
    for (index, message) in messages.into_iter().enumerate() {
        let id = match idempotency_key {
            Some(key) => repeatable_id(kind, project.id, key, index),
            None => uuid(api.random(), 4),
        };
        items.push(match desk.accept(message, id) {
            Ok(accepted) => {
                records.entry(accepted.partition).or_default().push(accepted.record);
                SentItem::accepted(accepted.id)
            }
            Err(error) => SentItem::refused(error),
        });
    }
    count_refused(api, kind, project.id, &items).await?;
    if records.is_empty() {
        let detail = Some("every message was refused".to_owned());
        return Ok((StatusCode::BAD_REQUEST, Json(SentItems { detail, items })));
    }
    for (partition, records) in records {
        api.log.append(Topic::IngestOccurrences, partition, records).await?;
    }
    Ok((StatusCode::ACCEPTED, Json(SentItems { detail: None, items })))
}

/// Makes durable how many messages were refused here, before the sender hears of it: the worker will not see them.
async fn count_refused(api: &Api, kind: Kind, project: ProjectId, items: &[SentItem]) -> Result<(), ApiError> {
    let category = match kind {
        Kind::Occurrence => DataCategory::Occurrence,
        Kind::StatusChange => DataCategory::StatusChange,
    };
    let origin = Origin { received: api.now(), project_id: Some(project), key_id: None };
    let mut outcomes = Outcomes::default();
    for reason in items.iter().filter_map(|item| item.reason.clone()) {
        outcomes.add(origin.key(category, Outcome::Invalid, reason), 1);
    }
    if outcomes.is_empty() {
        return Ok(());
    }
    let record = NewRecord { key: [0; 16], value: outcomes.encode() };
    api.log.append(Topic::Outcomes, 0, vec![record]).await?;
    Ok(())
}

/// The messages of a body: the objects of a list, or one.
fn read(body: &[u8]) -> Result<Vec<Value>, ApiError> {
    let messages = match serde_json::from_slice(body) {
        Ok(Value::Array(messages)) => messages,
        Ok(one) => vec![one],
        Err(error) => return Err(ApiError::Invalid(format!("body: {error}"))),
    };
    match messages.len() {
        0 => Err(ApiError::Invalid("body: the list is empty".to_owned())),
        1..=MESSAGES_MAX => Ok(messages),
        _ => Err(ApiError::TooMuch { most: MESSAGES_MAX, what: "messages" }),
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let Some(header) = headers.get("idempotency-key") else { return Ok(None) };
    match header.to_str() {
        Ok(key) if (1..=IDEMPOTENCY_KEY_MAX_BYTES).contains(&key.len()) => Ok(Some(key)),
        _ => Err(ApiError::Invalid(format!(
            "Idempotency-Key must have 1 to {IDEMPOTENCY_KEY_MAX_BYTES} visible ASCII characters"
        ))),
    }
}
