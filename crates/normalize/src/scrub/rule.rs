//! A rule: what it looks for and what it puts in its place.

use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use regex::Regex;
use sha1::Sha1;

use super::patterns::Pattern;

/// What stands for a secret when nothing else was asked for.
pub(super) const FILTERED: &str = "[Filtered]";

/// Digits of a hash.
const HASH_DIGITS: usize = 40;

#[derive(Debug, Clone)]
pub(super) struct Rule {
    /// What remarks call it.
    pub(super) id: Arc<str>,
    pub(super) kind: Kind,
    pub(super) redaction: Redaction,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// Every value.
    Anything,
    /// Parts of texts.
    Patterns(Vec<Pattern>),
    /// Values whose key is sensitive, and texts that are.
    Pair { key: Regex, value: Option<Regex> },
}

/// What becomes of what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Redaction {
    Remove,
    Replace(Arc<str>),
    Mask,
    /// With the key of the HMAC.
    Hash(Arc<str>),
}

impl Redaction {
    /// The letter of a remark.
    pub(super) fn letter(&self) -> &'static str {
        match self {
            Self::Remove => "x",
            Self::Replace(_) => "s",
            Self::Mask => "m",
            Self::Hash(_) => "p",
        }
    }

    pub(super) fn of(&self, text: &str) -> String {
        match self {
            Self::Remove => String::new(),
            Self::Replace(with) => with.to_string(),
            Self::Mask => "*".repeat(text.chars().count()),
            Self::Hash(key) => hash(key, text),
        }
    }

    /// Whether a text can be what this left; then it is left alone, so that scrubbing twice is scrubbing once.
    pub(super) fn may_have_made(&self, text: &str) -> bool {
        match self {
            Self::Remove => text.is_empty(),
            Self::Replace(with) => text == &**with,
            Self::Mask => text.bytes().all(|byte| byte == b'*'),
            Self::Hash(_) => {
                text.len() == HASH_DIGITS && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'))
            }
        }
    }
}

fn hash(key: &str, text: &str) -> String {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(key.as_bytes()) else { return String::new() };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02X}")).collect()
}
