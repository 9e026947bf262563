use serde_json::{Map, Value};

use crate::read;

/// Each case: what is sent, and the parts of the result that must be exactly so (`null`: must be absent).
#[test]
fn every_case_comes_out_as_written() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("cases.json")).unwrap();
    let mut failures = Vec::new();
    for case in &cases {
        let event = read(case["event"].to_string());
        for (key, expected) in case["expected"].as_object().unwrap_or(&Map::new()) {
            let found = key.split('/').fold(&event, |value, key| match key.parse::<usize>() {
                Ok(index) if value.is_array() => &value[index],
                _ => &value[key],
            });
            if found != expected {
                failures.push(format!("{}: {key}\n  expected {expected}\n  found    {found}", case["name"]));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
