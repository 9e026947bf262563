//! Requests and answers as data: each file in `cases/` is a list of requests with what must come of them.

use std::{fs, path::Path};

use axum::body::Body;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::Request;
use nuthatch_intake::IntakeConfig;
use nuthatch_store::quotas::QuotaRule;
use serde::Deserialize;
use serde_json::{Map, Value};
use sha1::{Digest as _, Sha1};

use crate::{
    app::{Answer, App, DISABLED_KEY, KEY, OTHER_KEY},
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
    /// Bounds that differ from the usual ones.
    #[serde(default)]
    limits: Limits,
    /// What the project and its key allow.
    #[serde(default)]
    settings: Settings,
    /// Bodies that are sent before, in the same way; each is taken whole.
    #[serde(default)]
    before: Vec<CaseBody>,
    status: u16,
    /// What the JSON of the answer must hold; `{}`: exactly that.
    #[serde(default)]
    answer: Value,
    /// The whole answer.
    answer_text: Option<String>,
    /// Texts that the answer must hold.
    #[serde(default)]
    answer_holds: Vec<String>,
    /// Exact values; null for a header that must not be there.
    #[serde(default)]
    answer_headers: Map<String, Value>,
    /// What the log must hold afterwards, topic by topic: fields of the header, `topic`, `payload`, and `payload_json`.
    #[serde(default)]
    records: Vec<Map<String, Value>>,
    /// How many there are, where what they hold does not matter.
    records_count: Option<usize>,
    /// What must have been counted, if that is said: in any order.
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

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    /// Bytes of an envelope.
    envelope: Option<usize>,
    /// Bytes of an upload.
    upload: Option<usize>,
}

fn post() -> String {
    "POST".to_owned()
}

/// The body: text, lines, base64, msgpack, parts, a text or spaces repeated; perhaps compressed.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct CaseBody {
    text: String,
    lines: Vec<String>,
    base64: String,
    /// Values behind one another.
    msgpack: Vec<Value>,
    /// Parts of a form with the boundary `X`, one deeper inside.
    multipart: Option<Vec<Part>>,
    /// Appended to the rest: how often, and what.
    repeat: (usize, String),
    /// Appended to that.
    end: String,
    /// Appended to that.
    spaces: usize,
    compress: Vec<String>,
    to_base64: bool,
}

#[derive(Deserialize)]
struct Part {
    name: String,
    filename: Option<String>,
    #[serde(rename = "type")]
    media_type: Option<String>,
    #[serde(flatten)]
    content: CaseBody,
}

impl CaseBody {
    fn bytes(&self) -> Vec<u8> {
        self.bytes_within("X")
    }

    fn bytes_within(&self, boundary: &str) -> Vec<u8> {
        let mut bytes = fill(&self.text).into_bytes();
        bytes.extend(fill(&self.lines.join("\n")).into_bytes());
        bytes.extend(BASE64_STANDARD.decode(&self.base64).unwrap());
        for value in &self.msgpack {
            rmpv::encode::write_value(&mut bytes, &packed(value)).unwrap();
        }
        for part in self.multipart.iter().flatten() {
            let filename = part.filename.as_ref().map_or(String::new(), |name| format!("; filename=\"{name}\""));
            let media_type = part.media_type.as_ref().map_or(String::new(), |word| format!("\r\nContent-Type: {word}"));
            let disposition = format!("Content-Disposition: form-data; name=\"{}\"{filename}", part.name);
            bytes.extend(format!("--{boundary}\r\n{disposition}{media_type}\r\n\r\n").into_bytes());
            bytes.extend(part.content.bytes_within(&format!("Y{boundary}")));
            bytes.extend(b"\r\n");
        }
        if self.multipart.is_some() {
            bytes.extend(format!("--{boundary}--\r\n").into_bytes());
        }
        bytes.extend(self.repeat.1.repeat(self.repeat.0).into_bytes());
        bytes.extend(self.end.as_bytes());
        bytes.resize(bytes.len() + self.spaces, b' ');
        let bytes = self.compress.iter().fold(bytes, |bytes, encoding| compress(encoding, &bytes));
        if self.to_base64 { BASE64_STANDARD.encode(bytes).into_bytes() } else { bytes }
    }
}

