//! Dead letters.

use async_trait::async_trait;
use bytes::Bytes;
use nuthatch_protocol::{
    EventId, LetterId, Position, ProjectId, Timestamp,
    record::{DeadLetter, DeadLetterHeader},
};
use nuthatch_store::{
    DeadLetterStore, StoreError,
    dead_letters::{
        LETTER_PAGE_MAX, Letter, LetterBounds, LetterFilter, LetterPage, LetterQuery, LetterScope, StoredLetter,
    },
};
use rusqlite::{Connection, Row, params, params_from_iter, types::Value};

use super::{
    EmbeddedMeta,
    column::{topic_number, topic_of_number, unsigned},
    error::{Failure, corrupt, met},
};

/// The columns that [`letter`] reads.
const COLUMNS: &str = "id, topic, partition, \"offset\", project_id, event_id, reason, message, place, at, bytes,
                       replay_requested";

/// The condition on letters of a project (`?1`, null: all) and a reason (`?2`, null: all).
const FILTER: &str = "(?1 IS NULL OR project_id = ?1) AND (?2 IS NULL OR reason = ?2)";

/// Letters one step of a removal takes, so that other writes wait a few milliseconds only.
const REMOVED_AT_ONCE: usize = 200;

/// The values of [`FILTER`].
fn values(filter: &LetterFilter) -> (Option<i64>, Option<String>) {
    let project = match filter.scope {
        LetterScope::Installation => None,
        LetterScope::Project(id) => Some(id.0 as i64),
    };
    (project, filter.reason.clone())
}

fn letter(row: &Row<'_>) -> Result<Letter, Failure> {
    let topic: i64 = row.get(1)?;
    let topic = topic_of_number(topic).ok_or_else(|| corrupt(&format!("a dead letter of topic {topic}")))?;
    Ok(Letter {
        id: LetterId(unsigned(row, 0)?),
        header: DeadLetterHeader {
            source: Position { topic, partition: row.get(2)?, offset: unsigned(row, 3)? },
            project_id: row.get::<_, Option<i64>>(4)?.map(|id| ProjectId(id as u64)),
            event_id: row.get::<_, Option<[u8; 16]>>(5)?.map(EventId),
            reason: row.get(6)?,
            message: row.get(7)?,
            place: row.get(8)?,
            at: Timestamp(row.get(9)?),
        },
        bytes: unsigned(row, 10)?,
        replay_requested: row.get(11)?,
    })
}

fn stored_letter(row: &Row<'_>) -> Result<StoredLetter, Failure> {
    Ok(StoredLetter { letter: letter(row)?, record: row.get::<_, Vec<u8>>(12)?.into() })
}

/// Letters with their records that a condition holds for, oldest first.
fn stored_letters(connection: &Connection, condition: &str, value: i64) -> Result<Vec<StoredLetter>, Failure> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS}, record FROM dead_letter JOIN dead_letter_record ON letter_id = id WHERE {condition}"
    ))?;
    let mut rows = statement.query([value])?;
    let mut letters = Vec::new();
    while let Some(row) = rows.next()? {
        letters.push(stored_letter(row)?);
    }
    Ok(letters)
}

/// Keeps letters, but for those whose source is kept already.
pub(super) fn keep(connection: &Connection, letters: &[DeadLetter]) -> Result<(), Failure> {
    let mut head = connection.prepare_cached(
        "INSERT INTO dead_letter (topic, partition, \"offset\", project_id, event_id, reason, message, place, at,
                                  bytes, replay_requested)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0) ON CONFLICT DO NOTHING",
    )?;
    let mut body = connection.prepare_cached("INSERT INTO dead_letter_record VALUES (last_insert_rowid(), ?1)")?;
    for DeadLetter { header, original } in letters {
        let new = head.execute(params![
            topic_number(header.source.topic),
            header.source.partition,
            header.source.offset as i64,
            header.project_id.map(|id| id.0 as i64),
            header.event_id.map(|id| id.0),
            header.reason,
            header.message,
            header.place,
            header.at.0,
            original.len() as i64,
        ])?;
        if new > 0 {
            body.execute([&original[..]])?;
        }
    }
    Ok(())
}

/// Removes the oldest letters that are over the bounds; how many.
fn cut(connection: &Connection, bounds: LetterBounds) -> Result<u64, Failure> {
    let limit = |bound: u64| i64::try_from(bound).unwrap_or(i64::MAX);
    let (letters, bytes) = (limit(bounds.letters), limit(bounds.bytes));
    let mut within = connection.prepare_cached("SELECT count(*) <= ?1 AND sum(bytes) <= ?2 FROM dead_letter")?;
    if within.query_row([letters, bytes], |row| row.get::<_, Option<bool>>(0))?.unwrap_or(true) {
        return Ok(0);
    }
    let mut statement = connection.prepare_cached(
        "DELETE FROM dead_letter WHERE NOT replay_requested AND id IN (
             SELECT id FROM (SELECT id, row_number() OVER newest AS number, sum(bytes) OVER newest AS total
                               FROM dead_letter
                             WINDOW newest AS (ORDER BY id DESC ROWS UNBOUNDED PRECEDING))
              WHERE number > 1 AND (number > ?1 OR total > ?2))",
    )?;
    Ok(statement.execute([letters, bytes])? as u64)
}

