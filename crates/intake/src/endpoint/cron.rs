//! Check-ins of jobs that can call a URL but have no SDK (`reference/ingest-protocol.md` §2.8).

use axum::{
    body::Body,
    extract::{Path, Request, State},
    response::{IntoResponse as _, Response},
};
use http::{Method, StatusCode, request::Parts};
use nuthatch_protocol::{DataCategory, Envelope, EventId, Item, ItemType};
use serde_json::{Map, Value};

use super::{media_type, project_id, without_limits};
use crate::{
    Intake,
    accept::{self, Taken},
    body,
    credentials::credentials_and,
    refusal::Refusal,
};

/// The client of who does not say what it is.
const CLIENT: &str = "http-check-in";

/// The id of a check-in that continues the newest one in progress.
const NIL: EventId = EventId([0; 16]);

/// Takes a check-in whose key is in a header or the query.
pub(crate) async fn check_in(
    State(intake): State<Intake>,
    Path((project, slug)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Refusal> {
    take(&intake, &project, &slug, None, request).await
}

/// Takes a check-in whose key is in the path.
pub(crate) async fn check_in_with_key(
    State(intake): State<Intake>,
    Path((project, slug, key)): Path<(String, String, String)>,
    request: Request,
) -> Result<Response, Refusal> {
    take(&intake, &project, &slug, Some(&key), request).await
}

async fn take(
    intake: &Intake,
    project: &str,
    slug: &str,
    key: Option<&str>,
    request: Request,
) -> Result<Response, Refusal> {
    let project = project_id(project)?;
    let (parts, body) = request.into_parts();
    let mut auth = credentials_and(&parts, key)?.ok_or(Refusal::NoAuth)?;
    auth.client.get_or_insert_with(|| CLIENT.to_owned());
    let taken = read(intake, &parts, body, slug).await;
    let answer = accept::process(intake, Some(project), &parts, auth, taken, DataCategory::Monitor).await;
    without_limits(answer, None)?;
    Ok(StatusCode::ACCEPTED.into_response())
}

async fn read(intake: &Intake, parts: &Parts, body: Body, slug: &str) -> Result<Taken, Refusal> {
    let config = &intake.inner.config;
    let received = body::read(&parts.headers, body, config.event_max_bytes, &intake.inner.memory, config).await?;
    let is_json = parts.method == Method::POST && media_type(&parts.headers) == "application/json";
    let mut check_in: Map<String, Value> = if is_json {
        serde_json::from_slice(&received.bytes).map_err(|error| Refusal::CheckIn(error.to_string()))?
    } else {
        of_query(parts.uri.query().unwrap_or_default())?
    };
    if !check_in.contains_key("status") {
        return Err(invalid("status: missing"));
    }
    check_in.insert("monitor_slug".to_owned(), slug.into());
    check_in.entry("check_in_id").or_insert_with(|| NIL.to_string().into());
    let item = Item::new(ItemType::CheckIn, Value::Object(check_in).to_string());
    Ok(Taken::one(Envelope { items: vec![item], ..Envelope::default() }, received.room))
}

fn invalid(what: &str) -> Refusal {
    Refusal::CheckIn(what.to_owned())
}

/// The check-in that a query describes.
fn of_query(query: &str) -> Result<Map<String, Value>, Refusal> {
    let mut check_in = Map::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let value: Value = match name.as_ref() {
            "status" if ["ok", "error", "in_progress"].contains(&value.as_ref()) => value.into(),
            "status" => "unknown".into(),
            "check_in_id" => {
                let id: EventId = value.parse().map_err(|_| invalid("check_in_id: expected a UUID"))?;
                id.to_string().into()
            }
            "environment" => value.into(),
            "duration" => {
                let secs: Option<f64> = value.parse().ok().filter(|secs: &f64| secs.is_finite());
                secs.ok_or_else(|| invalid("duration: expected seconds"))?.into()
            }
            _ => continue,
        };
        check_in.insert(name.into_owned(), value);
    }
    Ok(check_in)
}
