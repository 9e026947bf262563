//! The dialog that a web page shows after a crash: a script that asks the visitor, and what takes the answer
//! (`reference/ingest-protocol.md` §2.9).

use axum::{
    body::Body,
    extract::{Request, State},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};
use nuthatch_protocol::{Auth, DataCategory, Dsn, Envelope, EnvelopeHeader, EventId, Item, ItemType};
use serde_json::{Map, Value, json};

use crate::{
    Intake,
    accept::{self, Taken},
    body,
    refusal::Refusal,
};

/// The script, without what one visitor's dialog differs in.
const SCRIPT: &str = include_str!("crash_page.js");
/// Where in the script that goes.
const OPTIONS_PLACE: &str = "__OPTIONS__";

/// The texts, which the query may replace.
const TEXTS: [(&str, &str); 11] = [
    ("title", "Something went wrong on this page."),
    ("subtitle", "The people who run it have been told."),
    ("subtitle2", "You can help them by saying what happened."),
    ("labelName", "Name"),
    ("labelEmail", "Email"),
    ("labelComments", "What were you doing?"),
    ("labelClose", "Close"),
    ("labelSubmit", "Send report"),
    ("errorGeneric", "Your report could not be sent. Please try again."),
    ("errorFormEntry", "Please correct what is marked and send it again."),
    ("successMessage", "Your report has been sent. Thank you!"),
];

/// Longest name and address, in characters.
const NAME_MAX_CHARS: usize = 128;
const EMAIL_MAX_CHARS: usize = 75;

/// Longest text, in characters: longer ones are refused later (§7.3), when nobody is told any more.
const COMMENTS_MAX_CHARS: usize = 4096;

const INVALID_PARAMETER: &str = "Missing or invalid parameter.";

/// Whose dialog it is, once that is known to be right.
struct Visit {
    auth: Auth,
    dsn: Dsn,
    event_id: EventId,
}

/// What is answered instead of the script or of thanks.
enum Fault {
    /// In this endpoint's own shape.
    Own(StatusCode, Value),
    /// As everywhere.
    Refused(Refusal),
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Answers `GET`, `POST` and `OPTIONS`.
pub(crate) async fn any(State(intake): State<Intake>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut response = match answer(&intake, &parts, body).await {
        Ok(response) => response,
        Err(Fault::Own(status, json)) => own(&parts.headers, status, &json),
        Err(Fault::Refused(refusal)) => refusal.into_response(),
    };
    let fixed = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, OPTIONS"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "Content-Type, Authorization, X-Requested-With"),
        (header::ACCESS_CONTROL_MAX_AGE, "1000"),
        (header::VARY, "Accept"),
    ];
    let headers = response.headers_mut();
    headers.extend(fixed.map(|(name, value)| (name, HeaderValue::from_static(value))));
    if let Some(origin) = parts.headers.get(header::ORIGIN) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    }
    response
}

async fn answer(intake: &Intake, parts: &Parts, body: Body) -> Result<Response, Fault> {
    let query: Vec<(String, String)> = pairs(parts.uri.query().unwrap_or_default().as_bytes());
    let visit = visit(intake, parts, &query).await?;
    match parts.method {
        Method::POST => take_report(intake, parts, body, visit).await,
        Method::OPTIONS => Ok(own(&parts.headers, StatusCode::OK, &json!({}))),
        _ => Ok(script(&query)),
    }
}

/// Checks whose dialog it is: for all methods the same.
async fn visit(intake: &Intake, parts: &Parts, query: &[(String, String)]) -> Result<Visit, Fault> {
    let invalid = |status, name: &str| Fault::Own(status, json!({ name: INVALID_PARAMETER }));
    let event_id = value(query, "eventId").and_then(|id| id.parse().ok());
    let event_id = event_id.ok_or_else(|| invalid(StatusCode::BAD_REQUEST, "eventId"))?;
    let no_dsn = || invalid(StatusCode::NOT_FOUND, "dsn");
    let dsn: Dsn = value(query, "dsn").and_then(|dsn| dsn.parse().ok()).ok_or_else(no_dsn)?;
    match intake.inner.keys.authorize(dsn.public_key, Some(dsn.project_id)).await {
        // A report is an envelope like others: it is refused, and counted, where they are.
        Ok(grant) if parts.method == Method::POST || grant.origins.allow(&parts.headers) => {}
        Ok(_) => return Err(Refusal::Origin.into()),
        Err(Refusal::Key) => return Err(no_dsn()),
        Err(refusal) => return Err(refusal.into()),
    }
    let auth = Auth { key: dsn.public_key, version: None, client: None };
    Ok(Visit { auth, dsn, event_id })
}

