//! DSN: the one line an SDK is configured with (`reference/ingest-protocol.md` §1).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{ProjectId, PublicKey};

/// `{scheme}://{public_key}[:{secret}]@{host}[:{port}]{path}/{project_id}`. The obsolete secret is read and dropped.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Dsn {
    /// How the SDK connects.
    pub scheme: Scheme,
    /// The key it authenticates with.
    pub public_key: PublicKey,
    /// Host name or address; an IPv6 address keeps its brackets.
    pub host: String,
    /// Port; the scheme's own when the text has none.
    pub port: u16,
    /// The URL prefix the server lives below: empty, or starting with `/` and not ending with it.
    pub path: String,
    /// The project events go to.
    pub project_id: ProjectId,
}

/// The scheme of a DSN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `http`, port 80.
    Http,
    /// `https`, port 443.
    Https,
}

impl Scheme {
    /// The word in front of `://`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port that is left out.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// A text that is not a DSN; names the part that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDsn {
    /// Neither `http://` nor `https://`.
    #[error("dsn does not start with http:// or https://")]
    Scheme,
    /// Nothing in front of an `@`, or not 32 hex digits.
    #[error("dsn has no public key of 32 hex digits in front of the @")]
    PublicKey,
    /// No host, or characters that no host has.
    #[error("dsn has no host after the @")]
    Host,
    /// Not a number below 65536.
    #[error("dsn port is not a port number")]
    Port,
    /// The last path segment is not a positive number.
    #[error("dsn does not end with a project id")]
    ProjectId,
}

impl FromStr for Dsn {
    type Err = InvalidDsn;

    fn from_str(text: &str) -> Result<Self, InvalidDsn> {
        let (scheme, rest) = text.trim().split_once("://").ok_or(InvalidDsn::Scheme)?;
        let scheme = [Scheme::Http, Scheme::Https]
            .into_iter()
            .find(|known| scheme.eq_ignore_ascii_case(known.as_str()))
            .ok_or(InvalidDsn::Scheme)?;
        let (user, rest) = rest.split_once('@').ok_or(InvalidDsn::PublicKey)?;
        let public_key = user.split(':').next().unwrap_or_default().parse().map_err(|_| InvalidDsn::PublicKey)?;
        let (authority, path) = rest.split_at(rest.find('/').ok_or(InvalidDsn::ProjectId)?);
        let (host, port) = match authority.rsplit_once(':') {
            // The last colon of `[::1]` belongs to the address.
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().map_err(|_| InvalidDsn::Port)?),
            _ => (authority, scheme.default_port()),
        };
        if !is_host(host) {
            return Err(InvalidDsn::Host);
        }
        let (path, project) = path.trim_end_matches('/').rsplit_once('/').ok_or(InvalidDsn::ProjectId)?;
        let project_id = project.parse().map_err(|_| InvalidDsn::ProjectId)?;
        let path = path.trim_end_matches('/');
        Ok(Self { scheme, public_key, host: host.to_owned(), port, path: path.to_owned(), project_id })
    }
}

/// Whether it is a name, an IPv4 address, or an IPv6 address in its brackets.
fn is_host(text: &str) -> bool {
    match text.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok()),
        None => {
            let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') || !c.is_ascii();
            !text.is_empty() && text.chars().all(is_part)
        }
    }
}

impl fmt::Display for Dsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}@{}", self.scheme.as_str(), self.public_key, self.host)?;
        if self.port != self.scheme.default_port() {
            write!(f, ":{}", self.port)?;
        }
        write!(f, "{}/{}", self.path, self.project_id)
    }
}

impl Serialize for Dsn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Dsn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn every_part_is_read() {
        let dsn: Dsn = format!("https://{KEY}.no-cache:old-secret@[::1]:8443/below/here/42").parse().expect("a dsn");
        assert_eq!((dsn.scheme, dsn.host.as_str(), dsn.port), (Scheme::Https, "[::1]", 8443));
        assert_eq!((dsn.path.as_str(), dsn.project_id), ("/below/here", ProjectId(42)));
        assert_eq!(dsn.to_string(), format!("https://{KEY}@[::1]:8443/below/here/42"));
    }

    #[test]
    fn the_default_port_is_left_out() {
        for text in [format!("http://{KEY}@[::1]/1"), format!("https://{KEY}@sentry.example.com/1")] {
            assert_eq!(text.parse::<Dsn>().map(|dsn| dsn.to_string()), Ok(text));
        }
    }

    #[test]
    fn errors_name_the_part() {
        for (text, error) in [
            ("", InvalidDsn::Scheme),
            ("ftp://a@b/1", InvalidDsn::Scheme),
            ("http://host/1", InvalidDsn::PublicKey),
            ("http://short@host/1", InvalidDsn::PublicKey),
            ("http://0123456789abcdef0123456789abcdef@/1", InvalidDsn::Host),
            ("http://0123456789abcdef0123456789abcdef@[2001:db8:80/1", InvalidDsn::Host),
            ("http://0123456789abcdef0123456789abcdef@[::1]x:80/1", InvalidDsn::Host),
            ("http://0123456789abcdef0123456789abcdef@a:b:80/1", InvalidDsn::Host),
            ("http://0123456789abcdef0123456789abcdef@host:port/1", InvalidDsn::Port),
            ("http://0123456789abcdef0123456789abcdef@host", InvalidDsn::ProjectId),
            ("http://0123456789abcdef0123456789abcdef@host/", InvalidDsn::ProjectId),
            ("http://0123456789abcdef0123456789abcdef@host/name", InvalidDsn::ProjectId),
            ("http://0123456789abcdef0123456789abcdef@host/0", InvalidDsn::ProjectId),
        ] {
            assert_eq!(text.parse::<Dsn>(), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            secure: bool, key: [u8; 16], host in "[a-z][a-z0-9.-]{0,20}", port: u16,
            path in "(/[a-z0-9]{1,8}){0,3}", project in 1..=i64::MAX as u64,
        ) {
            let scheme = if secure { Scheme::Https } else { Scheme::Http };
            let dsn = Dsn { scheme, public_key: PublicKey(key), host, port, path, project_id: ProjectId(project) };
            prop_assert_eq!(dsn.to_string().parse::<Dsn>(), Ok(dsn));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            let _ = text.parse::<Dsn>();
            let _ = format!("http://{KEY}@{text}").parse::<Dsn>();
        }
    }
}
