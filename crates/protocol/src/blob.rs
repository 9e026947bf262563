//! Payloads that lie beside the log, in the blob store: their names, and what a record says of them
//! (`reference/ingest-protocol.md` §7).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{BlobId, IngestRecord, ProjectId, Sha1, Timestamp, id::InvalidId};

/// The payload of a record that lies in the blob store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredPayload {
    /// Its name, with the project and the day of the record ([`BlobKey`]).
    pub id: BlobId,
    /// Its length.
    pub bytes: u64,
    /// Checksum of its bytes.
    pub sha1: Sha1,
}

/// Where a blob is, written `{project}/{yyyy-mm-dd}/{32 hex digits}`. The day stands in front, so that retention drops
/// whole days, and with them blobs that nothing refers to any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlobKey {
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// Whole days since the epoch when it was received.
    pub day: i64,
    /// What tells it from all others.
    pub id: BlobId,
}

impl BlobKey {
    /// The place of what a project received at a time.
    pub fn new(project_id: ProjectId, received: Timestamp, id: BlobId) -> Self {
        Self { project_id, day: received.days(), id }
    }

    /// Where the payload of a record is, if it lies beside the record.
    pub fn of(record: &IngestRecord) -> Option<Self> {
        let header = &record.header;
        header.blob.map(|payload| Self::new(header.project_id, header.received, payload.id))
    }
}

/// A day since the epoch as `2026-01-31`.
pub fn day_text(day: i64) -> String {
    let mut text = Timestamp::from_secs(day.saturating_mul(86_400)).to_string();
    text.truncate("2026-01-31".len());
    text
}

/// The day that a text such as `2026-01-31` names.
pub fn day_of_text(text: &str) -> Option<i64> {
    let day = format!("{text}T00:00:00Z").parse::<Timestamp>().ok()?.days();
    (day_text(day) == text).then_some(day)
}

impl fmt::Display for BlobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.project_id, day_text(self.day), self.id)
    }
}

impl FromStr for BlobKey {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let read = || {
            let mut parts = text.split('/');
            let (project, day, id) = (parts.next()?, parts.next()?, parts.next()?);
            Some(Self { project_id: project.parse().ok()?, day: day_of_text(day)?, id: id.parse().ok()? })
        };
        read().filter(|key: &Self| key.to_string() == text).ok_or(InvalidId("not the place of a blob"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_they_are_written() {
        let key = BlobKey::new(ProjectId(7), Timestamp::from_secs(1_769_903_999), BlobId([0xab; 16]));
        assert_eq!(key.to_string(), format!("7/2026-01-31/{}", "ab".repeat(16)));
        assert_eq!(key.to_string().parse(), Ok(key));
    }

    #[test]
    fn a_text_never_leads_elsewhere() {
        let hex = "000102030405060708090a0b0c0d0eff";
        for text in [
            String::new(),
            format!("7/2026-01-31/{hex}/"),
            format!("../2026-01-31/{hex}"),
            format!("7/../{hex}"),
            format!("7/2026-1-31/{hex}"),
            format!("7/2026-02-31/{hex}"),
            "7/2026-01-31/../../../meta.db".to_owned(),
            format!("7/2026-01-31/{}", &hex[1..]),
            format!("07/2026-01-31/{hex}"),
            format!("7/2026-01-31/{}", hex.to_uppercase()),
            format!("0/2026-01-31/{hex}"),
        ] {
            assert!(text.parse::<BlobKey>().is_err(), "{text}");
        }
    }
}
