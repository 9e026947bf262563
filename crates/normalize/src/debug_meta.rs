//! The program files that were loaded (`reference/ingest-protocol.md` §11.10).

use nuthatch_protocol::EventId;
use serde_json::{Map, Value};

use crate::{
    meta::{Meta, Path},
    shape::{self, Field, Shape},
    trim::{Bag, Limit},
};

/// Most images of one event.
const MAX_IMAGES: usize = 1000;

const NAME: Shape = Shape::Lenient(Limit::new(128));
const FILE: Shape = Shape::Text(Limit::new(1024));

const SDK_INFO: &[Field] = &[
    ("sdk_name", NAME),
    ("version_major", Shape::Integer),
    ("version_minor", Shape::Integer),
    ("version_patchlevel", Shape::Integer),
];

const IMAGE: &[Field] = &[
    ("arch", NAME),
    ("code_file", FILE),
    ("code_id", NAME),
    ("debug_checksum", NAME),
    ("debug_file", FILE),
    ("debug_id", NAME),
    ("image_addr", Shape::Address),
    ("image_size", Shape::Integer),
    ("image_vmaddr", Shape::Address),
    ("type", NAME),
    ("uuid", Shape::Uuid),
];

/// Types of images that are kept.
const TYPES: [&str; 9] = ["elf", "macho", "pe", "pe_dotnet", "wasm", "symbolic", "proguard", "jvm", "sourcemap"];
/// What Apple's images were called before they were one kind among others.
const OLD_APPLE: &str = "apple";

/// What else there may be beside SDK and images.
const REST: Bag = Bag { depth: 6, bytes: 16 << 10 };

pub(crate) fn normalize(event: &mut Map<String, Value>, meta: &mut Meta) {
    let Some(value) = event.get_mut("debug_meta") else { return };
    let at = Path::top("debug_meta");
    match &mut *value {
        Value::Object(map) => {
            images(map, &at.key("images"), meta);
            sdk_info(map, &at.key("sdk_info"), meta);
            map.retain(|key, value| {
                if key != "images" && key != "sdk_info" {
                    shape::apply(Shape::Any(REST), value, &at.key(key), meta);
                }
                !value.is_null()
            });
        }
        other => meta.invalid(&at, "an object", other.take()),
    }
    if shape::is_empty(value) {
        event.remove("debug_meta");
    }
}

fn sdk_info(map: &mut Map<String, Value>, at: &Path<'_>, meta: &mut Meta) {
    match map.get_mut("sdk_info") {
        Some(Value::Object(info)) => shape::listed(info, SDK_INFO, at, meta),
        Some(other) if !other.is_null() => meta.invalid(at, "an object", other.take()),
        _ => {}
    }
    if map.get("sdk_info").is_some_and(shape::is_empty) {
        map.remove("sdk_info");
    }
}

fn images(map: &mut Map<String, Value>, at: &Path<'_>, meta: &mut Meta) {
    let mut images = match map.remove("images") {
        None | Some(Value::Null) => return,
        Some(Value::Array(images)) => images,
        Some(other) => return meta.invalid(at, "a list of images", other),
    };
    if images.len() > MAX_IMAGES {
        meta.length(at, images.len());
        images.truncate(MAX_IMAGES);
    }
    let images = shape::objects(images, at, meta, &mut image);
    if !images.is_empty() {
        map.insert("images".to_owned(), Value::Array(images));
    }
}

/// Brings an image into shape; one of a kind that nobody knows goes.
fn image(map: &mut Map<String, Value>, at: &Path<'_>, meta: &mut Meta) -> bool {
    if map.get("type").is_some_and(|kind| kind == OLD_APPLE) {
        for (old, modern) in [("name", "code_file"), ("uuid", "debug_id")] {
            if let Some(value) = map.remove(old) {
                map.entry(modern).or_insert(value);
                meta.rename(&at.key(old), &at.key(modern));
            }
        }
        map.insert("type".to_owned(), "macho".into());
    }
    shape::fields(map, IMAGE, at, meta);
    if map.is_empty() {
        return false;
    }
    let kind = map.get("type").and_then(Value::as_str);
    if !kind.is_some_and(|kind| TYPES.contains(&kind)) {
        meta.invalid(&at.key("type"), "a type of image such as elf", map.remove("type").unwrap_or_default());
        return false;
    }
    if let Some(Value::String(id)) = map.get_mut("debug_id") {
        match debug_id(id) {
            Some(normal) => *id = normal,
            None => {
                let original = map.remove("debug_id").unwrap_or_default();
                meta.invalid(&at.key("debug_id"), "a debug id: a UUID, perhaps with an age", original);
            }
        }
    }
    true
}

/// A UUID with dashes, and the age behind it when there is one.
fn debug_id(text: &str) -> Option<String> {
    let plain: String = text.trim().chars().filter(|c| *c != '-').collect();
    let (uuid, age) = plain.split_at_checked(32)?;
    let uuid = uuid.parse::<EventId>().ok()?.to_string();
    let age = if age.is_empty() { 0 } else { u32::from_str_radix(age, 16).ok()? };
    let parts = [uuid.get(..8)?, uuid.get(8..12)?, uuid.get(12..16)?, uuid.get(16..20)?, uuid.get(20..)?];
    let mut id = parts.join("-");
    if age > 0 {
        id.push_str(&format!("-{age:x}"));
    }
    Some(id)
}
