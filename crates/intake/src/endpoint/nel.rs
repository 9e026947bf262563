//! Network Error Logging: browsers report requests that failed, and some that did not (`reference/ingest-protocol.md`
//! §2.4). Each report becomes a log line.

use axum::{
    extract::{Path, Request, State},
    response::{IntoResponse as _, Response},
};
use http::{StatusCode, request::Parts};
use nuthatch_protocol::{DataCategory, ItemType, Timestamp};
use serde_json::{Map, Value, json};

use super::{
    LOGS, attribute, containers, media_type, parse_json, project_id, random_trace_id, reports, without_limits,
};
use crate::{
    Intake,
    accept::{self, Taken},
    body,
    credentials::credentials,
    refusal::Refusal,
};

/// Most reports in one request.
const REPORTS_MAX: usize = 1000;

/// Takes one report or several.
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
    Ok(StatusCode::OK.into_response())
}

async fn read(intake: &Intake, parts: &Parts, body: axum::body::Body) -> Result<Taken, Refusal> {
    if !["application/json", "application/reports+json"].contains(&media_type(&parts.headers).as_str()) {
        return Err(Refusal::MediaType { supported: "application/reports+json or application/json" });
    }
    let config = &intake.inner.config;
    let body::Received { bytes, mut room } =
        body::read(&parts.headers, body, config.event_max_bytes, &intake.inner.memory, config).await?;
    let lines = lines(intake, parse_json(&bytes, &mut room, config).await?)?;
    Ok(Taken::all(containers(&ItemType::Log, LOGS, lines), room))
}

/// The log lines of one report or a list of them, as JSON.
pub(super) fn lines(intake: &Intake, reported: Value) -> Result<Vec<String>, Refusal> {
    let now = intake.inner.clock.now();
    let reports = reports(reported, REPORTS_MAX)?;
    Ok(reports.iter().map(|report| line(report, now, &random_trace_id(intake)).to_string()).collect())
}

/// The log line of a report. What it does not say is left out.
fn line(report: &Value, now: Timestamp, trace_id: &str) -> Value {
    let body = report.get("body").unwrap_or(&Value::Null);
    let of_body = |name: &str| body.get(name).cloned().unwrap_or_default();
    let kind = body.get("type").and_then(Value::as_str).unwrap_or("unknown");
    let url = report.get("url").and_then(Value::as_str).unwrap_or_default();
    let age_ms = report.get("age").and_then(Value::as_f64).unwrap_or_default().max(0.0);
    let user_agent = report.get("user_agent").cloned().unwrap_or_default();
    let attributes = [
        ("sentry.origin", "auto.http.browser_report.nel".into()),
        ("browser.report.type", "network-error".into()),
        ("nel.type", kind.into()),
        ("nel.phase", of_body("phase")),
        ("nel.elapsed_time", of_body("elapsed_time")),
        ("nel.sampling_fraction", of_body("sampling_fraction")),
        ("nel.referrer", of_body("referrer")),
        ("http.request.method", of_body("method")),
        ("http.response.status_code", of_body("status_code")),
        ("network.protocol.name", of_body("protocol")),
        ("server.address", of_body("server_ip")),
        ("url.full", Value::from(url)),
        ("user_agent.original", user_agent),
    ];
    let attributes = attributes.into_iter().filter_map(|(name, value)| Some((name.to_owned(), attribute(value)?)));
    json!({
        "timestamp": now.as_secs_f64() - age_ms / 1000.0,
        "trace_id": trace_id,
        "level": if kind == "ok" { "info" } else { "warn" },
        "body": format!("{kind} {url}").trim_end(),
        "attributes": attributes.collect::<Map<_, _>>(),
    })
}
