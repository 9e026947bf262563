//! How many entries an item holds. Counted here once, and written into the item's header for everything behind: keys are
//! public, and nobody gets around a limit by counting wrong.

use nuthatch_protocol::{Item, ItemType};

/// Sets an item's count to what it holds: entries of a container, spans of a transaction. Other items have no entries.
pub(crate) fn count(item: &mut Item) {
    let list = match item.item_type {
        ItemType::Transaction => "spans",
        ItemType::Span | ItemType::OtelSpan | ItemType::Log | ItemType::OtelLog | ItemType::TraceMetric => "items",
        _ => return,
    };
    item.attributes.item_count = entries(&item.payload, list);
}

/// How many entries the list has that an object holds under a name; `None` when it holds no such list.
///
/// Never fewer than any reader finds, however lenient it is: nothing is read but quotes, brackets and commas, and a name
/// with an escape in it may be the one.
fn entries(payload: &[u8], list: &str) -> Option<u32> {
    let (mut at, mut depth) = (0, 0_u32);
    let (mut name, mut in_list) = (&b""[..], false);
    let mut count: Option<u32> = None;
    while let Some(byte) = payload.get(at) {
        at += 1;
        let rest = payload.get(at..).unwrap_or_default();
        match byte {
            b'"' => {
                let text = text(rest);
                if depth == 1 {
                    name = text;
                }
                at += text.len() + 1;
            }
            b'[' | b'{' => {
                if depth == 1 && *byte == b'[' && (name == list.as_bytes() || name.contains(&b'\\')) {
                    in_list = true;
                    let has_first = rest.trim_ascii_start().first() != Some(&b']');
                    count = Some(count.unwrap_or(0).saturating_add(u32::from(has_first)));
                }
                depth = depth.saturating_add(1);
            }
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                in_list &= depth > 1;
            }
            b',' if in_list && depth == 2 => count = count.map(|count| count.saturating_add(1)),
            _ => {}
        }
    }
    count
}

/// The text up to its closing quote, escapes as they are.
fn text(behind_quote: &[u8]) -> &[u8] {
    let mut at = 0;
    loop {
        let rest = behind_quote.get(at..).unwrap_or_default();
        match rest.iter().position(|byte| matches!(byte, b'"' | b'\\')) {
            Some(found) if rest.get(found) == Some(&b'\\') => at += found + 2,
            Some(found) => return behind_quote.get(..at + found).unwrap_or_default(),
            None => return behind_quote,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn entries_are_counted_whatever_else_is_wrong_with_the_text() {
        for (payload, expected) in [
            (&br#"{"items":[{"a":[1,2]},{"b":"],,["},3]}"#[..], Some(3)),
            (br#"{"version":2,"items":[ ]}"#, Some(0)),
            (br#"{"items":7,"other":[1,2]}"#, None),
            (br#"{"inner":{"items":[1,2]}}"#, None),
            (b"\xef\xbb\xbf{\"items\":[{\"a\":NaN},{\"b\":\"\x01\xff\"}]}", Some(2)),
            (br#"{"\u0069tems":[1,2,3]}"#, Some(3)),
            (br#"{"items":[1],"items":[1,2]}"#, Some(3)),
            (br#"{"items":["\"],[",2]}"#, Some(2)),
            (br#"{"items":[1,2"#, Some(2)),
            (b"", None),
        ] {
            assert_eq!(entries(payload, "items"), expected, "{}", String::from_utf8_lossy(payload));
        }
    }

    proptest! {
        #[test]
        fn every_list_is_counted_as_readers_count_it(texts in prop::collection::vec(any::<String>(), 0..9), name: String) {
            let list: Vec<Value> = texts.iter().map(|text| json!({ text: [text, {}] })).collect();
            let sent = json!({ "items": list, "x": name }).to_string();
            prop_assert_eq!(entries(sent.as_bytes(), "items"), Some(texts.len() as u32));
        }

        #[test]
        fn any_bytes_are_counted(bytes: Vec<u8>) {
            entries(&bytes, "items");
        }
    }
}
