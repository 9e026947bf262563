//! The language that says where a rule applies (`reference/ingest-protocol.md` §13.5).
//!
//! `a.b.c` matches by the end of a path; `*` is one level, `**` any number, `$type` what a value is, quotes are for odd
//! names. `!x`, `x && y`, `x || y` and parentheses combine.

use super::{place::Place, types::Type};

/// Longest selector, in bytes.
const MAX_BYTES: usize = 1000;
/// Parentheses and negations may be nested so deep.
const MAX_DEPTH: usize = 16;

/// Which places are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Selector {
    Path(Vec<Item>),
    /// A path from the root on; has no words in the language.
    Whole(Vec<Item>),
    And(Vec<Selector>),
    Or(Vec<Selector>),
    Not(Box<Selector>),
}

/// A level of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    Key(String),
    Type(Type),
    Any,
    Deep,
}

/// How well a place is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Match {
    /// Not at all.
    No,
    /// Among others.
    General,
    /// By its name: what is only scrubbed when somebody asks for it is asked for.
    Named,
}

impl Selector {
    /// Reads a selector.
    ///
    /// # Errors
    ///
    /// What is wrong, and at which character.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_BYTES {
            return Err(format!("a selector has at most {MAX_BYTES} bytes"));
        }
        let mut parser = Parser { chars: text.chars().collect(), at: 0 };
        let selector = parser.any_of(MAX_DEPTH)?;
        parser.skip_space();
        if parser.at < parser.chars.len() {
            return Err(parser.expected("`&&`, `||` or the end"));
        }
        Ok(selector)
    }

    /// The selector of a key with this name, wherever it is.
    pub(super) fn key(name: &str) -> Self {
        Self::Path(vec![Item::Key(name.to_owned())])
    }

    /// The same selector; a path means only what is there from the root on.
    pub(super) fn whole(self) -> Self {
        match self {
            Self::Path(items) => Self::Whole(items),
            other => other,
        }
    }

    /// How well it means any place at best.
    pub(super) fn best(&self) -> Match {
        match self {
            Self::Path(items) | Self::Whole(items) => best_of(items),
            Self::And(parts) | Self::Or(parts) => parts.iter().map(Self::best).max().unwrap_or(Match::General),
            Self::Not(_) => Match::General,
        }
    }

    /// Whether it can mean attached files: they are only touched when somebody asks for it (§13.7).
    pub(super) fn names_attachments(&self) -> bool {
        match self {
            Self::Path(items) | Self::Whole(items) => items.contains(&Item::Type(Type::Attachments)),
            Self::And(parts) | Self::Or(parts) => parts.iter().any(Self::names_attachments),
            Self::Not(_) => false,
        }
    }

    /// How well it means a place.
    pub(super) fn matches(&self, place: &Place<'_>) -> Match {
        match self {
            Self::Path(items) if !is_end_of(items, place, false) => Match::No,
            Self::Whole(items) if !is_end_of(items, place, true) => Match::No,
            Self::Path(items) | Self::Whole(items) => best_of(items),
            Self::And(parts) => {
                let mut best = Match::General;
                for part in parts {
                    match part.matches(place) {
                        Match::No => return Match::No,
                        found => best = best.max(found),
                    }
                }
                best
            }
            Self::Or(parts) => parts.iter().map(|part| part.matches(place)).max().unwrap_or(Match::No),
            Self::Not(inner) if inner.matches(place) == Match::No => Match::General,
            Self::Not(_) => Match::No,
        }
    }
}

/// How well a path means the places that it matches.
fn best_of(items: &[Item]) -> Match {
    let by_key = items.iter().any(|item| matches!(item, Item::Key(_)));
    let by_type = matches!(items.last(), Some(Item::Type(kind)) if kind.names_a_part());
    if by_key || by_type { Match::Named } else { Match::General }
}

impl Item {
    fn matches(&self, place: &Place<'_>) -> bool {
        match self {
            Self::Key(text) => place.has_key(text),
            Self::Type(kind) => place.has_type(*kind),
            Self::Any | Self::Deep => !place.is_root(),
        }
    }
}

