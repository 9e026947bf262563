//! The log on the data directory: `log/<topic>/<partition>/<first offset>-<marker>.log`, files that are only added to.
//!
//! * **Durable.** One thread appends. Whatever waits for it is one group, one write and one sync for each partition, before
//!   anybody is answered.
//! * **Bounded.** Queue, group and segment have their bounds in [`LogOptions`].
//! * **Checked.** Each record carries checksums (`frame.rs`). Damage is found when the log is opened ([`RecoveryReport`]) or
//!   when a record is read ([`ReadBatch::damaged`]), and costs the damaged records only.
//! * **Trimmed** by whole segments, behind the slowest registered consumer.

mod convert;
mod error;
mod frame;
pub mod options;
mod partition;
mod positions;
mod reader;
mod recovery;
mod room;
mod segment;
mod telemetry;
mod writer;

use std::{
    collections::BTreeMap,
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use async_trait::async_trait;
use nuthatch_protocol::{Partition, Position, Topic};
use nuthatch_store::{
    Log, StoreError,
    log::{LogBounds, LogLayout, NewRecord, ReadBatch, ReadLimit, StoredRecord},
};
use tokio::sync::{Semaphore, mpsc, oneshot};

use self::{
    error::{LogError, unavailable},
    partition::PartitionLog,
    positions::Positions,
    room::Room,
    writer::{Append, Command, Health, Writer},
};
pub use self::{
    options::LogOptions,
    recovery::{Finding, Outcome, RecoveryReport},
};

/// How often a read-only log looks for new records while someone waits.
const FOREIGN_POLL: Duration = Duration::from_millis(200);

/// What a queued record takes besides its value, in bytes.
const QUEUED_RECORD_BYTES: usize = 64;

/// The port [`Log`] on a data directory.
pub struct EmbeddedLog {
    shared: Arc<Shared>,
    /// `None` in a log that was opened for reading.
    queue: Option<mpsc::Sender<Command>>,
    /// Room in the queue.
    places: Arc<Semaphore>,
    queue_bytes: u32,
    /// Room on the disk; `None` in a log that was opened for reading.
    room: Option<Arc<Room>>,
    health: Arc<Health>,
    thread: Mutex<Option<JoinHandle<()>>>,
    report: RecoveryReport,
}

/// What reads need on their threads.
struct Shared {
    layout: LogLayout,
    partitions: Arc<[PartitionLog]>,
    positions: Positions,
    /// Another process writes.
    is_foreign: bool,
}

impl EmbeddedLog {
    /// Opens the log of a data directory for writing, or makes it. Mends what it can; [`Self::recovery`] tells what.
    ///
    /// [`StoreError::Unavailable`] when another process has it open for writing, or the disk refuses.
    pub fn open(data_dir: &Path, options: LogOptions) -> Result<Self, StoreError> {
        let options = options.within_bound();
        let dir = data_dir.join("log");
        fs::create_dir_all(&dir).map_err(LogError::io(&dir))?;
        let lock = lock(&dir)?;
        let mut report = RecoveryReport::default();
        let positions = load_positions(&dir, &mut report)?;
        let layout = layout(&dir, options.layout.clone())?;
        let mut partitions = Vec::new();
        for (topic, partition) in places(&layout) {
            let foremost = positions.foremost(topic, partition);
            let opened = recovery::open(topic, partition, folder(&dir, topic, partition), foremost, &mut report)?;
            if let Some(slowest) = positions.slowest(topic, partition, layout.consumers_of(topic)) {
                opened.trim(slowest)?;
            }
            partitions.push(opened);
        }
        let partitions: Arc<[PartitionLog]> = partitions.into();
        let queue_bytes = options.queue_bytes.max(1);
        let health = Arc::new(Health::default());
        let (queue, commands) = mpsc::channel(options.queue_appends.max(1));
        let shared = Arc::new(Shared { layout, partitions: partitions.clone(), positions, is_foreign: false });
        let room = Arc::new(Room::new(shared.clone(), dir.clone(), &options));
        let writer = Writer {
            partitions,
            options,
            room: room.clone(),
            unmeasured_bytes: 0,
            health: health.clone(),
            dir: dir.clone(),
            active: BTreeMap::new(),
            buffer: Vec::new(),
        };
        let run = move || writer.run(commands, &lock);
        let thread = thread::Builder::new().name("log-writer".to_owned()).spawn(run).map_err(LogError::io(&dir))?;
        Ok(Self {
            shared,
            queue: Some(queue),
            places: Arc::new(Semaphore::new(queue_bytes as usize)),
            queue_bytes,
            room: Some(room),
            health,
            thread: Mutex::new(Some(thread)),
            report,
        })
    }

    /// Opens the log of a data directory for reading, also while another process writes; then it may show records some moments
    /// before they are durable. Mends nothing.
    ///
    /// [`StoreError::Unavailable`] when an earlier release wrote it and no server has been started since.
    pub fn open_read_only(data_dir: &Path) -> Result<Self, StoreError> {
        let dir = data_dir.join("log");
        let positions = Positions::load(&dir).map_err(LogError::io(&positions::path(&dir)))?;
        let layout = layout(&dir, LogLayout::default())?;
        let partition = |(topic, partition)| {
            let dir = folder(&dir, topic, partition);
            if convert::is_needed(&dir)? {
                return Err(unavailable("it is of an earlier release; a start of the server brings it up to date"));
            }
            Ok(PartitionLog::new(topic, partition, dir, Vec::new(), 0))
        };
        let partitions = places(&layout).map(partition).collect::<Result<_, StoreError>>()?;
        Ok(Self {
            shared: Arc::new(Shared { layout, partitions, positions, is_foreign: true }),
            queue: None,
            places: Arc::new(Semaphore::new(0)),
            queue_bytes: 0,
            room: None,
            health: Arc::new(Health::default()),
            thread: Mutex::default(),
            report: RecoveryReport::default(),
        })
    }

    /// What was wrong when the log was opened.
    pub fn recovery(&self) -> &RecoveryReport {
        &self.report
    }

    /// Appends all that waits and closes. Appends fail from now on.
    pub async fn shutdown(&self) {
        match &self.queue {
            // An error says that the writer has ended already.
            Some(queue) => drop(queue.send(Command::Shutdown).await),
            None => self.shared.partitions.iter().for_each(PartitionLog::close),
        }
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A thread that panicked was reported where it did.
        let _ = tokio::task::spawn_blocking(move || thread.map(JoinHandle::join)).await;
    }

    async fn ask(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<u64, StoreError>>) -> Command,
    ) -> Result<u64, StoreError> {
        let queue = self.queue.as_ref().ok_or_else(|| unavailable("it was opened for reading only"))?;
        let (done, outcome) = oneshot::channel();
        let ended = || unavailable("its writer has ended");
        queue.send(command(done)).await.map_err(|_| ended())?;
        outcome.await.map_err(|_| ended())?
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T, LogError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let shared = self.shared.clone();
        let done = tokio::task::spawn_blocking(move || work(&shared)).await.map_err(unavailable)?;
        Ok(done?)
    }
}

