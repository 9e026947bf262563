//! `_meta`: what was changed on the way, in a tree parallel to the event (`reference/ingest-protocol.md` §11.16).

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use crate::trim;

/// Most notes of one event. A hostile event could otherwise grow by its own errors.
const MAX_NOTES: usize = 500;

/// Largest original value that is kept beside its error, in bytes of JSON.
const MAX_ORIGINAL_BYTES: usize = 500;

/// Longest key on the way to a note, in bytes: the note about a key must not be longer than what it is about.
const MAX_KEY_BYTES: usize = 1000;

/// Largest `_meta` that is taken over from an SDK, in bytes of JSON.
const MAX_INCOMING_BYTES: usize = 64 << 10;

/// Where in the event something is. Lives on the stack: following a tree costs nothing until there is a note.
#[derive(Clone, Copy)]
pub(crate) struct Path<'a> {
    up: Option<&'a Path<'a>>,
    key: Key<'a>,
}

#[derive(Clone, Copy)]
enum Key<'a> {
    Root,
    Name(&'a str),
    Index(usize),
}

impl<'a> Path<'a> {
    /// The whole.
    pub(crate) fn root() -> Self {
        Self { up: None, key: Key::Root }
    }

    pub(crate) fn top(name: &'a str) -> Self {
        Self { up: None, key: Key::Name(name) }
    }

    pub(crate) fn key(&'a self, name: &'a str) -> Self {
        Self { up: Some(self), key: Key::Name(name) }
    }

    pub(crate) fn index(&'a self, index: usize) -> Self {
        Self { up: Some(self), key: Key::Index(index) }
    }

    fn has_long_key(&self) -> bool {
        matches!(self.key, Key::Name(name) if name.len() > MAX_KEY_BYTES) || self.up.is_some_and(Path::has_long_key)
    }
}

/// The notes about a value and what is in it, while the value moves.
#[derive(Default)]
pub(crate) struct Notes(Map<String, Value>);

impl Notes {
    /// Takes out what is about a part.
    pub(crate) fn part(&mut self, key: &str) -> Self {
        match self.0.remove(key) {
            Some(Value::Object(notes)) => Self(notes),
            _ => Self::default(),
        }
    }

    /// What is about names alone.
    pub(crate) fn of_names(mut self) -> Self {
        self.0.retain(|key, _| key.parse::<usize>().is_err());
        self
    }

    /// Takes out what is about an entry of a list.
    pub(crate) fn entry(&mut self, index: usize) -> Self {
        if self.0.is_empty() { Self::default() } else { self.part(&index.to_string()) }
    }
}

/// The notes of one event.
pub(crate) struct Meta {
    tree: Map<String, Value>,
    /// Notes that may still be made.
    left: usize,
}

impl Meta {
    /// Starts from the notes that the SDK made itself.
    pub(crate) fn new(incoming: Option<Value>) -> Self {
        let tree = match incoming {
            Some(Value::Object(map)) if trim::size(&map) <= MAX_INCOMING_BYTES => map,
            _ => Map::new(),
        };
        Self { tree, left: MAX_NOTES }
    }

    /// A value that could not be read; it is about to be removed.
    pub(crate) fn invalid(&mut self, at: &Path<'_>, expected: &str, original: Value) {
        let error = json!(["invalid_data", { "reason": format!("expected {expected}") }]);
        self.error_with_original(at, error, original);
    }

    /// An error about a value that is about to be removed.
    pub(crate) fn error_with_original(&mut self, at: &Path<'_>, error: Value, original: Value) {
        let Some(node) = self.note(at) else { return };
        push(node, error);
        if original != Value::Null && trim::size_of(&original) <= MAX_ORIGINAL_BYTES {
            node.entry("val").or_insert(original);
        }
    }

    /// An error about a value that stays.
    pub(crate) fn error(&mut self, at: &Path<'_>, error: Value) {
        if let Some(node) = self.note(at) {
            push(node, error);
        }
    }

