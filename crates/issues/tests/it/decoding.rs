//! What is read from a producer's JSON (`reference/issue-platform.md` §3, §12, §14).

use nuthatch_issues::{DecodeReason, Decoded, decode};
use nuthatch_protocol::{EventId, EventPath, Level, Occurrence, Priority, ProjectId, Timestamp};
use serde_json::{Map, Value, json};

use crate::make::{NOW, error, seconds};

const ID: &str = "1652c0a5031156353abe49b02afb6db3";
const EVENT_ID: &str = "a71226ecb9c6585d3365d7f7773c6a53";

/// A message with its event, changed by `change`.
fn message(change: impl FnOnce(&mut Map<String, Value>)) -> Vec<u8> {
    let mut value = json!({
        "id": ID, "project_id": 7, "event_id": EVENT_ID, "fingerprint": ["a", "b"], "issue_title": "Slow query",
        "subtitle": "SELECT 1", "type": 1001, "detection_time": 1_700_000_000.5, "level": "warning", "culprit": "db",
        "evidence_display": [{ "name": "Duration", "value": "4 s", "important": true }],
        "event": { "event_id": EVENT_ID, "project_id": 7, "platform": "python", "timestamp": 1_699_999_990 },
    });
    change(value.as_object_mut().unwrap());
    serde_json::to_vec(&value).unwrap()
}

fn with(key: &str, value: Value) -> Vec<u8> {
    message(|fields| drop(fields.insert(key.to_owned(), value)))
}

fn without(key: &str) -> Vec<u8> {
    message(|fields| drop(fields.remove(key)))
}

fn in_event(key: &str, value: Value) -> Vec<u8> {
    message(|fields| drop(fields["event"].as_object_mut().unwrap().insert(key.to_owned(), value)))
}

