//! Reports that browsers send about a page's security policies, as events (`reference/ingest-protocol.md` §11.14).
//!
//! The payload of a report item is `{"report": …, "origin": …, "sentry_release": …, "sentry_environment": …}`: one report
//! as the browser posted it, with what the request said beside it. The event that is made of it goes the way of all events.

mod csp;
mod old;

use nuthatch_protocol::record::IngestHeader;
use serde_json::{Map, Value, json};

use crate::{Reason, Refused, pairs, shape};

/// What kind of report it is.
enum Report {
    Csp(Map<String, Value>),
    Old(old::Kind, Map<String, Value>),
    NetworkError(Map<String, Value>),
}

/// Makes an event of the payload of a report item.
pub(crate) fn event(payload: Map<String, Value>, header: &IngestHeader) -> Result<Map<String, Value>, Refused> {
    let (report, mut beside) = unwrap(payload);
    let agent = header.user_agent.as_deref().or_else(|| report.get("user_agent")?.as_str()).map(str::to_owned);
    let mut event = match recognize(report)? {
        Report::Csp(fields) => csp::event(&fields)?,
        Report::Old(kind, fields) => old::event(kind, fields)?,
        Report::NetworkError(report) => network_error(report),
    };
    let origin = beside.remove("origin").filter(Value::is_string);
    let headers = [("Origin", origin), ("User-Agent", agent.map(Value::from))];
    let hints = header.client_hints.headers().map(|(name, value)| (name, Value::from(value)));
    for (name, value) in headers.into_iter().filter_map(|(name, value)| Some((name, value?))).chain(hints) {
        add_header(&mut event, name, value);
    }
    for (from, to) in [("sentry_release", "release"), ("sentry_environment", "environment")] {
        if let Some(value) = beside.remove(from) {
            event.insert(to.to_owned(), value);
        }
    }
    if let Some(address) = header.client_ip {
        event.insert("user".to_owned(), json!({ "ip_address": address.to_string() }));
    }
    Ok(event)
}

/// The report, and what came beside it. A report alone is taken as it is.
fn unwrap(mut payload: Map<String, Value>) -> (Map<String, Value>, Map<String, Value>) {
    match payload.remove("report") {
        Some(Value::Object(report)) => (report, payload),
        Some(other) => (Map::from_iter([("report".to_owned(), other)]), payload),
        None => (payload, Map::new()),
    }
}

fn recognize(mut report: Map<String, Value>) -> Result<Report, Refused> {
    if let Some(Value::Object(fields)) = report.remove("csp-report") {
        return Ok(Report::Csp(fields));
    }
    if let Some((kind, fields)) = old::recognize(&mut report) {
        return Ok(Report::Old(kind, fields));
    }
    match (report.get("type").and_then(Value::as_str), report.get("body")) {
        (Some("csp-violation"), Some(Value::Object(body))) => {
            let mut fields = body.clone();
            if let Some(url) = report.remove("url") {
                fields.entry("documentURL").or_insert(url);
            }
            Ok(Report::Csp(fields))
        }
        (Some("network-error"), Some(Value::Object(_))) => Ok(Report::NetworkError(report)),
        (Some(other), Some(_)) => Err(unknown(&format!("reports of type {other:.100} are not supported"))),
        _ => Err(unknown("expected a report such as {\"csp-report\": {…}}")),
    }
}

fn unknown(message: &str) -> Refused {
    Refused { reason: Reason::SecurityReportType, message: message.to_owned(), place: None }
}

fn broken(message: &str, place: &str) -> Refused {
    Refused { reason: Reason::SecurityReport, message: message.to_owned(), place: Some(place.to_owned()) }
}

/// A request that did not come about (Network Error Logging).
fn network_error(mut report: Map<String, Value>) -> Map<String, Value> {
    let mut body = match report.remove("body") {
        Some(Value::Object(body)) => body,
        _ => Map::new(),
    };
    let kind = body.get("type").and_then(Value::as_str).unwrap_or("unknown").to_owned();
    // In a context `type` is the context's own.
    if let Some(kind) = body.remove("type") {
        body.insert("error_type".to_owned(), kind);
    }
    body.insert("type".to_owned(), "nel".into());
    let mut event = Map::new();
    put_request(&mut event, report.remove("url"), body.get("referrer").cloned());
    event.insert("logentry".to_owned(), json!({ "formatted": format!("Network error: {kind}") }));
    event.insert("logger".to_owned(), "nel".into());
    event.insert("contexts".to_owned(), json!({ "nel": body }));
    event
}

/// The page that the report is about, and where its reader came from.
fn put_request(event: &mut Map<String, Value>, url: Option<Value>, referrer: Option<Value>) {
    let filled = |value: Option<Value>| value.filter(|value| !shape::is_empty(value));
    if let Some(url) = filled(url) {
        event.insert("request".to_owned(), json!({ "url": url }));
    }
    if let Some(referrer) = filled(referrer) {
        add_header(event, "Referer", referrer);
    }
}

fn add_header(event: &mut Map<String, Value>, name: &str, value: Value) {
    let request = event.entry("request").or_insert_with(|| Value::Object(Map::new()));
    if let Some(request) = request.as_object_mut() {
        let headers = request.entry("headers").or_insert_with(|| Value::Array(Vec::new()));
        if let Some(headers) = headers.as_array_mut() {
            headers.push(pairs::pair(name.into(), value));
        }
    }
}
