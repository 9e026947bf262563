//! The part of a function's name that identifies it (`reference/grouping.md` §9): no return type, arguments,
//! template parameters, compiler suffixes.

use std::{borrow::Cow, sync::LazyLock};

use regex::Regex;
use serde_json::Value;

use crate::Family;

/// Names longer than this are left alone.
const MAX_BYTES: usize = 4096;

// Private-use characters stand for what the bracket logic must not see. The longer spelling comes first.
const ANONYMOUS: &str = "\u{e000}";
const ARROW: &str = "\u{e001}";
const PROTECTED: &[(&str, &str)] = &[
    ("(anonymous namespace)", ANONYMOUS),
    ("`anonymous namespace'", ANONYMOUS),
    ("operator<=>", "\u{e002}"),
    ("operator<<", "\u{e003}"),
    ("operator<", "\u{e004}"),
    ("operator>>", "\u{e005}"),
    ("operator->", "\u{e006}"),
    ("operator>", "\u{e007}"),
    ("operator()", "\u{e008}"),
    (" -> ", " \u{e001} "),
];

static LAMBDA: LazyLock<Regex> = LazyLock::new(|| pattern(r"\{lambda\(.*?\)#\d+\}|<?lambda_[0-9a-f]{32}>?|\$_\d+\b"));
static MSVC_ANONYMOUS: LazyLock<Regex> = LazyLock::new(|| pattern(r"\?A0x[0-9a-f]{8}(::)"));
static CLONE: LazyLock<Regex> = LazyLock::new(|| pattern(r"\s*\[clone [^\]]*\]"));
static DECORATION: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"::h[0-9a-z]{16}$|@{1,2}GLIBC_[0-9.]+$|_m[0-9A-Fa-f]{40}"));
static WINDOWS_DECORATION: LazyLock<Regex> = LazyLock::new(|| pattern(r"^@?(\w+)@\d+$"));

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern, compiled by the tests")
}

/// The short name of a frame's function. Where `raw_function` keeps the original, `function` is short already.
pub(crate) fn of_frame<'a>(frame: &'a Value, platform: &str) -> Option<Cow<'a, str>> {
    let text = |key: &str| frame.get(key)?.as_str().filter(|name| !name.is_empty());
    match (text("function"), text("raw_function")) {
        (Some(name), None) => Some(trim(name, platform)),
        (Some(name), Some(_)) => Some(Cow::Borrowed(name)),
        (None, raw) => raw.map(Cow::Borrowed),
    }
}

/// Shortens a function's name as its platform needs.
pub(crate) fn trim<'a>(name: &'a str, platform: &str) -> Cow<'a, str> {
    if platform == "csharp" {
        return Cow::Borrowed(name.split(" (").next().filter(|short| !short.is_empty()).unwrap_or(name));
    }
    if Family::of(platform) == Family::Native && name.len() <= MAX_BYTES {
        return native(name);
    }
    Cow::Borrowed(name)
}

fn native(name: &str) -> Cow<'_, str> {
    let is_selector = name.starts_with(['[']) || name.starts_with("+[") || name.starts_with("-[");
    let is_plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if is_selector || is_plain || matches!(name, "<redacted>" | "<unknown>") {
        return Cow::Borrowed(name);
    }
    let mut text = strip_qualifiers(name).to_owned();
    for (spelled, mark) in PROTECTED {
        if text.contains(spelled) {
            text = text.replace(spelled, mark);
        }
    }
    if text.contains(['$', '{', '_']) {
        text = LAMBDA.replace_all(&text, "lambda").into_owned();
    }
    text = MSVC_ANONYMOUS.replace_all(&text, "\u{e000}$1").into_owned();
    text =
        enclosed(&text, '(', ')', |inner, _| if inner == "operator" { "(operator)".to_owned() } else { String::new() });
    text = enclosed(&text, '<', '>', |inner, at_start| if at_start { self_type(inner) } else { "<T>".to_owned() });
    text = CLONE.replace_all(&text, "").into_owned();
    text = WINDOWS_DECORATION.replace(&text, "$1").into_owned();
    text = name_token(strip_qualifiers(&text));
    text = DECORATION.replace_all(&text, "").into_owned();
    for (spelled, mark) in PROTECTED.iter().filter(|(_, mark)| !mark.contains(ARROW)) {
        // Both spellings of the anonymous namespace come back as the first.
        text = text.replace(mark, spelled);
    }
    if text.is_empty() { Cow::Borrowed(name) } else { Cow::Owned(text) }
}

