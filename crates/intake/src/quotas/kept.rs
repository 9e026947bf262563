//! What is counted, kept over a restart: a small note that is written every second, and what the log took since.
//!
//! The note says how far the counters were at a moment, and where the log ended before it. A unit that is let through later has
//! a record behind that place, which says what it counts as and when it was let through. So the note and the end of the log
//! together say what the counters said, also when the process was killed.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use nuthatch_protocol::{IngestRecord, Position, Timestamp, Topic};
use nuthatch_store::{QuotaCountStore, StoreError, log::ReadLimit};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use super::counters::{Counter, CounterKey};
use crate::Intake;

/// Time between two notes.
const KEPT_EVERY: Duration = Duration::from_secs(1);

/// So many records may be added to the log before there is a new note though nothing is counted: a start looks at them.
const UNCOUNTED_RECORDS_MAX: u64 = 10_000;

/// Most records behind a note that a start looks at, which are more than the log takes in a second. There are more only when
/// no note could be written for long.
const RECORDS_MAX: usize = 250_000;

/// How much of the log is read at once.
const READ: ReadLimit = ReadLimit { records: 1024, bytes: 8 << 20 };

/// The version of the note.
const VERSION: u8 = 1;

/// The counters at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    version: u8,
    /// What is let through later is not in it.
    pub(super) at: Timestamp,
    /// Where the log ended before.
    ends: Vec<Position>,
    /// The counters whose windows are not over.
    pub(super) counters: Vec<(CounterKey, Counter)>,
}

impl Kept {
    pub(super) fn new(at: Timestamp, ends: Vec<Position>, counters: Vec<(CounterKey, Counter)>) -> Self {
        Self { version: VERSION, at, ends, counters }
    }

    fn encode(&self) -> Result<Bytes, serde_json::Error> {
        serde_json::to_vec(self).map(Bytes::from)
    }

    /// Reads a note; none when it is not one of this version.
    fn decode(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().filter(|kept: &Self| kept.version == VERSION)
    }

    /// Where the log ended in a partition; its beginning if there was none.
    fn end(&self, end: Position) -> Position {
        let before = self.ends.iter().find(|kept| (kept.topic, kept.partition) == (end.topic, end.partition));
        before.copied().unwrap_or(Position { offset: 0, ..end }).min(end)
    }

    /// Whether there has to be a new note.
    fn is_due(&self, before: &Self) -> bool {
        let added: u64 = self.ends.iter().map(|end| end.offset - before.end(*end).offset).sum();
        let is_counting = !self.counters.is_empty() && added > 0;
        self.counters != before.counters || is_counting || added >= UNCOUNTED_RECORDS_MAX
    }
}

impl Intake {
    /// Lets quotas go on with what a process before this one has counted. Before anything is taken, and before what is in the
    /// log is worked off and goes.
    ///
    /// # Errors
    ///
    /// A log or settings that cannot be read.
    pub async fn resume_quotas(&self, store: &dyn QuotaCountStore) -> Result<(), StoreError> {
        match store.quota_counts().await.map(|note| note.map(|note| Kept::decode(&note))) {
            Ok(Some(Some(kept))) => {
                self.inner.quotas.restore(&kept);
                self.count_later(&kept).await?;
            }
            Ok(Some(None)) => {
                tracing::warn!("what quotas have counted is not kept in a form that is known; windows begin anew");
            }
            Ok(None) => {}
            // No reason to take nothing at all.
            Err(error) => tracing::warn!(%error, "what quotas have counted cannot be read; windows begin anew"),
        }
        self.note_quotas(store, false).await;
        Ok(())
    }

    /// Keeps what quotas count, until `stop` resolves, and once more then.
    pub async fn keep_quotas(self, store: Arc<dyn QuotaCountStore>, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        let mut is_last = false;
        while !is_last {
            tokio::select! {
                () = sleep(KEPT_EVERY) => {}
                () = &mut stop => is_last = true,
            }
            self.note_quotas(&*store, is_last).await;
        }
    }

    async fn note_quotas(&self, store: &dyn QuotaCountStore, is_last: bool) {
        if let Err(error) = self.try_note_quotas(store, is_last).await {
            tracing::warn!(%error, "what quotas have counted cannot be kept; after a restart they may let more through");
        }
    }

