//! Addresses of requests and of resources without what differs from one user, visit or build to the next.

use std::sync::LazyLock;

use regex::Regex;
use url::{Host, Url};

/// `GET https://api.example.com/users/7?page=2` → `GET https://*.example.com`
pub(super) fn request(description: &str) -> Option<String> {
    let (method, target) = description.split_once(' ')?;
    if method.is_empty() || !method.chars().all(|c| c.is_ascii_uppercase()) {
        return None;
    }
    let target = target.trim();
    if let Some(data) = target.strip_prefix("data:") {
        let kind = data.split(['/', ';', ',']).next().filter(|kind| kind.chars().all(|c| c.is_ascii_alphanumeric()));
        return Some(format!("{method} data:{}/*", kind.filter(|kind| !kind.is_empty()).unwrap_or("*")));
    }
    match Url::parse(target).ok().and_then(|url| origin(&url)) {
        Some(origin) => Some(format!("{method} {origin}")),
        None => Some(format!("{method} *")),
    }
}

/// Scheme, host without what is below its registered name, and port.
fn origin(url: &Url) -> Option<String> {
    let host = match url.host()? {
        Host::Domain(name) => domain(name),
        Host::Ipv4(ip) if ip.is_loopback() => ip.to_string(),
        Host::Ipv6(ip) if ip.is_loopback() => format!("[{ip}]"),
        Host::Ipv4(_) | Host::Ipv6(_) => "*.*.*.*".to_owned(),
    };
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{}://{host}{port}", url.scheme()))
}

fn domain(name: &str) -> String {
    match psl::domain_str(name) {
        Some(registered) if registered.len() < name.len() => format!("*.{registered}"),
        _ => name.to_owned(),
    }
}

/// Folders whose names say what is in them.
const WELL_KNOWN: [&str; 26] = [
    "_next",
    "assets",
    "build",
    "bundles",
    "chunks",
    "common",
    "css",
    "dist",
    "fonts",
    "icons",
    "images",
    "img",
    "js",
    "lib",
    "media",
    "node_modules",
    "pages",
    "public",
    "resources",
    "scripts",
    "src",
    "static",
    "styles",
    "svg",
    "vendor",
    "vendors",
];

/// What differs from one build of a file to the next: hashes, versions, numbers.
static BUILD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)
        [0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}
        | \bv[0-9]+(?:\.[0-9]+)*\b
        | [0-9a-fA-F]{8,}
        | \b(?:[A-Za-z]+[0-9]|[0-9]+[A-Za-z])[0-9A-Za-z]{4,}\b
        | [0-9]+",
    )
    .expect("a constant pattern, compiled by the tests")
});

static STARS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\*(?:[-._]?\*)+").expect("a constant pattern, compiled by the tests"));

/// `https://cdn.example.com/assets/app-3f2a9c81.js?v=2` → `https://*.example.com/assets/app-*.js`
pub(super) fn resource(description: &str) -> Option<String> {
    let parsed = Url::parse(description);
    if let Ok(url) = &parsed
        && url.scheme().ends_with("-extension")
    {
        return Some("browser-extension://*".to_owned());
    }
    let (origin, path) = match &parsed {
        Ok(url) if ["http", "https"].contains(&url.scheme()) => (origin(url)?, url.path()),
        Ok(url) if url.scheme() == "data" => return request(&format!("GET {description}")).map(|t| t[4..].to_owned()),
        Ok(url) => return Some(format!("{}://*", url.scheme())),
        Err(_) if description.starts_with('/') => {
            (String::new(), description.split(['?', '#']).next().unwrap_or_default())
        }
        Err(_) => return None,
    };
    let mut segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let last = segments.pop().map(file);
    let folder = |name: &str| if WELL_KNOWN.contains(&name) { name.to_owned() } else { "*".to_owned() };
    let mut clean: Vec<String> = segments.into_iter().map(folder).chain(last).collect();
    // However deep a folder is that nobody knows, it is one star.
    clean.dedup_by(|a, b| a == "*" && a == b);
    Some(if clean.is_empty() { origin } else { format!("{origin}/{}", clean.join("/")) })
}

/// A file's name without its build; what has no extension is no file that anyone knows.
fn file(name: &str) -> String {
    let Some((stem, extension)) = name.rsplit_once('.').filter(|(_, extension)| is_extension(extension)) else {
        return if WELL_KNOWN.contains(&name) { name.to_owned() } else { "*".to_owned() };
    };
    let masked = BUILD.replace_all(stem, "*");
    format!("{}.{extension}", STARS.replace_all(&masked, "*"))
}

/// Whether it is what comes behind the dot in names of files.
pub(super) fn is_extension(text: &str) -> bool {
    (1..=8).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric())
}
