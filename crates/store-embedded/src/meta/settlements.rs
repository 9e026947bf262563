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
    outcomes,
};

/// Rows of `seen_item` that one step of [`SettlementStore::forget_items`] looks at, so that other writes wait a few
/// milliseconds only.
const FORGET_ROWS: i64 = 10_000;

/// Has the effects of a batch, counts and moves, unless the consumer did so before. The effects say what became of
/// their units.
pub(super) fn settle(
    connection: &Connection,
    settlement: &Settlement,
    effects: impl FnOnce(&Connection, &mut Outcomes) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let Settlement { consumer, records, outcomes, letters } = settlement;
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
    apply::move_to(connection, consumer)
}

fn see(connection: &Connection, items: &[Counted<SeenItem>], outcomes: &mut Outcomes) -> Result<(), Failure> {
    let mut insert = connection
        .prepare_cached("INSERT INTO seen_item VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING")?;
    for item in items {
        let SeenItem { key, position } = item.what;
        let new = insert.execute(params![
            key.project_id.0 as i64,
            key.category.number(),
            key.id.0,
            item.units.origin.received.0,
            topic_number(position.topic),
            position.partition,
            position.offset as i64
        ])?;
        outcomes.extend(if new > 0 { item.accepted() } else { item.duplicate() });
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

/// The key of a row.
type Key = (i64, u8, [u8; 16]);

/// Deletes old rows among the next [`FORGET_ROWS`] behind a key; the key to go on behind.
fn forget(connection: &Connection, behind: Key, before: Timestamp) -> Result<Option<Key>, Failure> {
    let last: Option<Key> = connection
        .prepare_cached(
            "SELECT project_id, category, id FROM seen_item WHERE (project_id, category, id) > (?1, ?2, ?3)
              ORDER BY project_id, category, id LIMIT 1 OFFSET ?4",
        )?
        .query_row(params![behind.0, behind.1, behind.2, FORGET_ROWS], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    let end = last.unwrap_or((i64::MAX, u8::MAX, [0xff; 16]));
    connection
        .prepare_cached(
            "DELETE FROM seen_item WHERE (project_id, category, id) > (?1, ?2, ?3)
                AND (project_id, category, id) <= (?4, ?5, ?6) AND received < ?7",
        )?
        .execute(params![behind.0, behind.1, behind.2, end.0, end.1, end.2, before.0])?;
    Ok(last)
}

#[async_trait]
impl SettlementStore for EmbeddedMeta {
    async fn settle(&self, settlement: Settlement) -> Result<(), StoreError> {
        self.writer.write(move |connection| settle(connection, &settlement, |_, _| Ok(()))).await
    }

    async fn settle_once(&self, items: Vec<Counted<SeenItem>>, settlement: Settlement) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                settle(connection, &settlement, |connection, outcomes| see(connection, &items, outcomes))
            })
            .await
    }

    async fn first_positions(&self, keys: &[ItemKey]) -> Result<HashMap<ItemKey, Position>, StoreError> {
        let keys = keys.to_vec();
        self.readers.read(move |connection| first_positions(connection, &keys)).await
    }

    async fn forget_items(&self, before: Timestamp) -> Result<(), StoreError> {
        let mut behind = Some((0, 0, [0; 16]));
        while let Some(key) = behind {
            behind = self.writer.write(move |connection| forget(connection, key, before)).await?;
        }
        Ok(())
    }
}