fn strip_qualifiers(mut text: &str) -> &str {
    loop {
        let shorter = text.trim_end();
        let shorter = shorter.strip_suffix('&').unwrap_or(shorter);
        let shorter = shorter
            .strip_suffix(" const")
            .or_else(|| shorter.strip_suffix(")const").map(|_| &shorter[..shorter.len() - 5]))
            .unwrap_or(shorter);
        if shorter.len() == text.len() {
            return text;
        }
        text = shorter;
    }
}

/// Replaces what stands between balanced brackets. The function is given the inside and whether it is at the start.
fn enclosed(text: &str, open: char, close: char, replace: impl Fn(&str, bool) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut depth, mut start) = (0_usize, 0);
    for (at, c) in text.char_indices() {
        if c == open {
            if depth == 0 {
                start = at;
            }
            depth += 1;
        } else if c == close && depth > 0 {
            depth -= 1;
            if depth == 0 {
                let replacement = replace(&text[start + 1..at], out.is_empty());
                out.push_str(&replacement);
            }
        } else if depth == 0 {
            out.push(c);
        }
    }
    if depth > 0 {
        out.push_str(&text[start..]);
    }
    out
}

/// What Rust's `<Type as Trait>` is about: the type, or the trait of a blanket implementation.
fn self_type(inner: &str) -> String {
    let reduced = enclosed(inner, '<', '>', |_, at_start| if at_start { String::new() } else { "<T>".to_owned() });
    match reduced.split_once(" as ") {
        Some((kind, of_trait)) if kind.chars().count() == 1 => of_trait.to_owned(),
        Some((kind, _)) => kind.to_owned(),
        None => reduced,
    }
}

/// The token that is the name: before the return arrow, else the last one.
fn name_token(text: &str) -> String {
    let tokens: Vec<&str> = text.split_whitespace().collect();
    let end = tokens.iter().position(|token| *token == ARROW).unwrap_or(tokens.len());
    let Some((last, before)) = tokens[..end].split_last() else { return String::new() };
    if last.starts_with('@') {
        return if text.starts_with("thunk for") { "thunk for closure".to_owned() } else { "closure".to_owned() };
    }
    match before.last() {
        Some(previous) if *last == "<T>" => format!("{previous}{last}"),
        // Conversion operators and allocation: `operator bool`, `operator new`.
        Some(previous) if previous.ends_with("operator") => format!("{previous} {last}"),
        _ => (*last).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::trim;

    #[test]
    fn native_names_lose_all_but_the_name() {
        for (name, expected) in [
            ("static unsigned int ns::C::f(char const *) const", "ns::C::f"),
            ("<a::P<S, H> as b::T>::poll", "a::P<T>::poll"),
            ("<T as core::convert::Into<U>>::into", "core::convert::Into<T>::into"),
            ("main::{lambda(int)#1}", "main::lambda"),
            ("main::{lambda(int)#1}::operator()", "main::lambda::operator()"),
            ("f::$_3::operator()(int) const", "f::lambda::operator()"),
            ("-[Foo bar:]", "-[Foo bar:]"),
            ("<redacted>", "<redacted>"),
            ("(anonymous namespace)::f(int)", "(anonymous namespace)::f"),
            ("`anonymous namespace'::f", "(anonymous namespace)::f"),
            ("?A0xdeadbeef::f", "(anonymous namespace)::f"),
            ("std::vector<int, std::allocator<int> >::push_back(int&&)", "std::vector<T>::push_back"),
            ("std::ostream& operator<<(std::ostream&, int)", "operator<<"),
            ("ns::C::operator bool() const", "ns::C::operator bool"),
            ("app::run::h0123456789abcdef", "app::run"),
            ("app::run::{{closure}}", "app::run::{{closure}}"),
            ("f(int) [clone .part.0]", "f"),
            ("memcpy@@GLIBC_2.14", "memcpy"),
            ("@foo@16", "foo"),
            ("foo(a: Swift.Int) -> Swift.String", "foo"),
            ("void f<int>(int)", "f<T>"),
            ("broken(", "broken("),
            ("", ""),
        ] {
            assert_eq!(trim(name, "native"), expected, "{name}");
            assert_eq!(trim(name, "python"), name);
        }
        assert_eq!(trim("Foo.Bar (System.String a)", "csharp"), "Foo.Bar");
    }
}
