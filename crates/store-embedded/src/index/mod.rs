//! Rows in tantivy indexes, one for each week: what the stores of events and of trace items share.
//!
//! One thread changes the indexes ([`writer`]); searches run on the blocking threads of the runtime, a bounded number at
//! a time, on what was committed last. Rows that are not committed yet are found by their ids in memory. What a row is
//! and how it lies in an index is its [`Layout`].

pub(crate) mod compile;
pub(crate) mod dictionary;
pub(crate) mod page;
pub(crate) mod partition;
pub(crate) mod words;

mod state;
mod writer;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt, fs,
    hash::Hash,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

use nuthatch_protocol::{Position, Timestamp};
use nuthatch_store::StoreError;
use tantivy::{
    TantivyDocument, TantivyError, Term,
    directory::error::OpenReadError,
    schema::{Field, Schema},
};
use tokio::sync::{Semaphore, mpsc, oneshot};

use partition::Partition;
use state::Positions;
use writer::Writer;
pub(crate) use writer::{Command, Reply};

/// Changes waiting for the writing thread; who brings more waits.
const COMMANDS_MAX: usize = 16;
/// Searches at a time; others wait.
const SEARCHES_MAX: usize = 8;

/// What a store's rows are, and how they lie in an index.
pub(crate) trait Layout: Send + Sync + 'static {
    /// A row.
    type Row: Send + Sync + 'static;
    /// What makes it the same row.
    type Key: Copy + Eq + Hash + Send + Sync + 'static;

    /// Name in errors.
    const STORE: StoreName;
    /// Name of the writing thread.
    const THREAD: &'static str;
    /// Format of the indexes. A change of the schema is a new one.
    const FORMAT: u32;

    /// The fields of every index.
    fn schema() -> &'static Schema;
    /// The field with the terms of [`Self::key_term`].
    fn key_field() -> Field;
    /// The term that finds a row, and it alone.
    fn key_term(key: Self::Key) -> Term;
    /// Identity of a row.
    fn key(row: &Self::Row) -> Self::Key;
    /// Time of a row, which decides its partition.
    fn time(row: &Self::Row) -> Timestamp;
    /// Memory that a row takes while it waits for a commit, roughly.
    fn bytes(row: &Self::Row) -> usize;
    /// What is indexed of a row.
    fn document(row: &Self::Row) -> TantivyDocument;
}

/// How much a store may take.
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

/// A store of rows in a directory.
pub(crate) struct IndexStore<L: Layout> {
    commands: mpsc::Sender<Command<L>>,
    shared: Arc<Shared<L>>,
    searches: Arc<Semaphore>,
    damages: Vec<Damage>,
}

/// What the writing thread and the searches share.
pub(crate) struct Shared<L: Layout> {
    partitions: RwLock<BTreeMap<i64, Arc<Partition>>>,
    pending: Mutex<Pending<L>>,
    /// Durable positions.
    positions: Mutex<Positions>,
}

/// Rows that are not committed yet.
pub(crate) type Pending<L> = HashMap<<L as Layout>::Key, Arc<<L as Layout>::Row>>;

impl<L: Layout> fmt::Debug for IndexStore<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let partitions = self.shared.partitions().len();
        f.debug_struct("IndexStore").field("partitions", &partitions).finish_non_exhaustive()
    }
}

impl<L: Layout> Shared<L> {
    pub(crate) fn partitions(&self) -> RwLockReadGuard<'_, BTreeMap<i64, Arc<Partition>>> {
        self.partitions.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn partitions_mut(&self) -> RwLockWriteGuard<'_, BTreeMap<i64, Arc<Partition>>> {
        self.partitions.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn pending(&self) -> MutexGuard<'_, Pending<L>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn positions(&self) -> MutexGuard<'_, Positions> {
        self.positions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The partitions that may hold rows of a time range, in the order of time.
    pub(crate) fn within(&self, from: Option<Timestamp>, until: Option<Timestamp>) -> Vec<Arc<Partition>> {
        let within = |partition: &&Arc<Partition>| {
            from.is_none_or(|from| partition.times.end > from)
                && until.is_none_or(|until| partition.times.start < until)
        };
        self.partitions().values().filter(within).map(Arc::clone).collect()
    }

    /// Rows and bytes on disk.
    pub(crate) fn size(&self) -> Result<(u64, u64), StoreError> {
        let (mut rows, mut bytes) = (0, 0);
        for partition in self.partitions().values() {
            rows += partition.searcher().num_docs();
            bytes += partition.bytes()?;
        }
        Ok((rows, bytes))
    }

    /// The partitions whose committed rows have the key of each row.
    fn holding(&self, rows: &[L::Row]) -> Result<Vec<BTreeSet<i64>>, StoreError> {
        let mut found = vec![BTreeSet::new(); rows.len()];
        let terms: Vec<Term> = rows.iter().map(|row| L::key_term(L::key(row))).collect();
        for (number, partition) in self.partitions().iter() {
            for segment in partition.searcher().segment_readers() {
                let keys = segment.inverted_index(L::key_field()).map_err(|error| L::STORE.failed(error))?;
                for (term, found) in terms.iter().zip(&mut found) {
                    if keys.get_term_info(term).map_err(|error| L::STORE.unavailable(error))?.is_some() {
                        found.insert(*number);
                    }
                }
            }
        }
        Ok(found)
    }
}

impl<L: Layout> IndexStore<L> {
    /// Opens the store in a directory, which is made if need be. Blocks while it reads. What is damaged is set aside
    /// ([`Self::damages`]).
    pub(crate) fn open(dir: &Path, options: Options) -> Result<Self, StoreError> {
        fs::create_dir_all(dir).map_err(|error| L::STORE.unavailable(error))?;
        let (positions, damage) = state::read(dir, L::STORE, L::FORMAT)?;
        let mut damages: Vec<_> = damage.map(|cause| Damage { path: dir.to_owned(), cause }).into_iter().collect();
        let mut partitions = BTreeMap::new();
        for number in partition::list(dir, L::STORE)? {
            match Partition::open(dir, number, L::STORE, L::schema()) {
                Ok(partition) => _ = partitions.insert(number, Arc::new(partition)),
                // What cannot be read now is sound at the next start; setting it aside would lose it.
                Err(error @ StoreError::Unavailable { .. }) => return Err(error),
                Err(error) => {
                    let path = partition::set_aside(dir, number, L::STORE)?;
                    damages.push(Damage { path, cause: error.to_string() });
                }
            }
        }
        for Damage { path, cause } in &damages {
            tracing::error!(path = %path.display(), cause, store = %L::STORE, "part of a store is damaged and was set aside");
        }
        let shared = Arc::new(Shared {
            partitions: RwLock::new(partitions),
            pending: Mutex::default(),
            positions: Mutex::new(positions.clone()),
        });
        let (commands, mut receiver) = mpsc::channel(COMMANDS_MAX);
        let writer: Writer<L> = Writer {
            dir: dir.to_owned(),
            options,
            shared: Arc::clone(&shared),
            open: Vec::new(),
            changed: BTreeSet::new(),
            reached: positions,
            pending_bytes: 0,
        };
        let thread = std::thread::Builder::new().name(L::THREAD.to_owned());
        thread.spawn(move || writer.run(&mut receiver)).map_err(|error| L::STORE.unavailable(error))?;
        Ok(Self { commands, shared, searches: Arc::new(Semaphore::new(SEARCHES_MAX)), damages })
    }

