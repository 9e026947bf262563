//! Events of any shape are grouped: what is odd does not count.

use nuthatch_grouping::{Config, group, mark_frames, occurrence, row};
use nuthatch_protocol::{Event, EventId, ItemAttributes, KeyId, ProjectId, Timestamp, record::IngestHeader};
use proptest::prelude::*;
use serde_json::{Value, json};

pub(crate) fn header() -> IngestHeader {
    IngestHeader {
        project_id: ProjectId(7),
        key_id: KeyId(3),
        event_id: EventId([0xab; 16]),
        item_type: "event".to_owned(),
        attributes: ItemAttributes::default(),
        blob: None,
        user_agent: None,
        client_hints: nuthatch_protocol::record::ClientHints::default(),
        letter_id: None,
        received: Timestamp::from_secs(1_795_132_800),
        sent_at: None,
        client_ip: None,
        client: None,
        version: "7".to_owned(),
    }
}

fn text() -> impl Strategy<Value = Value> {
    let known = [
        "",
        "<lambda>::operator()(",
        "a<b<c>>::d",
        "block in x",
        "f::h0123456789abcdef",
        "{{ default }}",
        "é::\u{0}",
        "::1",
    ];
    prop_oneof![
        prop::sample::select(known.to_vec()).prop_map(Value::from),
        "[a-z0-9:.<>()&@$ _/=\\-]{0,40}".prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        Just(Value::Null),
        Just(json!([{}])),
        any::<i64>().prop_map(Value::from),
    ]
}

fn object(keys: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop::collection::btree_map(prop::sample::select(keys.to_vec()), text(), 0..8)
        .prop_map(|map| map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn stack() -> impl Strategy<Value = Value> {
    let frame = (
        object(&[
            "function",
            "raw_function",
            "module",
            "filename",
            "abs_path",
            "package",
            "context_line",
            "platform",
            "lineno",
        ]),
        any::<Option<bool>>(),
        prop::sample::select(vec!["java", "php", "ruby", "javascript", "native", "csharp"]),
    );
    let frame = frame.prop_map(|(mut frame, in_app, platform)| {
        frame["in_app"] = json!(in_app);
        frame["platform"] = json!(platform);
        frame
    });
    prop::collection::vec(prop_oneof![9 => frame.boxed(), 1 => Just(Value::Null).boxed()], 0..6)
        .prop_map(|frames| json!({"frames": frames}))
}

fn any_event() -> impl Strategy<Value = Event> {
    let exception = (object(&["type", "value", "module"]), stack(), -1..4_i64, -1..4_i64, any::<bool>());
    let exception = exception.prop_map(|(mut exception, stack, id, parent, is_group)| {
        exception["stacktrace"] = stack;
        exception["mechanism"] = json!({"exception_id": id, "parent_id": parent, "is_exception_group": is_group});
        exception
    });
    let exceptions = prop::collection::vec(exception, 0..5);
    (exceptions, stack(), object(&["message", "formatted"]), prop::collection::vec(text(), 0..3), text(), text())
        .prop_map(|(exceptions, stack, logentry, fingerprint, level, tag)| {
            let event = json!({
                "exception": {"values": exceptions}, "stacktrace": stack, "logentry": logentry, "level": level,
                "fingerprint": fingerprint, "tags": [["a", tag], null, [1]], "contexts": {"os": 5, "browser": logentry},
            });
            serde_json::from_value(event).unwrap()
        })
}

#[test]
fn marking_an_empty_function_keeps_its_raw_name() {
    let mut event: Event = serde_json::from_value(json!({
        "stacktrace": {"frames": [{"function": "", "raw_function": "- (", "platform": "native"}]},
    }))
    .unwrap();
    let config = Config::default();
    let hashes = group(&event, &config).hashes;
    mark_frames(&mut event, &config);
    assert_eq!(group(&event, &config).hashes, hashes);
    assert_eq!(event.0["stacktrace"]["frames"][0]["raw_function"], "- (");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_event_is_grouped_and_marking_frames_changes_no_hash(event in any_event()) {
        let config = Config::default();
        let grouping = group(&event, &config);
        prop_assert!(!grouping.hashes.is_empty());
        prop_assert!(!grouping.title.is_empty());
        prop_assert_eq!(&group(&event, &config), &grouping);
        row(&header(), &event, &grouping);
        occurrence(&header(), &event, &grouping);

        let mut marked = event.clone();
        mark_frames(&mut marked, &config);
        prop_assert_eq!(&group(&marked, &config).hashes, &grouping.hashes);
        let once = marked.clone();
        mark_frames(&mut marked, &config);
        prop_assert_eq!(once, marked);
    }
}
