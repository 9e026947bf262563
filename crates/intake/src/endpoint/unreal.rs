//! Crashes of Unreal Engine: kept in the container of its crash reporter (`reference/ingest-protocol.md` §2.6).

use axum::{
    body::Body,
    extract::{Path, Request, State},
    response::Response,
};
use http::request::Parts;
use nuthatch_protocol::{DataCategory, Envelope, EnvelopeHeader, EventId, Item, ItemType};

use super::{project_id, uuid, without_limits};
use crate::{
    Intake,
    accept::{self, Taken},
    body,
    credentials::credentials_and,
    refusal::Refusal,
};

/// Takes a container.
pub(crate) async fn post(
    State(intake): State<Intake>,
    Path((project, key)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Refusal> {
    let project = project_id(&project)?;
    let (parts, body) = request.into_parts();
    let auth = credentials_and(&parts, Some(&key))?.ok_or(Refusal::NoAuth)?;
    let id = (intake.inner.new_event_id)();
    let taken = read(&intake, &parts, body, id).await;
    let answer = accept::process(&intake, Some(project), &parts, auth, taken, DataCategory::Error).await;
    without_limits(answer, None)?;
    Ok(uuid(id))
}

async fn read(intake: &Intake, parts: &Parts, body: Body, id: EventId) -> Result<Taken, Refusal> {
    let config = &intake.inner.config;
    let received = body::read(&parts.headers, body, config.envelope_max_bytes, &intake.inner.memory, config).await?;
    if received.bytes.is_empty() {
        return Err(Refusal::Empty);
    }
    let header = EnvelopeHeader { event_id: Some(id), ..EnvelopeHeader::default() };
    let items = vec![Item::new(ItemType::UnrealReport, received.bytes)];
    Ok(Taken::one(Envelope { header, items }, received.room))
}
