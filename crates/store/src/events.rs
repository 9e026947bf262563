//! Rows to search and aggregate, with their bodies.

use std::collections::HashMap;

use async_trait::async_trait;
use bytes::Bytes;
use nuthatch_protocol::{EventId, EventRow, Hash, Level, Position, ProjectId, Timestamp};
use nuthatch_query::Expr;

use crate::{
    StoreError,
    event_groups::{EventGroups, Grouping},
};

/// Events: upsert, look up by id, search, count.
#[async_trait]
pub trait EventStore: Send + Sync + 'static {
    /// Takes rows and the position of the consumer that brought them (the next record). A row replaces one of the
    /// same project and event id, so a replay changes nothing. [`Self::get`] and [`Self::search`] see the rows when this
    /// returns; they are durable, and counted by the other queries, after [`Self::commit`].
    async fn upsert(&self, rows: Vec<EventRow>, position: Position) -> Result<(), StoreError>;

    /// Makes everything upserted so far durable and counted, the position with it.
    async fn commit(&self) -> Result<(), StoreError>;

    /// The position that what is durable includes: the next record to apply. `start` when there is none.
    async fn position(&self, start: Position) -> Result<Position, StoreError>;

    /// An event by id, searchable or not; without one, a row that shows it ([`EventRow::shows`]).
    async fn get(&self, project: ProjectId, id: EventId) -> Result<Option<StoredEvent>, StoreError>;

    /// The primary hash of each of these events, found as by [`Self::get`]; events that are not there or have none are
    /// left out. At most [`PAGE_MAX`] ids are taken.
    async fn primary_hashes(&self, project: ProjectId, ids: &[EventId]) -> Result<HashMap<EventId, Hash>, StoreError>;

    /// A page of events, newest first unless told otherwise.
    async fn search(&self, query: &EventQuery, page: &EventPage) -> Result<Vec<EventSummary>, StoreError>;

    /// How many events match.
    async fn count(&self, query: &EventQuery) -> Result<u64, StoreError>;

    /// Events per interval: `(start of the interval, count)`, ascending, intervals without events left out. Intervals
    /// begin at multiples of their length since the epoch; a length of 0 is refused.
    async fn histogram(&self, query: &EventQuery, interval_secs: u32) -> Result<Vec<(Timestamp, u64)>, StoreError>;

    /// Values of a tag with their counts, most frequent first, then by value; at most `limit` ([`VALUES_MAX`]).
    async fn tag_values(&self, query: &EventQuery, key: &str, limit: usize) -> Result<TagValues, StoreError>;

    /// Keys of tags with the number of events that have them, most frequent first, then by key; at most
    /// [`VALUES_MAX`].
    async fn tag_keys(&self, query: &EventQuery) -> Result<Vec<(String, u64)>, StoreError>;

    /// Distinct primary hashes of matching events with their projects, those with most events first, then by project
    /// and hash; at most `limit` ([`HASHES_MAX`]).
    async fn hashes(&self, query: &EventQuery, limit: usize) -> Result<Vec<(ProjectId, Hash)>, StoreError>;

    /// Groups of matching events, and what is counted of each.
    async fn groups(&self, query: &EventQuery, grouping: &Grouping) -> Result<EventGroups, StoreError>;

    /// Drops the time partitions that lie wholly before a time. Rows at or after the time stay; how many before it stay
    /// with them is up to the width of the partitions.
    async fn drop_before(&self, time: Timestamp) -> Result<(), StoreError>;

    /// Rows stored and bytes on disk.
    async fn size(&self) -> Result<EventStoreSize, StoreError>;
}

/// Most values or keys that an aggregation returns.
pub const VALUES_MAX: usize = 1000;

/// Most primary hashes that a query returns; one more, so that a caller that takes as many as this less one sees when
/// there are more.
pub const HASHES_MAX: usize = 10_001;

/// Which events. All conditions hold together.
#[derive(Debug, Clone, PartialEq)]
pub struct EventQuery {
    /// Projects; never empty, so that nobody reads another's.
    pub projects: Vec<ProjectId>,
    /// The primary hash is one of these, each in its project; `None`: any. `Some` of nothing matches nothing.
    pub hashes: Option<Vec<(ProjectId, Hash)>>,
    /// At or after.
    pub from: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// Further conditions.
    pub filter: Expr,
}

