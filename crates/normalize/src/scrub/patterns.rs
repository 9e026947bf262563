//! What secrets look like (`reference/ingest-protocol.md` §13.3, §13.4). Every pattern runs in linear time.

use std::{net::Ipv6Addr, ops::Range, sync::LazyLock};

use regex::Regex;

/// Finds something in texts.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    regex: Regex,
    /// Groups that are replaced; the whole match when empty.
    groups: &'static [usize],
    own_groups: Vec<usize>,
    needs: Needs,
    check: Option<fn(&str, Range<usize>) -> bool>,
}

/// What a text must have for the pattern to be worth trying.
#[derive(Debug, Clone, Copy, Default)]
struct Needs {
    digits: usize,
    byte: Option<u8>,
}

/// What there is in a text, looked at once for all patterns.
pub(super) struct Profile {
    digits: usize,
    bytes: [bool; 256],
}

impl Profile {
    pub(super) fn of(text: &str) -> Self {
        let mut profile = Self { digits: 0, bytes: [false; 256] };
        for byte in text.bytes() {
            profile.digits += usize::from(byte.is_ascii_digit());
            profile.bytes[usize::from(byte)] = true;
        }
        profile
    }
}

impl Pattern {
    fn constant(regex: &str, groups: &'static [usize], digits: usize, byte: Option<u8>) -> Self {
        let regex = Regex::new(regex).expect("a constant pattern, compiled by the tests");
        Self { regex, groups, own_groups: Vec::new(), needs: Needs { digits, byte }, check: None }
    }

    /// A pattern of a project's own; `groups` that it does not have find nothing.
    pub(super) fn custom(regex: Regex, groups: Vec<usize>) -> Self {
        Self { regex, groups: &[], own_groups: groups, needs: Needs::default(), check: None }
    }

    /// Whether a text with this profile can hold a match.
    pub(super) fn may_match(&self, profile: &Profile) -> bool {
        profile.digits >= self.needs.digits && self.needs.byte.is_none_or(|byte| profile.bytes[usize::from(byte)])
    }

    /// What is to be replaced in the text: in order, not overlapping, none empty.
    pub(super) fn ranges(&self, text: &str) -> Vec<Range<usize>> {
        let groups = if self.own_groups.is_empty() { self.groups } else { &self.own_groups };
        let mut ranges: Vec<Range<usize>> = if groups.is_empty() {
            self.regex.find_iter(text).map(|found| found.range()).collect()
        } else {
            let captures = self.regex.captures_iter(text);
            captures.flat_map(|found| groups.iter().filter_map(move |group| Some(found.get(*group)?.range()))).collect()
        };
        ranges.retain(|range| !range.is_empty() && self.check.is_none_or(|check| check(text, range.clone())));
        ranges.sort_by_key(|range| (range.start, range.end));
        let mut end = 0;
        ranges.retain(|range| {
            let is_free = range.start >= end;
            end = if is_free { range.end } else { end };
            is_free
        });
        ranges
    }
}

macro_rules! patterns {
    ($($(#[$doc:meta])* $name:ident = $regex:expr, groups $groups:expr, digits $digits:expr, byte $byte:expr;)+) => {
        $(
            $(#[$doc])*
            pub(super) fn $name() -> Pattern {
                static PATTERN: LazyLock<Pattern> =
                    LazyLock::new(|| Pattern::constant($regex, $groups, $digits, $byte));
                PATTERN.clone()
            }
        )+
    };
}

patterns! {
    /// Sixteen digits of the big brands, or fifteen; a space or a dash may stand between any two.
    credit_card = r"\b(?:(?:4[ -]?[0-9]|5[ -]?[1-5]|6[ -]?5)(?:[ -]?[0-9]){14}|6[ -]?0[ -]?1[ -]?1(?:[ -]?[0-9]){12}|3[ -]?[47](?:[ -]?[0-9]){13})\b",
        groups &[], digits 15, byte None;
    iban = r"\b(?:AD|AE|AL|AT|AZ|BA|BE|BG|BH|BI|BR|BY|CH|CR|CY|CZ|DE|DJ|DK|DO|EE|EG|ES|FI|FO|FR|GB|GE|GI|GL|GR|GT|HR|HU|IE|IL|IQ|IS|IT|JO|KW|KZ|LB|LC|LI|LT|LU|LV|LY|MC|MD|ME|MK|MR|MT|MU|NL|NO|PK|PL|PS|PT|QA|RO|RS|RU|SA|SC|SD|SE|SI|SK|SM|ST|SV|TL|TN|TR|UA|VA|VG|XK|YE)[0-9]{2}[A-Za-z0-9]{11,29}\b",
        groups &[], digits 2, byte None;
    /// The content between the marks of a key; one that was cut off has no end.
    pem_key = r"(?s)-----BEGIN [A-Z0-9 ]*(?:PRIVATE|PUBLIC) KEY-----(.*?)(?:-----END|\z)",
        groups &[1], digits 0, byte Some(b'-');
    /// Name and password in a URL.
    url_auth = r"//([^\s/?#:@]*:[^\s/?#]+)@", groups &[1], digits 0, byte Some(b'@');
    /// The password alone.
    url_password = r"//[^\s/?#:@]*:([^\s/?#]+)@", groups &[1], digits 0, byte Some(b'@');
    us_ssn = r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b", groups &[], digits 9, byte Some(b'-');
    bearer = r"(?i)\bbearer\s+\S+", groups &[], digits 0, byte None;
    email = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+", groups &[], digits 0, byte Some(b'@');
    imei = r"\b[0-9]{2}-?[0-9]{6}-?[0-9]{6}-?[0-9]{1,2}\b", groups &[], digits 15, byte None;
    mac = r"(?i)\b(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}\b", groups &[], digits 0, byte None;
    uuid = r"(?i)\b[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\b", groups &[], digits 0, byte None;
    /// The name in the path of somebody's home.
    user_path = r"(?i)(?:\b[a-z]:)?[\\/](?:users|home|documents and settings)[\\/]([^\\/\s]+)",
        groups &[1], digits 0, byte None;
    ipv4 = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])){3}",
        groups &[], digits 4, byte Some(b'.');
    ipv6 = r"[0-9A-Fa-f:]*:[0-9A-Fa-f:]*[0-9A-Fa-f](?:(?:\.[0-9]{1,3}){3})?", groups &[], digits 0, byte Some(b':');
}

