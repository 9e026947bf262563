//! How far consumers are, in one small file that is replaced as a whole.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use nuthatch_protocol::{Partition, Position, Topic};
use serde::{Deserialize, Serialize};

use super::{
    error::LogError,
    segment::{OFFSET_END, sync_dir},
};

/// The version of the file.
const VERSION: u8 = 1;

/// What consumers released.
#[derive(Debug)]
pub(super) struct Positions {
    dir: PathBuf,
    released: Mutex<Released>,
}

type Released = BTreeMap<(String, Topic, Partition), u64>;

#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    version: u8,
    /// CRC-32 (IEEE) of `consumers` as they are written. Files of before have none.
    #[serde(default)]
    checksum: Option<u32>,
    consumers: Vec<StoredConsumer>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredConsumer {
    consumer: String,
    position: StoredPosition,
}

/// A [`Position`], perhaps in a topic that another version had.
#[derive(Debug, Serialize, Deserialize)]
struct StoredPosition {
    topic: String,
    partition: Partition,
    offset: u64,
}

fn checksum(consumers: &[StoredConsumer]) -> serde_json::Result<u32> {
    serde_json::to_vec(consumers).map(|text| crc32fast::hash(&text))
}

/// Where the file is.
pub(super) fn path(dir: &Path) -> PathBuf {
    dir.join("consumers.json")
}

impl Positions {
    /// Nobody released anything yet.
    pub(super) fn empty(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), released: Mutex::default() }
    }

    /// Reads the file, if there is one. [`io::ErrorKind::InvalidData`] when it is not what was written.
    pub(super) fn load(dir: &Path) -> io::Result<Self> {
        let text = match fs::read(path(dir)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::empty(dir)),
            text => text?,
        };
        let stored: Stored = serde_json::from_slice(&text)?;
        let invalid = |reason| Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        if stored.version != VERSION {
            return invalid(format!("version {} is unknown", stored.version));
        }
        let checksum = checksum(&stored.consumers)?;
        if stored.checksum.is_some_and(|written| written != checksum) {
            return invalid(format!("checksum is {checksum}, written was another"));
        }
        if stored.consumers.iter().any(|consumer| consumer.position.offset >= OFFSET_END) {
            return invalid("an offset is out of range".to_owned());
        }
        let released = stored
            .consumers
            .into_iter()
            .filter_map(|StoredConsumer { consumer, position: at }| {
                Some(((consumer, at.topic.parse().ok()?, at.partition), at.offset))
            })
            .collect();
        Ok(Self { dir: dir.to_owned(), released: Mutex::new(released) })
    }

    /// Moves a consumer on, durably; never back.
    pub(super) fn release(&self, consumer: &str, to: Position) -> Result<(), LogError> {
        // Held while writing, so that the file is never older than what was answered.
        let mut released = self.released();
        let key = (consumer.to_owned(), to.topic, to.partition);
        let before = released.get(&key).copied();
        if before.is_some_and(|before| before >= to.offset) {
            return Ok(());
        }
        released.insert(key.clone(), to.offset);
        let stored = self.store(&released);
        if stored.is_err() {
            match before {
                Some(before) => released.insert(key, before),
                None => released.remove(&key),
            };
        }
        stored
    }

    /// The slowest of some consumers; `None` without consumers.
    pub(super) fn slowest<'a>(
        &self,
        topic: Topic,
        partition: Partition,
        consumers: impl Iterator<Item = &'a str>,
    ) -> Option<u64> {
        let released = self.released();
        consumers.map(|name| released.get(&(name.to_owned(), topic, partition)).copied().unwrap_or(0)).min()
    }

    /// The foremost consumer: no new record may be put in front of it.
    pub(super) fn foremost(&self, topic: Topic, partition: Partition) -> u64 {
        let released = self.released();
        let of_partition = released.iter().filter(|((_, t, p), _)| (*t, *p) == (topic, partition));
        of_partition.map(|(_, offset)| *offset).max().unwrap_or(0)
    }

    /// All of them.
    pub(super) fn list(&self) -> Vec<(String, Position)> {
        let released = self.released();
        let place = |((name, topic, partition), offset): (&(String, Topic, Partition), &u64)| {
            (name.clone(), Position { topic: *topic, partition: *partition, offset: *offset })
        };
        released.iter().map(place).collect()
    }

    fn released(&self) -> MutexGuard<'_, Released> {
        self.released.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store(&self, released: &Released) -> Result<(), LogError> {
        let consumers: Vec<_> = released
            .iter()
            .map(|((consumer, topic, partition), &offset)| StoredConsumer {
                consumer: consumer.clone(),
                position: StoredPosition { topic: topic.as_str().to_owned(), partition: *partition, offset },
            })
            .collect();
        let unfinished = self.dir.join("consumers.json.new");
        let write = || {
            let text =
                serde_json::to_vec(&Stored { version: VERSION, checksum: Some(checksum(&consumers)?), consumers })?;
            let mut file = File::create(&unfinished)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&unfinished, path(&self.dir))
        };
        write().map_err(LogError::io(&unfinished))?;
        sync_dir(&self.dir)
    }
}
