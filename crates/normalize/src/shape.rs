//! Lenient scalars and collections (`reference/ingest-protocol.md` §11.1): what is accepted, and the one form that
//! it is brought into. A value that cannot be read becomes null, with a note in `_meta`.

use nuthatch_protocol::{EventId, Level, Timestamp};
use serde_json::{Map, Number, Value};

use crate::{
    meta::{Meta, Path},
    trim::{self, Bag, Limit},
};

/// Free content without bounds of its own in the reference.
pub(crate) const FREE: Bag = Bag { depth: 7, bytes: 16 << 10 };

/// What a field accepts and what is made of it.
#[derive(Clone, Copy)]
pub(crate) enum Shape {
    /// A text; empty means absent.
    Text(Limit),
    /// Text, number or boolean; becomes a text.
    Lenient(Limit),
    /// Anything; what is no text becomes its JSON text.
    Json(Limit),
    /// A line of source code: a text that may be empty.
    Line(Limit),
    /// A list of lines of source code.
    Lines(Limit),
    /// A whole number.
    Integer,
    /// A boolean.
    Boolean,
    /// A severity as a word or as Python's number.
    Level,
    /// A time; becomes float seconds.
    Time,
    /// A UUID that is not all zero; becomes 32 lower-case hex digits.
    Uuid,
    /// An id of so many hex digits that are not all zero; becomes lower case without dashes.
    Hex(usize),
    /// A memory address; becomes `0x…`.
    Address,
    /// A whole number or a text.
    Id,
    /// An object of free content.
    Object(Bag),
    /// Anything.
    Any(Bag),
    /// Left alone; the interface's module reads it.
    Inner,
}

