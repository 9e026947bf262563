//! Queries without their values.

use std::sync::LazyLock;

use regex::Regex;

/// Stands for a value.
const PLACEHOLDER: &str = "%s";

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern, compiled by the tests")
}

/// Words that statements begin with.
static STATEMENT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)^\s*\(?\s*(?:select|insert|update|delete|with|merge|replace|begin|commit|rollback|savepoint|release|create|alter|drop|truncate|explain|show|set|call|values)\b",
    )
});

/// Whether a text begins like a statement.
pub(super) fn is_statement(text: &str) -> bool {
    STATEMENT.is_match(text)
}

/// The parts of a query, the first that fits. What is in no part is copied.
static PARTS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?is)(?P<space>(?:\s|--[^\n]*|/\*.*?(?:\*/|\z))+)",
        // Texts: 'it''s', with a prefix or not, and PostgreSQL's $$…$$. One that does not end, or ends in an escape of
        // nothing, goes to the end: else the next search would begin at its next quote, and read to the end again.
        r"|(?P<value>\b[benqux]?'(?:[^'\\]|''|\\(?:.|\z))*(?:'|\z)|'(?:[^'\\]|''|\\(?:.|\z))*(?:'|\z)",
        r"|\$\$.*?(?:\$\$|\z)",
        // Places for values: %s, %(name)s, $1, :name, @name, ?.
        r"|%s|%\(\w+\)s|\$[0-9]+|:\w+|@\w+|\?",
        // Numbers that are no part of a name.
        r"|\b0x[0-9a-f]+\b|\b[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?\b|\b(?:true|false)\b)",
        // Casts and assignments, which begin like a place for a value.
        r"|(?P<copied>::\w+|:=|@@\w+)",
        r#"|(?P<name>"(?:[^"]|"")*(?:"|\z)|`[^`]*(?:`|\z)|\[\w+\]|\w+)"#,
    ))
});

/// Runs of digits in a name that tell one copy of a table from another.
static NUMBER_IN_NAME: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)[0-9a-f]*[0-9][0-9a-f]{7,}|[0-9]{2,}"));

static LIST: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\bIN ?\( ?%s(?: ?, ?%s)* ?\)"));

static ROWS: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\bVALUES ?\("));

static SAVEPOINT: LazyLock<Regex> = LazyLock::new(|| pattern(r#"(?i)\b(SAVEPOINT) ["`\[]?[\w{}%]+["`\]]?"#));

/// The query on one line, with a placeholder for each value and for lists and rows of them.
pub(super) fn clean(query: &str) -> String {
    let mut clean = String::with_capacity(query.len());
    let mut copied = 0;
    for found in PARTS.captures_iter(query) {
        let Some(whole) = found.get(0) else { continue };
        clean.push_str(&query[copied..whole.start()]);
        copied = whole.end();
        if found.name("space").is_some() {
            clean.push(' ');
        } else if found.name("value").is_some() {
            // The sign belongs to the number when nothing is in front of it that it could be taken from.
            if clean.ends_with('-') && clean[..clean.len() - 1].ends_with(['=', '(', ',', ' ', '<', '>']) {
                clean.pop();
            }
            clean.push_str(PLACEHOLDER);
        } else if found.name("name").is_some() {
            clean.push_str(&NUMBER_IN_NAME.replace_all(whole.as_str(), "{%s}"));
        } else {
            clean.push_str(whole.as_str());
        }
    }
    clean.push_str(&query[copied..]);
    let clean = LIST.replace_all(&clean, "IN (%s)");
    SAVEPOINT.replace_all(&without_rows(&clean), "$1 %s").trim().trim_end_matches(';').trim_end().to_owned()
}

/// The query with one placeholder for all rows behind `VALUES`. Reads each byte once, which a pattern does not: it would
/// look for the end of a row that has none from every `VALUES` again.
fn without_rows(query: &str) -> String {
    let mut without = String::with_capacity(query.len());
    let mut copied = 0;
    for found in ROWS.find_iter(query) {
        // One inside the rows of another.
        if found.start() < copied {
            continue;
        }
        without.push_str(&query[copied..found.start()]);
        without.push_str("VALUES ");
        without.push_str(PLACEHOLDER);
        copied = found.end() - 1;
        while let Some(row) = query[copied..].starts_with('(').then(|| row_bytes(&query[copied..])) {
            copied += row;
            let rest = &query[copied..];
            let next = rest.trim_start_matches(' ').strip_prefix(',').map(|next| next.trim_start_matches(' '));
            match next.filter(|next| next.starts_with('(')) {
                Some(next) => copied = query.len() - next.len(),
                None => break,
            }
        }
    }
    without.push_str(&query[copied..]);
    without
}

/// Length of the brackets that a text begins with; all of it when they are not closed.
fn row_bytes(text: &str) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every part that is found may have had the text read to its end for it, so what grows with the text must not be the
    /// number of parts when none of them ends.
    #[test]
    fn what_never_ends_is_one_part_however_long_it_is() {
        let escapes = r"a\'".repeat(1000);
        let words = "a b ".repeat(1000);
        for text in [
            format!("'{escapes}\\"),
            format!("e'{escapes}\\"),
            format!("'{words}"),
            format!("$${words}"),
            format!("/*{words}"),
            format!("\"{words}"),
            format!("`{words}"),
        ] {
            assert_eq!(PARTS.find_iter(&text).map(|part| part.len()).collect::<Vec<_>>(), [text.len()]);
        }
        for rows in ["VALUES (a), (b ", "VALUES (", "VALUES (a), ((b) "] {
            assert_eq!(without_rows(&rows.repeat(1000)), "VALUES %s");
        }
    }

    #[test]
    fn rows_end_where_their_brackets_do() {
        for (query, expected) in [
            ("VALUES (%s, f(g(%s))), (%s) RETURNING id", "VALUES %s RETURNING id"),
            ("VALUES(%s) ,(%s), x", "VALUES %s, x"),
            ("VALUES (%s, %s", "VALUES %s"),
            ("VALUES (%s) UNION VALUES (%s)", "VALUES %s UNION VALUES %s"),
        ] {
            assert_eq!(without_rows(query), expected);
        }
    }
}
