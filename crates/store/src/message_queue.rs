//! Messages that were handed in beside the server, waiting for it to write them to the topic `ingest-occurrences`.

use async_trait::async_trait;
use nuthatch_issues::TopicRecord;

use crate::StoreError;

/// The queue of messages. Only the worker writes the log, so another process leaves its messages here: they are durable
/// at once, and in the log as soon as a worker runs.
#[async_trait]
pub trait MessageQueueStore: Send + Sync + 'static {
    /// Adds messages behind those that wait, all or none; whether there was room for them.
    async fn queue_messages(&self, messages: Vec<TopicRecord>, bounds: QueueBounds) -> Result<bool, StoreError>;

    /// The messages that have waited longest, in the order they came in; at most `limit`.
    async fn queued_messages(&self, limit: usize) -> Result<Vec<QueuedMessage>, StoreError>;

    /// Removes the messages up to one, which are in the log.
    async fn unqueue_messages(&self, last: u64) -> Result<(), StoreError>;
}

/// How much may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueBounds {
    /// Messages.
    pub messages: u64,
    /// Bytes of their values.
    pub bytes: u64,
}

impl Default for QueueBounds {
    /// 100,000 messages, 256 MiB.
    fn default() -> Self {
        Self { messages: 100_000, bytes: 256 * 1024 * 1024 }
    }
}

/// A message that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedMessage {
    /// Its place in the queue; ascending, never given twice.
    pub number: u64,
    /// What is to be appended.
    pub record: TopicRecord,
}
