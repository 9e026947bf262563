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
        // Texts: 'it''s', with a prefix or not, and PostgreSQL's $$…$$.
        r"|(?P<value>\b[benqux]?'(?:[^'\\]|''|\\.)*(?:'|\z)|'(?:[^'\\]|''|\\.)*(?:'|\z)|\$\$.*?(?:\$\$|\z)",
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

static ROWS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)\bVALUES ?\((?:[^()]|\([^()]*\))*\)(?: ?, ?\((?:[^()]|\([^()]*\))*\))*"));

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
    let clean = ROWS.replace_all(&clean, "VALUES %s");
    SAVEPOINT.replace_all(&clean, "$1 %s").trim().trim_end_matches(';').trim_end().to_owned()
}
