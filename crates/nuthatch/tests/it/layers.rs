//! Dependencies point down: the binary → services → ports and pure crates; adapters → ports and pure crates.

use std::collections::BTreeSet;

/// Which of our crates a crate may name. Whatever is not here must not exist.
const ALLOWED: &[(&str, &[&str])] = &[
    ("protocol", &[]),
    ("normalize", &["protocol"]),
    ("grouping", &["protocol"]),
    ("issues", &["protocol"]),
    ("query", &["protocol"]),
    ("store", &["protocol", "normalize", "issues", "query"]),
    ("store-embedded", &["protocol", "issues", "query", "store"]),
    ("intake", &["protocol", "store"]),
    ("worker", &["protocol", "normalize", "grouping", "issues", "query", "store"]),
    ("api", &["protocol", "normalize", "issues", "query", "store"]),
];

/// The only crate that may name anything.
const BINARY: &str = "nuthatch";

/// What the pure crates must not depend on: they compute, they do no I/O.
const IMPURE: &[&str] = &["tokio", "hyper", "axum", "rusqlite", "tantivy", "metrics", "tracing"];
const PURE: &[&str] = &["protocol", "normalize", "grouping", "issues", "query"];

#[test]
fn dependencies_point_down() {
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml"))
        .no_deps()
        .exec()
        .unwrap();
    let short = |name: &str| name.strip_prefix("nuthatch-").unwrap_or(name).to_owned();
    let ours: BTreeSet<String> = metadata.packages.iter().map(|package| short(&package.name)).collect();
    for package in &metadata.packages {
        let name = short(&package.name);
        if name == BINARY {
            continue;
        }
        let (_, allowed) = ALLOWED
            .iter()
            .find(|(crate_name, _)| *crate_name == name)
            .unwrap_or_else(|| panic!("{name} has no place in the layers; give it one in ARCHITECTURE.md and here"));
        for dependency in package.dependencies.iter().filter(|d| d.kind == cargo_metadata::DependencyKind::Normal) {
            let to = short(&dependency.name);
            assert!(
                !ours.contains(&to) || allowed.contains(&to.as_str()),
                "{name} must not depend on {to}: dependencies point down (ARCHITECTURE.md)"
            );
            assert!(
                !(PURE.contains(&name.as_str()) && IMPURE.contains(&to.as_str())),
                "{name} is pure and must not depend on {to}"
            );
        }
    }
}
