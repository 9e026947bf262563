use nuthatch_normalize::normalize;
use nuthatch_protocol::Timestamp;
use serde_json::{Value, json};

use crate::{RECEIVED, read, record};

#[test]
fn times_are_read_in_every_spelling() {
    for text in [
        "\"2026-11-19T23:59:58.5Z\"",
        "\"2026-11-20T00:59:58.5+01:00\"",
        "\"2026-11-19T23:59:58.500000\"",
        "\"2026-11-19 23:59:58.5\"",
        "1795132798.5",
    ] {
        let event = read(format!("{{\"timestamp\":{text}}}"));
        assert_eq!(event["timestamp"], json!(RECEIVED as f64 - 1.5), "{text}");
        assert_eq!(event["received"], json!(RECEIVED as f64));
    }
    for text in ["\"yesterday\"", "\"1795132798\"", "{}", "-5", "null"] {
        let event = read(format!("{{\"timestamp\":{text}}}"));
        assert_eq!(event["timestamp"], json!(RECEIVED as f64), "{text}");
        assert_eq!(event["_meta"]["timestamp"][""]["err"][0][0] == "invalid_data", text != "null", "{text}");
    }
}

#[test]
fn no_event_lies_outside_the_window_and_its_parts_move_along() {
    for (offset, kind) in [(120, "future_timestamp"), (-31 * 86_400, "past_timestamp")] {
        let time = RECEIVED + offset;
        let event = read(format!(
            "{{\"timestamp\":{time},\"start_timestamp\":{},\"breadcrumbs\":[{{\"timestamp\":{}}}]}}",
            time - 3,
            time - 10
        ));
        assert_eq!(event["timestamp"], json!(RECEIVED as f64));
        assert_eq!(event["start_timestamp"], json!(RECEIVED as f64 - 3.0));
        assert_eq!(event["breadcrumbs"]["values"][0]["timestamp"], json!(RECEIVED as f64 - 10.0));
        assert_eq!(event["_meta"]["timestamp"][""]["err"][0][0], kind);
    }
    let old = RECEIVED - 29 * 86_400;
    assert_eq!(read(format!("{{\"timestamp\":{old}}}"))["timestamp"], json!(old as f64));
}

#[test]
fn a_wrong_clock_is_corrected_from_55_minutes_on() {
    for (drift, moved) in [(55 * 60, true), (55 * 60 - 1, false), (-3 * 3600, true)] {
        let sent = RECEIVED - drift;
        let mut record = record(format!("{{\"timestamp\":{}}}", sent - 2));
        record.header.sent_at = Some(Timestamp::from_secs(sent));
        let event = Value::Object(normalize(&record, None).unwrap().0);
        let expected = if moved { RECEIVED - 2 } else { sent - 2 };
        assert_eq!(event["timestamp"], json!(expected as f64), "{drift}");
        assert_eq!(event["_meta"]["timestamp"][""]["err"][0][0] == "clock_drift", moved, "{drift}");
    }
}
