//! Settling of batches.

use std::collections::HashMap;

use async_trait::async_trait;
use nuthatch_protocol::{Outcomes, Position, Timestamp};
use nuthatch_store::{
    SettlementStore, StoreError,
    settlements::{Counted, ItemKey, SeenItem, Settlement},
};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    EmbeddedMeta, apply,
    column::{topic_number, topic_of_number, unsigned},
    dead_letters,
    error::{Failure, corrupt},
    outcomes, project_facts, releases,
};

/// Rows of `seen_item` that one step of [`SettlementStore::forget_items`] deletes, so that other writes wait a few
/// milliseconds only.
const FORGET_ROWS: i64 = 10_000;

/// Has the effects of a batch, counts and moves, unless the consumer did so before. The effects say what became of
/// their units.
pub(super) fn settle(
    connection: &Connection,
    settlement: &Settlement,
    effects: impl FnOnce(&Connection, &mut Outcomes) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let Settlement { consumer, records, outcomes, letters, replays, releases: versions, facts } = settlement;
    let position = consumer.position;
    let applied: Option<i64> = connection
        .prepare_cached("SELECT \"offset\" FROM position WHERE (consumer, topic, partition) = (?1, ?2, ?3)")?
        .query_row(params![consumer.consumer, position.topic.as_str(), position.partition], |row| row.get(0))
        .optional()?;
    if applied.is_some_and(|applied| applied >= position.offset as i64) {
        return Ok(());
    }
    let mut outcomes = outcomes.clone();
    effects(connection, &mut outcomes)?;
    outcomes::add(connection, &outcomes, *records, consumer)?;
    dead_letters::keep(connection, letters)?;
    for (replay, at) in replays {
        see(connection, *replay, *at)?;
    }
    for ((project, version), since) in versions {
        releases::know(connection, *project, version, *since)?;
    }
    project_facts::note(connection, facts)?;
    apply::move_to(connection, consumer)
}

/// Remembers an item; whether it is the first of its id.
pub(super) fn see(connection: &Connection, item: SeenItem, received: Timestamp) -> Result<bool, Failure> {
    let SeenItem { key, position } = item;
    let new = connection
        .prepare_cached("INSERT INTO seen_item VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING")?
        .execute(params![
            key.project_id.0 as i64,
            key.category.number(),
            key.id.0,
            received.0,
            topic_number(position.topic),
            position.partition,
            position.offset as i64
        ])?;
    Ok(new > 0)
}

fn see_all(connection: &Connection, items: &[Counted<SeenItem>], outcomes: &mut Outcomes) -> Result<(), Failure> {
    for item in items {
        let is_new = see(connection, item.what, item.units.origin.received)?;
        outcomes.extend(if is_new { item.accepted() } else { item.duplicate() });
    }
    Ok(())
}

fn first_positions(connection: &Connection, keys: &[ItemKey]) -> Result<HashMap<ItemKey, Position>, Failure> {
    let mut find = connection.prepare_cached(
        "SELECT topic, partition, \"offset\" FROM seen_item WHERE (project_id, category, id) = (?1, ?2, ?3)",
    )?;
    let mut found = HashMap::with_capacity(keys.len());
    for key in keys {
        let mut rows = find.query(params![key.project_id.0 as i64, key.category.number(), key.id.0])?;
        let Some(row) = rows.next()? else { continue };
        let number = row.get(0)?;
        let topic = topic_of_number(number).ok_or_else(|| corrupt(&format!("an item of topic {number}")))?;
        found.insert(*key, Position { topic, partition: row.get(1)?, offset: unsigned(row, 2)? });
    }
    Ok(found)
}

/// Deletes some of the rows that were received before a time; whether there may be more.
fn forget(connection: &Connection, before: Timestamp) -> Result<bool, Failure> {
    let deleted = connection
        .prepare_cached(
            "DELETE FROM seen_item WHERE (project_id, category, id) IN
             (SELECT project_id, category, id FROM seen_item WHERE received < ?1 LIMIT ?2)",
        )?
        .execute([before.0, FORGET_ROWS])?;
    Ok(deleted as i64 == FORGET_ROWS)
}

#[async_trait]
impl SettlementStore for EmbeddedMeta {
    async fn settle(&self, settlement: Settlement) -> Result<(), StoreError> {
        self.writer.write(move |connection| settle(connection, &settlement, |_, _| Ok(()))).await
    }

    async fn settle_once(&self, items: Vec<Counted<SeenItem>>, settlement: Settlement) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                settle(connection, &settlement, |connection, outcomes| see_all(connection, &items, outcomes))
            })
            .await
    }

    async fn first_positions(&self, keys: &[ItemKey]) -> Result<HashMap<ItemKey, Position>, StoreError> {
        let keys = keys.to_vec();
        self.readers.read(move |connection| first_positions(connection, &keys)).await
    }

    async fn forget_items(&self, before: Timestamp) -> Result<(), StoreError> {
        while self.writer.write(move |connection| forget(connection, before)).await? {}
        Ok(())
    }
}
