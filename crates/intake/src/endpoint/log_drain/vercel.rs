//! Logs of Vercel: a JSON list, or one object a line.

use axum::{
    body::Body,
    extract::{Path, Request, State},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use http::{StatusCode, request::Parts};
use nuthatch_protocol::{DataCategory, ItemType, Timestamp, TraceId};
use serde_json::{Map, Value, json};

use super::{
    super::{
        JSON_UNFOLDING, LOGS, attribute, containers, media_type, parse_json, project_id, random_trace_id, reports,
        without_limits,
    },
    LINES_MAX, REQUEST_MAX_BYTES,
};
use crate::{
    Intake,
    accept::{self, Taken},
    body,
    credentials::credentials,
    refusal::Refusal,
};

/// What becomes a field of the line instead of an attribute.
const FIELDS: [&str; 5] = ["timestamp", "level", "message", "traceId", "spanId"];

/// Takes lines.
pub(crate) async fn post(
    State(intake): State<Intake>,
    Path(project): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let project = project_id(&project)?;
    let (parts, body) = request.into_parts();
    let auth = credentials(&parts)?.ok_or(Refusal::NoAuth)?;
    let taken = read(&intake, &parts, body).await;
    let answer = accept::process(&intake, Some(project), &parts, auth, taken, DataCategory::LogItem).await;
    without_limits(answer, None)?;
    Ok(StatusCode::ACCEPTED.into_response())
}

async fn read(intake: &Intake, parts: &Parts, body: Body) -> Result<Taken, Refusal> {
    let is_list = match media_type(&parts.headers).as_str() {
        "application/json" => true,
        "application/x-ndjson" => false,
        _ => return Err(Refusal::MediaType { supported: "application/json or application/x-ndjson" }),
    };
    let config = &intake.inner.config;
    let body::Received { bytes, mut room } =
        body::read(&parts.headers, body, REQUEST_MAX_BYTES, &intake.inner.memory, config).await?;
    let lines = if is_list {
        reports(parse_json(&bytes, &mut room, config).await?, LINES_MAX)?
    } else {
        room.grow(bytes.len() * JSON_UNFOLDING, config).await?;
        one_a_line(&bytes)?
    };
    let now = intake.inner.clock.now();
    let lines = lines.iter().map(|said| line(said, now, || random_trace_id(intake)).to_string()).collect();
    Ok(Taken::all(containers(&ItemType::Log, LOGS, lines), room))
}

fn one_a_line(body: &Bytes) -> Result<Vec<Value>, Refusal> {
    let mut lines = Vec::new();
    for text in body.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
        if lines.len() == LINES_MAX {
            return Err(Refusal::TooManyReports { reports_max: LINES_MAX });
        }
        lines.push(serde_json::from_slice(text).map_err(|error| Refusal::Store(error.to_string()))?);
    }
    Ok(lines)
}

/// Maps one line; its other fields become attributes under `vercel.`.
fn line(said: &Value, now: Timestamp, random: impl FnOnce() -> String) -> Value {
    let text = |name: &str| said.get(name).and_then(Value::as_str);
    let millis = said.get("timestamp").and_then(Value::as_f64);
    let level = match text("level").unwrap_or("info") {
        "warning" => "warn",
        level => level,
    };
    let mut attributes = Map::new();
    for (name, value) in said.as_object().into_iter().flatten().filter(|(name, _)| !FIELDS.contains(&name.as_str())) {
        if let Some(value) = attribute(value.clone()) {
            attributes.insert(format!("vercel.{name}"), value);
        }
    }
    if let Some(origin) = attribute("auto.log_drain.vercel") {
        attributes.insert("sentry.origin".to_owned(), origin);
    }
    let (trace_id, is_invalid) = match text("traceId").map(str::parse::<TraceId>) {
        Some(Ok(id)) => (id.to_string(), false),
        said => (random(), said.is_some()),
    };
    let mut line = json!({
        "timestamp": millis.map_or(now.as_secs_f64(), |millis| millis / 1000.0),
        "trace_id": trace_id,
        "level": level,
        "body": text("message").unwrap_or_default(),
        "attributes": attributes,
    });
    if is_invalid {
        line["_meta"] = json!({ "trace_id": { "": { "rem": [["trace_id.invalid", "s"]] } } });
    }
    if let Some(span_id) = text("spanId") {
        line["span_id"] = span_id.into();
    }
    line
}
