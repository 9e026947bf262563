//! Reports of browsers about broken policies (`reference/ingest-protocol.md` §2.3).

use axum::{
    extract::{Path, Request, State},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use http::{StatusCode, header, request::Parts};
use nuthatch_protocol::{DataCategory, Envelope, Item, ItemType};
use serde_json::{Map, Value};

use super::{media_type, parse_json, project_id, reports};
use crate::{
    Intake,
    accept::{self, Taken},
    body,
    credentials::credentials,
    refusal::Refusal,
};

/// Most reports in one request. Browsers send what gathered within a minute or so.
const REPORTS_MAX: usize = 1000;

/// Longest release and environment, and longest origin, in characters; longer ones are cut, and refused or cut again
/// where events are read.
const VERSION_MAX_CHARS: usize = 250;
const ORIGIN_MAX_CHARS: usize = 500;

const MEDIA_TYPES: [&str; 6] = [
    "application/json",
    "application/csp-report",
    "application/reports+json",
    "application/expect-ct-report",
    "application/expect-ct-report+json",
    "application/expect-staple-report",
];

/// Takes one report or several; each becomes an event of its own.
pub(crate) async fn post(
    State(intake): State<Intake>,
    Path(project): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let project = project_id(&project)?;
    let (parts, body) = request.into_parts();
    let auth = credentials(&parts)?.ok_or(Refusal::NoAuth)?;
    let taken = read(&intake, &parts, body).await;
    accept::process(&intake, Some(project), &parts, auth, taken, DataCategory::Security).await?;
    Ok(StatusCode::OK.into_response())
}

async fn read(intake: &Intake, parts: &Parts, body: axum::body::Body) -> Result<Taken, Refusal> {
    if !MEDIA_TYPES.contains(&media_type(&parts.headers).as_str()) {
        return Err(Refusal::MediaType {
            supported: "application/csp-report, application/reports+json or application/json",
        });
    }
    let config = &intake.inner.config;
    let body::Received { bytes, mut room } =
        body::read(&parts.headers, body, config.event_max_bytes, &intake.inner.memory, config).await?;
    let context = context(parts);
    let reports = reports(parse_json(&bytes, &mut room, config).await?, REPORTS_MAX)?;
    let envelopes = reports.into_iter().map(|report| envelope(report, &context)).collect();
    Ok(Taken::all(envelopes, room))
}

/// What the request says about where the page ran, beside the report. Each report of the request repeats it.
fn context(parts: &Parts) -> Map<String, Value> {
    let origin = parts.headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    let query = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let named = query.filter(|(name, _)| name == "sentry_release" || name == "sentry_environment");
    let cut = |text: &str, chars_max| Value::from(text.chars().take(chars_max).collect::<String>());
    let named = named.map(|(name, value)| (name.into_owned(), cut(&value, VERSION_MAX_CHARS)));
    let origin = origin.map(|origin| ("origin".to_owned(), cut(origin, ORIGIN_MAX_CHARS)));
    origin.into_iter().chain(named).collect()
}

fn envelope(report: Value, context: &Map<String, Value>) -> Envelope {
    let mut payload = context.clone();
    payload.insert("report".to_owned(), report);
    let item = Item::new(ItemType::RawSecurity, Bytes::from(Value::Object(payload).to_string()));
    Envelope { items: vec![item], ..Envelope::default() }
}
