//! One index holds the rows of a week, so that retention drops whole directories. A day would make 90 indexes of the
//! usual retention, each to be looked into for every id; a month would keep rows for a third longer than asked.

use std::{
    fs::{self, File},
    io::ErrorKind,
    ops::Range,
    path::{Path, PathBuf},
};

use nuthatch_protocol::Timestamp;
use nuthatch_store::StoreError;
use tantivy::{
    Index, IndexReader, IndexSettings, ReloadPolicy, Searcher,
    directory::MmapDirectory,
    schema::Schema,
    store::{Compressor, ZstdCompressor},
};

use super::{
    StoreName,
    words::{TOKENIZER, WordTokenizer},
};

/// Width of a partition, in seconds.
pub(super) const WIDTH_SECS: i64 = 7 * 24 * 3600;

/// Blocks of stored rows that a reader keeps unpacked, for each segment.
const BLOCKS_CACHED: usize = 2;

/// Size of a block of stored rows before compression, in bytes.
const BLOCK_BYTES: usize = 32 * 1024;

/// A week of rows.
pub(crate) struct Partition {
    pub(super) index: Index,
    pub(super) reader: IndexReader,
    pub(super) dir: PathBuf,
    /// The times it holds.
    pub(crate) times: Range<Timestamp>,
    store: StoreName,
}

/// The partition of a time: its number since the epoch.
pub(super) fn number(time: Timestamp) -> i64 {
    time.secs().div_euclid(WIDTH_SECS)
}

impl Partition {
    /// Opens a partition, or makes it.
    pub(super) fn open(parent: &Path, number: i64, store: StoreName, schema: &Schema) -> Result<Self, StoreError> {
        let dir = parent.join(number.to_string());
        if !dir.exists() {
            fs::create_dir(&dir)
                .and_then(|()| File::open(parent)?.sync_all())
                .map_err(|error| store.unavailable(error))?;
        }
        if !dir.join("meta.json").exists() && has_rows(&dir).map_err(|error| store.unavailable(error))? {
            return Err(store.damaged("meta.json is missing"));
        }
        let directory = MmapDirectory::open(&dir).map_err(|error| store.failed(error.into()))?;
        let settings = IndexSettings {
            docstore_compression: Compressor::Zstd(ZstdCompressor::default()),
            docstore_blocksize: BLOCK_BYTES,
            ..IndexSettings::default()
        };
        let builder = Index::builder().schema(schema.clone()).settings(settings);
        let index = builder.open_or_create(directory).map_err(|error| store.not_opened(error))?;
        index.tokenizers().register(TOKENIZER, WordTokenizer);
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual);
        let reader =
            reader.doc_store_cache_num_blocks(BLOCKS_CACHED).try_into().map_err(|error| store.not_opened(error))?;
        let time = |number: i64| Timestamp::from_secs(number.saturating_mul(WIDTH_SECS));
        Ok(Self { index, reader, dir, times: time(number)..time(number + 1), store })
    }

    /// What was committed last.
    pub(crate) fn searcher(&self) -> Searcher {
        self.reader.searcher()
    }

    /// Makes the names of its files durable.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        sync(&self.dir).map_err(|error| self.store.unavailable(error))
    }

    /// Bytes on disk.
    pub(crate) fn bytes(&self) -> Result<u64, StoreError> {
        let mut sum = 0;
        for entry in fs::read_dir(&self.dir).map_err(|error| self.store.unavailable(error))? {
            match entry.and_then(|entry| entry.metadata()) {
                Ok(metadata) => sum += metadata.len(),
                // A merge removes files at any time.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(self.store.unavailable(error)),
            }
        }
        Ok(sum)
    }
}

/// Whether a directory has files with stored rows.
fn has_rows(dir: &Path) -> std::io::Result<bool> {
    for entry in fs::read_dir(dir)? {
        if entry?.path().extension().is_some_and(|extension| extension == "store") {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The numbers of the partitions in a directory, after what an interrupted removal left is removed.
pub(super) fn list(parent: &Path, store: StoreName) -> Result<Vec<i64>, StoreError> {
    remove_dropped(parent, store, |_| false)?;
    let mut numbers = Vec::new();
    for entry in fs::read_dir(parent).map_err(|error| store.unavailable(error))? {
        let entry = entry.map_err(|error| store.unavailable(error))?;
        if let Ok(number) = entry.file_name().to_string_lossy().parse() {
            numbers.push(number);
        }
    }
    Ok(numbers)
}

/// The extension of a partition that goes.
const DROPPED: &str = "dropped";

/// What the extension of a damaged partition begins with.
const DAMAGED: &str = "damaged-";

/// Takes a partition away. Searches that run keep what they opened. Its files go by [`remove_dropped`].
pub(super) fn take_away(dir: &Path, store: StoreName) -> Result<(), StoreError> {
    fs::rename(dir, dir.with_extension(DROPPED)).map_err(|error| store.unavailable(error))
}

/// Removes the files of partitions that were taken away, also by a process before this one, and of the damaged ones whose
/// numbers are too old: what people sent is in them, too.
pub(super) fn remove_dropped(
    parent: &Path,
    store: StoreName,
    is_too_old: impl Fn(i64) -> bool,
) -> Result<(), StoreError> {
    let goes = |name: &str| {
        name.split_once('.').is_some_and(|(number, extension)| {
            extension == DROPPED || extension.starts_with(DAMAGED) && number.parse().is_ok_and(&is_too_old)
        })
    };
    let remove = || {
        // Before the first file goes: with some of them it would be a damaged partition.
        sync(parent)?;
        for entry in fs::read_dir(parent)? {
            let entry = entry?;
            if goes(&entry.file_name().to_string_lossy()) {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok::<_, std::io::Error>(())
    };
    remove().map_err(|error| store.unavailable(error))
}

/// Makes the names in a directory durable.
fn sync(dir: &Path) -> std::io::Result<()> {
    fs::File::open(dir)?.sync_all()
}

/// Moves a damaged partition out of the way and returns where it is now.
pub(super) fn set_aside(parent: &Path, number: i64, store: StoreName) -> Result<PathBuf, StoreError> {
    let mut n = 1;
    let mut aside = parent.join(format!("{number}.{DAMAGED}{n}"));
    while aside.exists() {
        n += 1;
        aside.set_extension(format!("{DAMAGED}{n}"));
    }
    fs::rename(parent.join(number.to_string()), &aside).map_err(|error| store.unavailable(error))?;
    Ok(aside)
}
