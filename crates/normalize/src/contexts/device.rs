//! The device, and how much it can do (`reference/ingest-protocol.md` §12.7).

use serde_json::{Map, Value};

use super::TEXT;
use crate::{
    meta::{Meta, Path},
    shape::{self, Field, Shape},
};

const FIELDS: &[Field] = &[
    ("arch", TEXT),
    ("brand", TEXT),
    ("charging", Shape::Boolean),
    ("family", TEXT),
    ("locale", TEXT),
    ("low_memory", Shape::Boolean),
    ("manufacturer", TEXT),
    ("model", TEXT),
    ("model_id", TEXT),
    ("name", TEXT),
    ("online", Shape::Boolean),
    ("orientation", TEXT),
    ("simulator", Shape::Boolean),
    ("timezone", TEXT),
];

/// Brings the device into shape and tells its class, which nobody but the server may do.
pub(super) fn normalize(map: &mut Map<String, Value>, at: &Path<'_>, meta: &mut Meta) {
    shape::listed(map, FIELDS, at, meta);
    match class(map) {
        Some(class) => map.insert("class".to_owned(), class.as_str().into()),
        None => map.remove("class"),
    };
}

/// How much a device can do.
#[derive(Clone, Copy)]
enum Class {
    Low,
    Medium,
    High,
}

impl Class {
    fn as_str(self) -> &'static str {
        match self {
            Self::Low => "1",
            Self::Medium => "2",
            Self::High => "3",
        }
    }
}

const GIB: f64 = (1_u64 << 30) as f64;

fn class(map: &Map<String, Value>) -> Option<Class> {
    let text = |key: &str| map.get(key).and_then(Value::as_str);
    if let Some(class) = text("model").or_else(|| text("model_id")).and_then(apple) {
        return Some(class);
    }
    let number = |key: &str| map.get(key).and_then(Value::as_f64);
    let (megahertz, cores) = (number("processor_frequency")?, number("processor_count")?);
    let memory = number("memory_size")?;
    Some(if megahertz < 2000.0 || cores < 8.0 || memory < 4.0 * GIB {
        Class::Low
    } else if megahertz < 2500.0 || memory < 6.0 * GIB {
        Class::Medium
    } else {
        Class::High
    })
}

/// Apple does not tell the clock rate, but its models (`iPhone14,2`) are numbered by the generation of the processor.
fn apple(model: &str) -> Option<Class> {
    let (generation, medium, high) = if let Some(rest) = model.strip_prefix("iPhone") {
        (rest, 9, 13)
    } else {
        (model.strip_prefix("iPad")?, 7, 13)
    };
    let generation: u32 = generation.split_once(',')?.0.parse().ok()?;
    Some(match generation {
        generation if generation >= high => Class::High,
        generation if generation >= medium => Class::Medium,
        _ => Class::Low,
    })
}
