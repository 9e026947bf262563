//! Dead letters: kept in the order of their ids.

use async_trait::async_trait;
use bytes::Bytes;
use nuthatch_protocol::{LetterId, Timestamp, record::DeadLetter};

use super::{MemoryMeta, State};
use crate::{
    DeadLetterStore, StoreError,
    dead_letters::{
        LETTER_PAGE_MAX, Letter, LetterBounds, LetterFilter, LetterPage, LetterQuery, LetterScope, StoredLetter,
    },
};

impl State {
    pub(super) fn keep(&mut self, DeadLetter { header, original }: DeadLetter) {
        if self.letters.values().any(|kept| kept.letter.header.source == header.source) {
            return;
        }
        self.last_letter.0 += 1;
        let letter = Letter { id: self.last_letter, header, bytes: original.len() as u64, replay_requested: false };
        self.letters.insert(letter.id, StoredLetter { letter, record: original });
    }

    /// Removes the oldest letters that are over the bounds.
    fn cut_letters(&mut self, bounds: LetterBounds) -> u64 {
        let (mut count, mut bytes) = (0, 0);
        let mut over = Vec::new();
        for kept in self.letters.values().rev() {
            count += 1;
            bytes += kept.letter.bytes;
            let is_over = count > 1 && (count > bounds.letters || bytes > bounds.bytes);
            if is_over && !kept.letter.replay_requested {
                over.push(kept.letter.id);
            }
        }
        self.retain_letters(|letter| !over.contains(&letter.id))
    }

    fn retain_letters(&mut self, stays: impl Fn(&Letter) -> bool) -> u64 {
        let before = self.letters.len();
        self.letters.retain(|_, kept| stays(&kept.letter));
        (before - self.letters.len()) as u64
    }
}

#[async_trait]
impl DeadLetterStore for MemoryMeta {
    async fn cut_letters(&self, bounds: LetterBounds) -> Result<u64, StoreError> {
        Ok(self.lock().cut_letters(bounds))
    }

    async fn letters(&self, query: &LetterQuery) -> Result<LetterPage, StoreError> {
        let state = self.lock();
        let newest_first = state.letters.values().rev().map(|kept| &kept.letter);
        let matching: Vec<&Letter> = newest_first.filter(|letter| query.filter.holds(letter)).collect();
        let limit = query.limit.min(LETTER_PAGE_MAX);
        let (start, end) = match query.cursor {
            Some(cursor) if cursor.backwards => {
                let end = matching.partition_point(|letter| letter.id > cursor.id);
                (end.saturating_sub(limit), end)
            }
            cursor => {
                let start = cursor.map_or(0, |cursor| matching.partition_point(|letter| letter.id >= cursor.id));
                (start, matching.len().min(start + limit))
            }
        };
        Ok(LetterPage {
            letters: matching[start..end].iter().copied().cloned().collect(),
            has_previous: start > 0,
            has_next: end < matching.len(),
        })
    }

    async fn letter(&self, id: LetterId) -> Result<Option<StoredLetter>, StoreError> {
        Ok(self.lock().letters.get(&id).cloned())
    }

    async fn letter_counts(&self, scope: LetterScope) -> Result<Vec<(String, u64)>, StoreError> {
        let all = LetterFilter { scope, reason: None };
        let mut counts = std::collections::BTreeMap::new();
        for kept in self.lock().letters.values().filter(|kept| all.holds(&kept.letter)) {
            *counts.entry(kept.letter.header.reason.clone()).or_default() += 1;
        }
        Ok(counts.into_iter().collect())
    }

    async fn request_replay(&self, id: LetterId, record: Bytes) -> Result<(), StoreError> {
        let mut state = self.lock();
        let kept = state.letters.get_mut(&id).ok_or(StoreError::NotFound("the dead letter"))?;
        kept.letter.bytes = record.len() as u64;
        kept.letter.replay_requested = true;
        kept.record = record;
        Ok(())
    }

    async fn request_replays(&self, filter: &LetterFilter) -> Result<u64, StoreError> {
        let mut count = 0;
        for kept in self.lock().letters.values_mut() {
            if filter.holds(&kept.letter) && kept.letter.bytes > 0 {
                kept.letter.replay_requested = true;
                count += 1;
            }
        }
        Ok(count)
    }

    async fn requested_replays(&self, limit: usize) -> Result<Vec<StoredLetter>, StoreError> {
        let state = self.lock();
        let requested = state.letters.values().filter(|kept| kept.letter.replay_requested);
        Ok(requested.take(limit).cloned().collect())
    }

    async fn remove_letters(&self, ids: &[LetterId]) -> Result<u64, StoreError> {
        Ok(self.lock().retain_letters(|letter| !ids.contains(&letter.id)))
    }

    async fn remove_all_letters(&self, filter: &LetterFilter) -> Result<u64, StoreError> {
        Ok(self.lock().retain_letters(|letter| !filter.holds(letter)))
    }

    async fn expire_letters(&self, before: Timestamp) -> Result<u64, StoreError> {
        Ok(self.lock().retain_letters(|letter| letter.header.at >= before || letter.replay_requested))
    }
}
