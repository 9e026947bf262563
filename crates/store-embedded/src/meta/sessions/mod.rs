//! Sessions and the counts they add up to.

mod sums;
mod write;

use async_trait::async_trait;
use nuthatch_protocol::{SessionUpdate, Timestamp};
use nuthatch_store::{
    SessionStore, StoreError,
    sessions::{SessionQuery, SessionSum, counted_once},
    settlements::{Counted, SeenItem, Settlement},
};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    EmbeddedMeta,
    error::Failure,
    settlements::{see, settle},
};

/// Rows of `session_state` that one step of [`SessionStore::expire_sessions`] deletes, so that other writes wait a few
/// milliseconds only.
const FORGET_ROWS: i64 = 10_000;

/// Deletes some of the sessions that began before a time; whether there may be more.
fn forget_states(connection: &Connection, before: Timestamp) -> Result<bool, Failure> {
    let deleted = connection
        .prepare_cached(
            "DELETE FROM session_state WHERE (project_id, sid) IN
                (SELECT project_id, sid FROM session_state WHERE started < ?1 ORDER BY started LIMIT ?2)",
        )?
        .execute(params![before.0, FORGET_ROWS])?;
    Ok(deleted as i64 == FORGET_ROWS)
}

/// Deletes the counts before an hour of the first place behind an id that has any; that place.
fn forget_counts(connection: &Connection, behind: i64, before_hour: i64) -> Result<Option<i64>, Failure> {
    let place: Option<i64> = connection
        .prepare_cached(
            "SELECT id FROM session_place WHERE id > ?1
                AND EXISTS (SELECT 1 FROM session_hour WHERE place_id = id AND hour < ?2) ORDER BY id LIMIT 1",
        )?
        .query_row([behind, before_hour], |row| row.get(0))
        .optional()?;
    let Some(place) = place else { return Ok(None) };
    for table in ["session_hour", "session_duration", "session_user"] {
        let delete = format!("DELETE FROM {table} WHERE place_id = ?1 AND hour < ?2");
        connection.prepare_cached(&delete)?.execute([place, before_hour])?;
    }
    Ok(Some(place))
}

/// Deletes those of the next places behind an id that no count and no session is of; the id to go on behind.
fn forget_places(connection: &Connection, behind: i64) -> Result<Option<i64>, Failure> {
    let last: Option<i64> = connection
        .prepare_cached("SELECT id FROM session_place WHERE id > ?1 ORDER BY id LIMIT 1 OFFSET ?2")?
        .query_row([behind, FORGET_ROWS], |row| row.get(0))
        .optional()?;
    connection
        .prepare_cached(
            "DELETE FROM session_place WHERE id > ?1 AND id <= ?2
                AND NOT EXISTS (SELECT 1 FROM session_hour WHERE place_id = session_place.id)
                AND NOT EXISTS (SELECT 1 FROM session_state WHERE place_id = session_place.id)",
        )?
        .execute([behind, last.unwrap_or(i64::MAX)])?;
    Ok(last)
}

#[async_trait]
impl SessionStore for EmbeddedMeta {
    async fn apply_sessions(
        &self,
        updates: Vec<Counted<SessionUpdate>>,
        settlement: Settlement,
    ) -> Result<(), StoreError> {
        let position = settlement.consumer.position;
        self.writer
            .write(move |connection| {
                settle(connection, &settlement, |connection, outcomes| {
                    let mut new = Vec::with_capacity(updates.len());
                    for update in updates {
                        let received = update.units.origin.received;
                        let is_new = match counted_once(&update.what) {
                            Some(key) => see(connection, SeenItem { key, position }, received)?,
                            None => true,
                        };
                        outcomes.extend(if is_new { update.accepted() } else { update.duplicate() });
                        new.extend(is_new.then_some(update.what));
                    }
                    write::apply(connection, new.into_iter())
                })
            })
            .await
    }

    async fn session_sums(&self, query: &SessionQuery) -> Result<Vec<SessionSum>, StoreError> {
        let query = query.clone();
        self.readers.read(move |connection| sums::sums(connection, &query)).await
    }

    async fn expire_sessions(&self, states_before: Timestamp, counts_before: Timestamp) -> Result<(), StoreError> {
        let before_hour = counts_before.hours();
        // A session whose hour goes must not be counted again in it.
        let states_before = states_before.max(Timestamp::from_secs(before_hour.saturating_mul(3600)));
        while self.writer.write(move |connection| forget_states(connection, states_before)).await? {}
        let mut behind = Some(0);
        while let Some(place) = behind {
            behind = self.writer.write(move |connection| forget_counts(connection, place, before_hour)).await?;
        }
        let mut behind = Some(0);
        while let Some(place) = behind {
            behind = self.writer.write(move |connection| forget_places(connection, place)).await?;
        }
        Ok(())
    }
}
