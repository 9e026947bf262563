//! A look at the keys of an event or a profile that intake needs, without building its tree.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// The top-level keys intake looks at, as raw JSON; the last of equal keys counts, as in any JSON reader.
#[derive(Default)]
pub(crate) struct Peek<'p> {
    pub(crate) event_id: Option<&'p RawValue>,
    pub(crate) event_type: Option<&'p RawValue>,
    pub(crate) profile_id: Option<&'p RawValue>,
    pub(crate) platform: Option<&'p RawValue>,
}

impl<'p> Peek<'p> {
    /// Reads through a JSON object of any depth and with any text in it; an error when it is not one.
    pub(crate) fn at(payload: &'p [u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(payload)
    }
}

/// What `see` makes of the keys of an event, whose numbers may be those that Python writes (§2.2): where events are read they
/// are too. An error when it is not a JSON object all the same.
pub(crate) fn look<T>(event: &[u8], see: impl FnOnce(&Peek<'_>) -> T) -> serde_json::Result<T> {
    if let Ok(peek) = Peek::at(event) {
        return Ok(see(&peek));
    }
    Peek::at(&without_nan(event)).map(|peek| see(&peek))
}

impl<'de> Deserialize<'de> for Peek<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Peek<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Peek<'de>, A::Error> {
                let mut peek = Peek::default();
                while let Some(key) = map.next_key::<Key>()? {
                    match key {
                        Key::EventId => peek.event_id = Some(map.next_value()?),
                        Key::Type => peek.event_type = Some(map.next_value()?),
                        Key::Platform => peek.platform = Some(map.next_value()?),
                        Key::ProfileId => peek.profile_id = Some(map.next_value()?),
                        Key::Other => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(peek)
            }
        }

        deserializer.deserialize_map(Object)
    }
}

/// A key, compared as bytes: those of hostile events need not be text.
enum Key {
    EventId,
    Type,
    ProfileId,
    Platform,
    Other,
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Word;

        impl Visitor<'_> for Word {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_bytes<E: serde::de::Error>(self, key: &[u8]) -> Result<Key, E> {
                Ok(match key {
                    b"event_id" => Key::EventId,
                    b"type" => Key::Type,
                    b"platform" => Key::Platform,
                    b"profile_id" => Key::ProfileId,
                    _ => Key::Other,
                })
            }

            fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<Key, E> {
                self.visit_bytes(key.as_bytes())
            }
        }

        deserializer.deserialize_bytes(Word)
    }
}

/// A copy in which the bare `NaN`, `Infinity` and `-Infinity` that Python writes are `null`: good for looking
/// through an event that is otherwise JSON.
fn without_nan(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len());
    let (mut at, mut in_text) = (0, false);
    while let Some(&byte) = payload.get(at) {
        let rest = &payload[at..];
        let word = [&b"NaN"[..], b"Infinity", b"-Infinity"].into_iter().find(|word| rest.starts_with(word));
        match (in_text, word) {
            (false, Some(word)) => {
                out.extend_from_slice(b"null");
                at += word.len();
                continue;
            }
            (true, _) if byte == b'\\' => {
                out.extend_from_slice(&rest[..rest.len().min(2)]);
                at += 2;
                continue;
            }
            _ if byte == b'"' => in_text = !in_text,
            _ => {}
        }
        out.push(byte);
        at += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event_id(payload: &[u8]) -> Option<&str> {
        Peek::at(payload).unwrap().event_id.map(RawValue::get)
    }

    #[test]
    fn only_the_top_level_is_looked_at() {
        let payload = br#"{"extra":{"event_id":"no"},"event_id":"yes","tags":["event_id","no"]}"#;
        assert_eq!(event_id(payload), Some("\"yes\""));
        assert_eq!(event_id(br#"{"message":"\"event_id\":\"no\""}"#), None);
        assert_eq!(event_id(br#"{"event_id":"first","event_id":"last"}"#), Some("\"last\""));
    }

    #[test]
    fn hostile_text_is_passed_over() {
        assert_eq!(event_id(b"{\"\\ud800\":\"\\ud800\",\"\xff\":\"\xff\",\"event_id\":1}"), Some("1"));
        let deep = [b"{\"a\":".as_slice(), &b"[".repeat(100_000), &b"]".repeat(100_000), b",\"event_id\":2}"].concat();
        assert_eq!(event_id(&deep), Some("2"));
        assert!(Peek::at(b"[]").is_err());
        assert!(Peek::at(b"{\"a\":}").is_err());
    }

    #[test]
    fn python_numbers_become_null_outside_texts() {
        let payload = br#"{"a":NaN,"b":[-Infinity,Infinity],"c":"NaN \" NaN","d":"\\"}"#;
        let expected = br#"{"a":null,"b":[null,null],"c":"NaN \" NaN","d":"\\"}"#;
        assert_eq!(without_nan(payload), expected);
        assert_eq!(without_nan(b"\"\\"), b"\"\\");
    }
}
