//! The tree that explains a hash: every part, whether it counts, and why not (`reference/grouping.md` §1, §4).

use std::borrow::Cow;

use md5::{Digest, Md5};
use nuthatch_protocol::Hash;
use serde::Serialize;

/// A node of the tree.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Component {
    /// What it is: `exception`, `stacktrace`, `frame`, `function`, …
    pub id: &'static str,
    /// Whether its values go into the hash.
    pub contributes: bool,
    /// Why it does not count, or what was done to the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<Cow<'static, str>>,
    /// What it consists of.
    pub values: Vec<Node>,
}

/// A value of a [`Component`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Node {
    /// Text that is hashed.
    Text(String),
    /// A part with parts of its own.
    Component(Component),
}

impl Component {
    /// A part with a value; without one it says nothing and does not count.
    pub(crate) fn leaf(id: &'static str, value: Option<impl Into<String>>) -> Self {
        let values: Vec<Node> = value.map(|text| Node::Text(text.into())).into_iter().collect();
        Self { id, contributes: !values.is_empty(), hint: None, values }
    }

    /// A part made of parts; counts when one of them does.
    pub(crate) fn parent(id: &'static str, children: impl IntoIterator<Item = Self>) -> Self {
        let values: Vec<Node> = children.into_iter().map(Node::Component).collect();
        let contributes = values.iter().any(Node::contributes);
        Self { id, contributes, hint: None, values }
    }

    /// Says what was done to the value.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same part, not counting. The first reason stays: a part that already did not count keeps its own.
    #[must_use]
    pub(crate) fn ignored(mut self, reason: impl Into<Cow<'static, str>>) -> Self {
        self.ignore(reason);
        self
    }

    /// Stops counting, for a reason. A part that already did not count keeps its own reason.
    pub(crate) fn ignore(&mut self, reason: impl Into<Cow<'static, str>>) {
        if self.contributes || self.hint.is_none() {
            self.hint = Some(reason.into());
        }
        self.contributes = false;
    }

    /// The parts.
    pub fn children(&self) -> impl Iterator<Item = &Self> {
        self.values.iter().filter_map(|node| match node {
            Node::Component(component) => Some(component),
            Node::Text(_) => None,
        })
    }

    /// Whether a part of that kind counts, here or below.
    pub(crate) fn counts(&self, id: &str) -> bool {
        self.contributes && (self.id == id || self.children().any(|child| child.counts(id)))
    }

    /// The values that count, in the order of the tree.
    pub(crate) fn feed(&self, hasher: &mut Hasher) {
        if !self.contributes {
            return;
        }
        for node in &self.values {
            match node {
                Node::Text(text) => hasher.value(text),
                Node::Component(component) => component.feed(hasher),
            }
        }
    }

    /// The hash of the values that count.
    pub(crate) fn hash(&self) -> Hash {
        let mut hasher = Hasher::default();
        self.feed(&mut hasher);
        hasher.finish()
    }
}

impl Node {
    fn contributes(&self) -> bool {
        match self {
            Self::Text(_) => true,
            Self::Component(component) => component.contributes,
        }
    }
}

/// MD5 over values with their lengths, so that `ab, c` and `a, bc` differ. What holds the values does not matter:
/// equal values in different variants give equal hashes, on purpose.
#[derive(Default)]
pub(crate) struct Hasher(Md5);

impl Hasher {
    pub(crate) fn value(&mut self, text: &str) {
        self.0.update((text.len() as u64).to_le_bytes());
        self.0.update(text.as_bytes());
    }

    pub(crate) fn finish(self) -> Hash {
        Hash(self.0.finalize().into())
    }
}
