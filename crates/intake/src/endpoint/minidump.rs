//! Minidumps: as a file in a form, or alone (`reference/ingest-protocol.md` §2.5).

use axum::{
    body::Body,
    extract::{Path, Request, State},
    response::Response,
};
use http::request::Parts;
use nuthatch_protocol::{DataCategory, Envelope, Item, ItemType};
use serde_json::json;

use super::{attachment, media_type, project_id, uuid, without_limits};
use crate::{
    Intake,
    accept::{self, Taken},
    body::{self, Room},
    crash,
    credentials::credentials,
    multipart::{self, Part},
    refusal::Refusal,
};

/// The field with the dump.
const DUMP_FIELD: &str = "upload_file_minidump";

/// The name of a dump that comes without one.
const DUMP_NAME: &str = "Minidump";

/// Takes a dump, with what belongs to it.
pub(crate) async fn post(
    State(intake): State<Intake>,
    Path(project): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let project = project_id(&project)?;
    let (parts, body) = request.into_parts();
    let auth = credentials(&parts)?.ok_or(Refusal::NoAuth)?;
    let taken = read(&intake, &parts, body).await;
    let answer = accept::process(&intake, Some(project), &parts, auth, taken, DataCategory::Error).await;
    let id = without_limits(answer, None)?;
    // What is not taken needs an id in the answer all the same.
    Ok(uuid(id.unwrap_or_else(|| (intake.inner.new_event_id)())))
}

async fn read(intake: &Intake, parts: &Parts, body: Body) -> Result<Taken, Refusal> {
    let config = &intake.inner.config;
    let body::Received { bytes, mut room } =
        body::read(&parts.headers, body, config.envelope_max_bytes, &intake.inner.memory, config).await?;
    if bytes.is_empty() {
        return Err(Refusal::Empty);
    }
    let items = match media_type(&parts.headers).as_str() {
        "application/octet-stream" | "application/x-dmp" => {
            let part = Part { name: DUMP_FIELD.to_owned(), filename: None, content_type: None, bytes };
            vec![dump(intake, part, &mut room).await?]
        }
        _ => {
            let boundary = multipart::boundary(&parts.headers)?;
            // The parts are copies.
            room.grow(bytes.len(), config).await?;
            let parts = multipart::parse(&bytes, &boundary).await?;
            drop(bytes);
            items(intake, parts, &mut room).await?
        }
    };
    Ok(Taken::one(Envelope { items, ..Envelope::default() }, room))
}

/// The items of a form.
async fn items(intake: &Intake, parts: Vec<Part>, room: &mut Room) -> Result<Vec<Item>, Refusal> {
    let (mut items, mut fields, mut has_dump) = (Vec::new(), Vec::new(), false);
    for part in parts {
        match part.name.as_str() {
            DUMP_FIELD if !has_dump => {
                has_dump = true;
                items.push(dump(intake, part, room).await?);
            }
            "__sentry-event" => items.push(attachment(part, Some(crash::PAYLOAD))),
            "__sentry-breadcrumb1" | "__sentry-breadcrumb2" => items.push(attachment(part, Some(crash::BREADCRUMBS))),
            "view-hierarchy.json" => items.push(attachment(part, Some("event.view_hierarchy"))),
            _ if part.filename.is_some() => items.push(attachment(part, None)),
            _ => fields.push((part.name, String::from_utf8_lossy(&part.bytes).into_owned())),
        }
    }
    if !has_dump {
        return Err(Refusal::NoDump);
    }
    if !fields.is_empty() {
        items.push(Item::new(ItemType::FormData, json!(fields).to_string()));
    }
    Ok(items)
}

/// The dump as an attachment: out of a form inside the form, unpacked, checked.
async fn dump(intake: &Intake, mut part: Part, room: &mut Room) -> Result<Item, Refusal> {
    let config = &intake.inner.config;
    if let Some(boundary) = multipart::boundary_of(&part.bytes) {
        room.grow(part.bytes.len(), config).await?;
        let inner = multipart::parse(&part.bytes, boundary).await?;
        part = inner.into_iter().find(|part| part.name == DUMP_FIELD).ok_or(Refusal::NoDump)?;
    }
    let mut name = part.filename.as_deref().unwrap_or(DUMP_NAME);
    if let Some(packing) = crash::packing(&part.bytes) {
        part.bytes = room.unpack(packing, part.bytes, config.envelope_max_bytes, config).await?;
        name = crash::unpacked_name(name);
    }
    crash::check(&part.bytes)?;
    part.filename = Some(name.to_owned());
    Ok(attachment(part, Some(crash::MINIDUMP)))
}
