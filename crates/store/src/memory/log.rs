//! In-memory reference of the log.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use nuthatch_protocol::{Partition, Position, Topic};
use tokio::sync::Notify;

use crate::{
    StoreError,
    log::{Log, LogBounds, LogLayout, NewRecord, ReadBatch, ReadLimit, StoredRecord},
};

/// In-memory reference of [`Log`]. Trims record by record, so that nothing can depend on files being kept longer.
#[derive(Debug, Default)]
pub struct MemoryLog {
    layout: LogLayout,
    state: Mutex<State>,
    appended: Notify,
}

#[derive(Debug, Default)]
struct State {
    partitions: BTreeMap<(Topic, Partition), PartitionState>,
    released: BTreeMap<(String, Topic, Partition), u64>,
}

#[derive(Debug, Default)]
struct PartitionState {
    records: BTreeMap<u64, NewRecord>,
    next: u64,
}

impl MemoryLog {
    /// One partition a topic, nothing is ever trimmed.
    pub fn new() -> Self {
        Self::default()
    }

    /// With partitions, and consumers that trim.
    pub fn with_layout(layout: LogLayout) -> Self {
        Self { layout, ..Self::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Log for MemoryLog {
    fn partitions(&self, _: Topic) -> Partition {
        self.layout.partitions.max(1)
    }

    async fn append(
        &self,
        topic: Topic,
        partition: Partition,
        records: Vec<NewRecord>,
    ) -> Result<Position, StoreError> {
        self.layout.check_partition(topic, partition)?;
        records.iter().try_for_each(NewRecord::check)?;
        let offset = {
            let mut state = self.state();
            let log = state.partitions.entry((topic, partition)).or_default();
            let first = log.next;
            for record in records {
                log.records.insert(log.next, record);
                log.next += 1;
            }
            first
        };
        self.appended.notify_waiters();
        Ok(Position { topic, partition, offset })
    }

    async fn read(&self, from: Position, limit: ReadLimit) -> Result<ReadBatch, StoreError> {
        self.layout.check_partition(from.topic, from.partition)?;
        let mut batch = ReadBatch { records: Vec::new(), damaged: Vec::new(), next: from };
        let mut bytes = 0;
        if let Some(log) = self.state().partitions.get(&(from.topic, from.partition)) {
            for (&offset, record) in log.records.range(from.offset..) {
                bytes += record.value.len();
                if !batch.records.is_empty() && (batch.records.len() >= limit.records || bytes > limit.bytes) {
                    break;
                }
                batch.records.push(stored(Position { offset, ..from }, record));
                batch.next.offset = offset + 1;
            }
        }
        Ok(batch)
    }

    async fn wait(&self, at: Position) {
        loop {
            let appended = self.appended.notified();
            let mut appended = std::pin::pin!(appended);
            // Registered before looking, so that an append in between is not missed.
            appended.as_mut().enable();
            let next = self.state().partitions.get(&(at.topic, at.partition)).map_or(0, |log| log.next);
            if next > at.offset {
                return;
            }
            appended.await;
        }
    }

    async fn find(&self, from: Position, key: [u8; 16]) -> Result<Option<StoredRecord>, StoreError> {
        self.layout.check_partition(from.topic, from.partition)?;
        let state = self.state();
        let log = state.partitions.get(&(from.topic, from.partition));
        Ok(log.and_then(|log| {
            let (&offset, record) = log.records.range(from.offset..).rev().find(|(_, record)| record.key == key)?;
            Some(stored(Position { offset, ..from }, record))
        }))
    }

    async fn bounds(&self, topic: Topic, partition: Partition) -> Result<LogBounds, StoreError> {
        self.layout.check_partition(topic, partition)?;
        let state = self.state();
        Ok(state.partitions.get(&(topic, partition)).map_or(LogBounds { first: 0, next: 0, bytes: 0 }, |log| {
            LogBounds {
                first: log.records.first_key_value().map_or(log.next, |(offset, _)| *offset),
                next: log.next,
                bytes: log.records.values().map(|record| record.value.len() as u64).sum(),
            }
        }))
    }

    async fn release(&self, consumer: &str, position: Position) -> Result<(), StoreError> {
        let Position { topic, partition, offset } = position;
        self.layout.check_partition(topic, partition)?;
        let mut state = self.state();
        let released = state.released.entry((consumer.to_owned(), topic, partition)).or_default();
        *released = offset.max(*released);
        let slowest = self
            .layout
            .consumers_of(topic)
            .map(|name| state.released.get(&(name.to_owned(), topic, partition)).copied().unwrap_or(0))
            .min();
        let log = state.partitions.entry((topic, partition)).or_default();
        log.next = log.next.max(offset);
        log.records = log.records.split_off(&slowest.unwrap_or(0));
        drop(state);
        self.appended.notify_waiters();
        Ok(())
    }

    async fn consumers(&self) -> Result<Vec<(String, Position)>, StoreError> {
        let state = self.state();
        let place = |(&(ref name, topic, partition), &offset): (&(String, Topic, Partition), &u64)| {
            (name.clone(), Position { topic, partition, offset })
        };
        Ok(state.released.iter().map(place).collect())
    }

    fn has_room(&self) -> bool {
        true
    }

    fn health(&self) -> Result<(), String> {
        Ok(())
    }
}

fn stored(position: Position, record: &NewRecord) -> StoredRecord {
    StoredRecord { position, key: record.key, value: record.value.clone() }
}