/// A field of an interface.
pub(crate) type Field = (&'static str, Shape);

/// Brings the listed fields of an object into shape and removes what is null then. Other keys are bounded and kept.
pub(crate) fn fields(map: &mut Map<String, Value>, known: &[Field], at: &Path<'_>, meta: &mut Meta) {
    map.retain(|key, value| {
        let shape = known.iter().find(|(name, _)| name == key).map_or(Shape::Any(FREE), |(_, shape)| *shape);
        apply(shape, value, &at.key(key), meta);
        !value.is_null()
    });
}

/// Brings the listed fields of an object into shape and removes what is null then. Other keys are left alone.
pub(crate) fn listed(map: &mut Map<String, Value>, known: &[Field], at: &Path<'_>, meta: &mut Meta) {
    for (key, shape) in known {
        if let Some(value) = map.get_mut(*key) {
            apply(*shape, value, &at.key(key), meta);
            if value.is_null() {
                map.remove(*key);
            }
        }
    }
}

/// Brings a value into shape; it is null afterwards when it could not be read.
pub(crate) fn apply(shape: Shape, value: &mut Value, at: &Path<'_>, meta: &mut Meta) {
    if value.is_null() || matches!(shape, Shape::Inner) {
        return;
    }
    if let Err(expected) = read(shape, value, at, meta) {
        meta.invalid(at, expected, value.take());
    }
}

fn read(shape: Shape, value: &mut Value, at: &Path<'_>, meta: &mut Meta) -> Result<(), &'static str> {
    match shape {
        Shape::Text(limit) => read_text(value, limit, at, meta),
        Shape::Lenient(limit) => {
            lenient(value)?;
            read_text(value, limit, at, meta)
        }
        Shape::Json(limit) => {
            if !value.is_string() {
                *value = Value::String(value.to_string());
            }
            read_text(value, limit, at, meta)
        }
        Shape::Line(limit) => {
            let Value::String(text) = value else { return Err("a text") };
            trim::text(text, limit, at, meta);
            Ok(())
        }
        Shape::Lines(limit) => {
            let Value::Array(lines) = value else { return Err("a list of texts") };
            for (index, line) in lines.iter_mut().enumerate() {
                let at = at.index(index);
                match line {
                    Value::String(text) => trim::text(text, limit, &at, meta),
                    // The place of a line tells its number, so a hole stays a line.
                    Value::Null => *line = Value::String(String::new()),
                    _ => meta.invalid(&at, "a text", std::mem::replace(line, Value::String(String::new()))),
                }
            }
            if lines.is_empty() {
                *value = Value::Null;
            }
            Ok(())
        }
        Shape::Integer => integer(value).ok_or("a whole number"),
        Shape::Boolean => value.is_boolean().then_some(()).ok_or("true or false"),
        Shape::Level => {
            *value = Value::from(level(value).ok_or("a level such as error")?.as_str());
            Ok(())
        }
        Shape::Time => {
            *value = seconds(timestamp(value).ok_or("a time")?);
            Ok(())
        }
        Shape::Uuid => {
            let id: Option<EventId> = value.as_str().and_then(|text| text.trim().parse().ok());
            let id = id.filter(|id| id.0 != [0; 16]).ok_or("a UUID, not all zero")?;
            *value = Value::String(id.to_string());
            Ok(())
        }
        Shape::Hex(digits) => {
            let text = value.as_str().unwrap_or_default().replace('-', "").to_ascii_lowercase();
            let is_id = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            if !is_id || text.bytes().all(|byte| byte == b'0') {
                return Err("an id of hex digits, not all zero");
            }
            *value = Value::String(text);
            Ok(())
        }
        Shape::Address => {
            *value = Value::String(format!("{:#x}", address(value).ok_or("an address such as 0x1f")?));
            Ok(())
        }
        Shape::Id => match value {
            Value::String(_) => read_text(value, Limit::new(200), at, meta),
            _ => integer(value).ok_or("a number or a text"),
        },
        Shape::Object(bounds) => {
            if !value.is_object() {
                return Err("an object");
            }
            free(value, bounds, at, meta);
            Ok(())
        }
        Shape::Any(bounds) => {
            free(value, bounds, at, meta);
            Ok(())
        }
        Shape::Inner => Ok(()),
    }
}

fn read_text(value: &mut Value, limit: Limit, at: &Path<'_>, meta: &mut Meta) -> Result<(), &'static str> {
    let Value::String(text) = value else { return Err("a text") };
    trim::text(text, limit, at, meta);
    if text.is_empty() {
        *value = Value::Null;
    }
    Ok(())
}

fn free(value: &mut Value, bounds: Bag, at: &Path<'_>, meta: &mut Meta) {
    trim::bag(value, bounds, at, meta);
    if is_empty(value) {
        *value = Value::Null;
    }
}

/// The value under a key, made when there is none.
pub(crate) fn non_null<'m>(map: &'m mut Map<String, Value>, key: &str, make: fn() -> Value) -> &'m mut Value {
    let value = map.entry(key).or_insert(Value::Null);
    if value.is_null() {
        *value = make();
    }
    value
}

/// Whether there is nothing in a value: null, or an empty text, list or object.
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// Makes a text of a number or boolean, as Python would print it; floats lose their fraction.
pub(crate) fn lenient(value: &mut Value) -> Result<(), &'static str> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let text = match value {
        Value::String(_) => return Ok(()),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.abs() < EXACT => (float.trunc() as i64).to_string(),
            _ => number.to_string(),
        },
        _ => return Err("a text, a number or a boolean"),
    };
    *value = Value::String(text);
    Ok(())
}

fn integer(value: &mut Value) -> Option<()> {
    let whole = match &*value {
        Value::Number(number) if number.is_i64() || number.is_u64() => return Some(()),
        Value::Number(number) => number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 1e18)? as i64,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    *value = Value::from(whole);
    Some(())
}

fn level(value: &Value) -> Option<Level> {
    match value {
        // `sample` is what detectors call an occurrence; no client does.
        Value::String(text) => text.trim().to_ascii_lowercase().parse().ok().filter(|level| *level != Level::Sample),
        Value::Number(number) => match number.as_u64()? {
            10 => Some(Level::Debug),
            20 => Some(Level::Info),
            30 => Some(Level::Warning),
            40 => Some(Level::Error),
            50 => Some(Level::Fatal),
            _ => None,
        },
        _ => None,
    }
}

