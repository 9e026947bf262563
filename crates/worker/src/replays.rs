//! Replays of dead letters that were appended twice, because a worker died between the append and the removal of the letter.
//!
//! Events and transactions are known by their ids. What has none that counts (updates of sessions, spans, log lines, metrics,
//! check-ins, reports) is known as a replay by the letter it was: the first record of a letter is remembered in the
//! transaction of its effects, and a later one has none.

use std::collections::HashMap;

use nuthatch_protocol::{
    IngestRecord, Position, Timestamp,
    record::{IngestHeader, RecordError},
};
use nuthatch_store::{
    SettlementStore, StoreError,
    log::StoredRecord,
    settlements::{ItemKey, SeenItem},
};

/// The replays of a batch: for each letter the first record that is one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Replays(HashMap<ItemKey, Position>);

fn key(header: &IngestHeader) -> Option<ItemKey> {
    Some(ItemKey::of_replay(header.project_id, header.letter_id?))
}

impl Replays {
    /// Those among these records, which come in their order.
    pub(crate) fn among(records: &[(&StoredRecord, Result<IngestRecord, RecordError>)]) -> Self {
        let mut first = HashMap::new();
        for (record, decoded) in records {
            if let Some(key) = decoded.as_ref().ok().and_then(|decoded| key(&decoded.header)) {
                first.entry(key).or_insert(record.position);
            }
        }
        Self(first)
    }

    /// The same, with what was settled before.
    pub(crate) async fn known(mut self, settlements: &dyn SettlementStore) -> Result<Self, StoreError> {
        if !self.0.is_empty() {
            let keys: Vec<ItemKey> = self.0.keys().copied().collect();
            self.0.extend(settlements.first_positions(&keys).await?);
        }
        Ok(self)
    }

    /// Whether another record was this replay before.
    pub(crate) fn repeats(&self, header: &IngestHeader, position: Position) -> bool {
        key(header).and_then(|key| self.0.get(&key)).is_some_and(|first| *first != position)
    }

    /// What to remember.
    pub(crate) fn taken(&self, now: Timestamp) -> Vec<(SeenItem, Timestamp)> {
        self.0.iter().map(|(key, position)| (SeenItem { key: *key, position: *position }, now)).collect()
    }
}
