//! What browsers report about security policies.

use nuthatch_normalize::normalize;
use serde_json::Value;

use crate::{cases::differences, record};

/// Each case: the payload of a report item, and the parts of the event that it becomes, or why it is refused.
#[test]
fn every_report_becomes_the_event_that_is_written() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("security.json")).unwrap();
    let mut failures = Vec::new();
    for case in &cases {
        let mut record = record(case["payload"].to_string());
        record.header.item_type = "raw_security".to_owned();
        record.header.user_agent =
            Some("Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0".to_owned());
        match (normalize(&record, None), case["refused"].as_str()) {
            (Ok(event), None) => failures.extend(differences(case, &Value::Object(event.0))),
            (Err(refused), Some(reason)) if refused.reason.as_str() == reason => {}
            (found, _) => failures.push(format!("{}: {found:?}", case["name"])),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
