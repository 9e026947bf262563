//! The walk through the event.

use std::{borrow::Cow, sync::Arc};

use serde_json::{Map, Value, json};

use super::{
    Change, Scrubber,
    patterns::Profile,
    place::Place,
    rule::{Kind, Redaction, Rule},
    schema::{Node, Pii},
    selector::Match,
    special,
    text::Text,
};
use crate::meta::Meta;

/// Most remarks of one event; what is beyond is scrubbed and not remarked.
const MAX_REMARKS: usize = 5_000;

/// Texts that say nothing, so that nothing is hidden in them.
const NEVER_SENSITIVE: [&str; 5] = ["", "true", "false", "null", "undefined"];

/// Scrubs a whole: an event, or what comes by itself.
pub(super) fn scrub(
    scrubber: &Scrubber,
    whole: &mut Map<String, Value>,
    node: Node,
    changes: Option<&mut Vec<Change>>,
) {
    let root = Place::whole(node);
    let tree = match whole.remove("_meta") {
        Some(Value::Object(tree)) => tree,
        _ => Map::new(),
    };
    let mut walk =
        Walk { scrubber, meta: Meta::resume(tree, MAX_REMARKS), is_quiet: false, changes, applicable: Vec::new() };
    walk.object(whole, &root);
    if matches!(node, Node::Event | Node::Replay) {
        if scrubber.graphql {
            special::graphql(whole, &mut |place, value, rule| walk.filter(value, place, rule));
        }
        special::hashed_address(whole, &mut walk.meta);
    }
    walk.is_quiet = true;
    let mut tree = walk.meta.take();
    walk.notes(&mut tree, &root);
    if !tree.is_empty() {
        whole.insert("_meta".to_owned(), Value::Object(tree));
    }
}

/// Scrubs the text of an attached file.
pub(super) fn scrub_file(scrubber: &Scrubber, name: &str, text: &str) -> String {
    let mut walk = Walk {
        scrubber,
        meta: Meta::resume(Map::new(), MAX_REMARKS),
        is_quiet: false,
        changes: None,
        applicable: Vec::new(),
    };
    let (root, mut value) = (Place::whole(Node::Attachments), Value::from(text));
    let place = root.name(name, &value);
    let is_gone = walk.apply(&mut value, &place);
    match value {
        Value::String(text) if !is_gone => text,
        _ => String::new(),
    }
}

struct Walk<'s, 'c> {
    scrubber: &'s Scrubber,
    meta: Meta,
    /// Inside `_meta` there are no remarks to be made.
    is_quiet: bool,
    changes: Option<&'c mut Vec<Change>>,
    /// Rules for the value in hand; kept to be used again.
    applicable: Vec<&'s Rule>,
}

