//! Where in the event the scrubber is.

use std::borrow::Cow;

use serde_json::Value;

use super::{schema::Node, types::Type};

/// A value's place, with the way to it. Lives on the stack, like [`crate::meta::Path`].
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) up: Option<&'a Place<'a>>,
    key: Key<'a>,
    pub(super) node: Node,
    json: Type,
}

#[derive(Clone, Copy)]
enum Key<'a> {
    Root,
    Name(&'a str),
    Index(usize),
    /// The second of `[name, value]` in a list: selectors know it by its name.
    Pair(usize, &'a str),
    /// The second of `[name, value]` alone.
    Second(&'a str),
}

impl<'a> Place<'a> {
    /// The event.
    pub(super) fn root() -> Self {
        Self::whole(Node::Event)
    }

    /// Something that is scrubbed as a whole.
    pub(super) fn whole(node: Node) -> Self {
        Self { up: None, key: Key::Root, node, json: Type::Object }
    }

    pub(super) fn name(&'a self, name: &'a str, value: &Value) -> Self {
        Self { up: Some(self), key: Key::Name(name), node: self.node.child(name), json: type_of(value) }
    }

    pub(super) fn index(&'a self, index: usize, value: &Value) -> Self {
        Self { up: Some(self), key: Key::Index(index), node: self.node.child(""), json: type_of(value) }
    }

    pub(super) fn pair(&'a self, index: usize, name: &'a str, value: &Value) -> Self {
        Self { up: Some(self), key: Key::Pair(index, name), node: self.node.child(name), json: type_of(value) }
    }

    pub(super) fn second(&'a self, name: &'a str, value: &Value) -> Self {
        Self { up: Some(self), key: Key::Second(name), node: self.node.child(name), json: type_of(value) }
    }

    /// The same place, with content of the application in it.
    pub(super) fn free(self, value: &Value) -> Self {
        Self { node: Node::Free, json: type_of(value), ..self }
    }

    /// The key, if it has a name.
    pub(super) fn key_name(&self) -> Option<&'a str> {
        match self.key {
            Key::Name(name) | Key::Pair(_, name) | Key::Second(name) => Some(name),
            Key::Root | Key::Index(_) => None,
        }
    }

    /// Whether the key is the given one; names of any case are one.
    pub(super) fn has_key(&self, text: &str) -> bool {
        match self.key {
            Key::Root => false,
            Key::Index(index) => text.parse() == Ok(index),
            Key::Name(name) | Key::Pair(_, name) | Key::Second(name) => name.eq_ignore_ascii_case(text),
        }
    }

    pub(super) fn is_root(&self) -> bool {
        matches!(self.key, Key::Root)
    }

    pub(super) fn has_type(&self, kind: Type) -> bool {
        self.json == kind || kind.is_of(self.node)
    }

    /// The keys from the root of the event, as `_meta` knows them.
    pub(super) fn keys(&self) -> Vec<Cow<'a, str>> {
        let mut keys = self.up.map(Place::keys).unwrap_or_default();
        match self.key {
            Key::Root => {}
            Key::Name(name) => keys.push(Cow::Borrowed(name)),
            Key::Index(index) => keys.push(Cow::Owned(index.to_string())),
            Key::Pair(index, _) => keys.extend([Cow::Owned(index.to_string()), Cow::Borrowed("1")]),
            Key::Second(_) => keys.push(Cow::Borrowed("1")),
        }
        keys
    }

    /// The place in the language of selectors.
    pub(super) fn selector(&self) -> String {
        let mut text = self.up.filter(|up| !up.is_root()).map(|up| up.selector() + ".").unwrap_or_default();
        match self.key {
            Key::Root => {}
            Key::Index(index) => text.push_str(&index.to_string()),
            Key::Name(name) | Key::Pair(_, name) | Key::Second(name) => {
                if !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_-".contains(c)) {
                    text.push_str(name);
                } else {
                    text.push_str(&format!("'{}'", name.replace('\'', "''")));
                }
            }
        }
        text
    }
}

fn type_of(value: &Value) -> Type {
    match value {
        Value::Null => Type::Elsewhere,
        Value::Bool(_) => Type::Boolean,
        Value::Number(_) => Type::Number,
        Value::String(_) => Type::String,
        Value::Array(_) => Type::Array,
        Value::Object(_) => Type::Object,
    }
}
