//! Logs of Heroku: syslog lines (RFC 5424 without structured data), each behind its length.

use axum::{
    body::Body,
    extract::{Path, Request, State},
    response::{IntoResponse as _, Response},
};
use http::{StatusCode, request::Parts};
use nuthatch_protocol::{DataCategory, ItemType, Timestamp};
use serde_json::{Map, Value, json};

use super::{
    super::{LOGS, attribute, containers, media_type, project_id, random_trace_id, without_limits},
    LINES_MAX, REQUEST_MAX_BYTES,
};
use crate::{
    Intake,
    accept::{self, Taken},
    body,
    credentials::credentials,
    refusal::Refusal,
};

/// Words of syslog's severities, from 0.
const LEVELS: [&str; 8] = ["fatal", "fatal", "fatal", "error", "warn", "info", "info", "debug"];

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
    if media_type(&parts.headers) != "application/logplex-1" {
        return Err(Refusal::MediaType { supported: "application/logplex-1" });
    }
    let config = &intake.inner.config;
    let received = body::read(&parts.headers, body, REQUEST_MAX_BYTES, &intake.inner.memory, config).await?;
    let now = intake.inner.clock.now();
    let mut lines = Vec::new();
    for text in frames(&received.bytes)? {
        let line = line(text, now, &random_trace_id(intake));
        lines.push(line.ok_or_else(|| Refusal::Store("not a syslog line".to_owned()))?.to_string());
    }
    Ok(Taken::all(containers(&ItemType::Log, LOGS, lines), received.room))
}

/// The lines of a body, without their lengths.
fn frames(mut body: &[u8]) -> Result<Vec<&[u8]>, Refusal> {
    let broken = || Refusal::Store("a line is not as long as it says".to_owned());
    let mut frames = Vec::new();
    while !body.trim_ascii_start().is_empty() {
        if frames.len() == LINES_MAX {
            return Err(Refusal::TooManyReports { reports_max: LINES_MAX });
        }
        let space = body.iter().position(|byte| *byte == b' ').ok_or_else(broken)?;
        let (length, rest) = body.split_at(space);
        let length = str::from_utf8(length).ok().and_then(|length| length.trim().parse::<usize>().ok());
        let rest = rest.get(1..).unwrap_or_default();
        let (frame, rest) = length.and_then(|length| rest.split_at_checked(length)).ok_or_else(broken)?;
        frames.push(frame);
        body = rest;
    }
    Ok(frames)
}

/// `<priority>version time host app process id message`; none when it is not that.
fn line(text: &[u8], now: Timestamp, trace_id: &str) -> Option<Value> {
    let text = String::from_utf8_lossy(text);
    let mut words = text.trim_end().splitn(7, ' ');
    let (priority, time) = (words.next()?, words.next()?);
    let priority: usize = priority.strip_prefix('<')?.split_once('>')?.0.parse().ok()?;
    let time: Option<Timestamp> = time.parse().ok();
    let mut attributes = Map::new();
    for name in ["heroku.host", "heroku.app", "heroku.process", "heroku.message_id"] {
        let word = words.next()?;
        if let Some(word) = attribute(word).filter(|_| word != "-") {
            attributes.insert(name.to_owned(), word);
        }
    }
    if let Some(origin) = attribute("auto.log_drain.heroku") {
        attributes.insert("sentry.origin".to_owned(), origin);
    }
    Some(json!({
        "timestamp": time.unwrap_or(now).as_secs_f64(),
        "trace_id": trace_id,
        "level": LEVELS.get(priority % LEVELS.len()),
        "body": words.next().unwrap_or_default(),
        "attributes": attributes,
    }))
}
