//! A text while rules work on it: parts that stand and parts that were redacted. Rules look at the whole, where one mark
//! stands for each redacted part, so none finds anything in what another one left.

use std::{collections::VecDeque, ops::Range};

use serde_json::{Value, json};

use super::rule::Rule;

/// Stands for a redacted part while rules look. Texts of events do not contain it.
const MARK: char = '\0';

pub(super) struct Text {
    parts: Vec<Part>,
    original_chars: usize,
    is_changed: bool,
}

enum Part {
    Plain(String),
    Redacted { text: String, rule: String, letter: String },
}

impl Text {
    /// Starts from a text and its remarks; those that `is_ours` does not know do not protect their part.
    pub(super) fn new(text: &str, remarks: &[Value], is_ours: impl Fn(&str, &str, &str) -> bool) -> Self {
        let mut parts = Vec::new();
        let mut rest = text;
        let mut at = 0;
        for remark in remarks {
            let Some((rule, letter, range)) = read_remark(remark) else { continue };
            let Some(skip) = range.start.checked_sub(at) else { continue };
            let Some(start) = byte_at(rest, skip) else { continue };
            let Some(length) = byte_at(&rest[start..], range.len()) else { continue };
            let redacted = &rest[start..start + length];
            if redacted.is_empty() || !is_ours(rule, letter, redacted) {
                continue;
            }
            if start > 0 {
                parts.push(Part::Plain(rest[..start].to_owned()));
            }
            let (text, rule, letter) = (redacted.to_owned(), rule.to_owned(), letter.to_owned());
            parts.push(Part::Redacted { text, rule, letter });
            rest = &rest[start + length..];
            at = range.end;
        }
        if !rest.is_empty() || parts.is_empty() {
            parts.push(Part::Plain(rest.to_owned()));
        }
        Self { parts, original_chars: text.chars().count(), is_changed: false }
    }

    /// What rules look at.
    pub(super) fn seen(&self) -> String {
        let mut seen = String::new();
        for part in &self.parts {
            match part {
                Part::Plain(text) => seen.push_str(text),
                Part::Redacted { .. } => seen.push(MARK),
            }
        }
        seen
    }

    /// Redacts ranges of what is seen; `false` when there was nothing left to redact in them.
    pub(super) fn redact(&mut self, ranges: &[Range<usize>], rule: &Rule) -> bool {
        let mut rest: VecDeque<Part> = std::mem::take(&mut self.parts).into();
        let mut at = 0;
        let mut any = false;
        for range in ranges {
            self.parts.extend(take(&mut rest, range.start - at));
            let found = take(&mut rest, range.len());
            at = range.end;
            let plain: String = found.iter().filter_map(Part::plain).collect();
            if plain.is_empty() {
                self.parts.extend(found);
                continue;
            }
            any = true;
            let letter = rule.redaction.letter().to_owned();
            self.parts.push(Part::Redacted { text: rule.redaction.of(&plain), rule: rule.id.to_string(), letter });
        }
        self.parts.extend(rest);
        self.is_changed |= any;
        any
    }

    pub(super) fn is_changed(&self) -> bool {
        self.is_changed
    }

    pub(super) fn original_chars(&self) -> usize {
        self.original_chars
    }

    /// The text as it is now.
    pub(super) fn text(&self) -> String {
        let texts = self.parts.iter().map(|part| match part {
            Part::Plain(text) | Part::Redacted { text, .. } => text.as_str(),
        });
        texts.collect()
    }

    /// The remarks about it; places are counted in characters.
    pub(super) fn remarks(&self) -> Vec<Value> {
        let mut at = 0;
        let mut remarks = Vec::new();
        for part in &self.parts {
            match part {
                Part::Plain(text) => at += text.chars().count(),
                Part::Redacted { text, rule, letter } => {
                    let end = at + text.chars().count();
                    remarks.push(json!([rule, letter, at, end]));
                    at = end;
                }
            }
        }
        remarks
    }
}

impl Part {
    fn plain(&self) -> Option<&str> {
        match self {
            Self::Plain(text) => Some(text),
            Self::Redacted { .. } => None,
        }
    }
}

/// Takes so many bytes of what is seen from the front.
fn take(parts: &mut VecDeque<Part>, mut bytes: usize) -> Vec<Part> {
    let mut taken = Vec::new();
    while bytes > 0 {
        match parts.pop_front() {
            Some(Part::Plain(mut text)) if text.len() > bytes => {
                let rest = text.split_off(bytes);
                parts.push_front(Part::Plain(rest));
                taken.push(Part::Plain(text));
                break;
            }
            Some(part) => {
                bytes -= part.plain().map_or(MARK.len_utf8(), str::len);
                taken.push(part);
            }
            None => break,
        }
    }
    taken
}

fn read_remark(remark: &Value) -> Option<(&str, &str, Range<usize>)> {
    let place = |index: usize| Some(remark.get(index)?.as_u64()? as usize);
    let range = place(2)?..place(3)?;
    (range.start <= range.end).then_some((remark.get(0)?.as_str()?, remark.get(1)?.as_str()?, range))
}

/// The byte at which so many characters end.
fn byte_at(text: &str, chars: usize) -> Option<usize> {
    text.char_indices().map(|(at, _)| at).chain([text.len()]).nth(chars)
}
