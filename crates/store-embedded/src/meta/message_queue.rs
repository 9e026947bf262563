//! Messages that wait for the worker.

use async_trait::async_trait;
use nuthatch_issues::TopicRecord;
use nuthatch_store::{
    MessageQueueStore, StoreError,
    message_queue::{QueueBounds, QueuedMessage},
};
use rusqlite::{Connection, params};

use super::{EmbeddedMeta, column::unsigned, error::Failure};

/// Whether so much more has room.
fn has_room(connection: &Connection, messages: &[TopicRecord], bounds: QueueBounds) -> Result<bool, Failure> {
    let mut waiting =
        connection.prepare_cached("SELECT count(*), coalesce(sum(length(value)), 0) FROM queued_message")?;
    let (count, bytes) = waiting.query_row([], |row| Ok((unsigned(row, 0)?, unsigned(row, 1)?)))?;
    let more: u64 = messages.iter().map(|record| record.value.len() as u64).sum();
    Ok(count + messages.len() as u64 <= bounds.messages && bytes + more <= bounds.bytes)
}

#[async_trait]
impl MessageQueueStore for EmbeddedMeta {
    async fn queue_messages(&self, messages: Vec<TopicRecord>, bounds: QueueBounds) -> Result<bool, StoreError> {
        self.writer
            .write(move |connection| {
                if !has_room(connection, &messages, bounds)? {
                    return Ok(false);
                }
                let mut queue = connection
                    .prepare_cached("INSERT INTO queued_message (partition, key, value) VALUES (?1, ?2, ?3)")?;
                for TopicRecord { partition, key, value } in messages {
                    queue.execute(params![partition, key, value])?;
                }
                Ok(true)
            })
            .await
    }

    async fn queued_messages(&self, limit: usize) -> Result<Vec<QueuedMessage>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.readers
            .read(move |connection| {
                let mut statement = connection
                    .prepare_cached("SELECT id, partition, key, value FROM queued_message ORDER BY id LIMIT ?1")?;
                let queued = statement.query_map([limit], |row| {
                    let record = TopicRecord { partition: row.get(1)?, key: row.get(2)?, value: row.get(3)? };
                    Ok(QueuedMessage { number: unsigned(row, 0)?, record })
                })?;
                Ok(queued.collect::<Result<_, _>>()?)
            })
            .await
    }

    async fn unqueue_messages(&self, last: u64) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                connection.prepare_cached("DELETE FROM queued_message WHERE id <= ?1")?.execute([last as i64])?;
                Ok(())
            })
            .await
    }
}
