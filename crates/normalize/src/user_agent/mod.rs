//! What a client says about its browser, operating system and device (`reference/ingest-protocol.md` §12.8).
//!
//! The rules are those of uap-core, which the tools of this field share; `data/user_agents.json` holds them. They take
//! some 25 MB and a tenth of a second to prepare, so that is done when the first agent is read, not when the server
//! starts; what was found for an agent is remembered.

mod hints;
mod on_event;

use std::sync::{Arc, LazyLock};

use quick_cache::sync::Cache;
use ua_parser::{Extractor, Regexes};

pub use self::hints::ClientHints;
pub(crate) use self::on_event::contexts;

/// Longest agent that is read, in bytes; what follows says nothing that the rules look at.
const MAX_AGENT_BYTES: usize = 1024;
/// Most agents that are remembered.
const MAX_REMEMBERED: usize = 4096;

/// What is known of a client; what is not known is absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserAgent {
    /// The browser, or the program that stands for one.
    pub browser: Option<Product>,
    /// The operating system.
    pub os: Option<Product>,
    /// The device.
    pub device: Option<Device>,
}

/// A program with its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Its name, for instance `Firefox`.
    pub name: String,
    /// Its version, for instance `120.0`.
    pub version: Option<String>,
}

/// A device.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Device {
    /// What kind it is, for instance `iPhone`.
    pub family: Option<String>,
    /// Its model, for instance `SM-S901B`.
    pub model: Option<String>,
    /// Who sells it.
    pub brand: Option<String>,
}

impl UserAgent {
    /// Reads an agent and the hints beside it; the hints win.
    pub fn read(agent: Option<&str>, hints: &ClientHints<'_>) -> Self {
        let said = agent.map(remembered).unwrap_or_default();
        Self {
            browser: hints.browser().or_else(|| said.browser.clone()),
            os: hints.os().or_else(|| said.os.clone()),
            device: hints.device().or_else(|| said.device.clone()),
        }
    }
}

/// What the agent alone says.
fn remembered(agent: &str) -> Arc<UserAgent> {
    static REMEMBERED: LazyLock<Cache<String, Arc<UserAgent>>> = LazyLock::new(|| Cache::new(MAX_REMEMBERED));
    let agent = &agent[..agent.floor_char_boundary(MAX_AGENT_BYTES)];
    if let Some(known) = REMEMBERED.get(agent) {
        return known;
    }
    let found = Arc::new(parse(agent));
    REMEMBERED.insert(agent.to_owned(), Arc::clone(&found));
    found
}

static RULES: LazyLock<Extractor<'static>> = LazyLock::new(|| {
    let rules: Regexes<'static> =
        serde_json::from_str(include_str!("../../data/user_agents.json")).expect("constant data, read by the tests");
    Extractor::try_from(rules).expect("constant patterns, compiled by the tests")
});

/// The family of what no rule knows.
const UNKNOWN: &str = "Other";

fn parse(agent: &str) -> UserAgent {
    let (browser, os, device) = RULES.extract(agent);
    let is_known = |name: &str| !name.is_empty() && name != UNKNOWN;
    UserAgent {
        browser: browser.filter(|found| is_known(&found.family)).map(|found| Product {
            version: version([found.major, found.minor, found.patch]),
            name: found.family.into_owned(),
        }),
        os: os.filter(|found| is_known(&found.os)).map(|found| {
            let version = version([found.major.as_deref(), found.minor.as_deref(), found.patch.as_deref()]);
            let version = version.map(|version| thawed(&found.os, version));
            Product { name: found.os.into_owned(), version }
        }),
        device: device.filter(|found| is_known(&found.device)).map(|found| Device {
            family: Some(found.device.into_owned()),
            model: found.model.map(Into::into),
            brand: found.brand.map(Into::into),
        }),
    }
}

/// The parts of a version up to the first one that is missing.
fn version(parts: [Option<&str>; 3]) -> Option<String> {
    let parts: Vec<&str> = parts.into_iter().map_while(|part| part.filter(|part| !part.is_empty())).collect();
    (!parts.is_empty()).then(|| parts.join("."))
}

/// Browsers froze what they say about these systems, so the version is only the oldest that it can be.
fn thawed(name: &str, version: String) -> String {
    match (name, version.as_str()) {
        ("Windows", "10") | ("Mac OS X", "10.15.7") => format!(">={version}"),
        _ => version,
    }
}
