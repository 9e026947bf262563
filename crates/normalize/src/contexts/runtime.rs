//! The runtime that the program runs in.

use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::{Patterns, TEXT, description, named, pattern, summarize};
use crate::{
    meta::{Meta, Path},
    shape::{self, Field},
};

const FIELDS: &[Field] = &[("build", TEXT), ("name", TEXT), ("raw_description", TEXT), ("version", TEXT)];

static DESCRIPTION: Patterns<1> =
    LazyLock::new(|| [pattern(r"^\s*(?P<name>\D+?)\s+v?(?P<version>\d+(?:\.\d+)+\S*)\s*$")]);

const DOTNET_FRAMEWORK: &str = ".NET Framework";

/// Versions of the .NET Framework by the number that it writes into the registry.
const DOTNET_RELEASES: &[(&str, &str)] = &[
    ("378389", "4.5"),
    ("378675", "4.5.1"),
    ("378758", "4.5.1"),
    ("379893", "4.5.2"),
    ("393295", "4.6"),
    ("393297", "4.6"),
    ("394254", "4.6.1"),
    ("394271", "4.6.1"),
    ("394802", "4.6.2"),
    ("394806", "4.6.2"),
    ("460798", "4.7"),
    ("460805", "4.7"),
    ("461308", "4.7.1"),
    ("461310", "4.7.1"),
    ("461808", "4.7.2"),
    ("461814", "4.7.2"),
    ("528040", "4.8"),
    ("528049", "4.8"),
    ("528209", "4.8"),
    ("528372", "4.8"),
    ("528449", "4.8"),
    ("533320", "4.8.1"),
    ("533325", "4.8.1"),
];

pub(super) fn normalize(map: &mut Map<String, Value>, at: &Path<'_>, meta: &mut Meta) {
    shape::listed(map, FIELDS, at, meta);
    if let Some((number, found)) = description(map, &*DESCRIPTION) {
        let fields = named(&DESCRIPTION[number], &found);
        map.extend(fields);
    }
    let text = |key: &str| map.get(key).and_then(Value::as_str);
    if text("name").is_some_and(|name| name.starts_with(DOTNET_FRAMEWORK))
        && text("version").is_none()
        && let Some(build) = text("build")
        && let Some((_, version)) = DOTNET_RELEASES.iter().find(|(number, _)| *number == build)
    {
        map.insert("version".to_owned(), (*version).into());
    }
    summarize(map, "runtime", false);
}