/// Whether the path ends in the items, or when `is_whole`, is nothing else: from the last one upwards, taking the last `**` up again when something does not
/// fit, so the time is bounded by items times levels.
fn is_end_of(items: &[Item], place: &Place<'_>, is_whole: bool) -> bool {
    let (mut left, mut at) = (items, Some(place));
    let mut retry = None;
    loop {
        match (left.split_last(), at) {
            (None, at) if !is_whole || at.is_some_and(Place::is_root) => return true,
            (Some((Item::Deep, rest)), _) => {
                left = rest;
                retry = Some((rest, at));
            }
            (Some((item, rest)), Some(place)) if item.matches(place) => (left, at) = (rest, place.up),
            _ => match retry {
                Some((rest, Some(place))) => {
                    (left, at) = (rest, place.up);
                    retry = Some((rest, place.up));
                }
                _ => return false,
            },
        }
    }
}

struct Parser {
    chars: Vec<char>,
    at: usize,
}

impl Parser {
    fn any_of(&mut self, depth: usize) -> Result<Selector, String> {
        self.chain("||", Selector::Or, |parser| parser.chain("&&", Selector::And, |parser| parser.unary(depth)))
    }

    fn chain(
        &mut self,
        operator: &str,
        combine: fn(Vec<Selector>) -> Selector,
        part: impl Fn(&mut Self) -> Result<Selector, String>,
    ) -> Result<Selector, String> {
        let mut parts = vec![part(self)?];
        while self.eat(operator) {
            parts.push(part(self)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { combine(parts) })
    }

    fn unary(&mut self, depth: usize) -> Result<Selector, String> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(format!("nested deeper than {MAX_DEPTH} levels"));
        };
        self.skip_space();
        if self.eat("!") {
            return Ok(Selector::Not(Box::new(self.unary(depth)?)));
        }
        if self.eat("(") {
            let inner = self.any_of(depth)?;
            return if self.eat(")") { Ok(inner) } else { Err(self.expected("`)`")) };
        }
        let mut items = vec![self.item()?];
        while self.peek() == Some('.') {
            self.at += 1;
            items.push(self.item()?);
        }
        Ok(Selector::Path(items))
    }

    fn item(&mut self) -> Result<Item, String> {
        match self.peek() {
            Some('\'') => self.quoted().map(Item::Key),
            Some('*') => {
                self.at += 1;
                let deep = self.peek() == Some('*');
                self.at += usize::from(deep);
                Ok(if deep { Item::Deep } else { Item::Any })
            }
            Some('$') => {
                let start = self.at;
                self.at += 1;
                let name = self.word();
                Type::of_name(&name).map(Item::Type).ok_or_else(|| {
                    self.at = start;
                    self.expected("a type such as `$string` or `$frame`")
                })
            }
            _ => {
                let word = self.word();
                if word.is_empty() {
                    Err(self.expected("a name, `*`, `**`, `$type` or `'…'`"))
                } else {
                    Ok(Item::Key(word))
                }
            }
        }
    }

    fn quoted(&mut self) -> Result<String, String> {
        self.at += 1;
        let mut text = String::new();
        while let Some(next) = self.peek() {
            self.at += 1;
            if next != '\'' {
                text.push(next);
            } else if self.peek() == Some('\'') {
                self.at += 1;
                text.push('\'');
            } else {
                return Ok(text);
            }
        }
        Err(self.expected("the closing quote"))
    }

    fn word(&mut self) -> String {
        let rest = &self.chars[self.at..];
        let ends = |c: &char| c.is_whitespace() || ".()&|!'*$".contains(*c);
        let length = rest.iter().position(ends).unwrap_or(rest.len());
        self.at += length;
        rest[..length].iter().collect()
    }

    fn eat(&mut self, token: &str) -> bool {
        let back = self.at;
        self.skip_space();
        let found = token.chars().eq(self.chars[self.at..].iter().copied().take(token.len()));
        self.at = if found { self.at + token.len() } else { back };
        if found {
            self.skip_space();
        }
        found
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn expected(&self, what: &str) -> String {
        match self.chars.get(self.at) {
            Some(found) => format!("expected {what} at character {}, found {found:?}", self.at + 1),
            None => format!("expected {what} at the end"),
        }
    }
}
