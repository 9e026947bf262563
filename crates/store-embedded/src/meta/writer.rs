//! The one thread that writes. Writes wait in a bounded queue; those that wait together are committed together, so
//! that they share one flush to disk. Each runs in a savepoint: one that fails leaves the others alone.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use nuthatch_store::StoreError;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::{
    column::unsigned,
    error::{Failure, unavailable},
};

/// Most writes that wait; more callers wait in front of the queue.
const QUEUE_MAX: usize = 256;
/// Most writes committed together.
const GROUP_MAX: usize = 32;
/// How often an idle writer looks whether another process changed the configuration.
const CONFIG_REFRESH: Duration = Duration::from_millis(500);

/// The queue to the writing thread. Dropping it waits for the writes that are queued.
pub(super) struct Writer {
    places: Arc<Semaphore>,
    queue: Option<SyncSender<Queued>>,
    thread: Option<JoinHandle<()>>,
    config_version: Arc<AtomicU64>,
}

struct Queued {
    write: Box<dyn Write>,
    _place: OwnedSemaphorePermit,
}

/// A write of any result type.
trait Write: Send {
    /// Does it; whether its effects shall stay.
    fn run(&mut self, connection: &Connection) -> bool;
    /// Tells the caller, once it is known whether the effects are on disk.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Pending<T, F> {
    work: Option<F>,
    outcome: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Write for Pending<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> Result<T, Failure> + Send,
{
    fn run(&mut self, connection: &Connection) -> bool {
        let outcome = self.work.take().map(|work| {
            // A panic of one caller's work must not end the thread that serves all: the savepoint is rolled back.
            catch_unwind(AssertUnwindSafe(|| work(connection)))
                .unwrap_or_else(|_| Err(unavailable(&"a write panicked and was rolled back").into()))
                .map_err(StoreError::from)
        });
        self.outcome = outcome;
        matches!(self.outcome, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let outcome = match (committed, self.outcome) {
            (Err(error), None | Some(Ok(_))) => Err(error),
            (_, Some(outcome)) => outcome,
            (Ok(()), None) => Err(unavailable(&"the write was not reached")),
        };
        // The caller may have gone away; the effects stay.
        let _ = self.reply.send(outcome);
    }
}

impl Writer {
    /// Starts the thread on a connection that is ready to write.
    pub(super) fn start(connection: Connection) -> Result<Self, Failure> {
        let config_version = Arc::new(AtomicU64::new(read_config_version(&connection)?));
        let (queue, writes) = sync_channel(QUEUE_MAX);
        let version = Arc::clone(&config_version);
        let thread = std::thread::Builder::new()
            .name("meta-writer".to_owned())
            .spawn(move || serve(connection, &writes, &version))
            .map_err(|error| unavailable(&error))?;
        let places = Arc::new(Semaphore::new(QUEUE_MAX));
        Ok(Self { places, queue: Some(queue), thread: Some(thread), config_version })
    }

    /// Queues a write and waits until it is on disk, or refused with nothing changed.
    pub(super) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        let stopped = || unavailable(&"its writer stopped");
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| stopped())?;
        let (reply, answer) = oneshot::channel();
        let write = Box::new(Pending { work: Some(work), outcome: None, reply });
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        // There is room: the queue has as many places as the semaphore.
        queue.try_send(Queued { write, _place: place }).map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    /// The version of the configuration, at most [`CONFIG_REFRESH`] or one write behind other processes.
    pub(super) fn config_version(&self) -> u64 {
        self.config_version.load(Ordering::Acquire)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the writer of the metadata database panicked");
        }
    }
}

fn serve(mut connection: Connection, queue: &Receiver<Queued>, config_version: &AtomicU64) {
    loop {
        let mut group = Vec::new();
        match queue.recv_timeout(CONFIG_REFRESH) {
            Ok(first) => group.push(first),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let committed = if group.is_empty() {
            Ok(())
        } else {
            group.extend(queue.try_iter().take(GROUP_MAX - 1));
            commit(&mut connection, &mut group)
        };
        // Before the answers, so that whoever changed the configuration sees a new version.
        match read_config_version(&connection) {
            Ok(version) => config_version.store(version, Ordering::Release),
            Err(error) => tracing::warn!(?error, "cannot read the version of the configuration"),
        }
        let cause = committed.err().map(|failure| StoreError::from(failure).to_string());
        for queued in group {
            queued.write.answer(cause.as_ref().map_or(Ok(()), |cause| Err(unavailable(cause))));
        }
    }
}

fn commit(connection: &mut Connection, group: &mut [Queued]) -> Result<(), Failure> {
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for queued in group {
        let savepoint = transaction.savepoint()?;
        if queued.write.run(&savepoint) {
            savepoint.commit()?;
            continue;
        }
        drop(savepoint);
        if transaction.is_autocommit() {
            // A full disk or a failed read or write undid the whole group. What follows would be committed by itself.
            return Err(unavailable(&"the database undid what was written together with it").into());
        }
    }
    transaction.commit()?;
    Ok(())
}

fn read_config_version(connection: &Connection) -> Result<u64, Failure> {
    Ok(connection.prepare_cached("SELECT value FROM config_version")?.query_row([], |row| unsigned(row, 0))?)
}
