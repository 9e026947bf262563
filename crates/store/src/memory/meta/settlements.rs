//! Settling of batches.

use std::collections::{HashMap, btree_map::Entry};

use async_trait::async_trait;
use nuthatch_protocol::{Outcomes, Position, Timestamp};

use super::{MemoryMeta, State};
use crate::{
    SettlementStore, StoreError,
    settlements::{Counted, ItemKey, SeenItem, Settlement},
};

impl State {
    /// Has the effects of a batch, counts and moves, unless the consumer did so before.
    pub(super) fn settle(&mut self, settlement: Settlement, effects: impl FnOnce(&mut Self, &mut Outcomes)) {
        let Settlement { consumer, records, mut outcomes, letters, replays, releases, facts } = settlement;
        let place = (consumer.consumer.clone(), consumer.position.topic, consumer.position.partition);
        if self.positions.get(&place).is_some_and(|applied| *applied >= consumer.position.offset) {
            return;
        }
        effects(self, &mut outcomes);
        self.count(&outcomes, records, &consumer);
        for letter in letters {
            self.keep(letter);
        }
        for (replay, at) in replays {
            self.seen.entry(replay.key).or_insert((replay.position, at));
        }
        for (version, since) in releases {
            self.releases.entry(version).or_insert(since);
        }
        self.note(&facts);
        self.move_to(consumer);
    }
}

#[async_trait]
impl SettlementStore for MemoryMeta {
    async fn settle(&self, settlement: Settlement) -> Result<(), StoreError> {
        self.lock().settle(settlement, |_, _| {});
        Ok(())
    }

    async fn settle_once(&self, items: Vec<Counted<SeenItem>>, settlement: Settlement) -> Result<(), StoreError> {
        self.lock().settle(settlement, |state, outcomes| {
            for item in items {
                match state.seen.entry(item.what.key) {
                    Entry::Vacant(entry) => {
                        outcomes.extend(item.accepted());
                        entry.insert((item.what.position, item.units.origin.received));
                    }
                    Entry::Occupied(_) => outcomes.extend(item.duplicate()),
                }
            }
        });
        Ok(())
    }

    async fn first_positions(&self, keys: &[ItemKey]) -> Result<HashMap<ItemKey, Position>, StoreError> {
        let state = self.lock();
        Ok(keys.iter().filter_map(|key| Some((*key, state.seen.get(key)?.0))).collect())
    }

    async fn forget_items(&self, before: Timestamp) -> Result<(), StoreError> {
        self.lock().seen.retain(|_, (_, received)| *received >= before);
        Ok(())
    }
}
