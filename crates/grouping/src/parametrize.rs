//! Taking what varies out of messages (`reference/grouping.md` §10): `user 42 not found` → `user <int> not found`.
//! One table of patterns, one pass: leftmost first, the upper row wins at equal places.

use std::{borrow::Cow, fmt::Write as _, net::Ipv6Addr, sync::LazyLock};

use regex::Regex;

/// Longer texts are left alone.
const MAX_BYTES: usize = 8192;

/// Lines of a message that count.
const MAX_LINES: usize = 2;

const MONTH: &str = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*";
const DAY: &str = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*";
const CLOCK: &str = r"\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?";
const TLDS: &str = "com|org|net|io|dev|app|edu|gov|mil|int|info|biz|cloud|local|internal|localdomain|co|ai|me|tv|xyz|\
                    online|site|tech|store|eu|uk|us|ca|au|nz|de|fr|nl|be|ch|at|it|es|pt|pl|cz|se|no|fi|dk|ie|ru|ua|\
                    tr|in|cn|jp|kr|br|mx|ar|cl|za|il|sg|hk|tw";

/// What a row of the table accepts of its match: where the part begins that is replaced, or nothing.
type Accept = fn(text: &str, start: usize, end: usize) -> Option<usize>;

struct Row {
    name: &'static str,
    pattern: String,
    accept: Accept,
}

fn row(name: &'static str, pattern: impl Into<String>, accept: Accept) -> Row {
    Row { name, pattern: pattern.into(), accept }
}

