//! Transactions, spans, logs and metrics.

use nuthatch_normalize::{
    GeoLookup, MAX_ENTRIES, Place, TraceItems,
    scrub::{ScrubSettings, Scrubber},
    trace_items, transaction,
};
use nuthatch_protocol::{IngestRecord, Timestamp};
use serde_json::{Map, Value, json};

use crate::{RECEIVED, record};

/// The parts of a result that are not exactly as expected (`null`: must be absent).
fn differences(name: &Value, found: &Value, expected: &Value, failures: &mut Vec<String>) {
    for (path, expected) in expected.as_object().unwrap_or(&Map::new()) {
        let value = path.split('/').fold(found, |value, key| match key.parse::<usize>() {
            Ok(index) if value.is_array() => &value[index],
            _ => &value[key],
        });
        let is_near = |(a, b): (f64, f64)| (a - b).abs() < 1e-9;
        if value != expected && !value.as_f64().zip(expected.as_f64()).is_some_and(is_near) {
            failures.push(format!("{name}: {path}\n  expected {expected}\n  found    {value}"));
        }
    }
}

/// A transaction of one second that ended half a second before it was received, with what the case adds to it.
fn sent(additions: &Value) -> IngestRecord {
    let mut event = json!({
        "type": "transaction", "transaction": "GET /", "transaction_info": {"source": "route"},
        "start_timestamp": RECEIVED as f64 - 1.5, "timestamp": RECEIVED as f64 - 0.5,
        "contexts": {"trace": {"trace_id": "a".repeat(32), "span_id": "b".repeat(16), "op": "http.server", "status": "ok"}},
    });
    merge(&mut event, additions);
    record(event.to_string())
}

/// Puts the additions over a tree: objects are joined, null removes, text and lists replace.
fn merge(into: &mut Value, additions: &Value) {
    for (key, value) in additions.as_object().unwrap_or(&Map::new()) {
        match (&mut into[key], value) {
            (Value::Object(_), Value::Object(_)) => merge(&mut into[key], value),
            (_, Value::Null) => {
                into.as_object_mut().unwrap().remove(key);
            }
            (slot, _) => *slot = value.clone(),
        }
    }
}

/// A span of the transaction, from and until milliseconds after its start.
fn span(id: u8, parent: &str, op: &str, from: i64, until: i64) -> Value {
    let at = |millis: i64| (RECEIVED * 1000 - 1500 + millis) as f64 / 1000.0;
    json!({"trace_id": "a".repeat(32), "span_id": format!("{id:016x}"), "parent_span_id": parent, "op": op,
        "start_timestamp": at(from), "timestamp": at(until)})
}

