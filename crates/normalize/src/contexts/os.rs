//! The operating system, of the server or of the client.

use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::{Patterns, TEXT, description, named, pattern, summarize};
use crate::{
    meta::{Meta, Path},
    shape::{self, Field, Shape},
};

const FIELDS: &[Field] = &[
    ("build", TEXT),
    ("kernel_version", TEXT),
    ("name", TEXT),
    ("raw_description", TEXT),
    ("rooted", Shape::Boolean),
    ("version", TEXT),
];

/// What `raw_description` looks like, the telling ones first. The first one is Windows, whose version is in its build.
static DESCRIPTIONS: Patterns<7> = LazyLock::new(|| {
    [
        pattern(r"^(?:Microsoft )?(?P<name>Windows)(?: NT)? (?P<version>\d+\.\d+\.(?P<build>\d+)(?:\.\d+)*)"),
        pattern(r"^(?P<name>Android) OS (?P<version>\d+(?:\.\d+)*) / API-(?P<build>\d+)"),
        pattern(r"^(?P<name>Mac OS X|macOS) (?P<version>\d+(?:\.\d+)*)(?: \((?P<build>[0-9A-Za-z]+)\))?"),
        pattern(r"^(?P<name>iOS|iPadOS) (?P<version>\d+(?:\.\d+)*)"),
        // The kernel, then the distribution.
        pattern(
            r"^Linux (?P<kernel_version>\d+\.\d+(?:\.\d+)?(?:-\w+)*) (?P<name>[A-Za-z]\w*) (?P<version>\d+(?:\.\d+)*)(?:\s|$)",
        ),
        // What `uname -a` says.
        pattern(r"^(?P<name>[A-Za-z]+)(?: \S+)?? (?P<kernel_version>(?P<version>\d+\.\d+\.\d+)\S*)(?:\s|$)"),
        pattern(r"^(?P<name>[A-Za-z][A-Za-z ]*?) (?P<version>\d+(?:\.\d+)*)$"),
    ]
});

pub(super) fn normalize(map: &mut Map<String, Value>, at: &Path<'_>, meta: &mut Meta) {
    shape::listed(map, FIELDS, at, meta);
    if let Some((number, found)) = description(map, &*DESCRIPTIONS) {
        let mut fields = named(&DESCRIPTIONS[number], &found);
        if number == 0
            && let Some(name) = found.name("build").and_then(|build| windows(build.as_str()))
        {
            fields.push(("version".to_owned(), name.into()));
        }
        map.extend(fields);
    }
    summarize(map, "os", true);
}

/// What people call a build of Windows.
fn windows(build: &str) -> Option<&'static str> {
    Some(match build.parse::<u32>().ok()? {
        2600..=3790 => "XP",
        6002 => "Vista",
        7601 => "7",
        9200 => "8",
        9600 => "8.1",
        10_240..=21_999 => "10",
        22_000.. => "11",
        _ => return None,
    })
}
