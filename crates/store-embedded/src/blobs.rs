//! The blob store on the data directory: one file a blob, in a folder a project and day.
//!
//! Files are written by `object_store`, which flushes a file and its folder to disk before it gives the file its name.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path as FsPath, PathBuf},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use nuthatch_protocol::{
    BlobKey, ProjectId, Timestamp,
    blob::{day_of_text, day_text},
};
use nuthatch_store::{
    BlobStore, StoreError,
    blobs::{Blob, BlobWriter, Pieces},
};
use object_store::{MultipartUpload, ObjectStoreExt as _, PutPayload, local::LocalFileSystem, path::Path};
use tokio::sync::Mutex;

const STORE: &str = "blob store";

/// Blobs in a folder.
#[derive(Debug)]
pub struct EmbeddedBlobs {
    root: PathBuf,
    files: LocalFileSystem,
    /// The newest day of each project whose folder is durable. Puts that come together wait for the one that makes it:
    /// otherwise the second would find a folder that is not on disk yet.
    days: Mutex<HashMap<ProjectId, i64>>,
}

impl EmbeddedBlobs {
    /// Opens the store in a directory, which is made if need be. Blocks.
    pub fn open(dir: &FsPath) -> Result<Self, StoreError> {
        make_durable(dir).map_err(|error| unavailable(&error))?;
        let root = dir.canonicalize().map_err(|error| unavailable(&error))?;
        let files = LocalFileSystem::new_with_prefix(&root).map_err(|error| unavailable(&error))?.with_fsync(true);
        Ok(Self { root, files, days: Mutex::default() })
    }

    /// Makes the folder of a day durable before the first blob goes there.
    async fn prepare(&self, key: BlobKey) -> Result<(), StoreError> {
        let mut days = self.days.lock().await;
        if days.get(&key.project_id).is_some_and(|day| *day == key.day) {
            return Ok(());
        }
        let project = self.root.join(key.project_id.to_string());
        let day = project.join(day_text(key.day));
        blocking(move || make_durable(&project).and_then(|()| make_durable(&day))).await?;
        days.insert(key.project_id, key.day);
        Ok(())
    }
}

#[async_trait]
impl BlobStore for EmbeddedBlobs {
    async fn put(&self, key: BlobKey, bytes: Bytes) -> Result<(), StoreError> {
        self.prepare(key).await?;
        self.files.put(&path(key), PutPayload::from_bytes(bytes)).await.map_err(|error| unavailable(&error))?;
        Ok(())
    }

    async fn begin(&self, key: BlobKey) -> Result<Box<dyn BlobWriter>, StoreError> {
        self.prepare(key).await?;
        let file = self.files.put_multipart(&path(key)).await.map_err(|error| unavailable(&error))?;
        Ok(Box::new(Writer(file)))
    }

    async fn open(&self, key: BlobKey) -> Result<Option<Blob>, StoreError> {
        let found = found(self.files.get(&path(key)).await)?;
        Ok(found.map(|file| {
            let bytes = file.meta.size;
            let pieces: Pieces = Box::pin(file.into_stream().map_err(|error| unavailable(&error)));
            Blob { bytes, pieces }
        }))
    }

    async fn head(&self, key: BlobKey, limit: u64) -> Result<Option<Bytes>, StoreError> {
        let Some(size) = self.size(key).await? else { return Ok(None) };
        if size.min(limit) == 0 {
            return Ok(Some(Bytes::new()));
        }
        found(self.files.get_range(&path(key), 0..size.min(limit)).await)
    }

    async fn size(&self, key: BlobKey) -> Result<Option<u64>, StoreError> {
        Ok(found(self.files.head(&path(key)).await)?.map(|meta| meta.size))
    }

    async fn delete(&self, key: BlobKey) -> Result<(), StoreError> {
        found(self.files.delete(&path(key)).await)?;
        Ok(())
    }

    async fn expire(&self, before: Timestamp) -> Result<(), StoreError> {
        let root = self.root.clone();
        // Not held while files go, which may take long: whoever puts a blob waits for it.
        self.days.lock().await.retain(|_, day| *day >= before.days());
        // As folders rather than as blobs: what a put left behind that never finished has no name to be found by.
        blocking(move || remove_days(&root, before.days())).await
    }
}

/// A file that has no name yet, beside the one that it is going to be. It is removed when it is dropped.
struct Writer(Box<dyn MultipartUpload>);

#[async_trait]
impl BlobWriter for Writer {
    async fn add(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        self.0.put_part(PutPayload::from_bytes(bytes)).await.map_err(|error| unavailable(&error))
    }

    async fn finish(mut self: Box<Self>) -> Result<(), StoreError> {
        self.0.complete().await.map_err(|error| unavailable(&error))?;
        Ok(())
    }
}

fn path(key: BlobKey) -> Path {
    Path::from(key.to_string())
}

/// Makes a folder if it is not there, with its entry in the folder above on disk.
fn make_durable(dir: &FsPath) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    match dir.parent() {
        Some(above) if !above.as_os_str().is_empty() => fs::File::open(above)?.sync_all(),
        _ => Ok(()),
    }
}

/// Removes the folders of the days before one, of all projects.
fn remove_days(root: &FsPath, first_kept: i64) -> io::Result<()> {
    for project in fs::read_dir(root)? {
        let project = project?.path();
        if !project.is_dir() {
            continue;
        }
        for day in fs::read_dir(project)? {
            let day = day?;
            if day.file_name().to_str().and_then(day_of_text).is_some_and(|day| day < first_kept) {
                fs::remove_dir_all(day.path())?;
            }
        }
    }
    Ok(())
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|error| unavailable(&error))?;
    done.map_err(|error| unavailable(&error))
}

/// What is not there is no failure, and what the disk cannot read will not become readable.
fn found<T>(result: object_store::Result<T>) -> Result<Option<T>, StoreError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) if is_damage(&error) => Err(StoreError::Corrupt { store: STORE, cause: error.to_string() }),
        Err(error) => Err(unavailable(&error)),
    }
}

fn is_damage(error: &object_store::Error) -> bool {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    causes.filter_map(|error| error.downcast_ref::<io::Error>()).any(|error| error.raw_os_error() == Some(libc::EIO))
}

fn unavailable(cause: &impl ToString) -> StoreError {
    StoreError::Unavailable { store: STORE, cause: cause.to_string() }
}
