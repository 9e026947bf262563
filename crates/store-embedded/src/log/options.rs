//! How the log is set up, with the bounds of everything it holds in memory.

use nuthatch_store::log::LogLayout;

/// Settings of an [`super::EmbeddedLog`]. The defaults suit one machine; tests make segments small.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogOptions {
    /// Partitions, and who reads which topic.
    pub layout: LogLayout,
    /// A segment takes no more records once it holds this many bytes. Trimming removes whole segments, and the last one is walked
    /// through when the log is opened.
    pub segment_bytes: u64,
    /// Appends that may wait for the writer; the next one waits outside.
    pub queue_appends: usize,
    /// Bytes of values that may wait for the writer; the next append waits outside. A larger one waits alone.
    pub queue_bytes: u32,
    /// Records after which a group commit takes no further append.
    pub group_records: usize,
    /// Bytes of values after which a group commit takes no further append.
    pub group_bytes: usize,
    /// Bytes of files with records that are not applied, from which on [`nuthatch_store::Log::has_room`] says no. Segments
    /// are kept small beside it.
    pub max_bytes: u64,
    /// Free bytes on the disk, below which it says no as well: what is in the log can only be applied while the other
    /// stores have room.
    pub free_min_bytes: u64,
}

/// Default of [`LogOptions::segment_bytes`].
pub const SEGMENT_BYTES: u64 = 64 * 1024 * 1024;
/// Default of [`LogOptions::queue_appends`].
pub const QUEUE_APPENDS: usize = 8 * 1024;
/// Default of [`LogOptions::queue_bytes`].
pub const QUEUE_BYTES: u32 = 64 * 1024 * 1024;
/// Default of [`LogOptions::group_records`].
pub const GROUP_RECORDS: usize = 4 * 1024;
/// Default of [`LogOptions::group_bytes`].
pub const GROUP_BYTES: usize = 8 * 1024 * 1024;
/// Default of [`LogOptions::max_bytes`].
pub const MAX_BYTES: u64 = 64 * 1024 * 1024 * 1024;
/// Default of [`LogOptions::free_min_bytes`].
pub const FREE_MIN_BYTES: u64 = 512 * 1024 * 1024;

/// A segment takes this part of [`LogOptions::max_bytes`] at most: each partition has
/// one that is not full.
const BOUND_SEGMENTS: u64 = 32;

impl LogOptions {
    /// With segments that fit the bound.
    pub(super) fn within_bound(self) -> Self {
        Self { segment_bytes: self.segment_bytes.min(self.max_bytes / BOUND_SEGMENTS).max(1), ..self }
    }
}

impl Default for LogOptions {
    fn default() -> Self {
        Self {
            layout: LogLayout::default(),
            segment_bytes: SEGMENT_BYTES,
            queue_appends: QUEUE_APPENDS,
            queue_bytes: QUEUE_BYTES,
            group_records: GROUP_RECORDS,
            group_bytes: GROUP_BYTES,
            max_bytes: MAX_BYTES,
            free_min_bytes: FREE_MIN_BYTES,
        }
    }
}