    /// What was damaged when the store was opened.
    pub(crate) fn damages(&self) -> &[Damage] {
        &self.damages
    }

    /// Waits for merges that run, at most `wait`, and takes no more changes. What is not committed is forgotten.
    pub(crate) async fn close(&self, wait: Duration) -> Result<(), StoreError> {
        match tokio::time::timeout(wait, self.change(Command::Close)).await {
            Ok(result) => result,
            Err(_) => Err(L::STORE.unavailable("merges still run; they are begun anew after a start")),
        }
    }

    /// Has the writing thread do something.
    pub(crate) async fn change(&self, command: impl FnOnce(Reply) -> Command<L>) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| L::STORE.unavailable("it is closed"))?;
        answer.await.map_err(|_| L::STORE.unavailable("its thread has ended"))?
    }

    /// The position that what is durable includes; `start` when there is none.
    pub(crate) fn position(&self, start: Position) -> Position {
        let offset = self.shared.positions().get(&(start.topic, start.partition)).copied().unwrap_or(start.offset);
        Position { offset, ..start }
    }

    /// Runs a search on a thread that may block. It has its place until it ends, also when nobody waits for it any more.
    pub(crate) async fn search<T: Send + 'static>(
        &self,
        search: impl FnOnce(&Shared<L>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let place = Arc::clone(&self.searches).acquire_owned().await.map_err(|error| L::STORE.unavailable(error))?;
        let shared = Arc::clone(&self.shared);
        let search = move || {
            let found = search(&shared);
            drop(place);
            found
        };
        tokio::task::spawn_blocking(search).await.map_err(|error| L::STORE.unavailable(error))?
    }
}

/// Name of a store, in its errors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StoreName(pub(crate) &'static str);

impl fmt::Display for StoreName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "made of errors and texts alike")]
impl StoreName {
    /// What the library or the system refused.
    pub(crate) fn unavailable(self, cause: impl ToString) -> StoreError {
        StoreError::Unavailable { store: self.0, cause: cause.to_string() }
    }

    /// What is not as it was written.
    pub(crate) fn damaged(self, cause: impl ToString) -> StoreError {
        StoreError::Corrupt { store: self.0, cause: cause.to_string() }
    }

    /// An error of the library in opening an index, of which a missing file is damage.
    fn not_opened(self, error: TantivyError) -> StoreError {
        use std::io::ErrorKind::{InvalidData, UnexpectedEof};
        let is_damage = match &error {
            TantivyError::IncompatibleIndex(_)
            | TantivyError::OpenReadError(OpenReadError::FileDoesNotExist(_) | OpenReadError::IncompatibleIndex(_)) => {
                true
            }
            TantivyError::OpenReadError(OpenReadError::IoError { io_error, .. }) | TantivyError::IoError(io_error) => {
                matches!(io_error.kind(), InvalidData | UnexpectedEof)
            }
            _ => false,
        };
        if is_damage { self.damaged(error) } else { self.failed(error) }
    }

    /// An error of the library.
    pub(crate) fn failed(self, error: TantivyError) -> StoreError {
        match error {
            TantivyError::DataCorruption(_) | TantivyError::SchemaError(_) => self.damaged(error),
            TantivyError::InvalidArgument(message) if message.contains(compile::TOO_MANY_EXPANSIONS) => {
                let most = compile::EXPANSIONS_MAX;
                StoreError::Invalid(format!(
                    "the first or last word of a text begins or ends more than {most} different words; write more of it"
                ))
            }
            error => self.unavailable(error),
        }
    }
}