impl<'s> Walk<'s, '_> {
    /// Scrubs a value and what is in it; `true` when it must go.
    fn value(&mut self, value: &mut Value, place: &Place<'_>) -> bool {
        if self.apply(value, place) {
            return true;
        }
        match value {
            Value::Object(map) => self.object(map, place),
            Value::Array(items) => self.list(items, place),
            _ => {}
        }
        false
    }

    fn object(&mut self, map: &mut Map<String, Value>, place: &Place<'_>) {
        let mut gone = Vec::new();
        for (key, value) in map.iter_mut() {
            let below = place.name(key, value);
            if below.node != Node::Fixed && self.value(value, &below) {
                *value = Value::Null;
                if !place.node.keeps_nulls() {
                    gone.push(key.clone());
                }
            }
        }
        for key in gone {
            map.remove(&key);
        }
    }

    /// A list of `[name, value]` is as good as an object, and so is one such pair alone.
    fn list(&mut self, items: &mut [Value], place: &Place<'_>) {
        if !items.is_empty() && items.iter_mut().all(|item| pair(item).is_some()) {
            for (index, item) in items.iter_mut().enumerate() {
                let Some((name, value)) = pair(item) else { continue };
                if self.value(value, &place.pair(index, name, value)) {
                    *value = Value::Null;
                }
                if matches!(place.node, Node::Free | Node::Prose)
                    && let Some(name) = item.get_mut(0)
                {
                    let item_at = place.index(index, &Value::Null);
                    let name_at = item_at.index(0, name);
                    self.patterns(name, &name_at);
                }
            }
            return;
        }
        let name = match items {
            // Of prose, the first text names nothing.
            [Value::String(name), _] if place.node != Node::Prose => Some(name.clone()),
            _ => None,
        };
        for (index, item) in items.iter_mut().enumerate() {
            let below = match &name {
                Some(name) if index == 1 => place.second(name, item),
                _ => place.index(index, item),
            };
            if self.value(item, &below) {
                *item = Value::Null;
            }
        }
    }

    /// The rules that are for this very value. Their list is to be given back.
    fn rules_for(&mut self, place: &Place<'_>) -> Vec<&'s Rule> {
        let scrubber: &'s Scrubber = self.scrubber;
        let mut rules = std::mem::take(&mut self.applicable);
        rules.clear();
        let (needed, applications) = match place.node.pii() {
            Pii::Yes => (Match::General, &scrubber.applications),
            Pii::WhenNamed => (Match::Named, &scrubber.naming),
            Pii::OfFiles => (Match::General, &scrubber.of_files),
            Pii::No => return rules,
        };
        for application in applications {
            if application.selector.matches(place) >= needed {
                rules.extend(application.rules.iter().map(Arc::as_ref));
            }
        }
        rules
    }

    /// Applies the rules for parts of texts to the first of a pair. It is a name mostly, which tells of a secret and is none.
    fn patterns(&mut self, value: &mut Value, place: &Place<'_>) {
        let Value::String(text) = value else { return };
        let mut rules = self.rules_for(place);
        rules.retain(|rule| matches!(rule.kind, Kind::Patterns(_)));
        if !rules.is_empty() && self.text(text, place, &rules) {
            *value = Value::from("");
        }
        self.applicable = rules;
    }

    /// Applies the rules that are for this very value; `true` when one removes it.
    fn apply(&mut self, value: &mut Value, place: &Place<'_>) -> bool {
        let rules = self.rules_for(place);
        let is_gone = match value {
            _ if rules.is_empty() => false,
            Value::Null => false,
            Value::String(text) => self.text(text, place, &rules),
            other => match rules.iter().find(|rule| removes(rule, other, place)) {
                Some(rule) => {
                    self.tell(place, rule, "x", other, &Value::Null);
                    self.remark(place, vec![json!([rule.id, "x"])], None);
                    true
                }
                None => false,
            },
        };
        self.applicable = rules;
        is_gone
    }

    fn text(&mut self, value: &mut String, place: &Place<'_>, rules: &[&Rule]) -> bool {
        let profile = Profile::of(value);
        let mut text: Option<Text> = None;
        for rule in rules {
            let whole = match &rule.kind {
                Kind::Anything => true,
                Kind::Pair { key, value: sensitive } => {
                    !NEVER_SENSITIVE.contains(&value.as_str())
                        && (place.key_name().is_some_and(|name| key.is_match(name))
                            || sensitive.as_ref().is_some_and(|regex| match &text {
                                Some(text) => regex.is_match(&text.seen()),
                                None => regex.is_match(value) && regex.is_match(&self.started(value, place).seen()),
                            }))
                }
                Kind::Patterns(_) => false,
            };
            if whole && rule.redaction == Redaction::Remove {
                let before = text.map_or_else(|| value.clone(), |text| text.text());
                self.tell(place, rule, "x", &Value::String(before), &Value::Null);
                self.remark(place, vec![json!([rule.id, "x"])], Some(value.chars().count()));
                return true;
            }
            if let Kind::Patterns(patterns) = &rule.kind {
                for pattern in patterns.iter().filter(|pattern| pattern.may_match(&profile)) {
                    // Most texts hold nothing; only those that do are taken apart.
                    if text.is_none() && pattern.ranges(value).is_empty() {
                        continue;
                    }
                    let current = text.get_or_insert_with(|| self.started(value, place));
                    let ranges = pattern.ranges(&current.seen());
                    self.redact(current, &ranges, rule, place);
                }
            } else if whole {
                let current = text.get_or_insert_with(|| self.started(value, place));
                let length = current.seen().len();
                // An empty text has nothing to be replaced.
                if length > 0 {
                    self.redact(current, std::slice::from_ref(&(0..length)), rule, place);
                }
            }
        }
        if let Some(text) = text.filter(Text::is_changed) {
            if self.is_quiet {
                // Nothing remembers what was done to a note, so one in which something was found goes.
                return true;
            }
            *value = text.text();
            // A file has no notes.
            if place.node != Node::Attachment {
                self.remark(place, text.remarks(), Some(text.original_chars()));
            }
        }
        false
    }

    /// Replaces a whole text, by a rule that is none of the project's.
    fn filter(&mut self, value: &mut Value, place: &Place<'_>, rule: &Rule) {
        if let Value::String(text) = value {
            self.text(text, place, &[rule]);
        } else if !value.is_null() {
            self.tell(place, rule, "x", value, &Value::Null);
            self.remark(place, vec![json!([rule.id, "x"])], None);
            *value = Value::Null;
        }
    }

    fn redact(&mut self, text: &mut Text, ranges: &[std::ops::Range<usize>], rule: &Rule, place: &Place<'_>) {
        let before = self.changes.is_some().then(|| text.text());
        if text.redact(ranges, rule)
            && let Some(before) = before
        {
            self.tell(place, rule, rule.redaction.letter(), &Value::String(before), &Value::String(text.text()));
        }
    }

    /// The text with what earlier rounds left in it.
    fn started(&self, text: &str, place: &Place<'_>) -> Text {
        let is_ours = |rule: &str, letter: &str, part: &str| self.scrubber.has_left(rule, letter, part);
        if self.is_quiet || self.meta.is_empty() {
            return Text::new(text, &[], is_ours);
        }
        let remarks = self.meta.peek(&place.keys()).and_then(|node| node.get("rem")?.as_array());
        Text::new(text, remarks.map_or(&[], Vec::as_slice), is_ours)
    }

    fn remark(&mut self, place: &Place<'_>, remarks: Vec<Value>, length: Option<usize>) {
        if self.is_quiet {
            return;
        }
        if let Some(node) = self.meta.at(&place.keys(), remarks.len()) {
            node.insert("rem".to_owned(), Value::Array(remarks));
            if let Some(length) = length {
                node.entry("len").or_insert(Value::from(length));
            }
        }
    }

    fn tell(&mut self, place: &Place<'_>, rule: &Rule, kind: &'static str, before: &Value, after: &Value) {
        let is_quiet = self.is_quiet;
        if let Some(changes) = self.changes.as_deref_mut() {
            let mut path = place.selector();
            if is_quiet {
                path.insert_str(0, "_meta.");
            }
            let (before, after) = (before.clone(), after.clone());
            changes.push(Change { path, rule: rule.id.to_string(), kind, before, after });
        }
    }

    /// `_meta` keeps values that could not be read, and details of errors: they are content like any other.
    fn notes(&mut self, tree: &mut Map<String, Value>, place: &Place<'_>) {
        for (key, below) in tree.iter_mut() {
            let Value::Object(map) = below else { continue };
            if !key.is_empty() {
                let below = place.name(key, &Value::Null);
                self.notes(map, &below);
                continue;
            }
            for (name, note) in map.iter_mut().filter(|(name, _)| !["rem", "len"].contains(&name.as_str())) {
                let at = place.free(note);
                if name == "err" {
                    for error in note.as_array_mut().into_iter().flatten() {
                        if let Some(details) = error.get_mut(1) {
                            self.value(details, &at);
                        }
                    }
                } else if self.value(note, &at) {
                    *note = Value::Null;
                }
            }
            map.retain(|name, note| name != "val" || !note.is_null());
        }
    }
}

/// Whether a rule removes a value that is no text.
fn removes(rule: &Rule, value: &Value, place: &Place<'_>) -> bool {
    match &rule.kind {
        Kind::Anything => true,
        Kind::Pair { key, .. } => !value.is_boolean() && place.key_name().is_some_and(|name| key.is_match(name)),
        Kind::Patterns(_) => false,
    }
}

fn pair(item: &mut Value) -> Option<(&str, &mut Value)> {
    match item.as_array_mut()?.as_mut_slice() {
        [Value::String(name), value] => Some((name.as_str(), value)),
        _ => None,
    }
}

/// The keys of `_meta` for a place given by names.
pub(super) fn keys<'a>(names: &[&'a str]) -> Vec<Cow<'a, str>> {
    names.iter().map(|name| Cow::Borrowed(*name)).collect()
}