    /// The text that stood where a clearer one is now; kept while it is small.
    pub(crate) fn original(&mut self, at: &Path<'_>, text: &str) {
        if text.len() <= MAX_ORIGINAL_BYTES
            && let Some(node) = self.note(at)
        {
            node.entry("val").or_insert_with(|| text.into());
        }
    }

    /// The length before trimming: characters of a text, entries of a list or object. The first note counts.
    pub(crate) fn length(&mut self, at: &Path<'_>, original: usize) {
        if let Some(node) = self.note(at) {
            node.entry("len").or_insert(Value::from(original));
        }
    }

    /// Takes away what is noted about a value and what is in it, because it moves.
    pub(crate) fn lift(&mut self, at: &Path<'_>) -> Notes {
        find(&mut self.tree, at).map(std::mem::take).map(Notes).unwrap_or_default()
    }

    /// Takes away what is noted about what is in a value; what is noted about the value itself stays.
    pub(crate) fn lift_parts(&mut self, at: &Path<'_>) -> Notes {
        let mut notes = self.lift(at);
        if let Some(own) = notes.0.remove("") {
            node(&mut self.tree, at).insert(String::new(), own);
        }
        notes
    }

    /// Puts down what was noted about a value where the value is now.
    pub(crate) fn lay(&mut self, at: &Path<'_>, notes: Notes) {
        if !notes.0.is_empty() {
            merge(node(&mut self.tree, at), notes.0);
        }
    }

    /// What was noted about a value goes with it to another place.
    pub(crate) fn rename(&mut self, from: &Path<'_>, to: &Path<'_>) {
        if !self.tree.is_empty() {
            let notes = self.lift(from);
            self.lay(to, notes);
        }
    }

    /// A part of a value goes; what was wrong about it is noted about the value, as another part may take its place.
    pub(crate) fn give_up(&mut self, part: &Path<'_>, whole: &Path<'_>) {
        if self.tree.is_empty() {
            return;
        }
        let Notes(notes) = self.lift(part);
        let (mut errors, mut original) = (Vec::new(), None);
        errors_in(notes, &mut errors, &mut original);
        if errors.is_empty() {
            return;
        }
        let about = child(node(&mut self.tree, whole), String::new());
        for error in errors {
            push(about, error);
        }
        if let Some(original) = original {
            about.entry("val").or_insert(original);
        }
    }

    /// Drops notes that say nothing about a value that is there and are no reason why it is not.
    pub(crate) fn prune(&mut self, event: &Map<String, Value>) {
        self.tree.retain(|key, node| match node {
            Value::Object(_) if key.is_empty() => true,
            Value::Object(node) => prune(node, event.get(key)),
            _ => false,
        });
    }

    /// The tree, if there is anything in it.
    pub(crate) fn finish(mut self, known: impl Fn(&str) -> bool) -> Option<Value> {
        self.tree.retain(|key, _| key.is_empty() || known(key));
        (!self.tree.is_empty()).then_some(Value::Object(self.tree))
    }

    fn note(&mut self, at: &Path<'_>) -> Option<&mut Map<String, Value>> {
        if at.has_long_key() {
            return None;
        }
        self.left = self.left.checked_sub(1)?;
        Some(child(node(&mut self.tree, at), String::new()))
    }

    /// Goes on with the notes of a canonical event; so many may be added.
    pub(crate) fn resume(tree: Map<String, Value>, left: usize) -> Self {
        Self { tree, left }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.tree.is_empty()
    }

