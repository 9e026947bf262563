use nuthatch_grouping::Component;
use nuthatch_protocol::Hash;
use serde_json::{Value, json};

use crate::grouped;

/// Each case: events that must share an issue with the first one (`same`), and events that must not (`different`).
/// Two events share an issue when any of their hashes is the same.
#[test]
fn events_share_an_issue_exactly_when_written() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("cases/hashes.json")).unwrap();
    let mut failures = Vec::new();
    for case in &cases {
        let first = grouped(&case["event"]);
        for (key, expected) in [("same", true), ("different", false)] {
            for other in case[key].as_array().unwrap_or(&Vec::new()) {
                let found = grouped(other).hashes.iter().any(|hash| first.hashes.contains(hash));
                if found != expected {
                    failures.push(format!("{}: expected {key}: {other}", case["name"]));
                }
            }
        }
        if let Some(count) = case["hashes"].as_u64()
            && first.hashes.len() as u64 != count
        {
            failures.push(format!("{}: {} hashes", case["name"], first.hashes.len()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn frame(function: &str, in_app: bool) -> Value {
    json!({"module": "m", "function": function, "in_app": in_app})
}

fn error(frames: &[Value]) -> Value {
    json!({"platform": "python", "exception": {"values": [
        {"type": "E", "value": "v", "stacktrace": {"frames": frames}}
    ]}})
}

#[test]
fn when_every_frame_is_of_the_application_the_whole_stack_has_the_same_hash() {
    let all_app = grouped(&error(&[frame("a", true), frame("b", true)]));
    assert_eq!(all_app.hashes.len(), 1);
    let mixed = grouped(&error(&[frame("a", true), frame("b", false)]));
    assert_eq!(mixed.hashes.len(), 2);
    // The issue survives when the SDK changes its mind about a frame: the whole stack is known.
    assert_eq!(mixed.hashes[1], all_app.hashes[0]);
}

#[test]
fn a_checksum_is_the_hash() {
    let hash = "0123456789abcdef0123456789abcdef";
    let found = grouped(&json!({"checksum": hash, "logentry": {"formatted": "m"}}));
    assert_eq!(found.hashes, [hash.parse::<Hash>().unwrap()]);
    let hashed = grouped(&json!({"checksum": "my own"}));
    assert_eq!(hashed.hashes.len(), 1);
}

#[test]
fn hashes_stay_as_they_are() {
    // Changing them splits every issue of every user: a new algorithm needs a new id in `Config`.
    let found = grouped(&error(&[frame("a", true), frame("b", false)]));
    assert_eq!(found.config, "nuthatch:2026-11");
    let texts: Vec<String> = found.hashes.iter().map(Hash::to_string).collect();
    assert_eq!(texts, ["6f34d95992280f1e8e6e891da8b1c03b", "26e9e19080180aa55f945bd4766dc37c"]);
}

#[test]
fn every_part_that_does_not_count_says_why() {
    fn check(component: &Component) {
        let is_absent = component.values.is_empty();
        assert!(component.contributes || is_absent || component.hint.is_some(), "{component:?}");
        component.children().for_each(check);
    }
    let groupings = [
        grouped(&error(&[frame("a", true), frame("b", false), frame("b", false)])),
        grouped(&error(&[json!({"lineno": 1})])),
        grouped(
            &json!({"fingerprint": ["own"], "logentry": {"formatted": "m"}, "exception": {"values": [{"type": "E", "value": "v"}]}}),
        ),
        grouped(
            &json!({"checksum": "c", "threads": {"values": [{"id": 1}, {"id": 2}]}, "logentry": {"formatted": "m"}}),
        ),
    ];
    for grouping in &groupings {
        assert!(!grouping.hashes.is_empty());
        for variant in &grouping.variants {
            assert!(variant.contributes || variant.hint.is_some(), "{variant:?}");
            assert_eq!(variant.contributes, variant.hash.is_some());
            variant.component.iter().for_each(check);
        }
    }
    let keys: Vec<&str> = groupings[2].variants.iter().map(|variant| variant.key.as_str()).collect();
    assert_eq!(keys, ["app_exception", "default_message", "custom_fingerprint"]);
}
