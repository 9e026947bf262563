//! Patterns: `*` stands for any run of characters, `\*` for a star, `\\` for a backslash. Case does not matter.

use crate::words::fold;

/// A pattern made ready to be tested against many values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// What stands between the stars, folded; one piece: no star.
    pieces: Vec<String>,
}

impl Pattern {
    /// Reads a pattern. Every text is one.
    pub fn new(text: &str) -> Self {
        Self { pieces: pieces(text).iter().map(|piece| fold(piece)).collect() }
    }

    /// What stands between the stars, in lower case.
    pub fn pieces(&self) -> &[String] {
        &self.pieces
    }

    /// Whether a value matches from its start to its end.
    pub fn matches(&self, value: &str) -> bool {
        let value = fold(value);
        let [first, middle @ .., last] = self.pieces.as_slice() else {
            return self.pieces.first().is_none_or(|only| *only == value);
        };
        let Some(mut rest) = value.strip_prefix(first.as_str()) else { return false };
        for piece in middle {
            match rest.find(piece.as_str()) {
                Some(at) => rest = &rest[at + piece.len()..],
                None => return false,
            }
        }
        rest.ends_with(last.as_str())
    }
}

/// Splits at the stars that are not escaped and removes the escapes.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let escaped = c == '\\' && chars.peek().is_some_and(|next| matches!(next, '*' | '\\'));
        match (c, escaped) {
            ('*', _) => pieces.push(String::new()),
            (_, true) => push(&mut pieces, chars.next()),
            (c, false) => push(&mut pieces, Some(c)),
        }
    }
    pieces
}

fn push(pieces: &mut [String], c: Option<char>) {
    if let (Some(piece), Some(c)) = (pieces.last_mut(), c) {
        piece.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_run() {
        let matches = |pattern: &str, value: &str| Pattern::new(pattern).matches(value);
        for (pattern, value) in [
            ("web@*", "web@1.0"),
            ("*", ""),
            ("*chrome*", "Google Chrome 120"),
            ("a*b*c", "aXXbYYbc"),
            (r"2\*3", "2*3"),
            (r"a\\*", r"a\b"),
            ("plain", "PLAIN"),
        ] {
            assert!(matches(pattern, value), "{pattern} {value}");
        }
        for (pattern, value) in [("web@*", "my web@1"), ("ab*ba", "aba"), (r"2\*3", "2x3"), ("plain", "plainer")] {
            assert!(!matches(pattern, value), "{pattern} {value}");
        }
    }
}
