//! What a client says about itself in a header or the query string (`reference/ingest-protocol.md` §4).

use std::borrow::Cow;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use percent_encoding::percent_decode_str;

use crate::{PublicKey, id::InvalidId};

/// The newest protocol version SDKs may speak.
pub const VERSION_MAX: u32 = 7;

/// Longest `sentry_client` that is kept, in bytes.
pub const CLIENT_MAX_BYTES: usize = 256;

/// The credentials of one source: `sentry_key`, `sentry_version`, `sentry_client`; what else is there is ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Auth {
    /// The public key.
    pub key: PublicKey,
    /// Protocol version as sent; its whole part is at most [`VERSION_MAX`].
    pub version: Option<String>,
    /// Name and version of the SDK, for instance `sentry.python/2.75.0`; at most [`CLIENT_MAX_BYTES`].
    pub client: Option<String>,
}

/// Why credentials cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// Not the grammar of its scheme.
    #[error("malformed authorization")]
    Malformed,
    /// No `sentry_key` in it.
    #[error("authorization has no sentry_key")]
    NoKey,
    /// The key is not 32 hex digits.
    #[error("bad sentry DSN public key")]
    BadKey,
    /// Newer than [`VERSION_MAX`], or not a number.
    #[error("unsupported protocol version")]
    Version,
}

impl From<InvalidId> for AuthError {
    fn from(_: InvalidId) -> Self {
        Self::BadKey
    }
}

impl Auth {
    /// Reads a header value: `Sentry k=v, k=v` or `Basic base64(key:anything)`, the scheme in any case. `None` when
    /// the scheme is another one, which is nothing to do with us (a proxy's bearer token).
    pub fn from_header(value: &str) -> Option<Result<Self, AuthError>> {
        let value = value.trim();
        let (scheme, rest) = value.split_once(char::is_whitespace).unwrap_or((value, ""));
        if scheme.eq_ignore_ascii_case("sentry") {
            Some(Self::from_pairs(rest))
        } else if scheme.eq_ignore_ascii_case("basic") {
            Some(Self::from_basic(rest.trim()))
        } else {
            None
        }
    }

    /// Reads a query string. `None` when it names no `sentry_key`; other `sentry_…` parameters are not credentials.
    pub fn from_query(query: &str) -> Option<Result<Self, AuthError>> {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let mut fields = Fields::default();
        for (name, value) in pairs {
            fields.put(name, &value.replace('+', " "));
        }
        fields.key.is_some().then(|| fields.check())
    }

    fn from_pairs(text: &str) -> Result<Self, AuthError> {
        let mut fields = Fields::default();
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or(AuthError::Malformed)?;
            fields.put(name.trim(), value.trim());
        }
        fields.check()
    }

    fn from_basic(text: &str) -> Result<Self, AuthError> {
        let decoded = BASE64_STANDARD.decode(text).map_err(|_| AuthError::Malformed)?;
        let decoded = str::from_utf8(&decoded).map_err(|_| AuthError::Malformed)?;
        let key = decoded.split(':').next().unwrap_or_default();
        Ok(Self { key: key.parse()?, version: None, client: None })
    }
}

/// The fields of credentials before they are checked. The first of equal names counts.
#[derive(Default)]
struct Fields {
    key: Option<String>,
    version: Option<String>,
    client: Option<String>,
}

impl Fields {
    fn put(&mut self, name: &str, value: &str) {
        let field = match name {
            "sentry_key" => &mut self.key,
            "sentry_version" => &mut self.version,
            "sentry_client" => &mut self.client,
            _ => return,
        };
        field.get_or_insert_with(|| percent_decode_str(value).decode_utf8_lossy().into_owned());
    }

    fn check(self) -> Result<Auth, AuthError> {
        let key = self.key.ok_or(AuthError::NoKey)?.parse()?;
        if let Some(version) = &self.version {
            let whole = version.split('.').next().unwrap_or_default();
            if !whole.parse::<u32>().is_ok_and(|number| number <= VERSION_MAX) {
                return Err(AuthError::Version);
            }
        }
        let client = self.client.filter(|client| !client.is_empty());
        Ok(Auth { key, version: self.version, client: client.map(|client| cut(client, CLIENT_MAX_BYTES)) })
    }
}

fn cut(mut text: String, bytes_max: usize) -> String {
    let end = (0..=bytes_max.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.truncate(end.unwrap_or(0));
    text
}

/// The first value of a query parameter, percent-decoded.
pub fn query_value<'q>(query: &'q str, name: &str) -> Option<Cow<'q, [u8]>> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| percent_decode_str(value).into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";

    fn key() -> PublicKey {
        KEY.parse().expect("a key")
    }

    #[test]
    fn the_sentry_scheme_is_read_in_any_spelling() {
        for text in [
            format!("Sentry sentry_key={KEY}, sentry_version=7, sentry_client=raven-python/6%2E0"),
            format!("sentry sentry_client=raven-python/6.0,sentry_version=7,sentry_secret=x,sentry_key={KEY}"),
            format!("SENTRY   sentry_version=7 , sentry_key={KEY} , sentry_client=raven-python/6.0,"),
        ] {
            let auth = Auth::from_header(&text).expect("our scheme").expect(&text);
            assert_eq!((auth.key, auth.version.as_deref()), (key(), Some("7")), "{text}");
            assert_eq!(auth.client.as_deref(), Some("raven-python/6.0"), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_has_its_own_error() {
        for (text, error) in [
            ("Sentry", AuthError::NoKey),
            ("Sentry sentry_version=7", AuthError::NoKey),
            ("Sentry sentry_key", AuthError::Malformed),
            ("Sentry sentry_key=abc", AuthError::BadKey),
            ("Basic ???", AuthError::Malformed),
            ("Basic YWJjOg==", AuthError::BadKey),
        ] {
            assert_eq!(Auth::from_header(text), Some(Err(error)), "{text}");
        }
        assert_eq!(Auth::from_header("Bearer abc"), None);
    }

    #[test]
    fn versions_up_to_seven_are_spoken() {
        for (version, good) in [("7", true), ("2.0", true), ("8", false), ("7.9", true), ("new", false)] {
            let read = Auth::from_query(&format!("sentry_key={KEY}&sentry_version={version}"));
            assert_eq!(read.expect("has a key").is_ok(), good, "{version}");
        }
    }

    #[test]
    fn only_a_key_makes_a_query_a_credential() {
        assert_eq!(Auth::from_query("sentry_release=1&sentry_environment=x"), None);
        let auth = Auth::from_query(&format!("a&sentry_client=a%20b+c&sentry_key={KEY}")).expect("has a key");
        assert_eq!(auth.expect("is good").client.as_deref(), Some("a b c"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            let _ = Auth::from_header(&text);
            let _ = Auth::from_header(&format!("Sentry {text}"));
            let _ = Auth::from_header(&format!("Basic {text}"));
            let _ = Auth::from_query(&format!("sentry_key={text}"));
        }

        #[test]
        fn what_an_sdk_writes_is_read_back(raw: [u8; 16], client in "[a-z.]{1,20}/[0-9.]{1,10}") {
            let key = PublicKey(raw);
            let expected = Auth { key, version: Some("7".to_owned()), client: Some(client.clone()) };
            let header = format!("Sentry sentry_key={key}, sentry_version=7, sentry_client={client}");
            prop_assert_eq!(Auth::from_header(&header), Some(Ok(expected.clone())));
            let query = format!("sentry_key={key}&sentry_version=7&sentry_client={client}");
            prop_assert_eq!(Auth::from_query(&query), Some(Ok(expected)));
        }
    }
}