    async fn try_note_quotas(&self, store: &dyn QuotaCountStore, is_last: bool) -> Result<(), StoreError> {
        let mut last = self.inner.quotas.last_kept.lock().await;
        // First: what is let through after the moment of the note is behind these places.
        let ends = self.ends().await?;
        let kept = self.inner.quotas.kept(ends, &*self.inner.clock);
        // The last one always: a quota that is made before the next start does not count what came before it.
        if is_last || last.as_ref().is_none_or(|last| kept.is_due(last)) {
            let note = kept.encode().map_err(|error| StoreError::Invalid(error.to_string()))?;
            store.keep_quota_counts(note).await?;
            *last = Some(kept);
        }
        Ok(())
    }

    /// Counts what the log took behind a note.
    async fn count_later(&self, kept: &Kept) -> Result<(), StoreError> {
        let log = &self.inner.log;
        let (mut quotas, mut left) = (HashMap::new(), RECORDS_MAX);
        for end in self.ends().await? {
            let mut at = kept.end(end);
            while at < end {
                let read = log.read(at, ReadLimit { records: READ.records.min(left), ..READ }).await?;
                for record in &read.records {
                    let Ok(record) = IngestRecord::decode(&record.value) else { continue };
                    let header = &record.header;
                    // What was counted before, and what was a dead letter.
                    if header.received <= kept.at || header.letter_id.is_some() {
                        continue;
                    }
                    let sender = (header.project_id, header.key_id);
                    let quotas = match quotas.entry(sender) {
                        Entry::Occupied(known) => known.into_mut(),
                        Entry::Vacant(new) => new.insert(self.inner.keys.quotas_of(sender).await?),
                    };
                    self.inner.quotas.count(quotas, &record.units().counts, header.received);
                }
                left = left.saturating_sub(read.records.len() + read.damaged.len());
                if read.next <= at {
                    break;
                }
                at = read.next;
                if at < end && left == 0 {
                    tracing::warn!(%at, "not all that the log took was looked at; quotas may let more through");
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Where the topics end that hold what quotas count.
    async fn ends(&self) -> Result<Vec<Position>, StoreError> {
        let log = &self.inner.log;
        let mut ends = Vec::new();
        for topic in Topic::ALL.into_iter().filter(|topic| topic.is_of_items()) {
            for partition in 0..log.partitions(topic) {
                let offset = log.bounds(topic, partition).await?.next;
                ends.push(Position { topic, partition, offset });
            }
        }
        Ok(ends)
    }
}

#[cfg(test)]
mod tests {
    use nuthatch_protocol::{KeyId, QuotaId};

    use super::*;
    use crate::quotas::counters::QuotaKey;

    /// What releases have written must be read by later ones.
    #[test]
    fn a_note_of_the_first_version_is_read() {
        let note = br#"{"version":1,"at":"2023-11-14T22:13:20.000001Z","ends":[{"topic":"ingest-events","partition":0,"offset":7}],
            "counters":[[[{"stored":3},1],{"ends_secs":1700000040,"used":2,"exceeded":null}],[[{"of_key":4},4],
            {"ends_secs":1700000040,"used":5,"exceeded":5}]]}"#;
        let at = Timestamp(1_700_000_000_000_001);
        let ends = vec![Position { topic: Topic::IngestEvents, partition: 0, offset: 7 }];
        let counter = |used, exceeded| Counter { ends_secs: 1_700_000_040, used, exceeded };
        let stored = ((QuotaKey::Stored(QuotaId(3)), 1), counter(2, None));
        let of_key = ((QuotaKey::OfKey(KeyId(4)), 4), counter(5, Some(5)));
        let kept = Kept::new(at, ends, vec![stored, of_key]);
        assert_eq!(Kept::decode(note), Some(kept.clone()));
        assert_eq!(Kept::decode(&kept.encode().expect("writes")), Some(kept));
        for other in [&b""[..], b"{}", br#"{"version":2,"at":"2023-11-14T22:13:20Z","ends":[],"counters":[]}"#] {
            assert_eq!(Kept::decode(other), None);
        }
    }
}
