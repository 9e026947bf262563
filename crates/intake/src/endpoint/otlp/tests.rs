//! Cases as data: a request in JSON, and the entries it is mapped to. The same request as protobuf must give the same.

use std::{fs, path::Path};

use http_body_util::BodyExt as _;
use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// Whether the request holds spans; else log records.
    #[serde(default)]
    spans: bool,
    /// What the resource and the scope say.
    #[serde(default)]
    resource: Value,
    #[serde(default)]
    scope: Value,
    entry: Value,
    /// What the entry is mapped to must hold; null for what must not be there.
    mapped: Value,
}

const RANDOM: &str = "abababababababababababababababab";

fn map_span(encoding: Encoding, entry: &Bytes, shared: &Attributes) -> Result<Value, String> {
    Ok(spans::span(&encoding.read::<Span>(entry)?, shared))
}

fn map_log(encoding: Encoding, entry: &Bytes, shared: &Attributes) -> Result<Value, String> {
    Ok(logs::line(&encoding.read::<LogRecord>(entry)?, shared, || RANDOM.to_owned()))
}

/// The same message in protobuf.
fn protobuf<M: Message + Default + DeserializeOwned>(json: &Value) -> Bytes {
    let text = if json.is_null() { "{}".to_owned() } else { json.to_string() };
    Encoding::Json.read::<M>(&text.into()).unwrap().encode_to_vec().into()
}

fn is_within(expected: &Value, found: &Value) -> bool {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            expected.iter().all(|(key, expected)| is_within(expected, found.get(key).unwrap_or(&Value::Null)))
        }
        _ => expected == found,
    }
}

#[test]
fn every_case_is_mapped_in_both_encodings() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/endpoint/otlp/cases.json");
    let cases: Vec<Case> = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    assert!(!cases.is_empty());
    for Case { name, spans, resource, scope, entry, mapped } in cases {
        let (resources, scopes, entries) =
            if spans { ("resourceSpans", "scopeSpans", "spans") } else { ("resourceLogs", "scopeLogs", "logRecords") };
        let or_empty = |value: &Value| if value.is_null() { serde_json::json!({}) } else { value.clone() };
        let json = serde_json::json!({ resources: [{
            "resource": or_empty(&resource),
            scopes: [{ "scope": or_empty(&scope), entries: [entry] }],
        }] });
        let entry = if spans { protobuf::<Span>(&entry) } else { protobuf::<LogRecord>(&entry) };
        let of_scope = OfScope { scope: protobuf::<Scope>(&scope), entries: vec![entry] };
        let scopes = vec![of_scope.encode_to_vec().into()];
        let of_resource = OfResource { resource: protobuf::<Resource>(&resource), scopes };
        let request = schema::Request { resources: vec![of_resource.encode_to_vec().into()] };
        let map = if spans { map_span } else { map_log };
        for (encoding, body) in
            [(Encoding::Json, json.to_string().into()), (Encoding::Protobuf, request.encode_to_vec().into())]
        {
            let found = super::entries(encoding, &body, &map).unwrap().mapped;
            assert_eq!(found.len(), 1, "{name}");
            let found: Value = serde_json::from_str(&found[0]).unwrap();
            assert!(is_within(&mapped, &found), "{name} as {encoding:?}: {found:#}");
        }
    }
}

#[test]
fn unknown_fields_are_passed_over_and_nonsense_is_refused() {
    let body = Bytes::from_static(
        br#"{"resourceSpans":[{"schemaUrl":"x","scopeSpans":[{"spans":[{"traceState":[{}],"spanId":"00"}]}]}]}"#,
    );
    assert_eq!(entries(Encoding::Json, &body, &map_span).unwrap().mapped.len(), 1);
    assert!(entries(Encoding::Json, &Bytes::from_static(b"{}"), &map_span).unwrap().mapped.is_empty());
    assert!(entries(Encoding::Protobuf, &Bytes::new(), &map_span).unwrap().mapped.is_empty());
    for (encoding, body) in [
        (Encoding::Json, &b"7"[..]),
        (Encoding::Json, b""),
        (Encoding::Json, br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano":"x"}]}]}]}"#),
        (Encoding::Protobuf, b"\x0a\x05abc"),
        (Encoding::Protobuf, b"\xff"),
    ] {
        let refused = entries(encoding, &Bytes::copy_from_slice(body), &map_span);
        assert!(matches!(refused, Err(Refusal::Store(_))), "{body:?}");
    }
}

#[test]
fn what_all_entries_repeat_is_bounded() {
    let attribute = |bytes: usize| serde_json::json!({ "key": "a", "value": { "stringValue": "x".repeat(bytes) } });
    let request = |bytes: usize, spans: usize| {
        let spans = vec![serde_json::json!({}); spans];
        let resource = serde_json::json!({ "attributes": [attribute(bytes)] });
        Bytes::from(
            serde_json::json!({ "resourceSpans": [{ "resource": resource, "scopeSpans": [{ "spans": spans }] }] })
                .to_string(),
        )
    };
    assert_eq!(entries(Encoding::Json, &request(1000, 10), &map_span).unwrap().mapped.len(), 10);
    for (bytes, spans) in [(SHARED_MAX_BYTES, 1), (SHARED_MAX_BYTES / 2, 3000)] {
        let refused = entries(Encoding::Json, &request(bytes, spans), &map_span);
        assert!(matches!(refused, Err(Refusal::BodyTooLarge { .. })), "{bytes} {spans}");
    }
}

#[test]
fn an_entry_that_cannot_be_read_does_not_hurt_its_neighbours() {
    let large = format!("{{\"name\":\"{}\"}}", "x".repeat(ENTRY_MAX_BYTES));
    let spans = format!("{{\"name\":\"a\"}},{{\"startTimeUnixNano\":\"x\"}},{large},{{\"name\":\"b\"}}");
    let body = format!("{{\"resourceSpans\":[{{\"scopeSpans\":[{{\"spans\":[{spans}]}}]}}]}}");
    let found = entries(Encoding::Json, &body.into(), &map_span).unwrap();
    assert_eq!((found.mapped.len(), found.unread), (2, 2));
    assert!(matches!(found.fault, Some(Refusal::Store(_))), "the first fault is told: {:?}", found.fault);
}

#[test]
fn the_answer_tells_what_was_not_taken_in_the_encoding_of_the_request() {
    let rejected = || Some(PartialSuccess { rejected: 2, error_message: "why".to_owned() });
    let body = async |media_type: &'static str, rejected| {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(media_type))]);
        let answer = answer(&headers, "rejectedSpans", rejected);
        answer.into_body().collect().await.unwrap().to_bytes()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let expected = r#"{"partialSuccess":{"errorMessage":"why","rejectedSpans":"2"}}"#;
        assert_eq!(body("application/json", rejected()).await, expected);
        assert_eq!(body("application/json", None).await, "{}");
        // Field 1, a message of 7 bytes: field 1 is 2, field 2 is the text.
        assert_eq!(body("application/x-protobuf", rejected()).await, &b"\x0a\x07\x08\x02\x12\x03why"[..]);
        assert_eq!(body("application/x-protobuf", None).await, "");
    });
}