/// Reads a time: text, or seconds since the epoch.
pub(crate) fn timestamp(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => Timestamp::from_secs_f64(number.as_f64()?),
        _ => None,
    }
}

/// Float seconds, as times are stored.
pub(crate) fn seconds(time: Timestamp) -> Value {
    Number::from_f64(time.as_secs_f64()).map_or(Value::Null, Value::Number)
}

fn address(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => match text.trim().strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).ok(),
            None => text.trim().parse().ok(),
        },
        _ => None,
    }
}

/// How many entries of a list stay: so many from each end.
#[derive(Clone, Copy)]
pub(crate) struct Ends {
    pub(crate) first: usize,
    pub(crate) last: usize,
}

impl Ends {
    /// Takes the middle out of a list that is longer.
    pub(crate) fn of(self, mut items: Vec<Value>, at: &Path<'_>, meta: &mut Meta) -> Vec<Value> {
        let before = items.len();
        if before > self.first + self.last {
            let cut = before - self.first - self.last;
            items.drain(self.first..self.first + cut);
            let mut sent = meta.lift_parts(at);
            for index in 0..items.len() {
                let was = if index < self.first { index } else { index + cut };
                meta.lay(&at.index(index), sent.entry(was));
            }
            meta.length(at, before);
        }
        items
    }
}

/// Brings a list of values into the form `{"values": […]}`: it may also come as a bare list or as its only value.
/// `each` brings one value into shape and says whether it stays. Nothing left: null.
pub(crate) fn value_list(
    value: &mut Value,
    ends: Ends,
    at: &Path<'_>,
    meta: &mut Meta,
    mut each: impl FnMut(&mut Map<String, Value>, &Path<'_>, &mut Meta) -> bool,
) {
    let mut rest = Map::new();
    let at_values = at.key("values");
    let items = match value.take() {
        Value::Null => return,
        Value::Array(items) => {
            meta.rename(at, &at_values);
            items
        }
        Value::Object(mut map) => match map.remove("values") {
            Some(Value::Array(items)) => {
                rest = map;
                items
            }
            Some(Value::Null) => return,
            Some(other) => return meta.invalid(at, "a list of values", other),
            None if map.is_empty() => return,
            None => {
                meta.rename(at, &at_values.index(0));
                vec![Value::Object(map)]
            }
        },
        other => return meta.invalid(at, "a list of values", other),
    };
    rest.retain(|key, value| {
        apply(Shape::Any(FREE), value, &at.key(key), meta);
        !value.is_null()
    });
    let items = ends.of(items, &at_values, meta);
    let items = objects(items, &at_values, meta, &mut each);
    if !items.is_empty() {
        rest.insert("values".to_owned(), Value::Array(items));
        *value = Value::Object(rest);
    }
}

/// Brings each object of a list into shape and drops the rest. Places in notes are those after dropping; what was wrong
/// about one that is dropped is noted about the list.
pub(crate) fn objects(
    mut items: Vec<Value>,
    at: &Path<'_>,
    meta: &mut Meta,
    each: &mut impl FnMut(&mut Map<String, Value>, &Path<'_>, &mut Meta) -> bool,
) -> Vec<Value> {
    let mut sent = meta.lift_parts(at);
    let (mut index, mut kept) = (0, 0);
    items.retain_mut(|item| {
        let at_entry = at.index(kept);
        meta.lay(&at_entry, sent.entry(index));
        let stays = match item {
            Value::Object(map) => each(map, &at_entry, meta),
            Value::Null => false,
            other => {
                meta.invalid(at, "an object", other.take());
                false
            }
        };
        if !stays {
            meta.give_up(&at_entry, at);
        }
        index += 1;
        kept += usize::from(stays);
        stays
    });
    items
}
