//! Crashes of PlayStation: kept as they are (`reference/ingest-protocol.md` §2.6).

use axum::{
    body::Body,
    extract::{Path, Request, State},
    response::{IntoResponse as _, Response},
};
use http::request::Parts;
use nuthatch_protocol::{DataCategory, Envelope, EnvelopeHeader, EventId};
use serde_json::json;

use super::{attachment, media_type, project_id, uuid, without_limits};
use crate::{
    Intake,
    accept::{self, Taken},
    body,
    credentials::credentials,
    multipart,
    refusal::Refusal,
};

/// The media type of the question what may be uploaded.
const DATA_REQUEST: &str = "application/vnd.sce.crs.datareq-request+json";

/// How the name of a dump ends.
const DUMP_ENDING: &str = ".prosperodmp";

/// How a dump begins: as a frame of LZ4, or as ELF.
const DUMP_MAGICS: [&[u8]; 2] = [b"\x04\x22\x4d\x18", b"\x7fELF"];

/// Takes a crash, or says what may be uploaded.
pub(crate) async fn post(
    State(intake): State<Intake>,
    Path(project): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let project = project_id(&project)?;
    let (parts, body) = request.into_parts();
    let auth = credentials(&parts)?.ok_or(Refusal::NoAuth)?;
    if media_type(&parts.headers).contains(DATA_REQUEST) {
        intake.inner.keys.authorize(auth.key, Some(project)).await?;
        return Ok(axum::Json(json!({ "parts": { "upload": ["corefile", "screenshot"] } })).into_response());
    }
    let id = (intake.inner.new_event_id)();
    let taken = read(&intake, &parts, body, id).await;
    let answer = accept::process(&intake, Some(project), &parts, auth, taken, DataCategory::Error).await;
    without_limits(answer, None)?;
    Ok(uuid(id))
}

async fn read(intake: &Intake, parts: &Parts, body: Body, id: EventId) -> Result<Taken, Refusal> {
    let config = &intake.inner.config;
    let body::Received { bytes, mut room } =
        body::read(&parts.headers, body, config.envelope_max_bytes, &intake.inner.memory, config).await?;
    let boundary = multipart::boundary(&parts.headers)?;
    room.grow(bytes.len(), config).await?;
    let (mut items, mut has_dump) = (Vec::new(), false);
    for part in multipart::parse(&bytes, &boundary).await? {
        let Some(name) = &part.filename else { continue };
        let is_dump = name.ends_with(DUMP_ENDING);
        if is_dump && !DUMP_MAGICS.iter().any(|magic| part.bytes.starts_with(magic)) {
            return Err(Refusal::PlayStationDump);
        }
        has_dump |= is_dump;
        items.push(attachment(part, is_dump.then_some("playstation.prosperodump")));
    }
    if !has_dump {
        return Err(Refusal::NoPlayStationDump);
    }
    let header = EnvelopeHeader { event_id: Some(id), ..EnvelopeHeader::default() };
    Ok(Taken::one(Envelope { header, items }, room))
}