impl Drop for EmbeddedLog {
    /// Waits for what is under way, so that the data directory can be opened again.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            drop(thread.join());
        }
    }
}

#[async_trait]
impl Log for EmbeddedLog {
    fn partitions(&self, _: Topic) -> Partition {
        self.shared.layout.partitions
    }

    async fn append(
        &self,
        topic: Topic,
        partition: Partition,
        records: Vec<NewRecord>,
    ) -> Result<Position, StoreError> {
        let index = self.shared.index(topic, partition)?;
        records.iter().try_for_each(NewRecord::check)?;
        let bytes: usize = records.iter().map(|record| record.value.len() + QUEUED_RECORD_BYTES).sum();
        let permits = u32::try_from(bytes).unwrap_or(u32::MAX).min(self.queue_bytes);
        let room = self.places.clone().acquire_many_owned(permits).await.map_err(unavailable)?;
        let append = |done| Command::Append(Append { partition: index, records, room, done });
        Ok(Position { topic, partition, offset: self.ask(append).await? })
    }

    async fn read(&self, from: Position, limit: ReadLimit) -> Result<ReadBatch, StoreError> {
        let index = self.shared.index(from.topic, from.partition)?;
        self.blocking(move |shared| shared.look(index, |partition| reader::read(partition, from.offset, limit))).await
    }

    async fn wait(&self, at: Position) {
        let Ok(index) = self.shared.index(at.topic, at.partition) else { return };
        if self.queue.is_some() {
            return self.shared.partitions[index].wait(at.offset).await;
        }
        while matches!(self.bounds(at.topic, at.partition).await, Ok(bounds) if bounds.next <= at.offset) {
            tokio::select! {
                () = tokio::time::sleep(FOREIGN_POLL) => {}
                () = self.shared.partitions[index].closed() => return,
            }
        }
    }

    async fn find(&self, from: Position, key: [u8; 16]) -> Result<Option<StoredRecord>, StoreError> {
        let index = self.shared.index(from.topic, from.partition)?;
        self.blocking(move |shared| shared.look(index, |partition| reader::find(partition, from.offset, key))).await
    }

    async fn bounds(&self, topic: Topic, partition: Partition) -> Result<LogBounds, StoreError> {
        let index = self.shared.index(topic, partition)?;
        let bounds = |partition: &PartitionLog| {
            let next = partition.next();
            Ok(LogBounds { first: partition.first().min(next), next, bytes: partition.bytes() })
        };
        self.blocking(move |shared| shared.look(index, bounds)).await
    }

