//! Attributes of the entries of containers (`reference/ingest-protocol.md` §7.12): `{"key": {"value": …, "type": …}}`
//! becomes `{"key": …}`.

use serde_json::{Map, Value};

use crate::{
    meta::{Meta, Path},
    trim::{self, Bag},
};

/// Most attributes of one entry.
const MAX_ATTRIBUTES: usize = 500;
/// Longest name, in bytes.
const MAX_NAME_BYTES: usize = 200;
/// Bounds of one value: a scalar or a list of them.
const VALUE: Bag = Bag { depth: 2, bytes: 64 << 10 };
/// All attributes of an entry together, in bytes of estimated JSON.
const MAX_BYTES: usize = 256 << 10;

/// Reads attributes: one whose type and value do not agree is left out and noted.
pub(super) fn read(sent: Option<Value>, at: &Path<'_>, meta: &mut Meta) -> Map<String, Value> {
    let sent = match sent {
        None | Some(Value::Null) => return Map::new(),
        Some(Value::Object(sent)) => sent,
        Some(other) => {
            meta.invalid(at, "an object", other);
            return Map::new();
        }
    };
    let before = sent.len();
    let mut read = Map::new();
    for (name, mut sent) in sent.into_iter().take(MAX_ATTRIBUTES) {
        if name.is_empty() || name.len() > MAX_NAME_BYTES {
            meta.invalid(at, "a name of at most 200 bytes", Value::String(name));
            continue;
        }
        let at = at.key(&name);
        let kind = sent.get("type").and_then(Value::as_str).map(str::to_owned);
        let Some(value) = sent.get_mut("value").map(Value::take) else {
            meta.invalid(&at, "an object with value and type", sent);
            continue;
        };
        if value.is_null() {
            continue;
        }
        match typed(value, kind.as_deref()) {
            Ok(mut value) => {
                trim::bag(&mut value, VALUE, &at, meta);
                read.insert(name, value);
            }
            Err((expected, value)) => meta.invalid(&at, expected, value),
        }
    }
    trim::total(&mut read, MAX_BYTES, at, meta);
    if before > MAX_ATTRIBUTES {
        meta.length(at, before);
    }
    read
}

/// The value, if it is of the type. One without a type is what it is.
fn typed(value: Value, kind: Option<&str>) -> Result<Value, (&'static str, Value)> {
    match kind {
        Some("string") if value.is_string() => Ok(value),
        Some("string") => Err(("a text", value)),
        Some("boolean") if value.is_boolean() => Ok(value),
        Some("boolean") => Err(("true or false", value)),
        Some("integer") if value.is_i64() => Ok(value),
        Some("integer") => match value.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9e15) {
            Some(whole) => Ok(Value::from(whole as i64)),
            None => Err(("a whole number of 64 bits", value)),
        },
        Some("double") => match value.as_f64() {
            Some(float) => Ok(Value::from(float)),
            None => Err(("a number", value)),
        },
        Some("array") if is_list_of_one_type(&value) => Ok(value),
        Some("array") => Err(("a list of values of one type", value)),
        Some(_) => Err(("one of the types string, boolean, integer, double and array", value)),
        None if value.is_object() || (value.is_array() && !is_list_of_one_type(&value)) => {
            Err(("a text, a number, a boolean or a list of them", value))
        }
        None => Ok(value),
    }
}

fn is_list_of_one_type(value: &Value) -> bool {
    let Some(items) = value.as_array() else { return false };
    let items = || items.iter().filter(|item| !item.is_null());
    items().all(Value::is_string) || items().all(Value::is_boolean) || items().all(Value::is_number)
}