/// Addresses of both families.
pub(super) fn ip() -> [Pattern; 2] {
    [Pattern { check: Some(is_whole_ipv4), ..ipv4() }, Pattern { check: Some(is_ipv6), ..ipv6() }]
}

/// Not a part of a longer number such as a version.
fn is_whole_ipv4(text: &str, range: Range<usize>) -> bool {
    let touches = |c: char| c.is_alphanumeric() || c == '_';
    let mut before = text[..range.start].chars().rev();
    let mut after = text[range.end..].chars();
    let starts = match before.next() {
        Some('.') => !before.next().is_some_and(|c| c.is_ascii_digit()),
        other => !other.is_some_and(touches),
    };
    let ends = match after.next() {
        Some('.') => !after.next().is_some_and(|c| c.is_ascii_digit()),
        other => !other.is_some_and(touches),
    };
    starts && ends
}

fn is_ipv6(text: &str, range: Range<usize>) -> bool {
    let touches = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || "_:".contains(c));
    let alone = !touches(text[..range.start].chars().next_back()) && !touches(text[range.end..].chars().next());
    alone && text[range].parse::<Ipv6Addr>().is_ok()
}

/// Words of names, and in texts, that tell of a secret.
const SENSITIVE: &str =
    "password|passwd|secret|api_key|api-key|apikey|auth|credentials|mysql_pwd|privatekey|private_key|private-key";

/// Names of secrets.
pub(super) fn sensitive_key() -> Regex {
    static REGEX: LazyLock<Regex> = LazyLock::new(|| constant(&format!("(?i){SENSITIVE}|^(?:otp|two[_-]factor)$")));
    REGEX.clone()
}

/// Whether a name is that of a secret.
pub(super) fn names_secret(name: &str) -> bool {
    sensitive_key().is_match(name) || token_key().is_match(name)
}

/// Texts that hold secrets.
pub(super) fn sensitive_value() -> Regex {
    static REGEX: LazyLock<Regex> = LazyLock::new(|| constant(&format!(r"(?i){SENSITIVE}|token\S*[:=]")));
    REGEX.clone()
}

/// Names of tokens.
pub(super) fn token_key() -> Regex {
    static REGEX: LazyLock<Regex> = LazyLock::new(|| constant("(?i)token"));
    REGEX.clone()
}

const SESSION_COOKIES: &str = "sentrysid|sudo|su|session|__session|sessionid|user_session|symfony|phpsessid|\
                               fasthttpsessionid|mysession|irissessionid|_vercel_jwt|_?csrf|_?xsrf|[cx]srf[-_]token|\
                               fastcsrf|_iris_csrf";

/// Names of the cookies that sessions are taken over with.
pub(super) fn session_cookie() -> Regex {
    static REGEX: LazyLock<Regex> = LazyLock::new(|| constant(&format!("(?i)^(?:{SESSION_COOKIES})$")));
    REGEX.clone()
}

/// Names of attributes that hold such a cookie, or all cookies.
pub(super) fn cookie_attribute() -> Regex {
    static REGEX: LazyLock<Regex> = LazyLock::new(|| {
        constant(&format!(r"(?i)^http\.(?:request|response)\.header\.(?:set[-_])?cookie(?:\.(?:{SESSION_COOKIES}))?$"))
    });
    REGEX.clone()
}

fn constant(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern, compiled by the tests")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(patterns: &[Pattern], text: &str) -> Vec<String> {
        let profile = Profile::of(text);
        let usable = patterns.iter().filter(|pattern| pattern.may_match(&profile));
        usable.flat_map(|pattern| pattern.ranges(text)).map(|range| text[range].to_owned()).collect()
    }

    #[test]
    fn addresses_are_told_from_versions_times_and_names() {
        for (text, expected) in [
            ("from 10.0.0.1.", vec!["10.0.0.1"]),
            ("10.0.0.1:8080", vec!["10.0.0.1"]),
            ("v1.2.3.4 1.2.3.4.5 300.1.1.1", vec![]),
            ("[2001:db8::1]:443 fe80::1%eth0", vec!["2001:db8::1", "fe80::1"]),
            ("::ffff:10.0.0.1", vec!["::ffff:10.0.0.1"]),
            ("std::vec::Vec at 12:30:45, a :: b", vec![]),
        ] {
            let mut all = found(&ip(), text);
            all.sort_by_key(|found| text.find(found.as_str()));
            all.retain(|found| !(text.starts_with("::ffff") && found == "10.0.0.1"));
            assert_eq!(all, expected, "{text}");
        }
    }

    #[test]
    fn cards_have_a_brand_and_a_length() {
        for (text, expected) in [
            ("4111 1111-1111 1111", true),
            ("5500000000000004", true),
            ("378282246310005", true),
            ("6011000000000004", true),
            ("1234567812345678", false),
            ("41111111111111111", false),
            ("4111  1111 1111 1111", false),
        ] {
            assert_eq!(!found(&[credit_card()], text).is_empty(), expected, "{text}");
        }
    }
}
