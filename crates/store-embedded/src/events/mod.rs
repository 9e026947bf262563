//! The port on the data directory: one tantivy index for each week of events.
//!
//! One thread changes the indexes ([`writer`]); searches run on the blocking threads of the runtime, a bounded number at
//! a time, on what was committed last. Rows that are not committed yet are found by their ids in memory.

mod collect;
mod compile;
mod dictionary;
mod partition;
mod read;
mod schema;
mod state;
mod words;
mod writer;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

use async_trait::async_trait;
use nuthatch_protocol::{EventId, EventRow, Hash, Position, ProjectId, Timestamp};
use nuthatch_store::{
    EventStore, StoreError,
    events::{EventPage, EventQuery, EventStoreSize, EventSummary, StoredEvent, TagValues, check_interval, check_page},
};
use tokio::sync::{Semaphore, mpsc, oneshot};

use partition::Partition;
use state::Positions;
use writer::{Command, Reply, Writer};

/// Name in errors.
const STORE: &str = "event store";
/// Changes waiting for the writing thread; who brings more waits.
const COMMANDS_MAX: usize = 16;
/// Searches at a time; others wait.
const SEARCHES_MAX: usize = 8;

/// How much the store may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Memory for rows being indexed, in bytes, for each open writer; used only while there are such rows. At least
    /// 15 MB.
    pub writer_bytes: usize,
    /// Partitions that are written to at a time; others are opened when a row for them comes.
    pub writers_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { writer_bytes: 48_000_000, writers_max: 3 }
    }
}

/// Something in the directory that could not be read. It was set aside, and the store works without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Where it is now.
    pub path: PathBuf,
    /// What is wrong with it.
    pub cause: String,
}

/// The event store of a data directory.
#[derive(Debug)]
pub struct EmbeddedEvents {
    commands: mpsc::Sender<Command>,
    shared: Arc<Shared>,
    searches: Semaphore,
    damages: Vec<Damage>,
}

/// What the writing thread and the searches share.
struct Shared {
    partitions: RwLock<BTreeMap<i64, Arc<Partition>>>,
    pending: Mutex<Pending>,
    /// Durable positions.
    positions: Mutex<Positions>,
}

/// Rows that are not committed yet.
type Pending = HashMap<(ProjectId, EventId), Arc<EventRow>>;

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("partitions", &self.partitions().len()).finish_non_exhaustive()
    }
}

impl Shared {
    fn partitions(&self) -> RwLockReadGuard<'_, BTreeMap<i64, Arc<Partition>>> {
        self.partitions.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn partitions_mut(&self) -> RwLockWriteGuard<'_, BTreeMap<i64, Arc<Partition>>> {
        self.partitions.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn positions(&self) -> MutexGuard<'_, Positions> {
        self.positions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The partitions whose committed rows have the id of each row.
    fn holding(&self, rows: &[EventRow]) -> Result<Vec<BTreeSet<i64>>, StoreError> {
        let mut found = vec![BTreeSet::new(); rows.len()];
        let fields = schema::Fields::get();
        for (number, partition) in self.partitions().iter() {
            for segment in partition.searcher().segment_readers() {
                let keys = segment.inverted_index(fields.key).map_err(failed)?;
                for (row, found) in rows.iter().zip(&mut found) {
                    let term = fields.key_term(row.project_id, row.event_id);
                    if keys.get_term_info(&term).map_err(unavailable)?.is_some() {
                        found.insert(*number);
                    }
                }
            }
        }
        Ok(found)
    }
}

impl EmbeddedEvents {
    /// Opens the store in a directory, which is made if need be. Blocks while it reads. What is damaged is set aside
    /// ([`Self::damages`]).
    pub fn open(dir: &Path, options: Options) -> Result<Self, StoreError> {
        fs::create_dir_all(dir).map_err(unavailable)?;
        let (positions, damage) = state::read(dir)?;
        let mut damages: Vec<_> = damage.map(|cause| Damage { path: dir.to_owned(), cause }).into_iter().collect();
        let mut partitions = BTreeMap::new();
        for number in partition::list(dir)? {
            match Partition::open(dir, number) {
                Ok(partition) => _ = partitions.insert(number, Arc::new(partition)),
                Err(error) => {
                    damages.push(Damage { path: partition::set_aside(dir, number)?, cause: error.to_string() });
                }
            }
        }
        for Damage { path, cause } in &damages {
            tracing::error!(path = %path.display(), cause, "part of the event store is damaged and was set aside");
        }
        let shared = Arc::new(Shared {
            partitions: RwLock::new(partitions),
            pending: Mutex::default(),
            positions: Mutex::new(positions.clone()),
        });
        let (commands, mut receiver) = mpsc::channel(COMMANDS_MAX);
        let writer = Writer {
            dir: dir.to_owned(),
            options,
            shared: Arc::clone(&shared),
            open: Vec::new(),
            changed: BTreeSet::new(),
            reached: positions,
            pending_bytes: 0,
        };
        let thread = std::thread::Builder::new().name("event-writer".to_owned());
        thread.spawn(move || writer.run(&mut receiver)).map_err(unavailable)?;
        Ok(Self { commands, shared, searches: Semaphore::new(SEARCHES_MAX), damages })
    }

