//! Violations of a content security policy that are none of the page's doing: of extensions, advertising programs on the
//! reader's machine, the developers' own machines.

use nuthatch_protocol::{DomainPattern, Event};

/// Schemes of what browsers and their extensions load themselves.
const SCHEMES: [&str; 17] = [
    "about",
    "chrome",
    "chrome-extension",
    "chromeinvokeimmediate",
    "chromenull",
    "jar",
    "mbinit",
    "moz-extension",
    "ms-browser-extension",
    "mxaddon-pkg",
    "resource",
    "safari-extension",
    "safari-web-extension",
    "symres",
    "tmtbff",
    "webkit-masked-url",
    "webviewprogressproxy",
];

/// Hosts of programs that put themselves into pages; a dot in front means the hosts below too.
const HOSTS: [&str; 12] = [
    "localhost",
    "127.0.0.1",
    ".superfish.com",
    ".metrext.com",
    ".tlscdn.com",
    "020dfefc4ac745dab7594f2f771c1ded.com",
    "73a5b0806e464be8bd4e694c744624f0.com",
    "istatic.datafastguru.info",
    "static.image2play.com",
    "v.zilionfast.in",
    "widgets.amung.us",
    "xls.searchfun.in",
];

/// A document that an extension writes.
const EXTENSION_DOCUMENT: &str = "data:text/html,chromewebdata";

/// Where a violation comes from, taken apart; in lower case.
struct Source<'s> {
    scheme: &'s str,
    host: &'s str,
    port: Option<u16>,
}

/// Whether an event is a violation by a source that nobody can help: one of the `patterns` or, where they are on, of the
/// usual ones.
pub(super) fn is_invalid(event: &Event, patterns: &[DomainPattern], has_usual: bool) -> bool {
    let source = |key: &str| event.text(&["csp", key]);
    let is_disallowed = |source: &str| {
        let source = source.trim().to_ascii_lowercase();
        let is_usual = || source.starts_with(EXTENSION_DOCUMENT) || is_usual(&Source::of(&source));
        has_usual && is_usual() || is_among(&Source::of(&source), patterns)
    };
    event.text(&["type"]) == Some("csp")
        && ["blocked_uri", "source_file"].into_iter().filter_map(source).any(is_disallowed)
}

impl<'s> Source<'s> {
    /// Words without a host, such as `inline`, are scheme and host alike.
    fn of(source: &'s str) -> Self {
        let (scheme, rest) = match source.split_once("://") {
            Some((scheme, rest)) => (scheme, rest),
            None => (source.split(':').next().unwrap_or(source), source),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        let authority = authority.rsplit('@').next().unwrap_or(authority);
        let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
        let usual_port = match scheme {
            "http" | "ws" => Some(80),
            "https" | "wss" => Some(443),
            _ => None,
        };
        Self { scheme, host, port: port.parse().ok().or(usual_port) }
    }
}

fn is_usual(source: &Source<'_>) -> bool {
    SCHEMES.contains(&source.scheme) || HOSTS.iter().any(|known| is_host(source.host, known))
}

fn is_among(source: &Source<'_>, patterns: &[DomainPattern]) -> bool {
    patterns.iter().any(|pattern| pattern.matches(source.scheme, source.host, source.port))
}

fn is_host(host: &str, known: &str) -> bool {
    match known.strip_prefix('.') {
        Some(bare) => host == bare || host.ends_with(known),
        None => host == known,
    }
}
