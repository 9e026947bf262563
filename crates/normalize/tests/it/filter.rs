//! Which events are dropped, and why.

use nuthatch_normalize::filter::{FilterSettings, Filters};
use nuthatch_protocol::{Event, TraceItemKind};
use serde_json::{Value, json};

use crate::record;

/// Each case: settings, and events (with the address of their client, if it matters) with the reason that is expected,
/// null when the event stays.
#[test]
fn every_case_is_decided_as_written() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("filter_cases.json")).unwrap();
    let mut failures = Vec::new();
    for case in &cases {
        let settings: FilterSettings = serde_json::from_value(case["settings"].clone()).unwrap();
        let (filters, problems) = Filters::new(&settings);
        let places: Vec<Value> = problems.iter().map(|problem| Value::from(problem.place.as_str())).collect();
        if Value::Array(places) != *case.get("problems").unwrap_or(&json!([])) {
            failures.push(format!("{}: {problems:?}", case["name"]));
        }
        for row in case.get("events").and_then(Value::as_array).into_iter().flatten() {
            let event = Event(row[0].as_object().cloned().unwrap());
            let client = row.get(2).and_then(|ip| ip.as_str()?.parse().ok());
            let reason = filters.reason(&event, client).map_or(Value::Null, |reason| Value::from(reason.as_str()));
            if reason != row[1] {
                failures.push(format!("{}: {} gives {reason}, not {}", case["name"], row[0], row[1]));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn spans_of_health_checks_are_dropped_with_what_is_in_them() {
    let (on, _) = Filters::new(&FilterSettings::default());
    let (off, _) = Filters::new(&FilterSettings { filtered_transaction: false, ..FilterSettings::default() });
    let header = record("{}").header;
    let reason = |filters: &Filters, kind, item: &Value| {
        filters.reason_of_item(kind, item.as_object().unwrap(), &header).map(|reason| reason.to_string())
    };
    for (span, is_dropped) in [
        (json!({"is_segment": true, "name": "GET /healthz", "description": "GET /healthz"}), true),
        (json!({"is_segment": true, "description": "heartbeat"}), true),
        (json!({"is_segment": true, "name": "GET /api", "data": {"sentry.segment.name": "GET /ready/"}}), true),
        (json!({"is_segment": false, "name": "SELECT 1", "data": {"sentry.segment.name": "GET /ready/"}}), true),
        (json!({"is_segment": false, "name": "GET /healthz"}), false),
        (json!({"is_segment": true, "name": "GET /api/healthy-recipes"}), false),
        (json!({"is_segment": true, "name": "/up", "data": {"sentry.segment.name": "/users"}}), false),
    ] {
        let expected = is_dropped.then(|| "filtered-transaction".to_owned());
        assert_eq!(reason(&on, TraceItemKind::Span, &span), expected, "{span}");
        assert_eq!(reason(&off, TraceItemKind::Span, &span), None, "{span}");
        assert_eq!(reason(&on, TraceItemKind::Log, &span), None, "{span}");
    }
}

#[test]
fn conditions_on_events_are_not_for_what_is_none_and_the_other_way_round() {
    let not = |name: &str, value: &str| {
        let inner = json!({"op": "glob", "name": name, "value": [value]});
        let settings = json!({"custom": [{"id": "a", "condition": {"op": "not", "inner": inner}}]});
        let (filters, problems) = Filters::new(&serde_json::from_value(settings).unwrap());
        assert_eq!(problems, []);
        filters
    };
    let header = record("{}").header;
    let drops = |filters: &Filters, kind| {
        let item = json!({"op": "db", "body": "text", "name": "n"});
        filters.reason_of_item(kind, item.as_object().unwrap(), &header).is_some()
    };
    let kinds = [TraceItemKind::Span, TraceItemKind::Log, TraceItemKind::Metric];
    for (field, expected) in [
        ("event.release", [false, false, false]),
        ("span.op", [true, false, false]),
        ("log.body", [false, true, false]),
        ("trace_metric.name", [false, false, true]),
        ("trace.release", [false, false, false]),
        ("envelope.client_ip", [true, true, true]),
    ] {
        assert_eq!(kinds.map(|kind| drops(&not(field, "app@*"), kind)), expected, "{field}");
    }
}
