use serde_json::Value;

use crate::grouped;

/// Each case: an event, and the title, culprit, location and metadata that people see.
#[test]
fn titles_and_culprits_are_as_written() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("cases/words.json")).unwrap();
    let mut failures = Vec::new();
    for case in &cases {
        let found = serde_json::to_value(grouped(&case["event"])).unwrap();
        for (key, expected) in case["expected"].as_object().unwrap() {
            if &found[key] != expected {
                failures.push(format!("{}: {key}\n  expected {expected}\n  found    {}", case["name"], found[key]));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
