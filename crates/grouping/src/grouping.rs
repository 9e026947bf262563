//! From an event to its hashes and its words (`reference/grouping.md` §3, §4).

use nuthatch_protocol::{Event, Hash, Level};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    Config, Variant, VariantKind,
    component::Hasher,
    culprit,
    fingerprint::{self, Entry},
    strategy, title,
};

/// Which issue an event belongs to, why, and what the issue is called.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Grouping {
    /// The algorithm.
    pub config: &'static str,
    /// In the order of look-up: the first one that an issue owns decides. Never empty; the first is the primary one.
    pub hashes: Vec<Hash>,
    /// All views of the event with every part and why it counts or not.
    pub variants: Vec<Variant>,
    /// `ValueError: no such order`.
    pub title: String,
    /// Where, in words; empty when nothing says.
    pub culprit: String,
    /// File of the crash, or what a security report is about.
    pub location: Option<String>,
    /// What the issue list shows: `type`, `value`, `filename`, `function`, or `title` (§14).
    pub metadata: Map<String, Value>,
    /// Severity.
    pub level: Level,
}

/// Groups and names a canonical event.
pub fn group(event: &Event, config: &Config) -> Grouping {
    let (views, main_exception) = strategy::views(event, config);
    let entries = fingerprint::resolve(event, config);
    let fixed = feedback(event).or_else(|| checksum(event)).or_else(|| custom(&entries));

    let mut variants: Vec<Variant> = Vec::with_capacity(views.len() + 1);
    let salt = (entries != [Entry::Default]).then_some(entries.as_slice());
    for mut view in views {
        if let Some(fixed) = &fixed {
            view.root.ignore(format!("{} takes precedence", fixed.description));
        }
        variants.push(Variant::of_view(view, salt));
    }
    variants.extend(fixed);
    if !variants.iter().any(|variant| variant.contributes) {
        variants.push(fallback(salt));
    }
    let mut hashes: Vec<Hash> = Vec::with_capacity(2);
    for hash in variants.iter().filter(|variant| variant.contributes).filter_map(|variant| variant.hash) {
        if !hashes.contains(&hash) {
            hashes.push(hash);
        }
    }

    let title::Words { title, location, metadata } = title::title(event, main_exception, config);
    let level = event.text(&["level"]).and_then(|level| level.parse().ok()).unwrap_or_default();
    Grouping {
        config: config.id,
        hashes,
        variants,
        title,
        culprit: culprit::culprit(event, config),
        location,
        metadata,
        level,
    }
}

/// What people write is an issue of its own each time.
fn feedback(event: &Event) -> Option<Variant> {
    let id = event.text(&["event_id"]).filter(|_| event.is_feedback())?;
    let hash = hash_of(["feedback", id]);
    let description = "each feedback is an issue of its own";
    Some(Variant::fixed(VariantKind::CustomFingerprint, "feedback", description, hash, vec![id.to_owned()]))
}

/// An old client's own hash: 32 hex digits as they are, anything else hashed.
fn checksum(event: &Event) -> Option<Variant> {
    let text = event.text(&["checksum"])?;
    let (hash, description) = match text.parse::<Hash>() {
        Ok(hash) => (hash, "checksum"),
        Err(_) => (hash_of([text]), "hashed checksum"),
    };
    Some(Variant::fixed(VariantKind::Checksum, "checksum", description, hash, vec![text.to_owned()]))
}

/// A fingerprint that says it all.
fn custom(entries: &[Entry]) -> Option<Variant> {
    if entries.contains(&Entry::Default) {
        return None;
    }
    let texts: Vec<String> = entries.iter().map(Entry::to_string).collect();
    let hash = hash_of(texts.iter().map(String::as_str));
    Some(Variant::fixed(VariantKind::CustomFingerprint, "custom_fingerprint", "custom fingerprint", hash, texts))
}

/// For events that nothing identifies. What a fingerprint adds to the default still counts.
fn fallback(salt: Option<&[Entry]>) -> Variant {
    let texts: Vec<String> =
        salt.unwrap_or_default().iter().filter(|entry| **entry != Entry::Default).map(Entry::to_string).collect();
    let hash = hash_of(texts.iter().map(String::as_str));
    Variant::fixed(VariantKind::Fallback, "fallback", "fallback: nothing in the event identifies it", hash, texts)
}

fn hash_of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Hash {
    let mut hasher = Hasher::default();
    for text in texts {
        hasher.value(text);
    }
    hasher.finish()
}
