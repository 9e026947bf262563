//! What quotas have counted, in one small file that is replaced as a whole.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use bytes::Bytes;
use nuthatch_store::{QuotaCountStore, StoreError};

/// Keeps the note in a data directory.
#[derive(Debug)]
pub struct EmbeddedQuotaCounts {
    dir: PathBuf,
}

impl EmbeddedQuotaCounts {
    /// In a directory that is there.
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    fn path(&self) -> PathBuf {
        self.dir.join("quotas.json")
    }
}

#[async_trait]
impl QuotaCountStore for EmbeddedQuotaCounts {
    async fn keep_quota_counts(&self, counts: Bytes) -> Result<(), StoreError> {
        let (dir, path) = (self.dir.clone(), self.path());
        blocking(move || {
            let unfinished = dir.join("quotas.json.new");
            let mut file = File::create(&unfinished)?;
            file.write_all(&counts)?;
            file.sync_all()?;
            fs::rename(&unfinished, path)?;
            File::open(dir)?.sync_all()
        })
        .await
    }

    async fn quota_counts(&self) -> Result<Option<Bytes>, StoreError> {
        let path = self.path();
        blocking(move || match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(|bytes| Some(bytes.into())),
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T, StoreError> {
    let unavailable = |cause: String| StoreError::Unavailable { store: "quota counts", cause };
    let done = tokio::task::spawn_blocking(work).await.map_err(|error| unavailable(error.to_string()))?;
    done.map_err(|error| unavailable(error.to_string()))
}