fn packed(value: &Value) -> rmpv::Value {
    match value {
        Value::Object(map) => {
            rmpv::Value::Map(map.iter().map(|(key, value)| (key.as_str().into(), packed(value))).collect())
        }
        Value::Array(list) => rmpv::Value::Array(list.iter().map(packed).collect()),
        Value::String(text) => text.as_str().into(),
        other => panic!("no msgpack for {other}"),
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
    let mut config = IntakeConfig::default();
    config.envelope_max_bytes = case.limits.envelope.unwrap_or(config.envelope_max_bytes);
    config.upload_max_bytes = case.limits.upload.unwrap_or(config.upload_max_bytes);
    let app = App::with(config, |log| log).await;
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
    check_answer(case, &answer);

    let records = app.topics().await;
    let expected = case.records_count.unwrap_or(case.records.len());
    assert_eq!(records.len(), expected, "{name}: records of the log: {records:?}");
    for ((topic, record), expected) in records.iter().zip(&case.records) {
        let mut found = serde_json::to_value(&record.header).unwrap();
        found["topic"] = topic.as_str().into();
        found["payload"] = match (&record.header.blob, expected.get("payload")) {
            // It lies in the blob store; its checksum tells whether it is what is expected.
            (Some(blob), Some(Value::String(text))) if blob.sha1.0 == <[u8; 20]>::from(Sha1::digest(text)) => {
                text.as_str().into()
            }
            _ => String::from_utf8_lossy(&record.payload).into(),
        };
        found["payload_json"] = serde_json::from_slice(&record.payload).unwrap_or_default();
        assert!(is_within(&Value::Object(expected.clone()), &found), "{name}: {found}");
    }
    if let Some(expected) = &case.outcomes {
        let (mut expected, (mut found, _)) = (expected.clone(), app.outcomes().await);
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "{name}: outcomes");
    }
}

fn check_answer(case: &Case, answer: &Answer) {
    let name = &case.name;
    let text = String::from_utf8_lossy(&answer.body);
    assert_eq!(answer.status.as_u16(), case.status, "{name}: {text}");
    let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if !case.answer.is_null() {
        assert!(is_within(&case.answer, &json), "{name}: {text}");
        let exact = case.answer.as_object().is_some_and(Map::is_empty);
        assert!(!exact || text == "{}", "{name}: {text}");
    }
    assert!(case.answer_text.as_ref().is_none_or(|expected| *expected == text), "{name}: {text}");
    for expected in &case.answer_holds {
        assert!(text.contains(expected), "{name}: {expected} in {text}");
    }
    for (header, value) in &case.answer_headers {
        let found = answer.headers.get(header).map(|value| value.to_str().unwrap());
        assert_eq!(found, value.as_str(), "{name}: {header}");
    }
    let allowed = case.answer_headers.contains_key("access-control-allow-origin");
    assert!(allowed || answer.headers["access-control-allow-origin"] == "*", "{name}");
    assert!(answer.headers["access-control-expose-headers"].to_str().unwrap().contains("retry-after"), "{name}");
    if let Some(detail) = json.get("detail") {
        assert_eq!(detail.as_str().unwrap(), answer.headers["x-sentry-error"], "{name}");
    }
}

/// All cases of all files.
fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/cases");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |file: &std::path::PathBuf| -> Vec<Case> {
        let text = fs::read_to_string(file).unwrap();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    };
    files.iter().flat_map(read).collect()
}

/// The request of a case, before anything is done to it.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// The requests of all cases whose bodies are no longer than that: a corpus to damage.
pub(crate) fn samples(body_max_bytes: usize) -> Vec<Sample> {
    let sample = |case: Case| Sample {
        headers: case.headers.iter().map(|(name, value)| (name.clone(), fill(value.as_str().unwrap()))).collect(),
        path: fill(&case.path),
        body: case.body.bytes(),
        method: case.method,
    };
    cases().into_iter().map(sample).filter(|sample| sample.body.len() <= body_max_bytes).collect()
}

#[tokio::test]
async fn every_request_is_answered_as_its_case_says() {
    let mut failed = Vec::new();
    for case in cases() {
        let name = case.name.clone();
        // In a task of its own, so that one that fails does not hide the others.
        if tokio::spawn(async move { check(&case).await }).await.is_err() {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
