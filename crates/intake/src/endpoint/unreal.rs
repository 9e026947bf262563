//! Crashes of Unreal Engine: kept in the container of its crash reporter (`reference/ingest-protocol.md` §2.6). They become
//! events as all crashes do ([`crate::crash`]).

use axum::{
    body::Body,
    extract::{Path, Request, State},
    response::Response,
};
use http::request::Parts;
use nuthatch_protocol::{DataCategory, Envelope, EnvelopeHeader, EventId, Item, ItemType};
use serde_json::{Value, json};

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
    let mut items = vec![Item::new(ItemType::UnrealReport, received.bytes)];
    let user = of_user(parts.uri.query().unwrap_or_default());
    items.extend(user.map(|event| Item::new(ItemType::Event, event.to_string())));
    Ok(Taken::one(Envelope { header, items }, received.room))
}

/// What the query says of the user as part of an event: `UserID` is a login, an account of Epic Games and a machine. `None`
/// when it says nothing.
fn of_user(query: &str) -> Option<Value> {
    let (_, said) = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "UserID")?;
    let mut parts = said.split('|').map(|part| Some(part.trim()).filter(|part| !part.is_empty()));
    let mut next = || parts.next().flatten();
    let (login, account, machine) = (next(), next(), next());
    let is_said = login.or(account).or(machine).is_some();
    is_said.then(|| json!({ "user": { "id": login }, "tags": { "epic_account_id": account, "machine_id": machine } }))
}
