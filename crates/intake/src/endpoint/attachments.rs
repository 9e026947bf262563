//! Files for an event that came before or is still to come (`reference/ingest-protocol.md` §2.7).

use axum::{
    body::Body,
    extract::{Path, Request, State},
    response::{IntoResponse as _, Response},
};
use http::{StatusCode, request::Parts};
use nuthatch_protocol::{DataCategory, Envelope, EnvelopeHeader, EventId};

use super::{attachment, project_id};
use crate::{
    Intake,
    accept::{self, Taken},
    body,
    credentials::credentials,
    multipart,
    refusal::Refusal,
};

/// Takes every part that is a file.
pub(crate) async fn post(
    State(intake): State<Intake>,
    Path((project, event)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Refusal> {
    let project = project_id(&project)?;
    let event: EventId = event.parse().map_err(|_| Refusal::EventIdInPath)?;
    let (parts, body) = request.into_parts();
    let auth = credentials(&parts)?.ok_or(Refusal::NoAuth)?;
    let taken = read(&intake, &parts, body, event).await;
    accept::process(&intake, Some(project), &parts, auth, taken, DataCategory::AttachmentItem).await?;
    Ok(StatusCode::CREATED.into_response())
}

async fn read(intake: &Intake, parts: &Parts, body: Body, event: EventId) -> Result<Taken, Refusal> {
    let config = &intake.inner.config;
    let body::Received { bytes, mut room } =
        body::read(&parts.headers, body, config.envelope_max_bytes, &intake.inner.memory, config).await?;
    let boundary = multipart::boundary(&parts.headers)?;
    room.grow(bytes.len(), config).await?;
    let files = multipart::parse(&bytes, &boundary).await?.into_iter().filter(|part| part.filename.is_some());
    let header = EnvelopeHeader { event_id: Some(event), ..EnvelopeHeader::default() };
    let items = files.map(|part| attachment(part, None)).collect();
    Ok(Taken::one(Envelope { header, items }, room))
}
