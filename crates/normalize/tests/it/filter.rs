//! Which events are dropped, and why.

use nuthatch_normalize::filter::{FilterSettings, Filters};
use nuthatch_protocol::Event;
use serde_json::{Value, json};

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
