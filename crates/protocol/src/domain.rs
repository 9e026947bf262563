//! Patterns of the web origins that may send to a project (`reference/ingest-protocol.md` §3).

use std::{fmt, str::FromStr};

/// Longest pattern, in bytes.
pub const DOMAIN_MAX_BYTES: usize = 256;

/// Which origins a project takes events from: scheme, host and port, each given or any. `*.example.com` stands for
/// `example.com` and everything below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainPattern {
    scheme: Option<String>,
    host: Host,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Any,
    /// In lower case.
    Exact(String),
    /// It and its subdomains; in lower case.
    Below(String),
}

/// A text that is no pattern of origins, and what is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDomain {
    /// Nothing is in it.
    #[error("it is empty; `*` stands for every origin")]
    Empty,
    /// It is longer than [`DOMAIN_MAX_BYTES`].
    #[error("it is longer than {DOMAIN_MAX_BYTES} bytes")]
    Long,
    /// Its port is no port.
    #[error("the port is not a number up to 65535 or `*`")]
    Port,
    /// Its host cannot be one.
    #[error("a host has letters, digits, dots and dashes; `*` stands alone or in front, as in `*.example.com`")]
    Host,
}

impl FromStr for DomainPattern {
    type Err = InvalidDomain;

    fn from_str(text: &str) -> Result<Self, InvalidDomain> {
        let text = text.trim();
        if text.is_empty() {
            return Err(InvalidDomain::Empty);
        }
        if text.len() > DOMAIN_MAX_BYTES {
            return Err(InvalidDomain::Long);
        }
        let (scheme, rest) = text.split_once("://").map_or((None, text), |(scheme, rest)| (Some(scheme), rest));
        let scheme = scheme.filter(|scheme| !matches!(*scheme, "" | "*")).map(str::to_ascii_lowercase);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        // The last colon parts the port, unless it is within the brackets of an address.
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let port = match port {
            None | Some("" | "*") => None,
            Some(port) => Some(port.parse().map_err(|_| InvalidDomain::Port)?),
        };
        Ok(Self { scheme, host: host.parse()?, port })
    }
}

impl FromStr for Host {
    type Err = InvalidDomain;

    fn from_str(text: &str) -> Result<Self, InvalidDomain> {
        let is_name = |text: &str| {
            let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
            let is_part = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_') || inner.is_some() && c == ':';
            let name = inner.unwrap_or(text);
            !name.is_empty() && name.chars().all(is_part)
        };
        match text.to_lowercase() {
            host if matches!(host.as_str(), "" | "*") => Ok(Self::Any),
            host => match host.strip_prefix("*.") {
                Some(below) if is_name(below) => Ok(Self::Below(below.to_owned())),
                None if is_name(&host) => Ok(Self::Exact(host)),
                _ => Err(InvalidDomain::Host),
            },
        }
    }
}

impl DomainPattern {
    /// Whether an origin is meant: its scheme, its host, and its port, also when that is the usual one of the scheme.
    pub fn matches(&self, scheme: &str, host: &str, port: Option<u16>) -> bool {
        let host = host.to_lowercase();
        let is_host = match &self.host {
            Host::Any => true,
            Host::Exact(own) => host == *own,
            Host::Below(own) => host == *own || host.strip_suffix(own.as_str()).is_some_and(|sub| sub.ends_with('.')),
        };
        is_host
            && self.scheme.as_deref().is_none_or(|own| own == scheme)
            && self.port.is_none_or(|own| Some(own) == port)
    }
}

impl fmt::Display for DomainPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(scheme) = &self.scheme {
            write!(f, "{scheme}://")?;
        }
        match &self.host {
            Host::Any => f.write_str("*")?,
            Host::Exact(host) => f.write_str(host)?,
            Host::Below(host) => write!(f, "*.{host}")?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_match_alone_and_together() {
        let origins =
            [("https", "example.com", 443), ("http", "a.b.Example.com", 8080), ("https", "badexample.com", 443)];
        for (pattern, expected) in [
            ("*", [true, true, true]),
            ("example.com", [true, false, false]),
            ("EXAMPLE.com", [true, false, false]),
            ("*.example.com", [true, true, false]),
            ("*.b.example.com", [false, true, false]),
            ("http://*.example.com", [false, true, false]),
            ("https://*", [true, false, true]),
            ("*://example.com:443/path", [true, false, false]),
            ("*:8080", [false, true, false]),
            ("example.com:*", [true, false, false]),
            ("example.com:80", [false, false, false]),
            ("com", [false, false, false]),
        ] {
            let parsed: DomainPattern = pattern.parse().expect(pattern);
            let found = origins.map(|(scheme, host, port)| parsed.matches(scheme, host, Some(port)));
            assert_eq!(found, expected, "{pattern}");
        }
        let address: DomainPattern = "http://[::1]:8080".parse().expect("an address");
        assert!(address.matches("http", "[::1]", Some(8080)) && !address.matches("http", "[::1]", Some(80)));
    }

    #[test]
    fn what_is_no_pattern_says_why() {
        for (text, expected) in [
            ("", InvalidDomain::Empty),
            ("  ", InvalidDomain::Empty),
            ("example.com:http", InvalidDomain::Port),
            ("example.com:70000", InvalidDomain::Port),
            ("exa mple.com", InvalidDomain::Host),
            ("example.*", InvalidDomain::Host),
            ("*.*", InvalidDomain::Host),
        ] {
            assert_eq!(text.parse::<DomainPattern>(), Err(expected), "{text:?}");
        }
        assert_eq!("x".repeat(DOMAIN_MAX_BYTES + 1).parse::<DomainPattern>(), Err(InvalidDomain::Long));
    }

    #[test]
    fn a_pattern_reads_as_it_is_written() {
        for text in ["*", "example.com", "https://*.example.com:8443", "[::1]:80"] {
            assert_eq!(text.parse::<DomainPattern>().expect(text).to_string(), text);
        }
    }
}
