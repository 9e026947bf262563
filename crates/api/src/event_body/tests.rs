use bytes::Bytes;
use nuthatch_protocol::{EventId, Hash, IssueId, Level, ProjectId, Timestamp};
use nuthatch_store::events::{EventSummary, StoredEvent};
use serde_json::{Value, json};

use super::{Beside, errors::with_errors, event_body};

fn body_of(event: &Value) -> Value {
    let time = Timestamp::from_secs(1_769_860_800);
    let summary = EventSummary {
        project_id: ProjectId(1),
        event_id: EventId([7; 16]),
        timestamp: time,
        received: time,
        hashes: vec![Hash([1; 16])],
        event_type: "error".to_owned(),
        level: Level::Error,
        platform: "python".to_owned(),
        title: "ValueError: no such order".to_owned(),
        culprit: "shop.views in order".to_owned(),
        message: "no such order".to_owned(),
        user: Some("id:42".to_owned()),
        tags: vec![("release".to_owned(), "shop@1.2".to_owned()), ("browser".to_owned(), "Firefox".to_owned())],
    };
    let stored = StoredEvent { summary, body: Bytes::from(event.to_string()) };
    let event = serde_json::from_value(event.clone()).unwrap();
    let body = event_body(&stored, &event, Some(IssueId(3)), Beside::default());
    serde_json::to_value(body).unwrap()
}

#[test]
fn an_exception_is_shown_with_its_frames_and_their_source() {
    let body = body_of(&json!({"exception": {"values": [{"type": "ValueError", "value": "no such order",
        "mechanism": {"type": "django", "handled": false},
        "stacktrace": {"frames": [
            {"function": "get_response", "filename": "base.py", "lineno": 3, "in_app": false},
            {"function": "order", "filename": "shop/views.py", "abs_path": "/srv/shop/views.py", "lineno": 12,
             "in_app": true, "pre_context": ["a", "b"], "context_line": "c", "post_context": ["d"],
             "vars": {"lineno": "7"}}]}}]}}));
    let entry = &body["entries"][0];
    assert_eq!(entry["type"], "exception");
    assert_eq!(entry["data"]["hasSystemFrames"], true);
    let exception = &entry["data"]["values"][0];
    assert_eq!(exception["mechanism"]["handled"], false);
    let frame = &exception["stacktrace"]["frames"][1];
    assert_eq!(frame["context"], json!([[10, "a"], [11, "b"], [12, "c"], [13, "d"]]));
    assert_eq!((&frame["absPath"], &frame["lineNo"]), (&json!("/srv/shop/views.py"), &json!(12)));
    assert_eq!(frame["vars"], json!({"lineno": "7"}));
    assert_eq!(body["location"], "shop/views.py");
    assert_eq!(body["metadata"]["function"], "order");
}

