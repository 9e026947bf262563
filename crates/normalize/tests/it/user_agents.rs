//! What user agents and client hints say.

use nuthatch_normalize::{
    normalize, replay_event, trace_items,
    user_agent::{ClientHints, Product, UserAgent},
};
use nuthatch_protocol::record;
use serde_json::{Value, json};

/// Each case: an agent, hints, and what is known from them.
#[test]
fn every_agent_is_understood_as_written() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("user_agents.json")).unwrap();
    let in_words = |product: Option<Product>| match product {
        Some(Product { name, version: Some(version) }) => json!(format!("{name} {version}")),
        Some(Product { name, version: None }) => json!(name),
        None => Value::Null,
    };
    let mut failures = Vec::new();
    for case in &cases {
        let text = |key: &str| case[key].as_str();
        let hints = ClientHints {
            brands: text("brands"),
            platform: text("platform"),
            platform_version: text("platform_version"),
            model: text("model"),
        };
        let found = UserAgent::read(text("agent"), &hints);
        let device = found.device.map(|device| json!([device.family, device.model, device.brand]));
        for (what, found) in
            [("browser", in_words(found.browser)), ("os", in_words(found.os)), ("device", json!(device))]
        {
            if found != case[what] {
                failures.push(format!("{case}: {what} is {found}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn an_agent_of_any_length_is_read() {
    let long = "é".repeat(100_000);
    assert_eq!(UserAgent::read(Some(&long), &ClientHints::default()), UserAgent::default());
}

const CHROME: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0";

/// A record whose request came from Brave on Windows 11, which only the hints tell.
fn record_of(item_type: &str, payload: &Value) -> nuthatch_protocol::IngestRecord {
    let mut record = crate::record(payload.to_string());
    item_type.clone_into(&mut record.header.item_type);
    record.header.user_agent = Some(CHROME.to_owned());
    record.header.client_hints = record::ClientHints {
        brands: Some(r#""Not A;Brand";v="99", "Brave";v="120""#.to_owned()),
        platform: Some("\"Windows\"".to_owned()),
        platform_version: Some("\"13.0.0\"".to_owned()),
        model: None,
    };
    record
}

#[test]
fn reports_of_browsers_tell_the_browser_by_the_hints_of_their_request() {
    let report = json!({"report": {"csp-report": {"document-uri": "https://a.example/", "effective-directive": "img-src", "blocked-uri": "https://b.example"}}});
    let event = Value::Object(normalize(&record_of("raw_security", &report), None).unwrap().0);
    assert_eq!(event["contexts"]["browser"]["name"], "Brave");
    assert!(event["contexts"].to_string().contains("\"version\":\"11\""), "{}", event["contexts"]);
    let event = Value::Object(normalize(&record_of("event", &json!({"message": "m"})), None).unwrap().0);
    assert_eq!(event.get("contexts"), None, "ordinary events tell their own request");
}

#[test]
fn log_lines_tell_the_browser_by_the_hints_unless_they_name_another_agent() {
    let line = |attributes: Value| json!({"items": [{"timestamp": 1_795_132_790, "trace_id": "a".repeat(32), "body": "x", "attributes": attributes}]});
    for (attributes, browser) in [
        (json!({}), "Brave"),
        (json!({"user_agent.original": {"value": FIREFOX, "type": "string"}}), "Firefox"),
        (json!({"browser.name": {"value": "Lynx", "type": "string"}}), "Lynx"),
    ] {
        let items = trace_items(&record_of("log", &line(attributes)), None).unwrap();
        assert_eq!(items.entries[0].content["attributes"]["browser.name"], browser);
    }
}

#[test]
fn replays_tell_the_browser_by_their_own_request_or_else_by_the_one_that_brought_them() {
    let header = record_of("replay_event", &json!({})).header;
    let browser = |event: Value| {
        let mut segment = json!({"replay_id": "a".repeat(32), "segment_id": 0});
        segment.as_object_mut().unwrap().extend(event.as_object().cloned().unwrap());
        let read = replay_event(segment.to_string().as_bytes(), &header, None).unwrap();
        read.event.text(&["contexts", "browser", "name"]).map(str::to_owned)
    };
    for (event, expected) in [
        (json!({"platform": "javascript"}), Some("Brave")),
        (json!({"request": {"headers": {"User-Agent": FIREFOX}}}), Some("Firefox")),
        (json!({"request": {"headers": [["user-agent", FIREFOX]]}}), Some("Firefox")),
        (json!({"contexts": {"browser": {"name": "Lynx"}}}), Some("Lynx")),
        (json!({"request": {"url": "https://a.example/", "headers": null}, "contexts": 5}), Some("Brave")),
        (json!({"request": {"headers": {"Accept": "*/*"}}}), Some("Brave")),
        (json!({"request": {"headers": {"User-Agent": "x"}}}), None),
    ] {
        let expected = expected.map(str::to_owned);
        assert_eq!(browser(event.clone()), expected, "{event}");
    }
}
