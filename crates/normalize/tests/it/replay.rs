//! Events of replays.

use nuthatch_normalize::{
    replay_event,
    scrub::{ScrubSettings, Scrubber},
};
use nuthatch_protocol::{EventId, Timestamp};
use serde_json::{Value, json};

use crate::{RECEIVED, cases::differences, geo::Atlas, record};

/// Each case: what is sent beside `replay_id` and `segment_id`, how many seconds before the receipt the SDK says that it
/// sent it, and the parts of the result that must be exactly so, or the place that it is `refused` for.
#[test]
fn every_segment_comes_out_as_written() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("replay_cases.json")).unwrap();
    let mut failures = Vec::new();
    for case in &cases {
        let mut sent = json!({"replay_id": "CCCCCCCC-cccc-cccc-cccc-cccccccccccc", "segment_id": 3});
        sent.as_object_mut().unwrap().extend(case["event"].as_object().cloned().unwrap());
        let mut header = record("").header;
        header.user_agent = Some("Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0".to_owned());
        header.sent_at = case["sent_before"].as_i64().map(|secs| Timestamp::from_secs(RECEIVED - secs));
        match replay_event(sent.to_string().as_bytes(), &header, Some(&Atlas)) {
            Ok(read) => {
                let event = Value::Object(read.event.0);
                failures.extend(differences(case, &event));
                if let Some(place) = case.get("refused") {
                    failures.push(format!("{}: expected to be refused for {place}", case["name"]));
                }
                assert_eq!(event["replay_id"], read.replay_id.to_string());
                assert_eq!(event["segment_id"], read.segment);
            }
            Err(refused) => {
                assert_eq!(refused.reason.as_str(), "invalid_replay");
                if case.get("refused").and_then(Value::as_str) != refused.place.as_deref() {
                    failures.push(format!("{}: {refused} at {:?}", case["name"], refused.place));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn what_is_no_object_is_an_invalid_replay() {
    for payload in ["", "[]", "{", "null"] {
        let refused = replay_event(payload.as_bytes(), &record("").header, None).unwrap_err();
        assert_eq!(refused.reason.as_str(), "invalid_replay", "{payload}");
    }
}

#[test]
fn the_event_of_a_replay_is_known_by_the_replay() {
    let sent = json!({"event_id": "d".repeat(32), "segment_id": 0});
    let read = replay_event(sent.to_string().as_bytes(), &record("").header, None).unwrap();
    assert_eq!((read.replay_id, read.segment), (EventId([0xdd; 16]), 0));
    assert_eq!(read.event.text(&["event_id"]), Some("d".repeat(32).as_str()));
}

#[test]
fn secrets_in_the_pages_of_a_replay_are_taken_out() {
    let sent = json!({
        "replay_id": "c".repeat(32), "segment_id": 0,
        "urls": ["https://a.example/reset?password=hunter2", "https://u:pw@a.example/", "https://a.example/4111111111111111", "https://a.example/"],
        "request": {"url": "https://a.example/reset?api_key=k&page=2"},
    });
    let mut read = replay_event(sent.to_string().as_bytes(), &record("").header, None).unwrap();
    Scrubber::new(&ScrubSettings::default()).0.scrub(&mut read.event);
    let event = Value::Object(read.event.0);
    assert_eq!(
        event["urls"],
        json!(["[Filtered]", "https://u:[Filtered]@a.example/", "https://a.example/[Filtered]", "https://a.example/"])
    );
    assert_eq!(event["request"]["url"], "https://a.example/reset");
    assert_eq!(event["request"]["query_string"], json!([["api_key", "[Filtered]"], ["page", "2"]]));
}