impl EventQuery {
    /// Whether a row is meant: what every adapter must agree with.
    pub fn matches(&self, row: &EventRow) -> bool {
        self.projects.contains(&row.project_id)
            && self
                .hashes
                .as_ref()
                .is_none_or(|hashes| row.hashes.first().is_some_and(|hash| hashes.contains(&(row.project_id, *hash))))
            && self.from.is_none_or(|from| row.timestamp >= from)
            && self.until.is_none_or(|until| row.timestamp < until)
            && nuthatch_query::matches(&self.filter, row)
    }
}

/// Which page of a search.
#[derive(Debug, Clone, PartialEq)]
pub struct EventPage {
    /// Oldest first instead of newest first. Ties are broken by event id in the same direction.
    pub ascending: bool,
    /// Only what comes behind this row in the order.
    pub after: Option<(Timestamp, EventId)>,
    /// At most [`PAGE_MAX`].
    pub limit: usize,
}

impl EventPage {
    /// Whether a row with this time and id lies behind the place where the page starts.
    pub fn is_behind(&self, key: (Timestamp, EventId)) -> bool {
        self.after.is_none_or(|after| if self.ascending { key > after } else { key < after })
    }

    /// Puts rows in the order of the page and keeps as many as it holds.
    pub fn arrange(&self, rows: &mut Vec<EventSummary>) {
        rows.sort_unstable_by_key(|row| (row.timestamp, row.event_id));
        if !self.ascending {
            rows.reverse();
        }
        rows.truncate(self.limit);
    }
}

/// Most events on a page.
pub const PAGE_MAX: usize = 100;

/// Refuses a page that is larger than [`PAGE_MAX`].
pub fn check_page(page: &EventPage) -> Result<(), StoreError> {
    if page.limit > PAGE_MAX {
        return Err(StoreError::Invalid(format!("a page has at most {PAGE_MAX} events, not {}", page.limit)));
    }
    Ok(())
}

/// Refuses more ids than [`PAGE_MAX`].
pub fn check_ids(ids: &[EventId]) -> Result<(), StoreError> {
    if ids.len() > PAGE_MAX {
        return Err(StoreError::Invalid(format!("at most {PAGE_MAX} events are looked up at once, not {}", ids.len())));
    }
    Ok(())
}

/// Refuses an interval without length.
pub fn check_interval(interval_secs: u32) -> Result<(), StoreError> {
    if interval_secs == 0 {
        return Err(StoreError::Invalid("an interval is at least one second long".to_owned()));
    }
    Ok(())
}

/// An event found by id.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    /// What lists show.
    pub summary: EventSummary,
    /// Canonical JSON, byte for byte as upserted.
    pub body: Bytes,
}

impl From<EventRow> for StoredEvent {
    fn from(row: EventRow) -> Self {
        Self { summary: EventSummary::of(&row), body: row.body }
    }
}

/// What lists show of an event.
#[derive(Debug, Clone, PartialEq)]
pub struct EventSummary {
    /// The project.
    pub project_id: ProjectId,
    /// The event.
    pub event_id: EventId,
    /// When it happened.
    pub timestamp: Timestamp,
    /// When it was received.
    pub received: Timestamp,
    /// Its hashes, the primary one first.
    pub hashes: Vec<Hash>,
    /// Type.
    pub event_type: String,
    /// Severity.
    pub level: Level,
    /// Platform.
    pub platform: String,
    /// Title.
    pub title: String,
    /// Culprit.
    pub culprit: String,
    /// Message.
    pub message: String,
    /// The user as one text.
    pub user: Option<String>,
    /// Tags.
    pub tags: Vec<(String, String)>,
}

impl EventSummary {
    /// What lists show of a row.
    pub fn of(row: &EventRow) -> Self {
        Self {
            project_id: row.project_id,
            event_id: row.event_id,
            timestamp: row.timestamp,
            received: row.received,
            hashes: row.hashes.clone(),
            event_type: row.event_type.clone(),
            level: row.level,
            platform: row.platform.clone(),
            title: row.title.clone(),
            culprit: row.culprit.clone(),
            message: row.message.clone(),
            user: row.user.clone(),
            tags: row.tags.clone(),
        }
    }
}

/// Values of a tag.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TagValues {
    /// Events that have the tag.
    pub total: u64,
    /// Different values, exact up to [`VALUES_MAX`].
    pub unique: u64,
    /// The most frequent values.
    pub top: Vec<TagValue>,
}

/// A value of a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagValue {
    /// The value.
    pub value: String,
    /// Events with it.
    pub count: u64,
    /// Earliest of them.
    pub first_seen: Timestamp,
    /// Latest of them.
    pub last_seen: Timestamp,
}

/// Size of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EventStoreSize {
    /// Rows.
    pub rows: u64,
    /// Bytes on disk.
    pub bytes: u64,
}