fn table() -> Vec<Row> {
    vec![
        row("email", r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+\b", WHOLE),
        row("url", r#"\b[A-Za-z][A-Za-z0-9+.-]*://[^\s'"<>()\[\]{}]*[^\s'"<>()\[\]{}.,;:!?]"#, WHOLE),
        row(
            "hostname",
            format!(r"\b(?:[a-z0-9-]+\.)+(?:{TLDS})\b|\b(?:[A-Z0-9-]+\.)+(?:{})\b", TLDS.to_uppercase()),
            alone,
        ),
        row("ip", r"\b\d{1,3}(?:\.\d{1,3}){3}\b", WHOLE),
        row(
            "ip",
            r"(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}|(?:[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4})*)?::(?:[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4})*)?",
            ipv6,
        ),
        row("traceparent", r"\b00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]\b|\b1-[0-9a-f]{8}-[0-9a-f]{24}\b", WHOLE),
        row("uuid", r"\b[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}\b", WHOLE),
        row("sha1", r"\b[0-9A-Fa-f]{40}\b", WHOLE),
        row("md5", r"\b[0-9A-Fa-f]{32}\b", WHOLE),
        row("date", dates(), WHOLE),
        row("duration", r"\b\d+(?:\.\d+)?(?:ns|us|µs|ms|s|sec|secs|min|mins|h|hrs?)\b", WHOLE),
        row(
            "mac_addr",
            r"\b[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}\b|\b[0-9A-Fa-f]{4}(?:\.[0-9A-Fa-f]{4}){2}\b",
            WHOLE,
        ),
        row("swift_txn_id", r"\btx[0-9a-f]{21}-[0-9a-f]{10}\b", WHOLE),
        row(
            "hex",
            format!(r"\b0[xX][0-9A-Fa-f]+\b|\b(?:[0-9a-f]{{8,128}}|[0-9A-F]{{8,128}})\b|\b(?:{})\b", mixed_hex(4, 6)),
            WHOLE,
        ),
        row("git_sha", format!(r"\b(?:{})\b", mixed_hex(7, 7)), WHOLE),
        row("random_id", r"\b[A-Za-z]{2,12}_[0-9A-Fa-f]{8,64}\b", prefixed),
        row("float", r"-?\d+\.\d+", number),
        row("int", r"-?\d{1,7}", number),
        row("quoted_str", r#"='[^'\n]*'|="[^"\n]*""#, AFTER_FIRST),
        row("bool", r"=(?:true|false|True|False)\b", AFTER_FIRST),
    ]
}

fn dates() -> String {
    let zone = r"(?: ?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}))?";
    [
        format!(r"\b\d{{4}}-\d{{2}}-\d{{2}}[T ]\d{{2}}:\d{{2}}(?::\d{{2}}(?:[.,]\d+)?)?{zone}"),
        r"\b\d{8}T\d{6}(?:\.\d+)?Z?\b".to_owned(),
        format!(r"\b(?:{DAY},? )?\d{{1,2}}[ -]{MONTH}[ -]\d{{2,4}}(?: \d{{2}}:\d{{2}}(?::\d{{2}})?(?: (?:[A-Z]{{1,5}}|[+-]\d{{4}}))?)?\b"),
        format!(r"\b{DAY} {MONTH} +\d{{1,2}} \d{{4}} {CLOCK}(?: GMT[+-]\d{{4}}(?: \([^)]*\))?)?"),
        format!(r"\b{DAY} {MONTH} +\d{{1,2}} {CLOCK}(?: [A-Z]{{3,4}})? \d{{4}}\b"),
        format!(r"\b{MONTH} \d{{1,2}}, \d{{4}}\b"),
        r"\b\d{4}-\d{2}-\d{2}\b".to_owned(),
        format!(r"\b{CLOCK}(?: ?[AaPp][Mm])?\b"),
        r"\b\d{1,2}:\d{2} ?[AaPp][Mm]\b".to_owned(),
        r"\bdatetime\.datetime\([^)\n]*\)".to_owned(),
    ]
    .join("|")
}

/// Lower-case hex of so many digits with both a digit and a letter, written out: the engine has no look-ahead.
fn mixed_hex(min: usize, max: usize) -> String {
    let mut out = String::new();
    for head in 1..max {
        let (least, most) = (min.saturating_sub(head + 1), max - head - 1);
        for (first, second) in [("[0-9]", "[a-f]"), ("[a-f]", "[0-9]")] {
            let bar = if out.is_empty() { "" } else { "|" };
            // Writing to a text cannot fail.
            let _ = write!(out, "{bar}{first}{{{head}}}{second}[0-9a-f]{{{least},{most}}}");
        }
    }
    out
}

const WHOLE: Accept = |_, start, _| Some(start);
const AFTER_FIRST: Accept = |_, start, _| Some(start + 1);

fn ends_free(text: &str, end: usize) -> bool {
    !text[end..].starts_with(|c: char| c.is_alphanumeric())
}

fn starts_free(text: &str, start: usize) -> bool {
    !text[..start].ends_with(|c: char| c.is_alphanumeric())
}

/// A dotted name followed by more of a path or a call is no host: `self.app.run`, `foo.io.Reader`.
fn alone(text: &str, start: usize, end: usize) -> Option<usize> {
    let goes_on = text[end..].starts_with(['(', '_'])
        || text[end..].strip_prefix('.').is_some_and(|rest| rest.starts_with(char::is_alphanumeric));
    (!goes_on && !text[..start].ends_with(['.', '_'])).then_some(start)
}

/// Not inside `Class::method`.
fn ipv6(text: &str, start: usize, end: usize) -> Option<usize> {
    let candidate = &text[start..end];
    let is_address = candidate.bytes().any(|b| b.is_ascii_digit()) && candidate.parse::<Ipv6Addr>().is_ok();
    (is_address && starts_free(text, start) && ends_free(text, end)).then_some(start)
}

/// `pay_3f9ac014`: the prefix tells something, the rest does not.
fn prefixed(text: &str, start: usize, end: usize) -> Option<usize> {
    let from = start + text[start..end].find('_')? + 1;
    let id = &text.as_bytes()[from..end];
    (id.iter().any(u8::is_ascii_digit) && id.iter().any(u8::is_ascii_alphabetic)).then_some(from)
}

/// A number by itself; `_` separates. The minus belongs to a word before it: `utf-8` → `utf-<int>`.
fn number(text: &str, start: usize, end: usize) -> Option<usize> {
    let glued = !starts_free(text, start);
    let from = start + usize::from(glued && text[start..].starts_with('-'));
    (ends_free(text, end) && (from > start || !glued)).then_some(from)
}

struct Engine {
    rows: Vec<Row>,
    all: Regex,
}

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let rows = table();
    let groups: Vec<String> = rows.iter().map(|row| format!("({})", row.pattern)).collect();
    let all = Regex::new(&groups.join("|")).expect("a constant pattern, compiled by the tests");
    Engine { rows, all }
});

/// The text with all that varies replaced by `<name>`.
pub(crate) fn parametrize(text: &str) -> Cow<'_, str> {
    if text.len() > MAX_BYTES {
        return Cow::Borrowed(text);
    }
    let Engine { rows, all } = &*ENGINE;
    let mut out = String::new();
    let (mut copied, mut at) = (0, 0);
    while let Some(found) = all.captures_at(text, at) {
        let Some((row, part)) = rows.iter().zip(found.iter().skip(1)).find_map(|(row, part)| Some((row, part?))) else {
            break;
        };
        if let Some(from) = (row.accept)(text, part.start(), part.end()) {
            out.push_str(&text[copied..from]);
            out.push('<');
            out.push_str(row.name);
            out.push('>');
            copied = part.end();
        }
        // No pattern matches the empty text, so this ends.
        at = part.end();
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// What of a message or an exception's value counts: its first two lines that are not blank, parametrized.
pub(crate) fn message(text: &str) -> Cow<'_, str> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).take(MAX_LINES + 1).collect();
    if lines.len() <= MAX_LINES && lines.len() == text.lines().count() {
        return parametrize(text);
    }
    let kept = lines[..lines.len().min(MAX_LINES)].join("\n");
    Cow::Owned(parametrize(&(kept + "...")).into_owned())
}

#[cfg(test)]
mod tests {
    use super::{message, parametrize};

    #[test]
    fn what_varies_is_named() {
        for (text, expected) in [
            ("mail to jane.doe+x@mail.example.com failed", "mail to <email> failed"),
            ("GET https://x.com/a?b=1 failed.", "GET <url> failed."),
            ("connect to db.example.com:5432", "connect to <hostname>:<int>"),
            ("10.0.0.1:8080 refused", "<ip>:<int> refused"),
            ("host 2001:db8::1 down", "host <ip> down"),
            ("Class::method failed", "Class::method failed"),
            ("trace 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "trace <traceparent>"),
            ("id 0af76519-16cd-43dd-8448-eb211c80319c", "id <uuid>"),
            ("da39a3ee5e6b4b0d3255bfef95601890afd80709", "<sha1>"),
            ("d41d8cd98f00b204e9800998ecf8427e", "<md5>"),
            ("at 2026-01-31T12:00:00.5Z and 2026-01-31 12:00", "at <date> and <date>"),
            ("on Mon, 02 Jan 2006 15:04:05 GMT", "on <date>"),
            ("Jan 02, 2006 is a 2006-01-02", "<date> is a <date>"),
            ("Fri Nov 20 2026 10:00:00 GMT+0100 (CET)", "<date>"),
            ("datetime.datetime(2026, 1, 2)", "<date>"),
            ("took 12ms or 1.5s", "took <duration> or <duration>"),
            ("mac 00:1b:44:11:3a:b7", "mac <mac_addr>"),
            ("at 0x7f3a, deadbeef01", "at <hex>, <hex>"),
            ("commit 3f9ac01", "commit <git_sha>"),
            ("charge pay_3f9ac014b2 failed", "charge pay_<random_id> failed"),
            ("load 0.75 of -3", "load <float> of <int>"),
            ("line 10 column 190", "line <int> column <int>"),
            ("order_123 in utf8 and utf-8", "order_<int> in utf8 and utf-<int>"),
            ("name='Ann' ok=True", "name=<quoted_str> ok=<bool>"),
            ("No module named 'foo'", "No module named 'foo'"),
            ("1234567 12345678", "<int> <hex>"),
            ("self.app.run failed", "self.app.run failed"),
            ("defaced words stay", "defaced words stay"),
            ("", ""),
            ("ünïcödé 5", "ünïcödé <int>"),
        ] {
            assert_eq!(parametrize(text), expected, "{text}");
        }
    }

    #[test]
    fn two_lines_count() {
        assert_eq!(message("a 1\nb"), "a <int>\nb");
        assert_eq!(message("\n\na 1\n\nb\nc 2"), "a <int>\nb...");
        assert_eq!(message("a\n"), "a\n");
    }

    #[test]
    fn a_replaced_text_stays_as_it_is() {
        for text in ["<int> of <hex>", "<email>", "at <date>"] {
            assert_eq!(parametrize(text), text);
        }
    }
}
