use nuthatch_grouping::{Config, group, mark_frames, occurrence, row, trace_item, transaction_items};
use nuthatch_protocol::{AttributeValue, Level, Timestamp, TraceItemKind, TypeId};
use serde_json::json;

use crate::{event, hostile::header};

#[test]
fn a_row_has_all_that_is_searched() {
    let event = event(&json!({
        "type": "error", "level": "fatal", "platform": "python", "timestamp": 1_795_132_700.5, "release": "app@1",
        "environment": "production", "transaction": "/pay", "logger": "app.pay",
        "user": {"email": "a@b.c", "ip_address": "1.2.3.4"},
        "tags": [["release", "client's"], ["region", "eu"], ["browser", "mine"], ["nul", null]],
        "request": {"url": "https://x.com/pay"},
        "contexts": {
            "browser": {"type": "browser", "name": "Firefox", "version": "1", "browser": "Firefox 1"},
            "os": {"type": "os", "name": "Linux", "version": "6", "os": "Linux 6", "rooted": false},
            "runtime": {"type": "runtime", "name": "CPython", "runtime": "CPython 3.12"},
            "device": {"type": "device", "model": "X1", "family": "X"}
        },
        "exception": {"values": [{"type": "E", "value": "no money", "mechanism": {"type": "django", "handled": false},
            "stacktrace": {"frames": [{"module": "lib", "function": "call"}, {"module": "pay", "function": "charge", "filename": "pay.py"}]}}]}
    }));
    let grouping = group(&event, &Config::default());
    let row = row(&header(), &event, &grouping);
    let tag = |key: &str| row.tags.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
    for (key, expected) in [
        ("level", "fatal"),
        ("release", "app@1"),
        ("environment", "production"),
        ("user", "email:a@b.c"),
        ("region", "eu"),
        ("browser", "mine"),
        ("browser.name", "Firefox"),
        ("os", "Linux 6"),
        ("os.name", "Linux"),
        ("os.rooted", "no"),
        ("runtime", "CPython 3.12"),
        ("runtime.name", "CPython"),
        ("device", "X1"),
        ("device.family", "X"),
        ("handled", "no"),
        ("mechanism", "django"),
        ("transaction", "/pay"),
        ("url", "https://x.com/pay"),
        ("logger", "app.pay"),
    ] {
        assert_eq!(tag(key), Some(expected), "{key}");
    }
    assert_eq!(tag("nul"), None);
    assert_eq!(row.stack_text, "charge pay pay.py call lib");
    assert_eq!(row.timestamp, Timestamp(1_795_132_700_500_000));
    assert_eq!((row.level, row.message.as_str()), (Level::Fatal, "no money"));
    assert_eq!(row.body, event.to_json());

    let occurrence = occurrence(&header(), &event, &grouping);
    assert_eq!((occurrence.id, occurrence.type_id), (header().event_id, TypeId::ERROR));
    assert_eq!((occurrence.title.as_str(), occurrence.subtitle.as_str()), ("E: no money", "no money"));
    assert_eq!(occurrence.event.user.as_deref(), Some("email:a@b.c"));
    assert!(occurrence.event.unhandled);
    assert_eq!(occurrence.event.search_text, "no money pay.py charge E /pay");
}

#[test]
fn frames_are_marked_where_the_sdk_said_nothing() {
    let mut event = event(&json!({"platform": "native", "stacktrace": {"frames": [
        {"function": "std::vector<int>::at(int)"},
        {"function": "app::run(int)", "package": "/Users/me/app"},
        {"function": "lib", "in_app": true, "package": "/usr/lib/x.so"}
    ]}}));
    mark_frames(&mut event, &Config::default());
    let frames = &event.0["stacktrace"]["frames"];
    assert_eq!(frames[0]["in_app"], false);
    assert_eq!(
        (&frames[0]["function"], &frames[0]["raw_function"]),
        (&json!("std::vector<T>::at"), &json!("std::vector<int>::at(int)"))
    );
    assert_eq!((&frames[1]["in_app"], &frames[1]["data"]["orig_in_app"]), (&json!(true), &json!(-1)));
    assert_eq!((&frames[2]["in_app"], frames[2].get("data")), (&json!(true), None));
}

#[test]
fn a_transaction_is_searched_by_its_event_and_its_status() {
    let event = event(&json!({
        "type": "transaction", "transaction": "GET /", "start_timestamp": 1_795_132_700.0, "timestamp": 1_795_132_701.0,
        "contexts": {"trace": {"trace_id": "01".repeat(16), "span_id": "02".repeat(8), "status": "aborted"}},
        "spans": [{"trace_id": "01".repeat(16), "span_id": "03".repeat(8), "start_timestamp": 1_795_132_700.1,
            "timestamp": 1_795_132_700.2, "status": "ok"}],
    }));
    let items = transaction_items(&header(), &event);
    let text = |n: usize, name: &str| items[n].attributes.get(name).and_then(AttributeValue::as_text);
    let id = header().event_id.to_string();
    assert_eq!((text(0, "transaction.event_id"), text(0, "transaction.status")), (Some(id.as_str()), Some("aborted")));
    assert_eq!((text(1, "transaction.event_id"), text(1, "span.status")), (Some(id.as_str()), Some("ok")));
}

#[test]
fn the_number_of_a_severity_is_read_from_wherever_the_sdk_put_it() {
    let log = |item: serde_json::Value| {
        let mut line =
            json!({"trace_id": "01".repeat(16), "timestamp": 1_795_132_700.0, "level": "warn", "body": "hot"});
        line.as_object_mut().unwrap().extend(item.as_object().unwrap().clone());
        let row = trace_item(&header(), TraceItemKind::Log, 0, line.as_object().unwrap()).unwrap();
        row.attributes.get("severity_number").cloned()
    };
    let number = |number| Some(AttributeValue::Integer(number));
    assert_eq!(log(json!({"severity_number": 13})), number(13));
    assert_eq!(log(json!({"attributes": {"sentry.severity_number": 13}})), number(13), "as the SDK for Python does");
    assert_eq!(log(json!({"severity_number": 14, "attributes": {"sentry.severity_number": 13}})), number(14));
    assert_eq!(log(json!({})), None);
}
