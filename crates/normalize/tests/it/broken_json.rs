use nuthatch_normalize::{MAX_DEPTH, Reason};
use serde_json::json;

use crate::{read, refused};

fn extra(payload: impl Into<bytes::Bytes>) -> serde_json::Value {
    read(payload)["extra"].clone()
}

#[test]
fn what_sdks_really_produce_is_repaired() {
    assert_eq!(
        extra(&br#"{"extra":{"a":NaN,"b":Infinity,"c":-Infinity,"d":1e999,"e":-1e999,"f":1}}"#[..]),
        json!({"f": 1})
    );
    assert_eq!(extra(&br#"{"extra":{"a":"\ud800 x \udc00"}}"#[..]), json!({"a": "\u{fffd} x \u{fffd}"}));
    assert_eq!(extra(&br#"{"extra":{"a":"\ud83d\ude00","b":NaN}}"#[..]), json!({"a": "😀"}));
    assert_eq!(extra(&br#"{"extra":{"a":"\ud83d\u0041"}}"#[..]), json!({"a": "\u{fffd}A"}));
    assert_eq!(extra(&b"{\"extra\":{\"a\":\"\xff\xfe ok\"}}"[..]), json!({"a": "\u{fffd}\u{fffd} ok"}));
    assert_eq!(extra(&b"{\"extra\":{\"a\":\"line\nbreak\"}}"[..]), json!({"a": "line\nbreak"}));
    assert_eq!(extra(&b"\xEF\xBB\xBF{\"extra\":{\"a\":1}}"[..]), json!({"a": 1}));
}

#[test]
fn no_text_holds_nul() {
    for payload in [&br#"{"extra":{"k\u0000":"a\u0000b"}}"#[..], b"{\"extra\":{\"k\0\":\"a\0b\"}}"] {
        assert_eq!(extra(payload), json!({"k\u{fffd}": "a\u{fffd}b"}));
    }
    assert_eq!(extra(&br#"{"extra":{"k":"a\\u0000b"}}"#[..]), json!({"k": "a\\u0000b"}));
}

#[test]
fn the_last_of_duplicate_keys_wins_in_both_readers() {
    assert_eq!(extra(&br#"{"extra":{"a":1,"a":2}}"#[..]), json!({"a": 2}));
    assert_eq!(extra(&br#"{"extra":{"a":1,"a":2,"b":NaN}}"#[..]), json!({"a": 2}));
}

#[test]
fn depth_is_bounded_and_the_place_told() {
    for open in ["[", "{\"a\":"] {
        let bomb = format!("{{\"extra\":{}", open.repeat(100_000));
        let refusal = refused(bomb);
        assert_eq!(refusal.reason, Reason::TooDeep);
        let offset = "{\"extra\":".len() + (MAX_DEPTH - 1) * open.len();
        assert_eq!(refusal.place, Some(format!("byte {offset}")));
    }
}

#[test]
fn both_readers_draw_the_line_of_depth_at_the_same_level() {
    let nested = |levels: usize, inside: &str| {
        let lists = levels - 1;
        format!("{{\"a\":{}{inside}{}}}", "[".repeat(lists), "]".repeat(lists))
    };
    for inside in ["1", "NaN"] {
        read(nested(MAX_DEPTH, inside));
        assert_eq!(refused(nested(MAX_DEPTH + 1, inside)).reason, Reason::TooDeep, "{inside}");
    }
}

#[test]
fn what_is_no_json_is_refused_with_its_place() {
    for (payload, place) in [
        ("", "byte 0"),
        ("hello", "byte 0"),
        ("{\"a\":1", "byte 6"),
        ("{\"a\":1}x", "byte 7"),
        ("{\"a\":\"x", "byte 7"),
        ("{a:1}", "byte 1"),
        ("{\"a\":1-2}", "byte 5"),
        ("{\"a\":\"\\q\"}", "byte 8"),
    ] {
        let refusal = refused(payload.as_bytes().to_vec());
        assert_eq!((refusal.reason, refusal.place.as_deref()), (Reason::InvalidJson, Some(place)), "{payload}");
    }
    for payload in ["[]", "1", "null", "\"text\""] {
        assert_eq!(refused(payload.as_bytes().to_vec()).reason, Reason::NotAnObject, "{payload}");
    }
}
