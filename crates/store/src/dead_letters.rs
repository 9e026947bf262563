//! Dead letters: messages that were acknowledged and refused, kept until somebody replays or discards them.

use async_trait::async_trait;
use bytes::Bytes;
use nuthatch_protocol::{
    IngestRecord, LetterId, ProjectId, Timestamp,
    record::{DeadLetterHeader, IngestHeader},
};

use crate::{StoreError, log::NewRecord};

/// Most letters on a page.
pub const LETTER_PAGE_MAX: usize = 100;

/// The list of dead letters. A letter is known by the position of the record that was refused.
///
/// Letters come with the transaction that moves past their records ([`Changes::letters`](nuthatch_issues::Changes)). One
/// whose source is kept already changes nothing. Replays are asked for here and done by the worker, which is the only one that writes the log: whoever asks may be
/// another process, and the worker may be away. A letter whose replay was asked for stays until it is done, whatever
/// the bounds and the retention say.
#[async_trait]
pub trait DeadLetterStore: Send + Sync + 'static {
    /// Removes the oldest letters that are over the bounds; how many. The newest one stays, however large.
    async fn cut_letters(&self, bounds: LetterBounds) -> Result<u64, StoreError>;

    /// A page of letters, newest first.
    async fn letters(&self, query: &LetterQuery) -> Result<LetterPage, StoreError>;

    /// A letter with its record.
    async fn letter(&self, id: LetterId) -> Result<Option<StoredLetter>, StoreError>;

    /// How many letters there are for each reason, by reason.
    async fn letter_counts(&self, scope: LetterScope) -> Result<Vec<(String, u64)>, StoreError>;

    /// Asks for a letter to be replayed as this record ([`StoredLetter::replacement`]), which takes the place of the
    /// one that was refused. [`StoreError::NotFound`] when there is no such letter.
    async fn request_replay(&self, id: LetterId, record: Bytes) -> Result<(), StoreError>;

    /// Asks for all letters of a kind to be replayed as they are, but for those that nothing is left of. Returns how
    /// many there are, counting those that were asked for before.
    async fn request_replays(&self, filter: &LetterFilter) -> Result<u64, StoreError>;

    /// The letters whose replay was asked for, oldest first; at most `limit`.
    async fn requested_replays(&self, limit: usize) -> Result<Vec<StoredLetter>, StoreError>;

    /// Removes these letters; how many there were.
    async fn remove_letters(&self, ids: &[LetterId]) -> Result<u64, StoreError>;

    /// Removes all letters of a kind; how many there were.
    async fn remove_all_letters(&self, filter: &LetterFilter) -> Result<u64, StoreError>;

    /// Removes letters of messages that were refused before a time, as retention demands; how many there were.
    async fn expire_letters(&self, before: Timestamp) -> Result<u64, StoreError>;
}

/// How much the list holds, of all projects together. Beyond it the oldest letters go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LetterBounds {
    /// Letters.
    pub letters: u64,
    /// Bytes of their records.
    pub bytes: u64,
}

impl Default for LetterBounds {
    /// 10,000 letters, 256 MiB.
    fn default() -> Self {
        Self { letters: 10_000, bytes: 256 * 1024 * 1024 }
    }
}

/// Whose letters. One whose project could not be read belongs to nobody: only the operator of the installation sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LetterScope {
    /// Everybody's and nobody's: for operators.
    Installation,
    /// A project's.
    Project(ProjectId),
}

/// Which letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterFilter {
    /// Whose.
    pub scope: LetterScope,
    /// Only those refused for this reason.
    pub reason: Option<String>,
}

impl LetterFilter {
    /// Whether a letter is among them.
    pub fn holds(&self, letter: &Letter) -> bool {
        let theirs = match self.scope {
            LetterScope::Installation => true,
            LetterScope::Project(project) => letter.header.project_id == Some(project),
        };
        theirs && self.reason.as_ref().is_none_or(|reason| letter.header.reason == *reason)
    }
}

/// A page of a list of letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterQuery {
    /// Which letters.
    pub filter: LetterFilter,
    /// Start behind this letter (or, going back, end in front of it).
    pub cursor: Option<LetterCursor>,
    /// At most [`LETTER_PAGE_MAX`].
    pub limit: usize,
}

/// A place in a list of letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LetterCursor {
    /// The letter there.
    pub id: LetterId,
    /// The page in front of it is wanted, not the one behind.
    pub backwards: bool,
}

/// What a page holds.
#[derive(Debug, Clone, PartialEq)]
pub struct LetterPage {
    /// The letters, newest first.
    pub letters: Vec<Letter>,
    /// Whether there are newer ones in front of the page.
    pub has_previous: bool,
    /// Whether there are older ones behind it.
    pub has_next: bool,
}

/// A letter without its record.
#[derive(Debug, Clone, PartialEq)]
pub struct Letter {
    /// Id, in the order in which letters were taken.
    pub id: LetterId,
    /// Why and where from.
    pub header: DeadLetterHeader,
    /// Size of the record; 0 when nothing is left of it.
    pub bytes: u64,
    /// A replay was asked for and is not done.
    pub replay_requested: bool,
}

/// A letter with its record.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredLetter {
    /// Why and where from.
    pub letter: Letter,
    /// The record as it is replayed.
    pub record: Bytes,
}

impl StoredLetter {
    /// What intake knew of an item, when that can be read, and the payload; without it the whole record is payload.
    pub fn content(&self) -> (Option<IngestHeader>, Bytes) {
        match IngestRecord::decode(&self.record) {
            Ok(IngestRecord { header, payload }) if self.is_ingest() => (Some(header), payload),
            _ => (None, self.record.clone()),
        }
    }

    /// The record for a replay: the one that was refused, or the same with another payload. What intake knew stays.
    ///
    /// # Errors
    ///
    /// [`StoreError::Invalid`]: nothing is left of the record, its header cannot be read so that a payload has no place
    /// in it, or no log takes what it becomes.
    pub fn replacement(&self, payload: Option<Bytes>) -> Result<Bytes, StoreError> {
        let refused = |why: &str| Err(StoreError::Invalid(why.to_owned()));
        if self.record.is_empty() {
            return refused("nothing is left of this record, so it can only be discarded");
        }
        let Some(payload) = payload else { return Ok(self.record.clone()) };
        if payload.is_empty() {
            return refused("the payload is empty");
        }
        let value = match self.content() {
            (Some(header), _) => IngestRecord { header, payload }.encode(),
            (None, _) if self.is_ingest() => {
                return refused("the header of this record cannot be read, so it cannot be given another payload");
            }
            (None, _) => payload,
        };
        let record = NewRecord { key: [0; 16], value };
        record.check()?;
        Ok(record.value)
    }

    fn is_ingest(&self) -> bool {
        self.letter.header.source.topic.is_of_items()
    }
}