    async fn release(&self, consumer: &str, position: Position) -> Result<(), StoreError> {
        let Position { topic, partition, offset } = position;
        let index = self.shared.index(topic, partition)?;
        if self.shared.partitions[index].next() < offset || self.queue.is_none() {
            self.ask(|done| Command::Skip { partition: index, to: offset, done }).await?;
        }
        let (consumer, room) = (consumer.to_owned(), self.room.clone());
        self.blocking(move |shared| {
            shared.positions.release(&consumer, position)?;
            let consumers = shared.layout.consumers_of(topic);
            if let Some(slowest) = shared.positions.slowest(topic, partition, consumers) {
                shared.partitions[index].trim(slowest)?;
            }
            if let Some(room) = room.filter(|room| room.is_full()) {
                room.measure();
            }
            Ok(())
        })
        .await
    }

    async fn consumers(&self) -> Result<Vec<(String, Position)>, StoreError> {
        Ok(self.shared.positions.list())
    }

    /// As measured after the last few appends or, while there is none, after the last release; asking finds out whether
    /// the disk has room again.
    fn has_room(&self) -> bool {
        let Some(room) = &self.room else { return false };
        if !room.is_full() {
            return true;
        }
        if room.must_ask()
            && let Some(queue) = &self.queue
        {
            // A full queue brings commits, which measure as well.
            let _ = queue.try_send(Command::Measure);
        }
        false
    }

    /// The reason of the last failed commit, until one succeeds or there is room again; asking finds that out.
    fn health(&self) -> Result<(), String> {
        let Some(queue) = &self.queue else { return Ok(()) };
        if queue.is_closed() {
            return Err("the writer of the log has ended".to_owned());
        }
        let reason = self.health.lock().unwrap_or_else(PoisonError::into_inner).values().next().cloned();
        match reason {
            None => Ok(()),
            Some(reason) => {
                // A full queue brings a commit, which tells as well.
                let _ = queue.try_send(Command::Probe);
                Err(reason)
            }
        }
    }
}

impl Shared {
    /// Bytes of the files of partitions that a consumer is not at the end of.
    fn waiting_bytes(&self) -> u64 {
        let waits = |log: &&PartitionLog| {
            let consumers = self.layout.consumers_of(log.topic);
            let slowest = self.positions.slowest(log.topic, log.partition, consumers).unwrap_or(0);
            log.next() > slowest.max(log.first())
        };
        self.partitions.iter().filter(waits).map(PartitionLog::bytes).sum()
    }

    fn index(&self, topic: Topic, partition: Partition) -> Result<usize, StoreError> {
        self.layout.check_partition(topic, partition)?;
        let at = self.partitions.iter().position(|log| (log.topic, log.partition) == (topic, partition));
        at.ok_or_else(|| StoreError::Invalid(format!("topic {topic} has no partition {partition}")))
    }

    /// Looks at a partition, as it is on disk at the moment when another process writes it.
    fn look<T>(&self, index: usize, look: impl FnOnce(&PartitionLog) -> Result<T, LogError>) -> Result<T, LogError> {
        let known = &self.partitions[index];
        if !self.is_foreign {
            return look(known);
        }
        look(&PartitionLog::look(known.topic, known.partition, known.dir.clone())?)
    }
}

fn places(layout: &LogLayout) -> impl Iterator<Item = (Topic, Partition)> {
    let partitions = layout.partitions;
    Topic::ALL.into_iter().flat_map(move |topic| (0..partitions).map(move |partition| (topic, partition)))
}

fn folder(dir: &Path, topic: Topic, partition: Partition) -> PathBuf {
    dir.join(topic.as_str()).join(partition.to_string())
}

/// The layout that is asked for, with as many partitions as are there: none is left behind unread.
fn layout(dir: &Path, mut layout: LogLayout) -> Result<LogLayout, LogError> {
    layout.partitions = layout.partitions.max(1);
    for topic in Topic::ALL {
        for name in partition::names(&dir.join(topic.as_str()))? {
            let there = name.parse::<Partition>().map_or(0, |number| number.saturating_add(1));
            layout.partitions = layout.partitions.max(there);
        }
    }
    Ok(layout)
}

fn lock(dir: &Path) -> Result<File, StoreError> {
    let path = dir.join("lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(LogError::io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(unavailable(format!("{} is held: another process writes this data directory", path.display())))
        }
        Err(TryLockError::Error(error)) => Err(LogError::io(&path)(error).into()),
    }
}

fn load_positions(dir: &Path, report: &mut RecoveryReport) -> Result<Positions, LogError> {
    let path = positions::path(dir);
    match Positions::load(dir) {
        Err(error) if error.kind() == io::ErrorKind::InvalidData || error.kind() == io::ErrorKind::UnexpectedEof => {
            let aside = partition::quarantine(dir);
            fs::create_dir_all(&aside).map_err(LogError::io(&aside))?;
            fs::rename(&path, positions::path(&aside)).map_err(LogError::io(&path))?;
            report.add(None, Outcome::PositionsReset, error.to_string());
            Ok(Positions::empty(dir))
        }
        loaded => loaded.map_err(LogError::io(&path)),
    }
}
