use serde_json::{Value, json};

use crate::read;

fn with_frames(count: usize, in_app: impl Fn(usize) -> bool) -> Value {
    let frame = |n: usize| json!({"function": format!("f{n}"), "in_app": in_app(n), "vars": {"n": n}});
    let frames: Vec<Value> = (0..count).map(frame).collect();
    read(json!({"exception": [{"type": "E", "stacktrace": {"frames": frames}}]}).to_string())
}

fn frames(event: &Value) -> &Vec<Value> {
    event["exception"]["values"][0]["stacktrace"]["frames"].as_array().unwrap()
}

#[test]
fn a_long_text_is_cut_and_its_length_told() {
    let event = read(json!({"logentry": {"formatted": "é".repeat(9000)}}).to_string());
    let text = event["logentry"]["formatted"].as_str().unwrap();
    assert_eq!(text.chars().count(), 8192);
    assert!(text.ends_with("é..."));
    assert_eq!(event["_meta"]["logentry"]["formatted"][""]["len"], 9000);
    let within_allowance = "x".repeat(8192 + 200);
    assert_eq!(read(json!({"message": within_allowance}).to_string())["logentry"]["formatted"], within_allowance);
}

/// Where a bag is too full, what is long goes first: what comes behind it by name says as much.
#[test]
fn a_long_entry_costs_no_short_one() {
    let long = "x".repeat(20_000);
    let trace = json!({"trace_id": "a".repeat(32), "span_id": "b".repeat(16), "op": "task", "status": "ok", "data": {"long": long, "z": 1}});
    let event = read(json!({"contexts": {"trace": trace}, "extra": {"a": {"long": long, "z": 1}}}).to_string());
    let trace = &event["contexts"]["trace"];
    assert_eq!(
        (&trace["op"], &trace["span_id"], &trace["data"]["z"]),
        (&json!("task"), &json!("b".repeat(16)), &json!(1))
    );
    assert!(trace["data"]["long"].as_str().unwrap().len() < 8192);
    assert_eq!(event["_meta"]["contexts"]["trace"]["data"]["long"][""]["len"], 20_000);
    assert_eq!(event["extra"]["a"]["z"], 1);
}

#[test]
fn the_newest_and_the_oldest_frames_stay() {
    let event = with_frames(1000, |_| true);
    let frames = frames(&event);
    assert_eq!(frames.len(), 250);
    assert_eq!((&frames[24]["function"], &frames[25]["function"]), (&json!("f24"), &json!("f775")));
    assert_eq!(frames[249]["function"], "f999");
    let note = &event["_meta"]["exception"]["values"]["0"]["stacktrace"]["frames"][""];
    assert_eq!(note["len"], 1000);
}

#[test]
fn in_long_stacks_the_middle_loses_its_variables_and_the_system_first() {
    let with_vars = |event: &Value| -> Vec<usize> {
        let frames = frames(event).iter().enumerate();
        frames.filter(|(_, frame)| frame.get("vars").is_some()).map(|(index, _)| index).collect()
    };
    assert_eq!(with_vars(&with_frames(50, |_| false)).len(), 50);
    let all_app: Vec<usize> = (0..25).chain(75..100).collect();
    assert_eq!(with_vars(&with_frames(100, |_| true)), all_app);
    let few_app = with_vars(&with_frames(100, |n| (40..60).contains(&n)));
    assert_eq!(few_app, (0..15).chain(40..60).chain(85..100).collect::<Vec<_>>());
}

#[test]
fn free_content_keeps_to_its_depth_and_size() {
    let event = read(json!({"extra": {"deep": {"2": {"3": {"4": {"5": {"6": {"7": {"8": {"9": 1}}}}}}}}}}).to_string());
    let deepest = &event["extra"]["deep"]["2"]["3"]["4"]["5"]["6"]["7"];
    assert_eq!(deepest, &json!({"8": "{\"9\":1}"}));
    let wide: serde_json::Map<String, Value> =
        (0..1000).map(|n| (format!("k{n:04}"), "x".repeat(100).into())).collect();
    let event = read(json!({"extra": {"wide": wide}}).to_string());
    let kept = event["extra"]["wide"].as_object().unwrap().len();
    assert!((100..200).contains(&kept), "{kept}");
    assert_eq!(event["_meta"]["extra"]["wide"][""]["len"], 1000);
    let many: serde_json::Map<String, Value> = (0..100).map(|n| (format!("k{n}"), "x".repeat(16_000).into())).collect();
    let event = read(json!({"extra": many}).to_string());
    assert_eq!(event["extra"].as_object().unwrap().len(), 16);
    assert_eq!(event["_meta"]["extra"][""]["len"], 100);
}

#[test]
fn a_hostile_event_does_not_grow_by_its_own_errors() {
    let breadcrumbs: Vec<Value> = (0..5000).map(|_| json!({"timestamp": "never", "message": "m"})).collect();
    let event = read(json!({"breadcrumbs": breadcrumbs}).to_string());
    assert_eq!(event["_meta"]["breadcrumbs"]["values"].as_object().unwrap().len(), 500);
}

#[test]
fn a_content_type_that_is_taken_from_a_header_is_cut_like_one_that_was_sent() {
    let kind = "x".repeat(1000);
    let event = read(json!({"request": {"headers": {"Content-Type": kind}, "data": "body"}}).to_string());
    assert_eq!(event["request"]["inferred_content_type"].as_str().unwrap().len(), 256);
    assert_eq!(event["_meta"]["request"]["inferred_content_type"][""]["len"], 1000);
}
