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
    segment::{self, Segment, offset_of_name},
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
    stretches: RwLock<Vec<Stretch>>,
    end: watch::Sender<End>,
}

/// Offsets up to the next stretch, or to the end.
#[derive(Debug, Clone)]
pub(super) enum Stretch {
    /// Records.
    Records(Segment),
    /// Offsets that were never given away, from this one on.
    Gap(u64),
}

impl Stretch {
    /// Its first offset.
    pub(super) fn first(&self) -> u64 {
        match self {
            Self::Records(segment) => segment.first,
            Self::Gap(first) => *first,
        }
    }
}

/// Part of a segment.
#[derive(Debug, Clone)]
pub(super) struct Extent {
    /// The segment.
    pub(super) segment: Segment,
    /// The offsets meant.
    pub(super) range: Range<u64>,
}

#[derive(Debug, Clone, Copy)]
struct End {
    next: u64,
    closed: bool,
}

impl PartitionLog {
    /// A partition as it was found.
    pub(super) fn new(topic: Topic, partition: Partition, dir: PathBuf, stretches: Vec<Stretch>, next: u64) -> Self {
        let end = watch::Sender::new(End { next, closed: false });
        Self { topic, partition, dir, stretches: RwLock::new(stretches), end }
    }

    /// As it is on disk, for a reader beside the process that writes.
    pub(super) fn look(topic: Topic, partition: Partition, dir: PathBuf) -> Result<Self, LogError> {
        let stretches = list(&dir)?;
        let next = match stretches.last() {
            Some(Stretch::Records(last)) => last.tail()?.end.offset,
            Some(Stretch::Gap(first)) => *first,
            None => 0,
        };
        Ok(Self::new(topic, partition, dir, stretches, next))
    }

    /// A place in it.
    pub(super) fn at(&self, offset: u64) -> Position {
        Position { topic: self.topic, partition: self.partition, offset }
    }

    /// Offset of the next record.
    pub(super) fn next(&self) -> u64 {
        self.end.borrow().next
    }

    /// Offset of the oldest record, or of the next one.
    pub(super) fn first(&self) -> u64 {
        let stretches = self.stretches();
        let mut segments = stretches.iter().filter(|stretch| matches!(stretch, Stretch::Records(_)));
        segments.next().map_or(0, Stretch::first)
    }

    /// The segment that is appended to.
    pub(super) fn active(&self) -> Option<Segment> {
        match self.stretches().last() {
            Some(Stretch::Records(segment)) => Some(segment.clone()),
            Some(Stretch::Gap(_)) | None => None,
        }
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

    /// Resolves when nothing more comes.
    pub(super) async fn closed(&self) {
        let _ = self.end.subscribe().wait_for(|end| end.closed).await;
    }

    /// Where records are, from an offset to the end.
    pub(super) fn extents(&self, from: u64) -> Vec<Extent> {
        // The end is read first: a segment made after that starts at or behind it.
        let next = self.next();
        let stretches = self.stretches();
        let ends = stretches.iter().skip(1).map(|stretch| stretch.first().min(next)).chain([next]);
        let extent = |(stretch, end): (&Stretch, u64)| {
            let Stretch::Records(segment) = stretch else { return None };
            let range = from.max(segment.first)..end;
            (!range.is_empty()).then(|| Extent { segment: segment.clone(), range })
        };
        stretches.iter().zip(ends).filter_map(extent).collect()
    }

    /// Whether a segment was not trimmed.
    pub(super) fn has(&self, segment: &Segment) -> bool {
        self.stretches().iter().any(|stretch| matches!(stretch, Stretch::Records(other) if other.path == segment.path))
    }

    /// Adds the segment that is appended to from now on.
    pub(super) fn push(&self, segment: Segment) {
        self.stretches_mut().push(Stretch::Records(segment));
    }

    /// Goes on with a segment behind offsets that are never given away. An empty last segment, which begins with the first of
    /// them, is what they replace: its file is left to the caller.
    pub(super) fn skip(&self, gap: u64, segment: Segment) {
        let mut stretches = self.stretches_mut();
        stretches.pop_if(|last| last.first() == gap);
        stretches.extend([Stretch::Gap(gap), Stretch::Records(segment)]);
    }

    /// Forgets the stretches that end at or in front of an offset and removes their files. The last one stays.
    pub(super) fn trim(&self, slowest: u64) -> Result<(), LogError> {
        let removed: Vec<Stretch> = {
            let mut stretches = self.stretches_mut();
            let behind = stretches.iter().skip(1).take_while(|next| next.first() <= slowest).count();
            stretches.drain(..behind).collect()
        };
        removed.iter().try_for_each(|stretch| segment::remove(&self.file(stretch)))
    }

    /// Bytes on disk.
    pub(super) fn bytes(&self) -> u64 {
        // A file that is gone was trimmed just now.
        let bytes = |stretch| fs::metadata(self.file(stretch)).map_or(0, |meta| meta.len());
        self.stretches().iter().map(bytes).sum()
    }

    /// The file of a stretch.
    pub(super) fn file(&self, stretch: &Stretch) -> PathBuf {
        match stretch {
            Stretch::Records(segment) => segment.path.clone(),
            Stretch::Gap(first) => segment::gap_path(&self.dir, *first),
        }
    }

    fn stretches(&self) -> RwLockReadGuard<'_, Vec<Stretch>> {
        self.stretches.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn stretches_mut(&self) -> RwLockWriteGuard<'_, Vec<Stretch>> {
        self.stretches.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where segments that cannot be read go.
pub(super) fn quarantine(dir: &Path) -> PathBuf {
    dir.join("quarantine")
}

/// What a folder holds, in order; empty when there is no folder. Where unfinished work left more than one stretch that begins
/// with an offset, the last one counts: the most bytes of records before a gap before an empty segment.
pub(super) fn list(dir: &Path) -> Result<Vec<Stretch>, LogError> {
    let mut found = Vec::new();
    for name in names(dir)? {
        if let Some(segment) = Segment::named(dir, &name) {
            let bytes = fs::metadata(&segment.path).map_or(0, |meta| meta.len());
            found.push((segment.first, bytes.saturating_mul(2), Stretch::Records(segment)));
        } else if let Some(first) = name.strip_suffix(".gap").and_then(offset_of_name) {
            found.push((first, 1, Stretch::Gap(first)));
        }
    }
    found.sort_by_key(|(first, weight, _)| (*first, *weight));
    Ok(found.into_iter().map(|(_, _, stretch)| stretch).collect())
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
