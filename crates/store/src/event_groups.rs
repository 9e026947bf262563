//! Groups of events and what is counted of each: what tables with functions and their series are made of.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use nuthatch_protocol::{Hash, ProjectId, Timestamp};

use crate::StoreError;

/// Most groups that are returned.
pub const GROUPS_MAX: usize = 10_000;
/// Most keys to group by, and most tags whose values are told apart, each.
pub const KEYS_MAX: usize = 20;

/// What is asked of groups of events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grouping {
    /// What the events of a group share. Nothing: all are one group, which is not there without events.
    pub by: Vec<GroupKey>,
    /// Tags whose different values are told apart.
    pub unique: Vec<String>,
    /// Length of the intervals that are groups of their own; `None`: all times are one. Intervals begin at multiples of
    /// their length since the epoch.
    pub interval_secs: Option<u32>,
}

/// Something that events share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupKey {
    /// Project and primary hash.
    Hash,
    /// A tag.
    Tag(String),
}

/// What the events of a group have for a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupValue {
    /// Project and primary hash.
    Hash(ProjectId, Hash),
    /// Value of the tag.
    Tag(String),
}

/// Events that share what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventGroup {
    /// Start of their interval; without intervals the epoch.
    pub start: Timestamp,
    /// What they share, in the order of the keys; `None`: they have no such thing.
    pub values: Vec<Option<GroupValue>>,
    /// What was counted.
    pub counted: EventCount,
}

/// What is counted of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventCount {
    /// How many.
    pub count: u64,
    /// When the latest happened.
    pub last_seen: Timestamp,
    /// The different values of each tag that was asked for, as their [`value_hash`]: so groups can be joined.
    pub unique: Vec<HashSet<u64>>,
}

impl EventCount {
    /// Adds what was counted of other events.
    pub fn add(&mut self, other: Self) {
        self.count += other.count;
        self.last_seen = self.last_seen.max(other.last_seen);
        for (known, more) in self.unique.iter_mut().zip(other.unique) {
            known.extend(more);
        }
    }
}

/// Groups found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventGroups {
    /// By their intervals, in each the largest first, then by their values.
    pub rows: Vec<EventGroup>,
    /// Whether all events were looked at. With more than [`GROUPS_MAX`] different groups some are left out.
    pub is_complete: bool,
}

impl EventGroups {
    /// Puts groups in order and keeps as many as are returned.
    pub fn arranged(mut rows: Vec<EventGroup>, is_complete: bool) -> Self {
        rows.sort_unstable_by(|a, b| {
            let by_size = || b.counted.count.cmp(&a.counted.count);
            a.start.cmp(&b.start).then_with(by_size).then_with(|| a.values.cmp(&b.values))
        });
        let is_complete = is_complete && rows.len() <= GROUPS_MAX;
        rows.truncate(GROUPS_MAX);
        Self { rows, is_complete }
    }
}

/// What stands for a value where it is only told apart from others.
pub fn value_hash(value: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Refuses what is out of bounds.
pub fn check_grouping(grouping: &Grouping) -> Result<(), StoreError> {
    let Grouping { by, unique, interval_secs } = grouping;
    if by.len() > KEYS_MAX || unique.len() > KEYS_MAX {
        return Err(StoreError::Invalid(format!("events are grouped by at most {KEYS_MAX} keys")));
    }
    interval_secs.map_or(Ok(()), crate::events::check_interval)
}