fn page(connection: &Connection, query: &LetterQuery) -> Result<LetterPage, Failure> {
    let (project, reason) = values(&query.filter);
    let limit = query.limit.min(LETTER_PAGE_MAX);
    let backwards = query.cursor.is_some_and(|cursor| cursor.backwards);
    let (compare, order) = if backwards { (">", "ASC") } else { ("<", "DESC") };
    let behind = query.cursor.map_or(i64::MAX, |cursor| cursor.id.0 as i64);
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM dead_letter WHERE {FILTER} AND id {compare} ?3 ORDER BY id {order} LIMIT ?4"
    ))?;
    // One more than asked for tells whether the list goes on in this direction.
    let mut rows = statement.query(params![project, reason, behind, limit as i64 + 1])?;
    let mut letters = Vec::new();
    while let Some(row) = rows.next()? {
        letters.push(letter(row)?);
    }
    let goes_on = letters.len() > limit;
    letters.truncate(limit);
    let came_from = match query.cursor {
        Some(cursor) => {
            let compare = if backwards { "<=" } else { ">=" };
            connection
                .prepare_cached(&format!("SELECT 1 FROM dead_letter WHERE {FILTER} AND id {compare} ?3 LIMIT 1"))?
                .exists(params![project, reason, cursor.id.0 as i64])?
        }
        None => false,
    };
    if backwards {
        letters.reverse();
        Ok(LetterPage { letters, has_previous: goes_on, has_next: came_from })
    } else {
        Ok(LetterPage { letters, has_previous: came_from, has_next: goes_on })
    }
}

#[async_trait]
impl DeadLetterStore for EmbeddedMeta {
    async fn cut_letters(&self, bounds: LetterBounds) -> Result<u64, StoreError> {
        self.writer.write(move |connection| cut(connection, bounds)).await
    }

    async fn letters(&self, query: &LetterQuery) -> Result<LetterPage, StoreError> {
        let query = query.clone();
        self.readers.read(move |connection| page(connection, &query)).await
    }

    async fn letter(&self, id: LetterId) -> Result<Option<StoredLetter>, StoreError> {
        self.readers.read(move |connection| Ok(stored_letters(connection, "id = ?1", id.0 as i64)?.pop())).await
    }

    async fn letter_counts(&self, scope: LetterScope) -> Result<Vec<(String, u64)>, StoreError> {
        let (project, reason) = values(&LetterFilter { scope, reason: None });
        self.readers
            .read(move |connection| {
                let mut statement = connection.prepare_cached(&format!(
                    "SELECT reason, count(*) FROM dead_letter WHERE {FILTER} GROUP BY reason ORDER BY reason"
                ))?;
                let counts =
                    statement.query_map(params![project, reason], |row| Ok((row.get(0)?, unsigned(row, 1)?)))?;
                Ok(counts.collect::<Result<_, _>>()?)
            })
            .await
    }

    async fn request_replay(&self, id: LetterId, record: Bytes) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                let rows = connection
                    .prepare_cached("UPDATE dead_letter SET replay_requested = 1, bytes = ?2 WHERE id = ?1")?
                    .execute([id.0 as i64, record.len() as i64])?;
                met(rows, "the dead letter")?;
                connection
                    .prepare_cached("UPDATE dead_letter_record SET record = ?2 WHERE letter_id = ?1 AND record <> ?2")?
                    .execute(params![id.0 as i64, &record[..]])?;
                Ok(())
            })
            .await
    }

    async fn request_replays(&self, filter: &LetterFilter) -> Result<u64, StoreError> {
        let (project, reason) = values(filter);
        self.writer
            .write(move |connection| {
                let mut statement = connection.prepare_cached(&format!(
                    "UPDATE dead_letter SET replay_requested = 1 WHERE {FILTER} AND bytes > 0"
                ))?;
                Ok(statement.execute(params![project, reason])? as u64)
            })
            .await
    }

    async fn requested_replays(&self, limit: usize) -> Result<Vec<StoredLetter>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.readers
            .read(move |connection| stored_letters(connection, "replay_requested ORDER BY id LIMIT ?1", limit))
            .await
    }

    async fn remove_letters(&self, ids: &[LetterId]) -> Result<u64, StoreError> {
        let ids = ids.to_vec();
        self.writer
            .write(move |connection| {
                let mut statement = connection.prepare_cached("DELETE FROM dead_letter WHERE id = ?1")?;
                let removed = ids.into_iter().map(|id| statement.execute([id.0 as i64]));
                Ok(removed.sum::<Result<usize, _>>()? as u64)
            })
            .await
    }

    async fn remove_all_letters(&self, filter: &LetterFilter) -> Result<u64, StoreError> {
        let (project, reason) = values(filter);
        self.remove_in_steps(FILTER, vec![project.into(), reason.into()]).await
    }

    async fn expire_letters(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.remove_in_steps("at < ?1 AND NOT replay_requested", vec![before.0.into()]).await
    }
}

impl EmbeddedMeta {
    /// Removes the letters that a condition holds for, the oldest first; how many.
    async fn remove_in_steps(&self, condition: &'static str, values: Vec<Value>) -> Result<u64, StoreError> {
        let mut removed = 0;
        loop {
            let values = values.clone();
            let step = move |connection: &Connection| {
                let mut statement = connection.prepare_cached(&format!(
                    "DELETE FROM dead_letter WHERE id IN (
                         SELECT id FROM dead_letter WHERE {condition} ORDER BY id LIMIT {REMOVED_AT_ONCE})"
                ))?;
                Ok(statement.execute(params_from_iter(values))?)
            };
            let rows = self.writer.write(step).await?;
            removed += rows as u64;
            if rows < REMOVED_AT_ONCE {
                return Ok(removed);
            }
        }
    }
}
