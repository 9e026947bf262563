//! What people say about an application.

use nuthatch_normalize::{Reason, normalize};
use serde_json::{Value, json};

use crate::record;

fn feedback(payload: &Value) -> Result<Value, Reason> {
    let mut record = record(payload.to_string());
    "feedback".clone_into(&mut record.header.item_type);
    normalize(&record, None).map(|event| Value::Object(event.0)).map_err(|refused| refused.reason)
}

#[test]
fn feedback_has_a_type_of_its_own_and_knows_who_gave_it() {
    let event = feedback(&json!({
        "type": "error",
        "user": {"email": "ann@example.com", "name": "Ann"},
        "contexts": {"feedback": {"message": "x".repeat(5000), "name": "Annie", "associated_event_id": "771A43A4-1926-42F0-B136-D5159A501700", "replay_id": 5}},
    }))
    .unwrap();
    assert_eq!(event["type"], "userreportv2");
    let feedback = &event["contexts"]["feedback"];
    assert_eq!(feedback["message"].as_str().unwrap().len(), 4096);
    assert_eq!((&feedback["name"], &feedback["contact_email"]), (&json!("Annie"), &json!("ann@example.com")));
    assert_eq!(feedback["associated_event_id"], "771a43a4192642f0b136d5159a501700");
    assert_eq!(
        (&feedback["replay_id"], &event["_meta"]["contexts"]["feedback"]["replay_id"][""]["val"]),
        (&Value::Null, &json!(5))
    );
}

#[test]
fn feedback_without_a_word_is_refused() {
    for empty in [
        json!({}),
        json!({"contexts": {"feedback": {"name": "Ann"}}}),
        json!({"contexts": {"feedback": {"message": "  "}}}),
    ] {
        assert_eq!(feedback(&empty), Err(Reason::EmptyFeedback), "{empty}");
    }
}
