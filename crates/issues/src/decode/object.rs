//! Reading the keys of a JSON object, with errors that name the place.

use serde_json::{Map, Value};

use super::{DecodeError, DecodeReason};

/// An object of a message. A key with null reads as if it were absent.
pub(super) struct Object<'a> {
    path: String,
    reason: DecodeReason,
    pub(super) map: &'a Map<String, Value>,
}

impl<'a> Object<'a> {
    /// The message itself.
    pub(super) fn root(value: &'a Value) -> Result<Self, DecodeError> {
        let (path, reason) = ("$".to_owned(), DecodeReason::InvalidPayload);
        match value {
            Value::Object(map) => Ok(Self { path, reason, map }),
            _ => Err(DecodeError { reason, path, message: "expected an object".to_owned() }),
        }
    }

    /// The same object; its errors are those of an event that came with the message.
    pub(super) fn as_event(&self) -> Self {
        Self { path: self.path.clone(), reason: DecodeReason::InvalidEvent, map: self.map }
    }

    /// An error at a key.
    pub(super) fn error(&self, key: &str, message: impl Into<String>) -> DecodeError {
        DecodeError { reason: self.reason, path: format!("{}.{key}", self.path), message: message.into() }
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// A key's value that must be there.
    pub(super) fn required<T>(&self, key: &str, value: Option<T>) -> Result<T, DecodeError> {
        value.ok_or_else(|| self.error(key, "missing"))
    }

    /// A key's value, if it is there, as `read` understands it.
    fn optional<T>(
        &self,
        key: &str,
        expected: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, DecodeError> {
        let read = |value| read(value).ok_or_else(|| self.error(key, format!("expected {expected}")));
        self.get(key).map(read).transpose()
    }

    pub(super) fn optional_text(&self, key: &str) -> Result<Option<&'a str>, DecodeError> {
        self.optional(key, "text", Value::as_str)
    }

    pub(super) fn text(&self, key: &str) -> Result<&'a str, DecodeError> {
        self.required(key, self.optional_text(key)?)
    }

    /// An integer; `3.0` is one.
    pub(super) fn optional_integer(&self, key: &str) -> Result<Option<i64>, DecodeError> {
        self.optional(key, "an integer", |value| {
            let whole = |number: &f64| number.fract() == 0.0 && number.abs() < MAX_WHOLE;
            value.as_i64().or_else(|| value.as_f64().filter(whole).map(|number| number as i64))
        })
    }

    pub(super) fn integer(&self, key: &str) -> Result<i64, DecodeError> {
        self.required(key, self.optional_integer(key)?)
    }

    pub(super) fn optional_list(&self, key: &str) -> Result<Option<&'a [Value]>, DecodeError> {
        self.optional(key, "a list", |value| value.as_array().map(Vec::as_slice))
    }

    pub(super) fn list(&self, key: &str) -> Result<&'a [Value], DecodeError> {
        self.required(key, self.optional_list(key)?)
    }

    pub(super) fn optional_object(&self, key: &str) -> Result<Option<Self>, DecodeError> {
        let map = self.optional(key, "an object", Value::as_object)?;
        Ok(map.map(|map| Self { path: format!("{}.{key}", self.path), reason: self.reason, map }))
    }

    /// The objects of a list, whatever else is in it left out.
    pub(super) fn objects_without_null(&self, key: &str) -> impl Iterator<Item = Self> {
        let items = self.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        items.iter().enumerate().filter_map(move |(index, item)| {
            let map = item.as_object()?;
            Some(Self { path: format!("{}.{key}[{index}]", self.path), reason: self.reason, map })
        })
    }

    /// The objects of a list; none when there is no list.
    pub(super) fn objects(&self, key: &str) -> Result<Vec<Self>, DecodeError> {
        let object = |(index, value): (usize, &'a Value)| match value {
            Value::Object(map) => Ok(Self { path: format!("{}.{key}[{index}]", self.path), reason: self.reason, map }),
            _ => Err(self.error(&format!("{key}[{index}]"), "expected an object")),
        };
        self.optional_list(key)?.unwrap_or_default().iter().enumerate().map(object).collect()
    }
}

/// Below this every whole float is exactly an integer.
const MAX_WHOLE: f64 = 9_007_199_254_740_992.0;