#[test]
fn entries_come_in_the_order_of_the_page() {
    let body = body_of(&json!({
        "breadcrumbs": {"values": [{"timestamp": 1_769_860_799.5, "message": "hello"}]},
        "logentry": {"formatted": "hello"},
        "request": {"url": "https://shop.example/", "headers": [["Content-Type", "application/json; x=1"]]},
        "exception": {"values": []}}));
    let kinds: Vec<&str> = body["entries"].as_array().unwrap().iter().map(|e| e["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["exception", "message", "request", "breadcrumbs"]);
    assert_eq!(body["entries"][2]["data"]["inferredContentType"], "application/json");
    assert_eq!(body["entries"][3]["data"]["values"][0]["timestamp"], "2026-01-31T11:59:59.5Z");
}

#[test]
fn reports_of_browsers_are_entries_of_their_own() {
    let csp = json!({"effective_directive": "img-src", "blocked_uri": "javascript:alert(1)", "line_number": 7});
    let pins = json!({"hostname": "shop.example", "known_pins": ["pin-sha256=\"a\""]});
    let body = body_of(&json!({
        "request": {"url": "https://shop.example/"}, "logentry": {"formatted": "Blocked"}, "csp": csp,
        "expectct": {"hostname": "a"}, "expectstaple": {"hostname": "b"}, "hpkp": pins,
        "_meta": {"csp": {"script_sample": {"": {"len": 9000}}}}}));
    let entries = body["entries"].as_array().unwrap();
    let kinds: Vec<&str> = entries.iter().map(|entry| entry["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["message", "csp", "expectct", "expectstaple", "hpkp", "request"]);
    assert_eq!((&entries[1]["data"], &entries[4]["data"]), (&csp, &pins));
    assert_eq!(body["_meta"]["entries"]["1"]["data"]["script_sample"][""]["len"], 9000);
}

#[test]
fn notes_move_to_where_the_answer_shows_the_values() {
    let body = body_of(&json!({
        "tags": [["release", "shop@1.2"], ["browser", "Firefox"]],
        "exception": {"values": [{"type": "E", "stacktrace": {"frames": [{"abs_path": "x", "vars": {"lineno": 1}}]}}]},
        "_meta": {
            "extra": {"a": {"": {"len": 9000}}},
            "tags": {"1": {"1": {"": {"len": 300}}}},
            "exception": {"values": {"0": {"stacktrace": {"frames": {"0": {
                "abs_path": {"": {"rem": [["!limit", "x"]]}}, "vars": {"lineno": {"": {"len": 5}}}}}}}}},
            "user": {"id": {"": {"err": [["invalid_data", {"reason": "expected text"}]], "val": 7}}}}}));
    let meta = &body["_meta"];
    assert_eq!(meta["context"]["a"][""]["len"], 9000);
    assert_eq!(meta["tags"], json!({"0": {"value": {"": {"len": 300}}}}), "tags are sorted by name");
    let frame = &meta["entries"]["0"]["data"]["values"]["0"]["stacktrace"]["frames"]["0"];
    assert_eq!(frame["absPath"][""]["rem"][0][0], "!limit");
    assert_eq!(frame["vars"]["lineno"][""]["len"], 5, "names of the sender stay");
    assert_eq!(body["errors"][0]["type"], "invalid_data");
    assert_eq!(body["errors"][0]["data"], json!({"reason": "expected text", "name": "user.id", "value": 7}));
}

#[test]
fn the_json_of_an_event_names_its_errors() {
    let given = r#"{"zeta":1.10,"errors":[{"type":"js_no_source","url":"a.js"}],"_meta":{"user":{"id":{"":{"err":["invalid_data"]}}}}}"#;
    let shown = with_errors(Bytes::from_static(given.as_bytes())).unwrap();
    let read: Value = serde_json::from_slice(&shown).unwrap();
    let errors = json!([{"type": "js_no_source", "url": "a.js"}, {"type": "invalid_data", "name": "user.id"}]);
    assert_eq!(read["errors"], errors, "those of its notes beside those it carries");
    assert!(shown.ends_with(br#""zeta":1.10}"#), "what is no error stays as it is: {shown:?}");
    for quiet in ["{\"b\": 1.0, \"a\":2}", "{\"_meta\": {\"extra\": {\"\": {\"len\": 9}}}}"] {
        assert_eq!(with_errors(Bytes::from_static(quiet.as_bytes())).unwrap(), quiet, "nothing was wrong");
    }
    assert!(with_errors(Bytes::from_static(b"[1]")).is_err());
}

#[test]
fn an_event_of_nothing_has_every_key() {
    let body = body_of(&json!({}));
    assert_eq!(body["entries"], json!([]));
    assert_eq!(body["user"], Value::Null);
    assert_eq!(body["tags"][0]["key"], "browser");
    assert_eq!((&body["groupID"], &body["nextEventID"]), (&json!("3"), &Value::Null));
    body_of(&json!({"exception": 7, "user": [], "request": "x", "tags": {"a": 1}, "_meta": [1], "contexts": 3}));
}
