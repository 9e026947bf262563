//! What a consumer's batch leaves in the books, in the transaction of its effects.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use nuthatch_protocol::{
    DataCategory, EventId, Facts, LetterId, Outcome, Outcomes, Position, ProjectId, Timestamp, Units,
    record::DeadLetter,
};
use serde::{Deserialize, Serialize};

use crate::{StoreError, issues::ConsumerPosition};

/// Settles batches whose effects are elsewhere. Stores whose effects are in the metadata settle with them.
#[async_trait]
pub trait SettlementStore: Send + Sync + 'static {
    /// Counts, keeps the letters, remembers the replays and moves the consumer, in one transaction. A settlement that the consumer is already
    /// behind changes nothing, so it can be repeated when the answer was lost.
    async fn settle(&self, settlement: Settlement) -> Result<(), StoreError>;

    /// [`Self::settle`], with items that count once: the first of an id is accepted, the others are duplicates.
    async fn settle_once(&self, items: Vec<Counted<SeenItem>>, settlement: Settlement) -> Result<(), StoreError>;

    /// Which record brought the first item, or was the first replay, of each id, for those that were settled.
    async fn first_positions(&self, keys: &[ItemKey]) -> Result<HashMap<ItemKey, Position>, StoreError>;

    /// Forgets items that were received before a time, as retention demands.
    async fn forget_items(&self, before: Timestamp) -> Result<(), StoreError>;
}

/// What a batch of records leaves in the books besides its effects.
#[derive(Debug, Clone, PartialEq)]
pub struct Settlement {
    /// The consumer, and the next record it will apply.
    pub consumer: ConsumerPosition,
    /// Records that the batch moves over.
    pub records: u64,
    /// What became of units without effect: filtered, broken, missing.
    pub outcomes: Outcomes,
    /// What cannot be handled.
    pub letters: Vec<DeadLetter>,
    /// Replays of dead letters among the records, to remember them until that retention takes what was received now.
    pub replays: Vec<(SeenItem, Timestamp)>,
    /// Versions that the batch names, with the times since when they are known unless they were before. Batches that have
    /// their effects in the metadata name them there.
    pub releases: BTreeMap<(ProjectId, String), Timestamp>,
    /// What else the batch shows that its projects have.
    pub facts: Facts,
}

impl Settlement {
    /// A batch of so many records, of which nothing is said yet.
    pub fn of(consumer: ConsumerPosition, records: u64) -> Self {
        Self {
            consumer,
            records,
            outcomes: Outcomes::default(),
            letters: Vec::new(),
            replays: Vec::new(),
            releases: BTreeMap::new(),
            facts: Facts::default(),
        }
    }
}

/// Something that a record brings, and what it counts as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted<T> {
    /// What.
    pub what: T,
    /// The units that share its outcome.
    pub units: Units,
}

impl<T> Counted<T> {
    /// What is counted when it has its effect.
    pub fn accepted(&self) -> Outcomes {
        self.units.became(Outcome::Accepted, "")
    }

    /// What is counted when another one had its effect before.
    pub fn duplicate(&self) -> Outcomes {
        self.units.became(Outcome::Invalid, "duplicate")
    }
}

/// Under what an item is remembered that counts once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemKey {
    /// The project.
    pub project_id: ProjectId,
    /// What it is.
    pub category: DataCategory,
    /// Its id.
    pub id: EventId,
}

impl ItemKey {
    /// Under what the replay of a dead letter is remembered: no item of that category has an effect, so that it is no
    /// item's key.
    pub fn of_replay(project_id: ProjectId, letter: LetterId) -> Self {
        let id = EventId(u128::from(letter.0).to_be_bytes());
        Self { project_id, category: DataCategory::Unknown, id }
    }
}

/// An item that counts once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenItem {
    /// Under what it is remembered.
    pub key: ItemKey,
    /// The record that brings it.
    pub position: Position,
}
