//! Tags with their values and counts (`reference/web-api.md` §3.8).

use nuthatch_store::events::{self, TagValues};
use serde::Serialize;
use utoipa::ToSchema;

use crate::search::tag_key;

/// A tag without its values.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TagKey {
    pub(crate) key: String,
    pub(crate) name: String,
    /// Events that have it.
    pub(crate) total_values: u64,
}

impl TagKey {
    pub(crate) fn new(key: &str, total_values: u64) -> Self {
        Self { key: key.to_owned(), name: tag_name(key), total_values }
    }
}

/// A tag with its most frequent values.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tag {
    pub(crate) key: String,
    pub(crate) name: String,
    /// Events that have it.
    pub(crate) total_values: u64,
    /// Different values.
    pub(crate) unique_values: u64,
    /// Most frequent first.
    pub(crate) top_values: Vec<TagValue>,
}

impl Tag {
    pub(crate) fn new(key: &str, values: &TagValues) -> Self {
        Self {
            key: key.to_owned(),
            name: tag_name(key),
            total_values: values.total,
            unique_values: values.unique,
            top_values: values.top.iter().map(|value| TagValue::new(key, value)).collect(),
        }
    }
}

/// A value of a tag.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TagValue {
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) count: u64,
    pub(crate) first_seen: String,
    pub(crate) last_seen: String,
    /// What to type into the search field to find it.
    pub(crate) query: String,
    // The four parts of a user, for the tag `user` only (`id:7`, `email:x`, `username:x`, `ip:x`).
    pub(crate) email: Option<String>,
    pub(crate) username: Option<String>,
    pub(crate) identifier: Option<String>,
    pub(crate) ip_address: Option<String>,
}

impl TagValue {
    pub(crate) fn new(key: &str, value: &events::TagValue) -> Self {
        let part = |kind: &str| match value.value.split_once(':') {
            Some((found, rest)) if key == "user" && found == kind => Some(rest.to_owned()),
            _ => None,
        };
        Self {
            key: key.to_owned(),
            name: value.value.clone(),
            value: value.value.clone(),
            count: value.count,
            first_seen: value.first_seen.to_string(),
            last_seen: value.last_seen.to_string(),
            query: search_token(key, &value.value),
            email: part("email"),
            username: part("username"),
            identifier: part("id"),
            ip_address: part("ip"),
        }
    }
}

/// The token that finds events with this value of a tag.
pub(crate) fn search_token(key: &str, value: &str) -> String {
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('*', "\\*");
    format!("{}:\"{escaped}\"", tag_key(key))
}

/// The name of a tag for people: first letter in capitals, separators as blanks.
fn tag_name(key: &str) -> String {
    let words = key.replace(['_', '.', '-'], " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