fn script(query: &[(String, String)]) -> Response {
    let texts = TEXTS.map(|(name, text)| (name.to_owned(), Value::from(value(query, name).unwrap_or(text))));
    let prefilled = |name| value(query, name).unwrap_or_default();
    let texts: Map<_, _> = texts.into_iter().collect();
    let options = json!({ "texts": texts, "name": prefilled("name"), "email": prefilled("email") });
    javascript(SCRIPT.replacen(OPTIONS_PLACE, &literal(&options), 1))
}

/// JSON that means the same wherever a script may stand.
fn literal(value: &Value) -> String {
    let mut out = String::new();
    for c in value.to_string().chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

fn javascript(text: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (headers, text).into_response()
}

async fn take_report(intake: &Intake, parts: &Parts, body: Body, visit: Visit) -> Result<Response, Fault> {
    let config = &intake.inner.config;
    let received = body::read(&parts.headers, body, config.event_max_bytes, &intake.inner.memory, config).await;
    let Visit { auth, dsn, event_id } = visit;
    let taken = match received {
        Ok(body::Received { bytes, room }) => {
            let payload = report(&bytes, event_id)
                .map_err(|errors| Fault::Own(StatusCode::BAD_REQUEST, json!({ "errors": errors })))?;
            let header = EnvelopeHeader { event_id: Some(event_id), ..EnvelopeHeader::default() };
            let items = vec![Item::new(ItemType::UserReport, Bytes::from(payload.to_string()))];
            Ok(Taken::one(Envelope { header, items }, room))
        }
        Err(refusal) => Err(refusal),
    };
    accept::process(intake, Some(dsn.project_id), parts, auth, taken, DataCategory::Feedback).await?;
    Ok(own(&parts.headers, StatusCode::OK, &json!({})))
}

/// The report in a form, or what is wrong with its fields.
fn report(form: &[u8], event_id: EventId) -> Result<Value, Map<String, Value>> {
    let form = pairs(form);
    let field = |name| value(&form, name).map(str::trim).unwrap_or_default();
    let (name, email, comments) = (field("name"), field("email"), field("comments"));
    let mut errors = Map::new();
    let mut expect = |is_right: bool, name: &str, message: String| {
        if !is_right && !errors.contains_key(name) {
            errors.insert(name.to_owned(), json!([message]));
        }
    };
    for (label, text) in [("name", name), ("email", email), ("comments", comments)] {
        expect(!text.is_empty(), label, "Please fill this in.".to_owned());
    }
    let bounds =
        [("name", name, NAME_MAX_CHARS), ("email", email, EMAIL_MAX_CHARS), ("comments", comments, COMMENTS_MAX_CHARS)];
    for (label, text, max) in bounds {
        expect(text.chars().count() <= max, label, format!("Please use at most {max} characters."));
    }
    expect(is_email(email), "email", "Please enter an email address.".to_owned());
    if errors.is_empty() {
        Ok(json!({ "event_id": event_id, "name": name, "email": email, "comments": comments }))
    } else {
        Err(errors)
    }
}

/// Whether mail could be sent there: enough to catch what was mistyped.
fn is_email(text: &str) -> bool {
    let Some((user, host)) = text.rsplit_once('@') else { return false };
    let is_host = host.split('.').count() > 1 && host.split('.').all(|label| !label.is_empty());
    !user.is_empty() && is_host && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// An answer in JSON, which becomes a header for a script element: whose body must be a script.
fn own(request: &HeaderMap, status: StatusCode, json: &Value) -> Response {
    let accept = request.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if !accept.contains("text/javascript") {
        return (status, axum::Json(json)).into_response();
    }
    let mut response = javascript(String::new());
    *response.status_mut() = status;
    if let Ok(context) = HeaderValue::from_str(&json.to_string()) {
        response.headers_mut().insert(HeaderName::from_static("x-sentry-context"), context);
    }
    response
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(text).into_owned().collect()
}

fn value<'p>(pairs: &'p [(String, String)], name: &str) -> Option<&'p str> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_cannot_leave_their_literal() {
        let hostile = "</script><script>alert(1)</script>\"';\\\u{2028}&__OPTIONS__";
        let literal = literal(&json!({ "title": hostile }));
        assert!(!literal.contains(['<', '>', '&', '\u{2028}']), "{literal}");
        assert_eq!(serde_json::from_str::<Value>(&literal).unwrap()["title"], hostile);
    }

    #[test]
    fn the_script_has_one_place_for_options() {
        assert_eq!(SCRIPT.matches(OPTIONS_PLACE).count(), 1);
    }

    #[test]
    fn addresses_are_told_from_other_texts() {
        for (text, is_right) in [
            ("a@b.c", true),
            ("a.b+c@d-e.example", true),
            ("a@b", false),
            ("@b.c", false),
            ("a@.c", false),
            ("a b@c.d", false),
            ("", false),
        ] {
            assert_eq!(is_email(text), is_right, "{text}");
        }
    }
}
