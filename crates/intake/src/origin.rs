//! Which web pages may send to a project (`reference/ingest-protocol.md` §3).

use http::{HeaderMap, header};
use nuthatch_protocol::DomainPattern;
use nuthatch_store::projects::AllowedDomains;
use url::Url;

/// The origins that a project takes events from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AllowedOrigins(Vec<DomainPattern>);

impl AllowedOrigins {
    /// What cannot be read allows nothing.
    pub(crate) fn new(domains: &AllowedDomains) -> Self {
        Self(domains.0.iter().filter_map(|domain| domain.parse().ok()).collect())
    }

    /// Whether a request may come from where it says; one that says nothing may.
    pub(crate) fn allow(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = origin(headers) else { return true };
        let (host, port) = (origin.host_str().unwrap_or_default(), origin.port_or_known_default());
        self.0.iter().any(|pattern| pattern.matches(origin.scheme(), host, port))
    }
}

/// `Origin`, or, when that is none of the web, `Referer`.
fn origin(headers: &HeaderMap) -> Option<Url> {
    [header::ORIGIN, header::REFERER].into_iter().find_map(|name| {
        let url = Url::parse(headers.get(name)?.to_str().ok()?).ok()?;
        matches!(url.scheme(), "http" | "https").then_some(url)
    })
}