#[test]
fn every_transaction_comes_out_as_written() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("transaction_cases.json")).unwrap();
    let mut failures = Vec::new();
    for case in &cases {
        let mut record = sent(&case["event"]);
        record.header.attributes.profile_id = case.get("profile").map(|id| id.as_str().unwrap().parse().unwrap());
        match (transaction(&record, None), case.get("refused")) {
            (Ok(read), None) => differences(&case["name"], &json!(read.event), &case["expected"], &mut failures),
            (Err(refused), Some(place)) => {
                assert_eq!(refused.reason.as_str(), "invalid_transaction");
                if refused.place != place.as_str().map(str::to_owned) {
                    failures.push(format!("{}: refused at {:?}", case["name"], refused.place));
                }
            }
            (found, _) => failures.push(format!("{}: {found:?}", case["name"])),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Each case: operation, description, what the cleaned one must be (null: none), and perhaps the span's data.
#[test]
fn descriptions_lose_what_differs_from_one_time_to_the_next() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("description_cases.json")).unwrap();
    let mut failures = Vec::new();
    for case in &cases {
        let mut one = span(1, "bbbbbbbbbbbbbbbb", "", 0, 1);
        one["op"] = case[0].clone();
        one["description"] = case[1].clone();
        one["data"] = case.get(3).cloned().unwrap_or_default();
        let event = json!(transaction(&sent(&json!({"spans": [one]})), None).unwrap().event);
        let tags = &event["spans"][0]["sentry_tags"];
        if tags["description"] != case[2] {
            failures
                .push(format!("{} {}\n  expected {}\n  found    {}", case[0], case[1], case[2], tags["description"]));
        }
        assert_eq!(event["spans"][0]["description"], case[1], "the description itself stays");
        assert_eq!(tags["group"].is_null(), case[2].is_null());
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn spans_of_equal_work_are_one_group() {
    let group = |description: &str| {
        let mut one = span(1, "bbbbbbbbbbbbbbbb", "db", 0, 1);
        one["description"] = description.into();
        json!(transaction(&sent(&json!({"spans": [one]})), None).unwrap().event)["spans"][0]["sentry_tags"]["group"]
            .clone()
    };
    assert_eq!(group("SELECT * FROM t WHERE id = 1"), group("SELECT *  FROM t\nWHERE id = 'x'"));
    assert_ne!(group("SELECT * FROM t WHERE id = 1"), group("SELECT * FROM u WHERE id = 1"));
    assert_eq!(group("SELECT 1").as_str().unwrap().len(), 16);
}

/// Each week of rows is an index of its own, so no time may be kept that is out of the range.
#[test]
fn spans_out_of_the_range_are_left_out() {
    let day = 86_400_000;
    let root = "b".repeat(16);
    let spans = [
        span(1, &root, "db", 0, 1),
        span(2, &root, "db", -31 * day, 1),
        span(3, &root, "db", 0, day),
        span(4, &root, "db", 4_000 * day, 4_000 * day),
    ];
    let read = transaction(&sent(&json!({ "spans": spans })), None).unwrap();
    assert_eq!((read.untimely_spans, read.cut_spans), (3, 0));
    let kept = json!(read.event)["spans"].as_array().unwrap().len();
    assert_eq!(kept, 1);
    let old = json!({"start_timestamp": RECEIVED - 31 * 86_400});
    let refused = transaction(&sent(&old), None).unwrap_err();
    assert_eq!((refused.reason.as_str(), refused.place.as_deref()), ("timestamp", Some("start_timestamp")));

    let mut record = sent(&json!({}));
    "span".clone_into(&mut record.header.item_type);
    record.payload = json!({ "items": spans }).to_string().into();
    let read = trace_items(&record, None).unwrap();
    assert_eq!((read.entries.len(), read.broken.len()), (1, 3));
    assert!(read.broken.iter().all(|broken| broken.refused.reason.as_str() == "timestamp"));
}

#[test]
fn entries_beyond_the_bound_are_one_broken_entry_together() {
    let mut record = sent(&json!({}));
    "log".clone_into(&mut record.header.item_type);
    record.payload = json!({ "items": vec![1; MAX_ENTRIES + 5] }).to_string().into();
    let read = trace_items(&record, None).unwrap();
    assert_eq!(read.broken.len(), MAX_ENTRIES + 1);
    let beyond = read.broken.last().unwrap();
    assert_eq!((beyond.entries, beyond.refused.reason.as_str()), (5, "too_many_entries"));
    assert_eq!(read.broken.iter().map(|broken| broken.entries).sum::<u64>(), MAX_ENTRIES as u64 + 5);
}

#[test]
fn what_nobody_knows_of_a_span_is_bounded() {
    let mut one = span(1, "bbbbbbbbbbbbbbbb", "db", 0, 1);
    for number in 0..10_000 {
        one[format!("made_up_{number}")] = "x".repeat(100).into();
    }
    let event = json!(transaction(&sent(&json!({ "spans": [one] })), None).unwrap().event);
    let span = event["spans"][0].as_object().unwrap();
    assert!(span.keys().filter(|key| key.starts_with("made_up")).count() < 200);
    assert_eq!(span["op"], "db");
}

/// Says that everybody is in Vienna.
#[derive(Debug)]
struct Vienna;

impl GeoLookup for Vienna {
    fn place(&self, _: std::net::IpAddr) -> Option<Place> {
        Some(Place { country_code: Some("AT".to_owned()), city: Some("Vienna".to_owned()), ..Place::default() })
    }
}

#[test]
fn log_lines_say_where_their_user_is() {
    let line = |attributes: &Value| {
        let mut record = sent(&json!({}));
        "log".clone_into(&mut record.header.item_type);
        let line = json!({"timestamp": RECEIVED, "trace_id": "a".repeat(32), "body": "x", "attributes": attributes});
        record.payload = json!({ "items": [line] }).to_string().into();
        let read = trace_items(&record, Some(&Vienna)).unwrap();
        Value::Object(read.entries[0].content.clone())["attributes"].clone()
    };
    let text = |text: &str| json!({"value": text, "type": "string"});
    let found = line(&json!({"client.address": text("203.0.113.7")}));
    assert_eq!((&found["user.geo.country_code"], &found["user.geo.city"]), (&json!("AT"), &json!("Vienna")));
    let told = line(&json!({"client.address": text("203.0.113.7"), "user.geo.city": text("Graz")}));
    assert_eq!((&told["user.geo.country_code"], &told["user.geo.city"]), (&Value::Null, &json!("Graz")));
    assert_eq!(line(&json!({}))["user.geo.city"], Value::Null);
}

#[test]
fn time_is_owned_by_the_innermost_span() {
    let root = "b".repeat(16);
    let spans = [
        span(1, &root, "http.client", 0, 400),
        span(2, "0000000000000001", "db", 100, 200),
        // Overlaps its sibling, and outlives its parent.
        span(3, "0000000000000001", "db", 150, 900),
        span(4, &root, "serialize", 300, 600),
        span(5, "0000000000000005", "own.parent", 950, 960),
    ];
    let event = json!(transaction(&sent(&json!({"spans": spans})), None).unwrap().event);
    let own: Vec<f64> =
        event["spans"].as_array().unwrap().iter().map(|span| span["exclusive_time"].as_f64().unwrap()).collect();
    assert_eq!(own, [100.0, 100.0, 750.0, 300.0, 10.0]);
    assert_eq!(event["contexts"]["trace"]["exclusive_time"], 400.0);
    let ops = &event["breakdowns"]["span_ops"];
    assert_eq!(ops["ops.http"], json!({"value": 400.0, "unit": "millisecond"}));
    assert_eq!(ops["ops.db"]["value"], 800.0);
    assert_eq!(ops["total.time"]["value"], 400.0 + 800.0 + 300.0 + 10.0);
}

#[test]
fn a_wrong_clock_and_an_old_transaction_move_with_all_their_spans() {
    for (offset, sent_at) in [(-40 * 86_400, None), (7200, None), (-7200, Some(-7200))] {
        let move_by =
            |value: &mut Value, key: &str| value[key] = json!(value[key].as_f64().unwrap() + f64::from(offset));
        let mut event: Value = serde_json::from_slice(&sent(&json!({})).payload).unwrap();
        let mut one = span(1, "bbbbbbbbbbbbbbbb", "db", 250, 750);
        for value in [&mut event, &mut one] {
            move_by(value, "start_timestamp");
            move_by(value, "timestamp");
        }
        event["spans"] = json!([one]);
        let mut record = record(event.to_string());
        record.header.sent_at = sent_at.map(|offset| Timestamp::from_secs(RECEIVED + offset));
        let event = json!(transaction(&record, None).unwrap().event);
        let end = event["timestamp"].as_f64().unwrap();
        assert!((RECEIVED as f64 - 0.6..=RECEIVED as f64).contains(&end), "{offset}: {end}");
        let relative = |key: &str| ((event["spans"][0][key].as_f64().unwrap() - end) * 1000.0).round();
        assert_eq!((relative("start_timestamp"), relative("timestamp")), (-750.0, -250.0), "{offset}");
    }
}

#[test]
fn spans_beyond_the_bound_are_cut_off_the_end_and_told() {
    let spans: Vec<Value> = (0..400)
        .map(|number| {
            let mut one = span(1, "bbbbbbbbbbbbbbbb", "db", 0, 1);
            one["data"] = json!({"number": number, "text": "x".repeat(4000)});
            one
        })
        .collect();
    let read = transaction(&sent(&json!({"spans": spans})), None).unwrap();
    let kept = read.event.get(&["spans"]).unwrap().as_array().unwrap();
    assert!((150..210).contains(&kept.len()), "{}", kept.len());
    assert_eq!(read.cut_spans, 400 - kept.len());
    assert_eq!(read.event.get(&["_meta", "spans", "", "len"]), Some(&json!(400)));
    assert!(kept.iter().enumerate().all(|(number, span)| span["data"]["number"] == number));
    assert_eq!(read.event.get(&["contexts", "trace", "trace_id"]), Some(&json!("a".repeat(32))));
}

#[test]
fn the_ids_of_the_trace_survive_whatever_else_is_in_its_context() {
    let data: Map<String, Value> = (0..100).map(|n| (format!("key{n}"), Value::from("x".repeat(500)))).collect();
    let event = json!(transaction(&sent(&json!({"contexts": {"trace": {"data": data}}})), None).unwrap().event);
    assert_eq!(event["contexts"]["trace"]["trace_id"], "a".repeat(32));
    assert_eq!(event["contexts"]["trace"]["span_id"], "b".repeat(16));
}

#[test]
fn a_canonical_transaction_is_already_canonical() {
    let mut one = span(1, "bbbbbbbbbbbbbbbb", "http.client", 0, 100);
    one["description"] = "GET https://api.example.com/users/17?q=1".into();
    let additions = json!({
        "transaction": "/users/1234", "transaction_info": {"source": "url"}, "spans": [one],
        "measurements": {"fcp": {"value": 1000}, "lcp": {"value": 2000}, "custom": {"value": 1, "unit": "byte"}},
        "contexts": {"browser": {"name": "Chrome", "version": "120"}}
    });
    let once = json!(transaction(&sent(&additions), None).unwrap().event);
    let again = json!(transaction(&record(once.to_string()), None).unwrap().event);
    assert_eq!(once, again);
}

fn items(case: &Value) -> (IngestRecord, Result<TraceItems, nuthatch_normalize::Refused>) {
    let payload = match &case["payload"] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut record = record(payload);
    case["type"].as_str().unwrap().clone_into(&mut record.header.item_type);
    let drift = case.get("sent_secs_ago").and_then(Value::as_i64);
    record.header.sent_at = drift.map(|ago| Timestamp::from_secs(RECEIVED - ago));
    let read = trace_items(&record, None);
    (record, read)
}

/// Each case: an item, the parts of its entries that must be exactly so, and the reasons of those left out; or the reason
/// why the whole item is refused. Entries are scrubbed if the case has settings.
#[test]
fn every_entry_comes_out_as_written() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("trace_item_cases.json")).unwrap();
    let mut failures = Vec::new();
    for case in &cases {
        let read = match items(case).1 {
            Ok(read) => read,
            Err(refused) => {
                if case["refused"] != json!([refused.reason.as_str(), refused.place]) {
                    failures.push(format!("{}: {refused:?}", case["name"]));
                }
                continue;
            }
        };
        let settings = case.get("settings").map(|settings| serde_json::from_value::<ScrubSettings>(settings.clone()));
        let scrubber = settings.map(|settings| Scrubber::new(&settings.unwrap()).0);
        let contents = read.entries.iter().map(|entry| {
            let mut content = entry.content.clone();
            if let Some(scrubber) = &scrubber {
                scrubber.scrub_item(read.kind, &mut content);
            }
            Value::Object(content)
        });
        differences(&case["name"], &Value::Array(contents.collect()), &case["expected"], &mut failures);
        let places: Vec<usize> = read.entries.iter().map(|entry| entry.place).collect();
        if let Some(expected) = case.get("places")
            && json!(places) != *expected
        {
            failures.push(format!("{}: places {places:?}", case["name"]));
        }
        let broken: Vec<Value> =
            read.broken.iter().map(|broken| json!([broken.refused.reason.as_str(), broken.refused.place])).collect();
        if json!(broken) != *case.get("broken").unwrap_or(&json!([])) {
            failures.push(format!("{}: broken {broken:?}", case["name"]));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_container_has_a_bounded_number_of_entries() {
    let entry = r#"{"timestamp":1,"trace_id":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","body":"x"},"#;
    let mut payload = format!("{{\"items\":[{}", entry.repeat(nuthatch_normalize::MAX_ENTRIES + 1));
    payload.truncate(payload.len() - 1);
    payload.push_str("]}");
    let (_, read) = items(&json!({"type": "log", "payload": payload}));
    let read = read.unwrap();
    assert_eq!((read.entries.len(), read.broken.len()), (nuthatch_normalize::MAX_ENTRIES, 1));
}

#[test]
fn attributes_are_bounded_in_number_and_size() {
    let attributes: Map<String, Value> = (0..600)
        .map(|n| (format!("key{n:03}"), json!({"value": "x".repeat(2000), "type": "string"})))
        .chain([("k".repeat(300), json!({"value": 1}))])
        .collect();
    let payload =
        json!({"items": [{"timestamp": RECEIVED, "trace_id": "a".repeat(32), "body": "x", "attributes": attributes}]});
    let (_, read) = items(&json!({"type": "log", "payload": payload}));
    let entry = Value::Object(read.unwrap().entries.remove(0).content);
    assert!(entry["attributes"].to_string().len() <= 256 << 10);
    assert!(entry["attributes"]["key000"].is_string());
    assert_eq!(entry["_meta"]["attributes"][""]["len"], json!(500));
}
