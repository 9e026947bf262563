//! A text while rules work on it: parts that stand and parts that were redacted. Rules look at the whole, where one mark
//! stands for each redacted part, so none finds anything in what another one left.

use std::{collections::VecDeque, ops::Range};

use serde_json::{Value, json};

use super::rule::Rule;

/// Stands for a redacted part while rules look. Texts of events do not contain it.
const MARK: char = '\0';

/// Most remarks of one text; what is beyond is redacted and not remarked.
const MAX_REMARKS: usize = 100;

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
        let mut rest = Rest { parts: std::mem::take(&mut self.parts).into(), from: 0 };
        let mut at = 0;
        let mut any = false;
        for range in ranges {
            rest.take(range.start - at, &mut self.parts);
            let before = self.parts.len();
            rest.take(range.len(), &mut self.parts);
            at = range.end;
            let plain: String = self.parts[before..].iter().filter_map(Part::plain).collect();
            if plain.is_empty() {
                continue;
            }
            any = true;
            let letter = rule.redaction.letter().to_owned();
            self.parts.truncate(before);
            self.parts.push(Part::Redacted { text: rule.redaction.of(&plain), rule: rule.id.to_string(), letter });
        }
        rest.take(usize::MAX, &mut self.parts);
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

    /// The remarks about it, at most [`MAX_REMARKS`]; places are counted in characters.
    pub(super) fn remarks(&self) -> Vec<Value> {
        let mut at = 0;
        let mut remarks = Vec::new();
        for part in &self.parts {
            if remarks.len() == MAX_REMARKS {
                break;
            }
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

/// Parts that are yet to be looked at.
struct Rest {
    parts: VecDeque<Part>,
    /// The byte of the first part, if that is plain, that comes next.
    from: usize,
}

impl Rest {
    /// Moves so many bytes of what is seen from the front, or all that is left.
    fn take(&mut self, mut bytes: usize, into: &mut Vec<Part>) {
        while bytes > 0 {
            let Some(part) = self.parts.pop_front() else { return };
            let text = match part {
                Part::Redacted { .. } => {
                    bytes -= MARK.len_utf8();
                    into.push(part);
                    continue;
                }
                Part::Plain(text) => text,
            };
            let start = std::mem::take(&mut self.from);
            let length = text.len() - start;
            if length > bytes {
                // Only the piece is copied: a text may be cut thousands of times.
                into.push(Part::Plain(text[start..start + bytes].to_owned()));
                self.from = start + bytes;
                self.parts.push_front(Part::Plain(text));
                return;
            }
            into.push(Part::Plain(if start == 0 { text } else { text[start..].to_owned() }));
            bytes -= length;
        }
    }
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

#[cfg(test)]
mod tests {
    use std::slice;

    use super::{
        super::rule::{Kind, Redaction},
        *,
    };

    #[test]
    fn a_text_full_of_secrets_is_held_once() {
        const SECRETS: usize = 10_000;
        let text = "a@b.c ".repeat(SECRETS);
        let rule = Rule { id: "mail".into(), kind: Kind::Anything, redaction: Redaction::Mask };
        let mut whole = Text::new(&text, &[], |_, _, _| true);
        let secrets: Vec<_> = (0..SECRETS).map(|n| n * 6..n * 6 + 5).collect();
        assert!(whole.redact(&secrets, &rule));
        assert_eq!(whole.text(), "***** ".repeat(SECRETS));
        let held: usize = whole
            .parts
            .iter()
            .map(|part| match part {
                Part::Plain(text) => text.capacity(),
                Part::Redacted { .. } => 0,
            })
            .sum();
        assert!(held <= text.len(), "{held} bytes for a text of {}", text.len());
    }

    #[test]
    fn what_is_redacted_over_several_parts_is_one_part() {
        let rule = |redaction| Rule { id: "r".into(), kind: Kind::Anything, redaction };
        let mut whole = Text::new("one two three", &[], |_, _, _| true);
        assert!(whole.redact(slice::from_ref(&(4..7)), &rule(Redaction::Mask)));
        assert_eq!(whole.seen(), "one \0 three");
        assert!(!whole.redact(slice::from_ref(&(4..5)), &rule(Redaction::Remove)), "nothing plain is left there");
        assert!(whole.redact(&[2..7, 9..11], &rule(Redaction::Replace("-".into()))));
        assert_eq!(
            (whole.text().as_str(), whole.remarks()),
            ("on-hr-", vec![json!(["r", "s", 2, 3]), json!(["r", "s", 5, 6])])
        );
    }
}