    /// The notes at a place, if there are any.
    pub(crate) fn peek(&self, keys: &[Cow<'_, str>]) -> Option<&Map<String, Value>> {
        let (first, rest) = keys.split_first()?;
        let below = rest.iter().try_fold(self.tree.get(&**first)?, |value, key| value.get(&**key))?;
        below.get("")?.as_object()
    }

    /// The notes at a place, for so many to be added; `None` when that are too many.
    pub(crate) fn at(&mut self, keys: &[Cow<'_, str>], count: usize) -> Option<&mut Map<String, Value>> {
        self.left = self.left.checked_sub(count)?;
        let node = keys.iter().fold(&mut self.tree, |tree, key| child(tree, key.to_string()));
        Some(child(node, String::new()))
    }

    /// Takes the notes at a place away.
    pub(crate) fn cut(&mut self, keys: &[Cow<'_, str>]) -> Option<Map<String, Value>> {
        let (last, way) = keys.split_last()?;
        let parent = way.iter().try_fold(&mut self.tree, |tree, key| tree.get_mut(&**key)?.as_object_mut())?;
        match parent.remove(&**last)?.get_mut("")?.take() {
            Value::Object(notes) => Some(notes),
            _ => None,
        }
    }

    /// All notes.
    pub(crate) fn take(&mut self) -> Map<String, Value> {
        std::mem::take(&mut self.tree)
    }
}

fn node<'t>(tree: &'t mut Map<String, Value>, at: &Path<'_>) -> &'t mut Map<String, Value> {
    let parent = match at.up {
        Some(up) => node(tree, up),
        None => tree,
    };
    let key = match at.key {
        Key::Root => return parent,
        Key::Name(name) => name.to_owned(),
        Key::Index(index) => index.to_string(),
    };
    child(parent, key)
}

/// The notes on what is in a value, if there are any.
fn find<'t>(tree: &'t mut Map<String, Value>, at: &Path<'_>) -> Option<&'t mut Map<String, Value>> {
    let parent = match at.up {
        Some(up) => find(tree, up)?,
        None => tree,
    };
    match at.key {
        Key::Root => Some(parent),
        Key::Name(name) => parent.get_mut(name)?.as_object_mut(),
        Key::Index(index) => parent.get_mut(&index.to_string())?.as_object_mut(),
    }
}

/// Adds notes to others; what is there stays.
fn merge(into: &mut Map<String, Value>, from: Map<String, Value>) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Object(there)), Value::Object(more)) => merge(there, more),
            (Some(_), _) => {}
            (None, value) => _ = into.insert(key, value),
        }
    }
}

/// Gathers the errors of a value and what is in it, and the first original value.
fn errors_in(notes: Map<String, Value>, errors: &mut Vec<Value>, original: &mut Option<Value>) {
    for (key, below) in notes {
        let Value::Object(mut below) = below else { continue };
        if !key.is_empty() {
            errors_in(below, errors, original);
        } else if let Some(Value::Array(found)) = below.remove("err") {
            errors.extend(found);
            *original = original.take().or_else(|| below.remove("val"));
        }
    }
}

fn child(parent: &mut Map<String, Value>, key: String) -> &mut Map<String, Value> {
    let slot = parent.entry(key).or_insert(Value::Null);
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    slot.as_object_mut().expect("made an object above")
}

/// Drops from the notes on a value what [`Meta::prune`] drops; tells whether anything is left.
fn prune(node: &mut Map<String, Value>, value: Option<&Value>) -> bool {
    node.retain(|key, below| {
        let Value::Object(below) = below else { return false };
        if key.is_empty() {
            let is_reason = ["err", "rem"].iter().any(|kind| below.contains_key(*kind));
            return (value.is_some() || is_reason) && !below.is_empty();
        }
        let child = match value {
            Some(Value::Object(map)) => map.get(key),
            Some(Value::Array(items)) => key.parse::<usize>().ok().and_then(|index| items.get(index)),
            _ => None,
        };
        prune(below, child)
    });
    !node.is_empty()
}

fn push(node: &mut Map<String, Value>, error: Value) {
    let slot = node.entry("err").or_insert(Value::Null);
    if !slot.is_array() {
        *slot = Value::Array(Vec::new());
    }
    let errors = slot.as_array_mut().expect("made a list above");
    if !errors.contains(&error) {
        errors.push(error);
    }
}
