//! Real events, hurt in every way.

use nuthatch_normalize::normalize;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::record;

fn real_events() -> Vec<&'static str> {
    include_str!("events.jsonl").lines().collect()
}

/// Values of the wrong shape, put where something else was expected.
fn odd_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!([])),
        Just(json!({})),
        Just(json!("")),
        Just(json!("x".repeat(20_000))),
        Just(json!("{{auto}}")),
        Just(json!("%s %(a)s {} {0")),
        Just(json!([[1, 2], ["a", null], [[], {}], "x", null, 5])),
        Just(json!({"values": [null, 1, {"type": {}, "value": []}, {"a": {"b": [[[[[[[[[1]]]]]]]]]}}]})),
        Just(json!({"frames": [null, 3, {"vars": [1, 2], "filename": 3, "abs_path": "http://x"}]})),
        Just(json!({"": {"": {"err": 5}}})),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|n| Value::from(f64::from(n) / 64.0)),
        any::<bool>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
    ]
}

/// Walks a tree by the choices and puts the odd value where it ends.
fn plant(value: &mut Value, choices: &[prop::sample::Index], odd: Value) {
    let Some((choice, rest)) = choices.split_first() else {
        *value = odd;
        return;
    };
    match value {
        Value::Object(map) if !map.is_empty() => {
            let key = map.keys().nth(choice.index(map.len())).unwrap().clone();
            plant(&mut map[&key], rest, odd);
        }
        Value::Array(items) if !items.is_empty() => {
            let index = choice.index(items.len());
            plant(&mut items[index], rest, odd);
        }
        other => *other = odd,
    }
}

/// The path of the first difference with both values: whole events would be pages of output.
pub(crate) fn first_difference(path: &str, a: &Value, b: &Value) -> Option<String> {
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            x.keys().chain(y.keys()).find_map(|key| first_difference(&format!("{path}/{key}"), &a[key], &b[key]))
        }
        (Value::Array(x), Value::Array(y)) if x.len() == y.len() => {
            (0..x.len()).find_map(|index| first_difference(&format!("{path}/{index}"), &a[index], &b[index]))
        }
        _ => (a != b).then(|| format!("{path}: {a:.200} became {b:.200}")),
    }
}

pub(crate) fn mutated_event() -> impl Strategy<Value = Value> {
    let place = prop::collection::vec(any::<prop::sample::Index>(), 1..8);
    let wounds = prop::collection::vec((place, odd_value()), 0..6);
    (any::<prop::sample::Index>(), wounds).prop_map(|(which, wounds)| {
        let events = real_events();
        let mut event: Value = serde_json::from_str(events[which.index(events.len())]).unwrap();
        for (place, odd) in wounds {
            plant(&mut event, &place, odd);
        }
        if event.is_object() { event } else { json!({}) }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Replay relies on it: the same record gives the same bytes, and a canonical event is already canonical.
    #[test]
    fn the_normal_form_is_one_and_final(event in mutated_event()) {
        let record = record(event.to_string());
        let once = normalize(&record, None).unwrap();
        prop_assert_eq!(once.to_json(), normalize(&record, None).unwrap().to_json());
        let again = normalize(&crate::record(once.to_json()), None).unwrap();
        prop_assert_eq!(first_difference("", &Value::Object(once.0), &Value::Object(again.0)), None);
    }

    #[test]
    fn bytes_of_any_kind_are_read_or_refused(which: prop::sample::Index, at: prop::sample::Index, bytes: Vec<u8>) {
        let events = real_events();
        let mut payload = events[which.index(events.len())].as_bytes().to_vec();
        let at = at.index(payload.len());
        payload.splice(at..(at + bytes.len()).min(payload.len()), bytes);
        if let Err(refused) = normalize(&record(payload), None) {
            prop_assert!(refused.place.is_some());
        }
    }
}