fn occurrence(bytes: &[u8]) -> Occurrence {
    match decode(bytes, NOW) {
        Ok(Decoded::Occurrence { occurrence, .. }) => *occurrence,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_occurrence_is_read_whole() {
    let Ok(Decoded::Occurrence { occurrence, event }) = decode(&message(|_| {}), NOW) else { panic!() };
    assert_eq!(occurrence.id.to_string(), ID);
    assert_eq!((occurrence.project_id, occurrence.level), (ProjectId(7), Level::Warning));
    let hashes: Vec<String> = occurrence.hashes.iter().map(ToString::to_string).collect();
    assert_eq!(hashes, ["0cc175b9c0f1b6a831c399e269772661", "92eb5ffee6ae2fec3ad71c777531578f"]);
    assert_eq!(occurrence.detection_time, Timestamp(1_700_000_000_500_000));
    assert_eq!((occurrence.event.timestamp, occurrence.event.event_type.as_str()), (seconds(-10), "generic"));
    assert_eq!((occurrence.priority, occurrence.evidence_display.len()), (None, 1));
    assert_eq!((occurrence.path, event.is_legacy), (EventPath::Full, false));
    assert_eq!(event.body["level"], "warning");
    assert_eq!(event.body["received"], json!(NOW.as_secs_f64()), "now, where the event does not say");
    assert_eq!(event.body["metadata"], json!({ "title": "Slow query" }));
}

#[test]
fn ids_are_normalised_and_one_event_id_is_enough() {
    let id: EventId = EVENT_ID.parse().unwrap();
    let dashed = "A71226EC-B9C6-585D-3365-D7F7773C6A53";
    for bytes in [without("event_id"), with("event_id", json!("")), in_event("event_id", Value::Null)] {
        assert_eq!(occurrence(&bytes).event_id, id);
    }
    assert_eq!(occurrence(&in_event("event_id", json!(dashed))).event_id, id);
    assert_eq!(occurrence(&with("event_id", json!(dashed))).event_id, id);
}

#[test]
fn without_an_event_it_has_to_be_looked_up() {
    for bytes in [without("event"), with("event", Value::Null)] {
        let Ok(Decoded::Lookup(lookup)) = decode(&bytes, NOW) else { panic!() };
        assert_eq!(lookup.event(), (ProjectId(7), EVENT_ID.parse().unwrap()));
        let facts = error(1, &[1]).event;
        assert_eq!(lookup.clone().missing().path, EventPath::Missing);
        let found = lookup.found(facts.clone());
        assert_eq!((found.title.as_str(), found.path, found.event), ("Slow query", EventPath::Found, facts));
    }
}

#[test]
fn spans_that_are_still_collected_make_a_light_event() {
    let light = with("is_buffered_spans", json!(true));
    let occurrence_of = |bytes: &[u8]| occurrence(bytes);
    let light = occurrence_of(&light);
    assert_eq!((light.path, light.event.event_type.as_str()), (EventPath::Light, "default"));
    for other in [json!("true"), json!(1), json!(false)] {
        assert_eq!(occurrence_of(&with("is_buffered_spans", other)).path, EventPath::Full);
    }
}

#[test]
fn what_is_obviously_meant_is_accepted() {
    for bytes in [without("evidence_display"), with("evidence_display", Value::Null)] {
        assert_eq!(occurrence(&bytes).evidence_display, []);
    }
    for bytes in [without("level"), with("level", Value::Null), with("level", json!(""))] {
        assert_eq!(occurrence(&bytes).level, Level::Info);
    }
    for (time, expected) in [
        (json!("2023-11-14T22:13:20Z"), NOW),
        (json!("2023-11-15T00:13:20+02:00"), NOW),
        (json!("2023-11-14T22:13:20.25"), Timestamp(NOW.0 + 250_000)),
        (json!(1_700_000_000), NOW),
    ] {
        assert_eq!(occurrence(&with("detection_time", time)).detection_time, expected);
    }
    for (number, expected) in [
        (json!(0), None),
        (Value::Null, None),
        (json!(75), Some(Priority::High)),
        (json!(1), Some(Priority::Low)),
        (json!(1000), Some(Priority::High)),
    ] {
        assert_eq!(occurrence(&with("initial_issue_priority", number)).priority, expected);
    }
    let both = message(|fields| {
        fields.insert("priority".to_owned(), json!(25));
        fields.insert("initial_issue_priority".to_owned(), json!(75));
    });
    assert_eq!(occurrence(&both).priority, Some(Priority::Low), "the newer name wins");
    assert_eq!(occurrence(&with("assignee", json!(5))).assignee, None);
    assert!(matches!(decode(&with("payload_type", Value::Null), NOW), Ok(Decoded::Occurrence { .. })));
}

#[test]
fn an_event_tells_release_environment_and_user_in_its_fields_or_tags() {
    let pairs = in_event("tags", json!([["sentry:release", "1.0"], null, ["environment", "prod"], ["empty", null]]));
    let object = in_event("tags", json!({ "sentry:release": "1.0", "environment": "prod", "n": null }));
    for bytes in [pairs, object] {
        let facts = occurrence(&bytes).event;
        assert_eq!((facts.release.as_deref(), facts.environment.as_deref()), (Some("1.0"), Some("prod")));
    }
    assert_eq!(occurrence(&in_event("release", json!("2.0"))).event.release.as_deref(), Some("2.0"));
    let user = in_event("user", json!({ "id": "", "email": "a@b.c", "ip_address": "::1" }));
    assert_eq!(occurrence(&user).event.user.as_deref(), Some("email:a@b.c"));
}

#[test]
fn absurd_event_times_become_the_present() {
    for time in [json!("soon"), json!(0), json!("2999-01-01T00:00:00Z"), json!(1e300)] {
        assert_eq!(occurrence(&in_event("timestamp", time)).event.timestamp, NOW);
    }
}

#[test]
fn refusals_name_reason_and_place() {
    let (payload, event) = (DecodeReason::InvalidPayload, DecodeReason::InvalidEvent);
    for (bytes, reason, path) in [
        (b"{\"a\": NaN}".to_vec(), DecodeReason::MalformedJson, "$"),
        (b"\xff".to_vec(), DecodeReason::MalformedJson, "$"),
        ("[".repeat(100_000).into_bytes(), DecodeReason::MalformedJson, "$"),
        (b"[]".to_vec(), payload, "$"),
        (without("id"), payload, "$.id"),
        (with("id", json!("xyz")), payload, "$.id"),
        (with("id", json!(5)), payload, "$.id"),
        (with("project_id", json!("7")), payload, "$.project_id"),
        (with("project_id", json!(-1)), payload, "$.project_id"),
        (without("fingerprint"), payload, "$.fingerprint"),
        (with("fingerprint", json!("text")), payload, "$.fingerprint"),
        (with("fingerprint", json!([])), payload, "$.fingerprint"),
        (with("fingerprint", json!(["a", 1])), payload, "$.fingerprint[1]"),
        (with("fingerprint", json!(vec!["x"; 1001])), payload, "$.fingerprint"),
        (without("issue_title"), payload, "$.issue_title"),
        (without("subtitle"), payload, "$.subtitle"),
        (without("type"), payload, "$.type"),
        (with("type", json!(-4)), payload, "$.type"),
        (without("detection_time"), payload, "$.detection_time"),
        (with("detection_time", json!("now")), payload, "$.detection_time"),
        (with("level", json!("critical")), payload, "$.level"),
        (with("evidence_display", json!([{ "name": "a", "value": "b" }])), payload, "$.evidence_display[0].important"),
        (with("evidence_display", json!([1])), payload, "$.evidence_display[0]"),
        (with("evidence_data", json!([])), payload, "$.evidence_data"),
        (with("event", json!("x")), payload, "$.event"),
        (with("event_id", json!("b".repeat(32))), payload, "$.event.event_id"),
        (in_event("project_id", json!(8)), payload, "$.event.project_id"),
        (in_event("platform", Value::Null), event, "$.event.platform"),
        (in_event("timestamp", json!([])), event, "$.event.timestamp"),
        (in_event("tags", json!([["a"]])), event, "$.event.tags[0]"),
        (in_event("user", json!({ "id": 5 })), event, "$.event.user.id"),
        (in_event("contexts", json!({ "os": "linux" })), event, "$.event.contexts.os"),
        (in_event("breadcrumbs", json!({})), event, "$.event.breadcrumbs.values"),
    ] {
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
        let error = decode(&bytes, NOW).expect_err(&text);
        assert_eq!((error.reason, error.path.as_str()), (reason, path), "{error}");
    }
    let neither = message(|fields| {
        fields.remove("event");
        fields.remove("event_id");
    });
    assert_eq!(decode(&neither, NOW).unwrap_err().to_string(), "$.event_id: missing");
}

#[test]
fn a_status_change_is_read() {
    let value = json!({
        "payload_type": "status_change", "id": "any text", "project_id": 7, "fingerprint": ["a"], "new_status": 0,
        "new_substatus": 3, "detector_id": 12, "activity_data": { "by": "x" },
    });
    let Ok(Decoded::StatusChange(change)) = decode(&serde_json::to_vec(&value).unwrap(), NOW) else { panic!() };
    assert_eq!((change.id.as_str(), change.new_status, change.new_substatus), ("any text", 0, Some(3)));
    assert_eq!((change.detector_id, change.activity_data), (Some(12), Some(json!({ "by": "x" }))));
    assert_eq!(change.hashes[0].to_string(), "0cc175b9c0f1b6a831c399e269772661");

    let mut missing = value.clone();
    missing.as_object_mut().unwrap().remove("new_status");
    let error = decode(&serde_json::to_vec(&missing).unwrap(), NOW).unwrap_err();
    assert_eq!((error.reason.as_str(), error.path.as_str()), ("invalid_payload", "$.new_status"));
}

#[test]
fn a_payload_type_is_matched_exactly() {
    for (kind, shown) in [(json!("Occurrence"), "Occurrence"), (json!(""), ""), (json!(1), "1")] {
        let Ok(Decoded::Unknown(unknown)) = decode(&with("payload_type", kind), NOW) else { panic!() };
        assert_eq!((unknown.kind.as_str(), unknown.id.as_str()), (shown, ID));
    }
}
