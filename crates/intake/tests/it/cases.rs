//! Requests and answers as data: each file in `cases/` is a list of requests with what must come of them.

use std::{fs, path::Path};

use axum::body::Body;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::Request;
use nuthatch_store::quotas::QuotaRule;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    app::{App, DISABLED_KEY, KEY, OTHER_KEY},
    bombs::compress,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default = "post")]
    method: String,
    path: String,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    body: CaseBody,
    /// What the project and its key allow.
    #[serde(default)]
    settings: Settings,
    /// Bodies that are sent before, in the same way; each is taken whole.
    #[serde(default)]
    before: Vec<CaseBody>,
    status: u16,
    /// What the JSON of the answer must hold.
    #[serde(default)]
    answer: Value,
    #[serde(default)]
    answer_headers: Map<String, Value>,
    /// What the log must hold afterwards: fields of the header, and `payload`.
    #[serde(default)]
    records: Vec<Map<String, Value>>,
    /// What must have been counted instead, where a case says it.
    outcomes: Option<Vec<String>>,
}

/// What somebody set before the request.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// Window and count of the key.
    pub(crate) rate_limit: Option<(u32, u64)>,
    /// Quotas of the organization.
    pub(crate) quotas: Vec<QuotaRule>,
    /// Quotas of the project.
    pub(crate) project_quotas: Vec<QuotaRule>,
    pub(crate) allowed_domains: Option<Vec<String>>,
}

fn post() -> String {
    "POST".to_owned()
}

/// The body: text, lines, base64, a byte repeated; perhaps compressed.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct CaseBody {
    text: String,
    lines: Vec<String>,
    base64: String,
    /// Appended to the rest.
    spaces: usize,
    compress: Vec<String>,
    to_base64: bool,
}

impl CaseBody {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = fill(&self.text).into_bytes();
        bytes.extend(fill(&self.lines.join("\n")).into_bytes());
        bytes.extend(BASE64_STANDARD.decode(&self.base64).unwrap());
        bytes.resize(bytes.len() + self.spaces, b' ');
        let bytes = self.compress.iter().fold(bytes, |bytes, encoding| compress(encoding, &bytes));
        if self.to_base64 { BASE64_STANDARD.encode(bytes).into_bytes() } else { bytes }
    }
}

fn fill(text: &str) -> String {
    text.replace("{key}", KEY).replace("{other_key}", OTHER_KEY).replace("{disabled_key}", DISABLED_KEY)
}

/// Whether everything in `expected` is in `found`.
fn is_within(expected: &Value, found: &Value) -> bool {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            expected.iter().all(|(key, expected)| is_within(expected, found.get(key).unwrap_or(&Value::Null)))
        }
        _ => expected == found,
    }
}

async fn check(case: &Case) {
    let name = &case.name;
    let app = App::new().await;
    app.set(&case.settings).await;
    let request = |body: &CaseBody| {
        let mut request = Request::builder().method(case.method.as_str()).uri(fill(&case.path));
        for (header, value) in &case.headers {
            request = request.header(header, fill(value.as_str().unwrap()));
        }
        request.body(Body::from(body.bytes())).unwrap()
    };
    for body in &case.before {
        let answer = app.send(request(body)).await;
        assert_eq!((answer.status.as_u16(), answer.headers.get("x-sentry-rate-limits")), (200, None), "{name}: before");
    }
    let answer = app.send(request(&case.body)).await;

    let text = String::from_utf8_lossy(&answer.body);
    assert_eq!(answer.status.as_u16(), case.status, "{name}: {text}");
    if !case.answer.is_null() {
        let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        assert!(is_within(&case.answer, &json), "{name}: {text}");
        let exact = case.answer.as_object().is_some_and(Map::is_empty);
        assert!(!exact || text == "{}", "{name}: {text}");
    }
    for (header, value) in &case.answer_headers {
        let found = answer.headers.get(header).map(|value| value.to_str().unwrap());
        assert_eq!(found, value.as_str(), "{name}: {header}");
    }
    assert_eq!(answer.headers["access-control-allow-origin"], "*", "{name}");
    assert!(answer.headers["access-control-expose-headers"].to_str().unwrap().contains("retry-after"), "{name}");
    if answer.status.as_u16() >= 400 && answer.status != 405 {
        let json: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(json["detail"].as_str().unwrap(), answer.headers["x-sentry-error"], "{name}");
    }

    let records = app.records().await;
    assert_eq!(records.len(), case.records.len(), "{name}: records of the log");
    for (record, expected) in records.iter().zip(&case.records) {
        let mut found = serde_json::to_value(&record.header).unwrap();
        found["payload"] = String::from_utf8_lossy(&record.payload).into();
        assert!(is_within(&Value::Object(expected.clone()), &found), "{name}: {found}");
    }
    if let Some(expected) = &case.outcomes {
        assert_eq!(&app.outcomes().await.0, expected, "{name}: outcomes");
    }
}

#[tokio::test]
async fn every_request_is_answered_as_its_case_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/cases");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let cases: Vec<Case> =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        for case in &cases {
            check(case).await;
        }
    }
}
