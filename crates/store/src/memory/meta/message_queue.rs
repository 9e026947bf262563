//! Messages that wait, in the order of their numbers.

use async_trait::async_trait;
use nuthatch_issues::TopicRecord;

use super::MemoryMeta;
use crate::{
    MessageQueueStore, StoreError,
    message_queue::{QueueBounds, QueuedMessage},
};

#[async_trait]
impl MessageQueueStore for MemoryMeta {
    async fn queue_messages(&self, messages: Vec<TopicRecord>, bounds: QueueBounds) -> Result<bool, StoreError> {
        let mut state = self.lock();
        let count = state.queue.len() + messages.len();
        let bytes: usize = state.queue.values().chain(&messages).map(|record| record.value.len()).sum();
        if count as u64 > bounds.messages || bytes as u64 > bounds.bytes {
            return Ok(false);
        }
        for record in messages {
            state.last_queued += 1;
            let number = state.last_queued;
            state.queue.insert(number, record);
        }
        Ok(true)
    }

    async fn queued_messages(&self, limit: usize) -> Result<Vec<QueuedMessage>, StoreError> {
        let state = self.lock();
        let queued = state.queue.iter().take(limit);
        Ok(queued.map(|(number, record)| QueuedMessage { number: *number, record: record.clone() }).collect())
    }

    async fn unqueue_messages(&self, last: u64) -> Result<(), StoreError> {
        self.lock().queue.retain(|number, _| *number > last);
        Ok(())
    }
}
