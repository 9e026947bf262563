use nuthatch_normalize::normalize;
use nuthatch_protocol::EventId;
use serde_json::{Map, Value, json};

use crate::{read, record};

/// What of the expected parts of a case (`null`: must be absent) is not so.
pub(crate) fn differences(case: &Value, event: &Value) -> Vec<String> {
    let mut failures = Vec::new();
    for (key, expected) in case["expected"].as_object().unwrap_or(&Map::new()) {
        let found = key.split('/').fold(event, |value, key| match key.parse::<usize>() {
            Ok(index) if value.is_array() => &value[index],
            _ => &value[key],
        });
        if found != expected {
            failures.push(format!("{}: {key}\n  expected {expected}\n  found    {found}", case["name"]));
        }
    }
    failures
}

/// Each case: what is sent, and the parts of the result that must be exactly so.
#[test]
fn every_case_comes_out_as_written() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("cases.json")).unwrap();
    let failures: Vec<String> =
        cases.iter().flat_map(|case| differences(case, &read(case["event"].to_string()))).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Each case: what an SDK says about a system, and what of its context is made of that.
#[test]
fn every_description_is_understood_as_written() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("descriptions.json")).unwrap();
    let mut failures = Vec::new();
    for case in &cases {
        let alias = case["context"].as_str().unwrap();
        let sent = json!({"name": case["name"], "build": case["build"], "raw_description": case["raw_description"]});
        let event = read(json!({"contexts": {alias: sent}}).to_string());
        for (key, expected) in case["expected"].as_object().unwrap() {
            let found = &event["contexts"][alias][key];
            if found != expected {
                failures.push(format!("{sent}: {key} is {found}, not {expected}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_replay_of_the_trace_is_the_events() {
    let mut record = record(json!({"contexts": {"replay": {"replay_id": "x"}}}).to_string());
    record.header.attributes.replay_id = Some(EventId([5; 16]));
    let event = normalize(&record, None).unwrap();
    assert_eq!(event.text(&["contexts", "replay", "replay_id"]), Some("05050505050505050505050505050505"));
}

#[test]
fn the_client_is_the_sdk_of_an_event_that_names_none() {
    for (client, event, expected) in [
        ("sentry.test/1.0", json!({}), json!({"name": "sentry.test", "version": "1.0"})),
        ("raven-php 1.6", json!({}), json!({"name": "raven-php", "version": "1.6"})),
        ("my sdk/1.6", json!({}), json!({"name": "my sdk", "version": "1.6"})),
        ("raven-php 1.6", json!({"sdk": {"name": "own"}}), json!({"name": "own"})),
        ("raven-php", json!({}), Value::Null),
    ] {
        let mut record = record(event.to_string());
        record.header.client = Some(client.to_owned());
        let event = normalize(&record, None).unwrap();
        assert_eq!(event.get(&["sdk"]).cloned().unwrap_or_default(), expected, "{client}");
    }
}
