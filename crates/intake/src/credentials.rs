//! Who sends a request, and from where (`reference/ingest-protocol.md` §4, §5.3).

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use http::{HeaderMap, header, request::Parts};
use nuthatch_protocol::{Auth, AuthError, record::ClientHints};

use crate::refusal::Refusal;

/// Headers a proxy may have put the client's address into; the first that is not empty counts.
const ADDRESS_HEADERS: [&str; 4] =
    ["cf-connecting-ip", "x-vercel-forwarded-for", "x-sentry-forwarded-for", "x-forwarded-for"];

/// Longest `User-Agent` that is kept, in bytes.
const USER_AGENT_MAX_BYTES: usize = 1_000;

/// Longest client hint that is kept, in bytes.
const CLIENT_HINT_MAX_BYTES: usize = 500;

/// The credentials of headers and query. Several sources must name the same key; the rest is taken from the first
/// that has it. `None` when there are none at all.
pub(crate) fn credentials(parts: &Parts) -> Result<Option<Auth>, Refusal> {
    credentials_and(parts, None)
}

/// The same for a route whose path holds a key as well.
pub(crate) fn credentials_and(parts: &Parts, path_key: Option<&str>) -> Result<Option<Auth>, Refusal> {
    let headers = header_values(&parts.headers, "x-sentry-auth")
        .chain(header_values(&parts.headers, header::AUTHORIZATION.as_str()))
        .filter_map(|value| match value {
            Ok(text) => Auth::from_header(text),
            Err(error) => Some(Err(error)),
        });
    let query = parts.uri.query().and_then(Auth::from_query);
    let path = path_key.map(|key| key.parse().map(|key| Auth { key, version: None, client: None }));
    let path = path.map(|auth| auth.map_err(AuthError::from));
    let mut found: Option<Auth> = None;
    for auth in headers.chain(query).chain(path) {
        let auth = auth?;
        match &mut found {
            None => found = Some(auth),
            Some(first) if first.key == auth.key => {
                first.version = first.version.take().or(auth.version);
                first.client = first.client.take().or(auth.client);
            }
            Some(_) => return Err(Refusal::AmbiguousAuth),
        }
    }
    Ok(found)
}

fn header_values<'h>(headers: &'h HeaderMap, name: &str) -> impl Iterator<Item = Result<&'h str, AuthError>> {
    headers.get_all(name).into_iter().map(|value| value.to_str().map_err(|_| AuthError::Malformed))
}

/// The client's address, if what claims to be it parses as one.
pub(crate) fn client_ip(parts: &Parts, trust_forwarded_for: bool) -> Option<IpAddr> {
    let forwarded = ADDRESS_HEADERS
        .into_iter()
        .filter(|_| trust_forwarded_for)
        .filter_map(|name| parts.headers.get(name))
        .find(|value| !value.as_bytes().trim_ascii().is_empty());
    match forwarded {
        Some(value) => value.to_str().ok()?.split(',').next()?.trim().parse().ok(),
        None => parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip()),
    }
}

/// The client's `User-Agent`, cut to [`USER_AGENT_MAX_BYTES`]; none when it is not plain text.
pub(crate) fn user_agent(parts: &Parts) -> Option<String> {
    plain_text(parts, header::USER_AGENT.as_str(), USER_AGENT_MAX_BYTES)
}

/// The client's hints about itself, each cut to [`CLIENT_HINT_MAX_BYTES`].
pub(crate) fn client_hints(parts: &Parts) -> ClientHints {
    ClientHints::read(|name| plain_text(parts, name, CLIENT_HINT_MAX_BYTES))
}

fn plain_text(parts: &Parts, name: &str, bytes_max: usize) -> Option<String> {
    let text = parts.headers.get(name)?.to_str().ok()?;
    Some(text.get(..bytes_max).unwrap_or(text).to_owned())
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn parts(headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::new(());
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([10, 0, 0, 9], 4000))));
        for (name, value) in headers {
            let name: http::HeaderName = name.parse().unwrap();
            request.headers_mut().append(name, value.parse().unwrap());
        }
        request.into_parts().0
    }

    #[test]
    fn the_first_header_that_says_something_gives_the_address() {
        let peer = "10.0.0.9";
        for (headers, address) in [
            (&[][..], Some(peer)),
            (&[("x-forwarded-for", "203.0.113.7, 10.0.0.1")], Some("203.0.113.7")),
            (&[("x-forwarded-for", "203.0.113.7"), ("cf-connecting-ip", "2001:db8::1")], Some("2001:db8::1")),
            (&[("x-forwarded-for", "203.0.113.7"), ("cf-connecting-ip", "")], Some("203.0.113.7")),
            (&[("x-forwarded-for", "unknown, 203.0.113.7")], None),
            (&[("x-forwarded-for", "")], Some(peer)),
        ] {
            let expected = address.map(|text| text.parse().unwrap());
            assert_eq!(client_ip(&parts(headers), true), expected, "{headers:?}");
        }
    }

    #[test]
    fn without_trust_the_peer_is_the_client() {
        let parts = parts(&[("x-forwarded-for", "203.0.113.7")]);
        assert_eq!(client_ip(&parts, false), Some([10, 0, 0, 9].into()));
    }
}
