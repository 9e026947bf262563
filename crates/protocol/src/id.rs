//! Identifiers. Each is its own type, so that a project id is never taken for a key id.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A text that is not the identifier it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidId(pub &'static str);

macro_rules! numeric_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                match text.parse::<u64>() {
                    Ok(n) if n > 0 && i64::try_from(n).is_ok() => Ok(Self(n)),
                    _ => Err(InvalidId("not a positive whole number")),
                }
            }
        }
    };
}

numeric_id!(
    /// An organization. Starts at 1.
    OrganizationId
);
numeric_id!(
    /// A project; the last path segment of a DSN. Starts at 1, so that `/api/0/` is never a project.
    ProjectId
);
numeric_id!(
    /// A client key (DSN) of a project.
    KeyId
);
numeric_id!(
    /// An account.
    UserId
);
numeric_id!(
    /// A team of an organization.
    TeamId
);
numeric_id!(
    /// An issue (Sentry calls it a group).
    IssueId
);
numeric_id!(
    /// A quota of an organization or a project. Never given twice.
    QuotaId
);
numeric_id!(
    /// A dead letter that is kept. Never given twice.
    LetterId
);
numeric_id!(
    /// A file that is kept. Never given twice.
    FileId
);

const HEX_DIGITS: [u8; 16] = *b"0123456789abcdef";

macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident: $bytes:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub [u8; $bytes]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // Written for every event several times, so not one formatted byte after the other.
                let mut text = [0; 2 * $bytes];
                for (digits, byte) in text.chunks_exact_mut(2).zip(self.0) {
                    digits.copy_from_slice(&[HEX_DIGITS[usize::from(byte >> 4)], HEX_DIGITS[usize::from(byte & 15)]]);
                }
                f.write_str(std::str::from_utf8(&text).unwrap_or_default())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }
    };
}

hex_id!(
    /// Id of an event or an occurrence: a UUID, written as 32 lower-case hex digits.
    EventId: 16
);
hex_id!(
    /// A grouping hash (MD5): 32 lower-case hex digits. Issues own hashes; an event's first hash decides its issue.
    Hash: 16
);
hex_id!(
    /// The public half of a client key: 32 hex digits, as in a DSN (`reference/ingest-protocol.md` §1).
    PublicKey: 16
);

hex_id!(
    /// Id of a trace: 32 lower-case hex digits, not all zero (`reference/ingest-protocol.md` §11.1).
    TraceId: 16
);
hex_id!(
    /// Id of a span in its trace: 16 lower-case hex digits, not all zero.
    SpanId: 8
);
hex_id!(
    /// Name of a payload in the blob store: random, given by intake.
    BlobId: 16
);
hex_id!(
    /// SHA-1 checksum of a file.
    Sha1: 20
);

/// Reads exactly so many bytes of hex digits.
fn parse_hex<const BYTES: usize>(digits: impl Iterator<Item = u8>) -> Option<[u8; BYTES]> {
    let mut out = [0; BYTES];
    let mut count = 0;
    for digit in digits {
        let nibble = (digit as char).to_digit(16)? as u8;
        let slot = out.get_mut(count / 2)?;
        *slot = (*slot << 4) | nibble;
        count += 1;
    }
    (count == 2 * BYTES).then_some(out)
}

impl FromStr for EventId {
    type Err = InvalidId;

    /// Accepts every spelling the usual UUID parsers take: either case, dashes, braces, `urn:uuid:`
    /// (`reference/issue-platform.md` §3.3).
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let mut rest = text;
        for prefix in ["urn:", "uuid:"] {
            rest = match rest.get(..prefix.len()) {
                Some(head) if head.eq_ignore_ascii_case(prefix) => &rest[prefix.len()..],
                _ => rest,
            };
        }
        let rest = rest.trim_start_matches('{').trim_end_matches('}');
        parse_hex(rest.bytes().filter(|b| *b != b'-')).map(Self).ok_or(InvalidId("not a UUID"))
    }
}

impl FromStr for Hash {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        parse_hex(text.bytes()).map(Self).ok_or(InvalidId("not 32 hex digits"))
    }
}

impl FromStr for TraceId {
    type Err = InvalidId;

    /// Dashes are accepted, as some clients write a trace id like a UUID.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let parsed = parse_hex(text.bytes().filter(|byte| *byte != b'-'));
        parsed.filter(|id| *id != [0; 16]).map(Self).ok_or(InvalidId("not 32 hex digits that are not all zero"))
    }
}

impl FromStr for SpanId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let parsed = parse_hex(text.bytes());
        parsed.filter(|id| *id != [0; 8]).map(Self).ok_or(InvalidId("not 16 hex digits that are not all zero"))
    }
}

impl FromStr for BlobId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        parse_hex(text.bytes()).map(Self).ok_or(InvalidId("not 32 hex digits"))
    }
}

impl FromStr for Sha1 {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        parse_hex(text.bytes()).map(Self).ok_or(InvalidId("not 40 hex digits"))
    }
}

impl FromStr for PublicKey {
    type Err = InvalidId;

    /// Accepts and strips a suffix of dot-separated flags (`<32 hex>.no-cache`).
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let digits = text.split('.').next().unwrap_or_default();
        parse_hex(digits.bytes()).map(Self).ok_or(InvalidId("not 32 hex digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_ids_come_in_every_uuid_spelling() {
        let plain = "0123456789abcdef0123456789abcdef";
        for text in [
            plain,
            "01234567-89AB-CDEF-0123-456789abcdef",
            "{01234567-89ab-cdef-0123-456789abcdef}",
            "urn:uuid:01234567-89ab-cdef-0123-456789abcdef",
        ] {
            assert_eq!(text.parse::<EventId>().map(|id| id.to_string()), Ok(plain.to_owned()), "{text}");
        }
        for text in ["", "0123", "0123456789abcdef0123456789abcdefff", "zz23456789abcdef0123456789abcdef"] {
            assert!(text.parse::<EventId>().is_err(), "{text}");
        }
    }

    #[test]
    fn project_ids_are_positive() {
        assert!("0".parse::<ProjectId>().is_err());
        assert!("-1".parse::<ProjectId>().is_err());
        assert_eq!("42".parse(), Ok(ProjectId(42)));
    }
}
