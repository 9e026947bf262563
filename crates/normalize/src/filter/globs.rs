//! Globs as all filters use them: whole texts, any case, `*`, `?`, `[a-z]`, `[!a-z]`, `{a,b}`, backslash before a plain
//! character. They are of characters, in whichever script.

use std::{iter::Peekable, str::Chars};

use regex::{RegexSet, RegexSetBuilder};

use super::{MAX_ENTRIES, check_length};
use crate::Problem;

/// Longest glob, in bytes.
const MAX_GLOB_BYTES: usize = 500;
/// Braces may be nested so deep.
const MAX_NESTING: usize = 16;
/// Largest set, compiled, in bytes.
const MAX_COMPILED_BYTES: usize = 10 << 20;

/// A set of globs.
#[derive(Debug, Clone)]
pub(super) struct Globs(RegexSet);

impl Globs {
    /// Prepares globs; empty ones are left out, and those that cannot be read are told.
    pub(super) fn new(setting: &str, globs: &[String], problems: &mut Vec<Problem>) -> Self {
        check_length(setting, globs.len(), MAX_ENTRIES, problems);
        let mut patterns = Vec::new();
        for (number, text) in globs.iter().take(MAX_ENTRIES).map(|glob| glob.trim()).enumerate() {
            if text.is_empty() {
                continue;
            }
            let mut problem = |message| problems.push(Problem { place: format!("{setting}.{number}"), message });
            if text.len() > MAX_GLOB_BYTES {
                problem(format!("at most {MAX_GLOB_BYTES} bytes"));
                continue;
            }
            match pattern(text) {
                Ok(pattern) => patterns.push(pattern),
                Err(fault) => problem(format!("not a glob: {fault}")),
            }
        }
        let mut builder = RegexSetBuilder::new(patterns);
        builder.case_insensitive(true).dot_matches_new_line(true).size_limit(MAX_COMPILED_BYTES);
        let set = builder.build().unwrap_or_else(|_| {
            problems
                .push(Problem { place: setting.to_owned(), message: "too much together; take some out".to_owned() });
            RegexSet::empty()
        });
        Self(set)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn match_any(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

/// The regular expression that a glob stands for.
fn pattern(glob: &str) -> Result<String, String> {
    let mut pattern = String::from(r"\A");
    let mut braces = 0_usize;
    let mut chars = glob.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '*' => pattern.push_str(".*"),
            '?' => pattern.push('.'),
            '[' => push_class(&mut pattern, &mut chars)?,
            '{' if braces == MAX_NESTING => return Err(format!("braces are nested deeper than {MAX_NESTING} levels")),
            '{' => {
                braces += 1;
                pattern.push_str("(?:");
            }
            ',' if braces > 0 => pattern.push('|'),
            '}' => {
                braces = braces.checked_sub(1).ok_or("a `}` without its `{`")?;
                pattern.push(')');
            }
            '\\' => push(&mut pattern, chars.next().ok_or("nothing stands behind the last `\\`")?),
            plain => push(&mut pattern, plain),
        }
    }
    if braces > 0 {
        return Err("a `{` without its `}`".to_owned());
    }
    pattern.push_str(r"\z");
    Ok(pattern)
}

/// Adds a class, whose `[` was read. A `]` that comes first is a character of it.
fn push_class(pattern: &mut String, chars: &mut Peekable<Chars<'_>>) -> Result<(), String> {
    let unclosed = "a `[` without its `]`";
    let is_negated = chars.next_if(|next| "!^".contains(*next)).is_some();
    pattern.push_str(if is_negated { "[^" } else { "[" });
    let mut next = chars.next().ok_or(unclosed)?;
    loop {
        push(pattern, next);
        let start = next;
        next = chars.next().ok_or(unclosed)?;
        if next == '-' && chars.peek().is_some_and(|end| *end != ']') {
            let end = chars.next().ok_or(unclosed)?;
            if end < start {
                return Err(format!("no character is from {start:?} to {end:?}"));
            }
            pattern.push('-');
            push(pattern, end);
            next = chars.next().ok_or(unclosed)?;
        }
        if next == ']' {
            pattern.push(']');
            return Ok(());
        }
    }
}

/// Adds a character that stands for itself.
fn push(pattern: &mut String, char: char) {
    pattern.push_str(&regex::escape(char.encode_utf8(&mut [0; 4])));
}
