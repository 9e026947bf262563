//! Words: what search in texts looks at. A text is the sequence of its words; search text is contained in it when the
//! two, written as lower-case words with one blank between them, contain one another as plain strings.

/// Longest word, in characters; a longer run is several words of at most this length.
pub const WORD_CHARS_MAX: usize = 64;

/// The words of a text: runs of letters, digits and `_`, as byte ranges, each at most [`WORD_CHARS_MAX`] long.
pub fn words(text: &str) -> Words<'_> {
    Words { text, at: 0 }
}

/// Iterator over the byte ranges of words.
#[derive(Debug, Clone)]
pub struct Words<'a> {
    text: &'a str,
    at: usize,
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

impl Iterator for Words<'_> {
    type Item = std::ops::Range<usize>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.text.get(self.at..)?;
        let start = self.at + rest.find(is_word)?;
        let word = &self.text[start..];
        let length =
            word.char_indices().take(WORD_CHARS_MAX).take_while(|(_, c)| is_word(*c)).map(|(at, c)| at + c.len_utf8());
        self.at = start + length.last()?;
        Some(start..self.at)
    }
}

/// A word as it is compared: each character in lower case.
pub fn fold(word: &str) -> String {
    if word.is_ascii() { word.to_ascii_lowercase() } else { word.chars().flat_map(char::to_lowercase).collect() }
}

/// The folded words of a text.
pub fn folded(text: &str) -> Vec<String> {
    words(text).map(|range| fold(&text[range])).collect()
}

/// Whether a text contains the words of another (module description). No words are contained in every text.
pub fn contains(text: &str, sought: &str) -> bool {
    folded(text).join(" ").contains(&folded(sought).join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn search_in_texts_ignores_case_and_punctuation() {
        let text = "ValueError: no such order (id=42), file `src/Über.rs`";
        for sought in ["valueerror", "Error", "no such", "such ord", "uch-order", "ID 42", "über.rs", "", "..."] {
            assert!(contains(text, sought), "{sought}");
        }
        for sought in ["such no", "no order", "43"] {
            assert!(!contains(text, sought), "{sought}");
        }
    }

    #[test]
    fn long_runs_are_cut_and_stay_searchable() {
        let text = "é".repeat(WORD_CHARS_MAX * 2 + 1);
        assert_eq!(words(&text).count(), 3);
        assert!(contains(&text, &text));
    }
}
