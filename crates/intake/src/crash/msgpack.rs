//! msgpack, as native SDKs write it at the moment of a crash, as JSON.

use std::collections::VecDeque;

use rmpv::decode::read_value_with_max_depth;
use serde_json::{Map, Number, Value};

/// Deepest nesting that is read.
const DEPTH_MAX: usize = 64;

/// The last `kept` of the values that stand one behind the other; `None` when one is broken or cut off.
pub(super) fn last_values(mut bytes: &[u8], kept: usize) -> Option<VecDeque<Value>> {
    let mut values = VecDeque::new();
    while !bytes.is_empty() {
        values.push_back(json(read_value_with_max_depth(&mut bytes, DEPTH_MAX).ok()?)?);
        if values.len() > kept {
            values.pop_front();
        }
    }
    Some(values)
}

/// What JSON has no word for becomes null; bytes and broken texts are read as far as they are text. `None` when a key is a list
/// or a map: written as the text of a key, and that one again in the next, few bytes would become gigabytes.
fn json(value: rmpv::Value) -> Option<Value> {
    Some(match value {
        rmpv::Value::Nil | rmpv::Value::Ext(..) => Value::Null,
        rmpv::Value::Boolean(truth) => truth.into(),
        rmpv::Value::Integer(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => number.into(),
            (_, Some(number)) => number.into(),
            _ => Value::Null,
        },
        rmpv::Value::F32(number) => float(number.into()),
        rmpv::Value::F64(number) => float(number),
        rmpv::Value::String(text) => text_of(text.as_bytes()).into(),
        rmpv::Value::Binary(bytes) => text_of(&bytes).into(),
        rmpv::Value::Array(list) => Value::Array(list.into_iter().map(json).collect::<Option<_>>()?),
        rmpv::Value::Map(entries) => {
            let entries = entries.into_iter().map(|(key, value)| Some((key_of(key)?, json(value)?)));
            Value::Object(entries.collect::<Option<Map<_, _>>>()?)
        }
    })
}

fn float(number: f64) -> Value {
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn key_of(key: rmpv::Value) -> Option<String> {
    if key.is_array() || key.is_map() {
        return None;
    }
    Some(match json(key)? {
        Value::String(text) => text,
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn values(bytes: &[u8]) -> Option<Vec<Value>> {
        last_values(bytes, usize::MAX).map(Vec::from)
    }

    #[test]
    fn values_in_a_row_are_read_and_broken_ones_are_refused() {
        let row = b"\x81\xa1a\x01\x81\xa1b\xcb\x3f\xf8\0\0\0\0\0\0";
        assert_eq!(values(row), Some(vec![json!({"a": 1}), json!({"b": 1.5})]));
        assert_eq!(values(b"\x92\xc0\xc4\x02hi"), Some(vec![json!([null, "hi"])]));
        assert_eq!(values(b"\x81\x05\xa1\xff"), Some(vec![json!({"5": "\u{fffd}"})]));
        assert_eq!(values(b""), Some(vec![]));
        let keys_of_keys = [&[0x81; 40][..], b"\xa1a"].concat();
        for broken in [&b"\x81\xa1a"[..], b"\xdd\xff\xff\xff\xff", &[0x91; 10_000], b"\x81\x90\xc0", &keys_of_keys] {
            assert_eq!(values(broken), None);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = values(&bytes);
        }
    }
}
