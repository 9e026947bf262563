//! Complete views of an event that give, or could have given, a hash (`reference/grouping.md` §4, §15).

use std::borrow::Cow;

use nuthatch_protocol::Hash;
use serde::Serialize;

use crate::{Component, component::Hasher, fingerprint::Entry, strategy::View};

/// What a variant is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VariantKind {
    /// A tree of components.
    Component,
    /// A tree of components and the fingerprint.
    SaltedComponent,
    /// The fingerprint alone.
    CustomFingerprint,
    /// The checksum that the client sent.
    Checksum,
    /// Nothing: all events without anything that identifies them.
    Fallback,
}

/// One view of an event.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Variant {
    /// Name, unique in the event, for instance `app_exception`.
    pub key: String,
    /// What it is made from.
    #[serde(rename = "type")]
    pub kind: VariantKind,
    /// The same for people, for instance `in-app exception stack-trace`.
    pub description: String,
    /// The hash, if it counts.
    pub hash: Option<Hash>,
    /// Whether its hash is one of the event's.
    pub contributes: bool,
    /// Why it does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<Cow<'static, str>>,
    /// The tree.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<Component>,
    /// What a fingerprint or checksum resolved to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<String>>,
}

impl Variant {
    pub(crate) fn fixed(kind: VariantKind, key: &str, description: &str, hash: Hash, values: Vec<String>) -> Self {
        Self {
            key: key.to_owned(),
            kind,
            description: description.to_owned(),
            hash: Some(hash),
            contributes: true,
            hint: None,
            component: None,
            values: Some(values),
        }
    }

    /// The variant of a view. A fingerprint with more than the default is hashed around the values that count.
    pub(crate) fn of_view(view: View, salt: Option<&[Entry]>) -> Self {
        let View { variant, root } = view;
        let name = root.id.replace('-', "_");
        let stack = if root.id != "stacktrace" && root.counts("stacktrace") { " stack-trace" } else { "" };
        let place = match variant {
            "app" => "in-app ",
            "system" => "whole ",
            _ => "",
        };
        let description = format!("{place}{}{stack}", root.id);
        let salt = salt.filter(|_| root.contributes);
        let mut hasher = Hasher::default();
        match salt {
            None => root.feed(&mut hasher),
            Some(entries) => {
                for entry in entries {
                    match entry {
                        Entry::Default => root.feed(&mut hasher),
                        Entry::Text(text) => hasher.value(text),
                    }
                }
            }
        }
        Self {
            key: format!("{variant}_{name}{}", if salt.is_some() { "_hybrid_fingerprint" } else { "" }),
            kind: if salt.is_some() { VariantKind::SaltedComponent } else { VariantKind::Component },
            description: if salt.is_some() { format!("fingerprint and {description}") } else { description },
            hash: root.contributes.then(|| hasher.finish()),
            contributes: root.contributes,
            hint: root.hint.clone().filter(|_| !root.contributes),
            component: Some(root),
            values: salt.map(|entries| entries.iter().map(Entry::to_string).collect()),
        }
    }
}
