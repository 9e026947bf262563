//! Whether there is room for more. What waits for a consumer is counted by the files it lies in, which are what the disk
//! has to hold; a partition of which everything is applied counts nothing, whatever the size of its last file.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{Shared, options::LogOptions, telemetry};

/// How much of the bound may be appended until it is measured again: this part of it.
const MEASURED_PART: u64 = 64;

/// The bounds, and whether they were met when that was measured last.
pub(super) struct Room {
    shared: Arc<Shared>,
    dir: PathBuf,
    max_bytes: u64,
    free_min_bytes: u64,
    is_full: AtomicBool,
    /// The writer was asked to measure, and has not yet.
    is_asked: AtomicBool,
}

impl Room {
    pub(super) fn new(shared: Arc<Shared>, dir: PathBuf, options: &LogOptions) -> Self {
        let (max_bytes, free_min_bytes) = (options.max_bytes, options.free_min_bytes);
        let room = Self { shared, dir, max_bytes, free_min_bytes, is_full: false.into(), is_asked: false.into() };
        room.measure();
        room
    }

    /// Bytes that may be appended between two measurements.
    pub(super) fn step_bytes(&self) -> u64 {
        self.max_bytes / MEASURED_PART
    }

    pub(super) fn is_full(&self) -> bool {
        self.is_full.load(Ordering::Relaxed)
    }

    /// Whether somebody has to ask the writer to measure: only one at a time does.
    pub(super) fn must_ask(&self) -> bool {
        !self.is_asked.swap(true, Ordering::Relaxed)
    }

    /// Looks at files and disk.
    pub(super) fn measure(&self) {
        self.is_asked.store(false, Ordering::Relaxed);
        let waiting = self.shared.waiting_bytes();
        // A disk that does not say is not taken for full.
        let free = fs4::available_space(&self.dir).unwrap_or(u64::MAX);
        let is_full = waiting >= self.max_bytes || free < self.free_min_bytes;
        telemetry::full(is_full);
        if is_full != self.is_full.swap(is_full, Ordering::Relaxed) {
            if is_full {
                tracing::warn!(waiting, free, "log.full");
            } else {
                tracing::info!(waiting, free, "log.has_room");
            }
        }
    }
}
