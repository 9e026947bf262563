//! A bounded pool of connections that only read, used on the runtime's blocking threads.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use nuthatch_store::StoreError;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;

use super::{
    BUSY_TIMEOUT, STATEMENTS_MAX,
    error::{Failure, unavailable},
};

/// Page cache of one reader, in KiB.
const READER_CACHE_KIB: i64 = 4 * 1024;

/// The pool. Cheap to clone.
#[derive(Clone)]
pub(super) struct Readers {
    pool: Arc<Pool>,
}

struct Pool {
    path: PathBuf,
    places: Arc<Semaphore>,
    /// Connections that nobody uses now; opened when first needed.
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: &Path, readers_max: usize) -> Self {
        let places = Arc::new(Semaphore::new(readers_max.max(1)));
        Self { pool: Arc::new(Pool { path: path.to_owned(), places, idle: Mutex::default() }) }
    }

    /// Runs `work` on a blocking thread, in one read transaction: all of it sees one state.
    pub(super) async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        self.lend(|connection| work(&*connection.transaction()?)).await
    }

    /// Writes a compact copy to a new file.
    pub(super) async fn copy_to(&self, path: String) -> Result<(), StoreError> {
        self.lend(move |connection| {
            connection.execute("VACUUM INTO ?1", [path])?;
            Ok(())
        })
        .await
    }

    /// Lends a connection to `work`. One that `work` panics with is not used again.
    async fn lend<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, Failure> + Send + 'static,
    {
        let pool = Arc::clone(&self.pool);
        let place = Arc::clone(&pool.places).acquire_owned().await.map_err(|error| unavailable(&error))?;
        let task = tokio::task::spawn_blocking(move || {
            let _place = place;
            let idle = pool.idle().pop();
            let mut connection = match idle {
                Some(connection) => connection,
                None => open(&pool.path)?,
            };
            let outcome = work(&mut connection);
            pool.idle().push(connection);
            outcome
        });
        task.await.map_err(|error| unavailable(&error))?.map_err(StoreError::from)
    }
}

impl Pool {
    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open(path: &Path) -> Result<Connection, Failure> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    Ok(connection)
}
