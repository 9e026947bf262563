//! Violations of a content security policy that are none of the page's doing: of extensions, advertising programs on the
//! reader's machine, the developers' own machines.

use nuthatch_protocol::Event;

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

pub(super) fn is_invalid(event: &Event) -> bool {
    let source = |key: &str| event.text(&["csp", key]);
    event.text(&["type"]) == Some("csp")
        && ["blocked_uri", "source_file"].into_iter().filter_map(source).any(is_disallowed)
}

fn is_disallowed(source: &str) -> bool {
    let source = source.trim().to_ascii_lowercase();
    if source.starts_with(EXTENSION_DOCUMENT) {
        return true;
    }
    let (scheme, rest) = match source.split_once("://") {
        Some((scheme, rest)) => (scheme, rest),
        None => (source.split(':').next().unwrap_or(&source), source.as_str()),
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = host.rsplit('@').next().unwrap_or(host).split(':').next().unwrap_or(host);
    SCHEMES.contains(&scheme) || HOSTS.iter().any(|known| is_host(host, known))
}

fn is_host(host: &str, known: &str) -> bool {
    match known.strip_prefix('.') {
        Some(bare) => host == bare || host.ends_with(known),
        None => host == known,
    }
}
