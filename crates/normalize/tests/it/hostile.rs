//! Events made to be expensive, each within what intake takes: what is stored of them is bounded, and `_meta` tells how
//! much there was.

use nuthatch_normalize::{MAX_DEPTH, Reason};
use serde_json::{Map, Value, json};

use crate::{read, refused};

/// What intake takes of one event, in bytes (`reference/ingest-protocol.md` §5.2).
const EVENT_MAX_BYTES: usize = 1 << 20;

/// As many keys as an event has room for.
const KEYS: usize = 80_000;

fn keys(count: usize, value: &Value) -> Value {
    Value::Object((0..count).map(|n| (format!("k{n}"), value.clone())).collect())
}

fn list(count: usize, value: &Value) -> Value {
    Value::Array(vec![value.clone(); count])
}

/// The normal form, and its length as it is stored.
fn stored(event: &Value) -> (Value, usize) {
    let payload = event.to_string();
    assert!(payload.len() <= EVENT_MAX_BYTES, "intake would refuse {} bytes", payload.len());
    let event = read(payload);
    let bytes = event.to_string().len();
    (event, bytes)
}

/// The note about the length before, at a place of the event.
fn length_before(event: &Value, place: &str) -> Value {
    let empty = Value::Object(Map::new());
    let node = place.split('.').try_fold(&event["_meta"], |node, key| node.get(key)).unwrap_or(&empty);
    node[""]["len"].clone()
}

#[test]
fn ten_thousand_tags_become_two_hundred() {
    for tags in [keys(10_000, &json!("v")), (0..10_000).map(|n| json!([format!("k{n}"), "v"])).collect()] {
        let (event, bytes) = stored(&json!({ "tags": tags }));
        assert_eq!(event["tags"].as_array().map(Vec::len), Some(200));
        assert_eq!(length_before(&event, "tags"), 10_000);
        assert!(bytes < 8 << 10, "{bytes}");
    }
}

#[test]
fn an_event_full_of_keys_is_stored_bounded_and_says_how_many_there_were() {
    for (place, event, bytes_max) in [
        ("extra", json!({ "extra": keys(KEYS, &json!(1)) }), 300 << 10),
        ("extra.k", json!({ "extra": { "k": keys(KEYS, &json!(1)) } }), 20 << 10),
        ("contexts", json!({ "contexts": keys(KEYS / 4, &json!({ "a": 1 })) }), 8 << 10),
        ("contexts.k", json!({ "contexts": { "k": keys(KEYS, &json!(1)) } }), 12 << 10),
        ("tags", json!({ "tags": keys(KEYS, &json!("v")) }), 8 << 10),
        ("modules", json!({ "modules": keys(KEYS, &json!("1")) }), 80 << 10),
        ("user.data", json!({ "user": keys(KEYS, &json!(1)) }), 20 << 10),
        ("request.headers", json!({ "request": { "headers": keys(KEYS, &json!("v")) } }), 20 << 10),
        ("request.data", json!({ "request": { "data": keys(KEYS, &json!("v")) } }), 20 << 10),
    ] {
        let (event, bytes) = stored(&event);
        assert!(bytes <= bytes_max, "{place}: {bytes} bytes are stored");
        assert!(length_before(&event, place).as_u64() >= Some(20_000), "{place}: {}", event["_meta"]);
    }
}

#[test]
fn an_event_full_of_entries_is_stored_bounded_and_says_how_many_there_were() {
    let frames = |count| json!({ "type": "E", "stacktrace": { "frames": list(count, &json!({ "function": "f" })) } });
    for (place, event, bytes_max) in [
        ("fingerprint", json!({ "fingerprint": list(100_000, &json!("p")) }), 4 << 10),
        ("breadcrumbs.values", json!({ "breadcrumbs": list(20_000, &json!({ "message": "m" })) }), 80 << 10),
        ("exception.values", json!({ "exception": list(20_000, &json!({ "type": "E" })) }), 80 << 10),
        ("exception.values.0.stacktrace.frames", json!({ "exception": [frames(20_000)] }), 80 << 10),
        ("threads.values", json!({ "threads": list(20_000, &json!({ "name": "t" })) }), 80 << 10),
        (
            "debug_meta.images",
            json!({ "debug_meta": { "images": list(10_000, &json!({ "type": "proguard", "uuid": "a".repeat(32) })) } }),
            256 << 10,
        ),
    ] {
        let (event, bytes) = stored(&event);
        assert!(bytes <= bytes_max, "{place}: {bytes} bytes are stored");
        assert!(length_before(&event, place).as_u64() >= Some(10_000), "{place}: {}", event["_meta"]);
    }
}

#[test]
fn keys_that_are_no_fields_leave_nothing_behind() {
    let (event, bytes) = stored(&keys(KEYS, &json!(1)));
    assert!(event.get("k0").is_none());
    assert!(bytes < 1 << 10, "{bytes}");
}

#[test]
fn a_million_keys_without_a_bound_before_are_read_within_the_bounds_of_an_event() {
    // Larger than intake takes; records of a server with a higher limit may hold it.
    let payload = json!({ "extra": { "k": keys(1_000_000, &json!(1)) } }).to_string();
    assert!(payload.len() > 10 * EVENT_MAX_BYTES);
    let event = read(payload);
    assert!(event.to_string().len() <= 20 << 10);
    assert_eq!(length_before(&event, "extra.k"), 1_000_000);
}

#[test]
fn a_key_as_long_as_an_event_is_not_stored() {
    let long = "k".repeat(EVENT_MAX_BYTES - 100);
    for field in ["extra", "contexts", "tags", "user", "modules"] {
        for value in [json!("v"), json!({ "a": 1 })] {
            let (event, bytes) = stored(&json!({ (field): { (long.as_str()): value } }));
            assert!(bytes < 8 << 10, "{field}: {bytes} bytes are stored: {:.200}", event.to_string());
        }
    }
}

#[test]
fn depth_is_refused_where_it_could_exhaust_a_stack_and_flattened_before() {
    let nested = |levels: usize| format!("{{\"extra\":{{\"k\":{}1{}}}}}", "[".repeat(levels), "]".repeat(levels));
    let event = read(nested(MAX_DEPTH - 2));
    assert!(event.to_string().len() < 1 << 10);
    assert_eq!(refused(nested(MAX_DEPTH)).reason, Reason::TooDeep);
    assert_eq!(refused(nested(EVENT_MAX_BYTES / 2 - 100)).reason, Reason::TooDeep);
}
