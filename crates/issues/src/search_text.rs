//! What free text search of issues looks at (`reference/issue-platform.md` §7.4).

use crate::issue::SEARCH_TEXT_MAX;

/// The event's search text followed by each part that it does not contain already: the first line of that, at most
/// [`SEARCH_TEXT_MAX`] characters.
pub(crate) fn search_text(event: &str, parts: [&str; 3]) -> String {
    let event = event.trim_start();
    // What follows a line break is cut off anyway, and so is what follows a full line.
    if event.trim_end().contains(is_line_break) || event.trim_end().chars().nth(SEARCH_TEXT_MAX).is_some() {
        return first_line(event);
    }
    let mut text = event.to_owned();
    for part in parts {
        if !text.contains(part) {
            text.push(' ');
            text.push_str(part);
        }
    }
    first_line(&text)
}

fn first_line(text: &str) -> String {
    let text = text.trim();
    let line = text.split(is_line_break).next().unwrap_or_default();
    let end = line.char_indices().nth(SEARCH_TEXT_MAX).map_or(line.len(), |(end, _)| end);
    line[..end].trim_end().to_owned()
}

fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{0b}' | '\u{0c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_added_unless_they_are_there() {
        assert_eq!(search_text("boom in parse", ["boom", "late", "parse"]), "boom in parse late");
        assert_eq!(search_text("", ["Slow query", "", "db"]), "Slow query db");
        assert_eq!(search_text("", ["", "", ""]), "");
    }

    #[test]
    fn it_is_one_line_of_bounded_length() {
        assert_eq!(search_text(" \n first\nsecond", ["title", "", ""]), "first");
        assert_eq!(search_text("first", ["second\u{2028}third", "fourth", ""]), "first second");
        let long = search_text(&"ä".repeat(300), ["title", "", ""]);
        assert_eq!(long.chars().count(), SEARCH_TEXT_MAX);
        assert_eq!(search_text(&"x".repeat(255), ["title", "", ""]).len(), SEARCH_TEXT_MAX);
    }
}
