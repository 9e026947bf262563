//! A partition: its segments in order and its end.

use std::{
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use nuthatch_protocol::{Partition, Position, Topic};
use tokio::sync::watch;

use super::{
    error::LogError,
    segment::{self, first_offset},
};

/// One partition of a topic.
#[derive(Debug)]
pub(super) struct PartitionLog {
    /// The topic.
    pub(super) topic: Topic,
    /// Its number.
    pub(super) partition: Partition,
    /// Where its segments are.
    pub(super) dir: PathBuf,
    segments: RwLock<Vec<Segment>>,
    end: watch::Sender<End>,
}

/// A stretch of offsets up to the next segment, or to the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    /// Its first offset.
    pub(super) first: u64,
    /// What is there.
    pub(super) content: Content,
}

/// What is in a stretch of offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Records, in a file.
    Records,
    /// The file could not be read and was moved to the quarantine.
    Lost,
    /// Offsets that were never given away.
    Gap,
}

/// Part of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Extent {
    /// First offset of the segment.
    pub(super) first: u64,
    /// The offsets meant.
    pub(super) range: Range<u64>,
    /// What is there.
    pub(super) content: Content,
}

#[derive(Debug, Clone, Copy)]
struct End {
    next: u64,
    closed: bool,
}

impl PartitionLog {
    /// A partition as it was found.
    pub(super) fn new(topic: Topic, partition: Partition, dir: PathBuf, segments: Vec<Segment>, next: u64) -> Self {
        let end = watch::Sender::new(End { next, closed: false });
        Self { topic, partition, dir, segments: RwLock::new(segments), end }
    }

    /// A place in it.
    pub(super) fn at(&self, offset: u64) -> Position {
        Position { topic: self.topic, partition: self.partition, offset }
    }

    /// Offset of the next record.
    pub(super) fn next(&self) -> u64 {
        self.end.borrow().next
    }

    /// Offset of the oldest record.
    pub(super) fn first(&self) -> u64 {
        self.segments().first().map_or(0, |segment| segment.first)
    }

    /// First offset of the segment that is appended to.
    pub(super) fn active(&self) -> u64 {
        self.segments().last().map_or(0, |segment| segment.first)
    }

    /// Tells readers that records in front of an offset are durable.
    pub(super) fn advance(&self, next: u64) {
        self.end.send_modify(|end| end.next = next);
    }

    /// Tells those who wait that nothing more comes.
    pub(super) fn close(&self) {
        self.end.send_modify(|end| end.closed = true);
    }

    /// Resolves when an offset was given away or nothing more comes.
    pub(super) async fn wait(&self, offset: u64) {
        // The sender lives as long as this partition, so the only error there is cannot happen.
        let _ = self.end.subscribe().wait_for(|end| end.closed || end.next > offset).await;
    }

    /// What is where, from an offset to the end.
    pub(super) fn extents(&self, from: u64) -> Vec<Extent> {
        // The end is read first: a segment made after that starts at or behind it.
        let next = self.next();
        let segments = self.segments();
        let ends = segments.iter().skip(1).map(|segment| segment.first.min(next)).chain([next]);
        segments
            .iter()
            .zip(ends)
            .filter(|(segment, end)| *end > from.max(segment.first))
            .map(|(segment, end)| Extent {
                first: segment.first,
                range: from.max(segment.first)..end,
                content: segment.content,
            })
            .collect()
    }

    /// Whether a segment was not trimmed.
    pub(super) fn has(&self, first: u64) -> bool {
        self.segments().iter().any(|segment| segment.first == first)
    }

    /// Adds the segment that is appended to from now on.
    pub(super) fn push(&self, first: u64) {
        self.segments_mut().push(Segment { first, content: Content::Records });
    }

    /// Adds offsets that are never given away.
    pub(super) fn push_gap(&self, first: u64) {
        self.segments_mut().push(Segment { first, content: Content::Gap });
    }

    /// Replaces what is known, for a reader beside the process that writes.
    pub(super) fn replace(&self, segments: Vec<Segment>, next: u64) {
        *self.segments_mut() = segments;
        self.advance(next);
    }

    /// Puts a gap where the empty last segment is, and goes on behind it.
    pub(super) fn skip_empty(&self, to: u64) {
        let mut segments = self.segments_mut();
        if let Some(last) = segments.last_mut() {
            last.content = Content::Gap;
        }
        segments.push(Segment { first: to, content: Content::Records });
    }

    /// Forgets the segments that end at or in front of an offset and removes their files. The last one stays.
    pub(super) fn trim(&self, slowest: u64) -> Result<(), LogError> {
        let removed: Vec<Segment> = {
            let mut segments = self.segments_mut();
            let behind = segments.iter().skip(1).take_while(|next| next.first <= slowest).count();
            segments.drain(..behind).collect()
        };
        for segment in removed {
            match segment.content {
                Content::Records => {
                    for file in segment::files(&segment::path(&self.dir, segment.first)) {
                        segment::remove(&file)?;
                    }
                }
                Content::Gap => segment::remove(&segment::gap_path(&self.dir, segment.first))?,
                // For the operator to look at and remove.
                Content::Lost => {}
            }
        }
        Ok(())
    }

    /// Bytes on disk.
    pub(super) fn bytes(&self) -> u64 {
        let segments = self.segments();
        let files = segments.iter().flat_map(|segment| segment::files(&segment::path(&self.dir, segment.first)));
        // A file that is gone was trimmed just now.
        files.map(|file| fs::metadata(file).map_or(0, |meta| meta.len())).sum()
    }

    fn segments(&self) -> RwLockReadGuard<'_, Vec<Segment>> {
        self.segments.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn segments_mut(&self) -> RwLockWriteGuard<'_, Vec<Segment>> {
        self.segments.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where segments that cannot be read go.
pub(super) fn quarantine(dir: &Path) -> PathBuf {
    dir.join("quarantine")
}

/// The segments a folder holds, in order. Empty when there is no folder.
pub(super) fn list(dir: &Path) -> Result<Vec<Segment>, LogError> {
    let mut segments: Vec<Segment> = Vec::new();
    for (dir, extension, content) in [
        (dir.to_owned(), "db", Content::Records),
        (dir.to_owned(), "gap", Content::Gap),
        (quarantine(dir), "db", Content::Lost),
    ] {
        for name in names(&dir)? {
            // Records win: a quarantined segment was rebuilt, a gap was not finished.
            if let Some(first) = first_offset(&name, extension)
                && !segments.iter().any(|segment| segment.first == first)
            {
                segments.push(Segment { first, content });
            }
        }
    }
    segments.sort_by_key(|segment| segment.first);
    Ok(segments)
}

/// The names in a folder; none when there is no folder.
pub(super) fn names(dir: &Path) -> Result<Vec<String>, LogError> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(LogError::io(dir))?,
    };
    let name = |entry: io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
    entries.map(name).collect::<io::Result<_>>().map_err(LogError::io(dir))
}