    /// What was damaged when the store was opened.
    pub fn damages(&self) -> &[Damage] {
        &self.damages
    }

    /// Waits for merges that run, at most `wait`, and takes no more changes. What is not committed is forgotten.
    pub async fn close(&self, wait: Duration) -> Result<(), StoreError> {
        match tokio::time::timeout(wait, self.change(Command::Close)).await {
            Ok(result) => result,
            Err(_) => Err(unavailable("merges still run; they are begun anew after a start")),
        }
    }

    async fn change(&self, command: impl FnOnce(Reply) -> Command) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| unavailable("it is closed"))?;
        answer.await.map_err(|_| unavailable("its thread has ended"))?
    }

    /// Runs a search on a thread that may block.
    async fn search_blocking<T: Send + 'static>(
        &self,
        search: impl FnOnce(&Shared) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let _permit = self.searches.acquire().await.map_err(unavailable)?;
        let shared = Arc::clone(&self.shared);
        tokio::task::spawn_blocking(move || search(&shared)).await.map_err(unavailable)?
    }
}

#[async_trait]
impl EventStore for EmbeddedEvents {
    async fn upsert(&self, rows: Vec<EventRow>, position: Position) -> Result<(), StoreError> {
        self.change(|reply| Command::Upsert(rows, position, reply)).await
    }

    async fn commit(&self) -> Result<(), StoreError> {
        self.change(Command::Commit).await
    }

    async fn position(&self, start: Position) -> Result<Position, StoreError> {
        let offset = self.shared.positions().get(&(start.topic, start.partition)).copied().unwrap_or(start.offset);
        Ok(Position { offset, ..start })
    }

    async fn get(&self, project: ProjectId, id: EventId) -> Result<Option<StoredEvent>, StoreError> {
        self.search_blocking(move |shared| shared.get(project, id)).await
    }

    async fn search(&self, query: &EventQuery, page: &EventPage) -> Result<Vec<EventSummary>, StoreError> {
        check_page(page)?;
        let (query, page) = (query.clone(), page.clone());
        self.search_blocking(move |shared| shared.page(&query, &page)).await
    }

    async fn count(&self, query: &EventQuery) -> Result<u64, StoreError> {
        let query = query.clone();
        self.search_blocking(move |shared| shared.count(&query)).await
    }

    async fn histogram(&self, query: &EventQuery, interval_secs: u32) -> Result<Vec<(Timestamp, u64)>, StoreError> {
        check_interval(interval_secs)?;
        let query = query.clone();
        self.search_blocking(move |shared| shared.histogram(&query, interval_secs)).await
    }

    async fn tag_values(&self, query: &EventQuery, key: &str, limit: usize) -> Result<TagValues, StoreError> {
        let (query, key) = (query.clone(), key.to_owned());
        self.search_blocking(move |shared| shared.tag_values(&query, &key, limit)).await
    }

    async fn tag_keys(&self, query: &EventQuery) -> Result<Vec<(String, u64)>, StoreError> {
        let query = query.clone();
        self.search_blocking(move |shared| shared.tag_keys(&query)).await
    }

    async fn hashes(&self, query: &EventQuery, limit: usize) -> Result<Vec<Hash>, StoreError> {
        let query = query.clone();
        self.search_blocking(move |shared| shared.hashes(&query, limit)).await
    }

    async fn drop_before(&self, time: Timestamp) -> Result<(), StoreError> {
        self.change(|reply| Command::DropBefore(time, reply)).await
    }

    async fn size(&self) -> Result<EventStoreSize, StoreError> {
        self.search_blocking(Shared::size).await
    }
}

/// What the library or the system refused.
#[expect(clippy::needless_pass_by_value, reason = "it is passed to map_err")]
fn unavailable(cause: impl ToString) -> StoreError {
    StoreError::Unavailable { store: STORE, cause: cause.to_string() }
}

/// What is not as it was written.
#[expect(clippy::needless_pass_by_value, reason = "made of errors and texts alike")]
fn damaged(cause: impl ToString) -> StoreError {
    StoreError::Corrupt { store: STORE, cause: cause.to_string() }
}

/// An error of the library.
fn failed(error: tantivy::TantivyError) -> StoreError {
    match error {
        tantivy::TantivyError::DataCorruption(_) | tantivy::TantivyError::SchemaError(_) => damaged(error),
        error => unavailable(error),
    }
}
