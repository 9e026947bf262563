//! Spans, log lines and metrics to search and aggregate, with their bodies.

use async_trait::async_trait;
use nuthatch_protocol::{AttributeValue, EventId, Position, ProjectId, Timestamp, TraceId, TraceItem, TraceItemKind};
use nuthatch_query::{AttributeType, Expr, FieldValue, ItemField};

use crate::StoreError;

/// Trace items: upsert, look up by id and by trace, search, aggregate.
#[async_trait]
pub trait TraceStore: Send + Sync + 'static {
    /// Takes items and the position of the consumer that brought them (the next record). An item replaces one of the
    /// same project, kind and id, so a replay changes nothing. [`Self::get`], [`Self::transaction`], [`Self::trace`] and
    /// [`Self::search`] see the items when this returns; they are durable, and counted by the other queries, after
    /// [`Self::commit`].
    async fn upsert(&self, items: Vec<TraceItem>, position: Position) -> Result<(), StoreError>;

    /// Makes everything upserted so far durable and counted, the position with it.
    async fn commit(&self) -> Result<(), StoreError>;

    /// The position that what is durable includes: the next record to apply. `start` when there is none.
    async fn position(&self, start: Position) -> Result<Position, StoreError>;

    /// An item by its identity.
    async fn get(&self, project: ProjectId, kind: TraceItemKind, id: EventId) -> Result<Option<TraceItem>, StoreError>;

    /// The root span of a transaction event.
    async fn transaction(&self, project: ProjectId, event_id: EventId) -> Result<Option<TraceItem>, StoreError>;

    /// The items of a trace in some projects, without their bodies, in the order of time, then of ids; at most `limit`
    /// ([`TRACE_ITEMS_MAX`]) and [`TRACE_BYTES_MAX`], the earliest.
    async fn trace(
        &self,
        projects: &[ProjectId],
        trace_id: TraceId,
        limit: usize,
    ) -> Result<Vec<TraceItem>, StoreError>;

    /// A page of items.
    async fn search(&self, query: &TraceQuery, page: &TracePage) -> Result<Vec<TraceItem>, StoreError>;

    /// Groups of items with what is measured of each.
    async fn aggregate(&self, query: &TraceQuery, aggregation: &Aggregation) -> Result<Groups, StoreError>;

    /// What is measured of the items of each interval. Intervals begin at multiples of their length since the epoch; a
    /// length of 0 is refused.
    async fn histogram(
        &self,
        query: &TraceQuery,
        interval_secs: u32,
        aggregates: &[Aggregate],
    ) -> Result<Intervals, StoreError>;

    /// Names of attributes with their types and the number of items that have them, most frequent first, then by name;
    /// at most [`KEYS_MAX`].
    async fn attribute_keys(&self, query: &TraceQuery) -> Result<Vec<AttributeKey>, StoreError>;

    /// Values of a field with the number of items that have them, most frequent first, then in their own order; at most
    /// `limit` ([`GROUPS_MAX`]).
    async fn attribute_values(
        &self,
        query: &TraceQuery,
        key: &str,
        limit: usize,
    ) -> Result<Vec<(FieldValue, u64)>, StoreError>;

    /// Drops the time partitions that lie wholly before a time. Items at or after the time stay; how many before it stay
    /// with them is up to the width of the partitions.
    async fn drop_before(&self, time: Timestamp) -> Result<(), StoreError>;

    /// Items stored and bytes on disk.
    async fn size(&self) -> Result<TraceStoreSize, StoreError>;
}

/// Starts of intervals with what was measured in each, in the order of the aggregates; ascending, those without items
/// left out.
pub type Intervals = Vec<(Timestamp, Vec<Option<f64>>)>;

/// Most items on a page.
pub const PAGE_MAX: usize = 100;
/// Most items that a trace is shown with.
pub const TRACE_ITEMS_MAX: usize = 10_000;
/// Most bytes of names and attributes of the items that a trace is shown with; the first is shown however large it is.
pub const TRACE_BYTES_MAX: usize = 64 << 20;
/// Most groups that an aggregation returns.
pub const GROUPS_MAX: usize = 10_000;
/// Most fields to group by, and most aggregates, each.
pub const COLUMNS_MAX: usize = 20;
/// Most names of attributes that are listed.
pub const KEYS_MAX: usize = 1000;

/// Which items. All conditions hold together.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceQuery {
    /// Projects; never empty, so that nobody reads another's.
    pub projects: Vec<ProjectId>,
    /// What they are.
    pub kind: TraceItemKind,
    /// At or after.
    pub from: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// Further conditions.
    pub filter: Expr,
}

impl TraceQuery {
    /// Whether an item is meant: what every adapter must agree with.
    pub fn matches(&self, item: &TraceItem) -> bool {
        self.projects.contains(&item.project_id)
            && self.kind == item.kind
            && self.from.is_none_or(|from| item.timestamp >= from)
            && self.until.is_none_or(|until| item.timestamp < until)
            && nuthatch_query::matches(&self.filter, item)
    }
}

/// Which page of a search.
#[derive(Debug, Clone, PartialEq)]
pub struct TracePage {
    /// A field whose numbers are the order; items without a number are smaller than all others. `None`: by time alone.
    pub by: Option<String>,
    /// Smallest or oldest first instead of largest or newest first. Ties are broken by time, then by id, in the same
    /// direction.
    pub ascending: bool,
    /// Only what comes behind this place in the order.
    pub after: Option<Place>,
    /// At most [`PAGE_MAX`].
    pub limit: usize,
}

/// Place of an item in the order of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The number that the page is ordered by, so mapped that whole numbers have its order ([`order_of`]).
    pub rank: i64,
    /// Time of the item.
    pub time: Timestamp,
    /// Its id.
    pub id: EventId,
}

/// A number's place among numbers; none is smaller than any.
pub fn order_of(number: Option<f64>) -> i64 {
    let Some(number) = number else { return i64::MIN };
    let bits = (number + 0.0).to_bits() as i64;
    // Of negative numbers the larger bits are the smaller number.
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

impl TracePage {
    /// Place of an item in the order.
    pub fn place(&self, item: &TraceItem) -> Place {
        let rank = self.by.as_deref().map_or(0, |key| order_of(number(item, key)));
        Place { rank, time: item.timestamp, id: item.id }
    }

    /// Whether a place lies behind the one where the page starts.
    pub fn is_behind(&self, place: Place) -> bool {
        self.after.is_none_or(|after| if self.ascending { place > after } else { place < after })
    }

    /// Puts items in the order of the page and keeps as many as it holds.
    pub fn arrange(&self, items: &mut Vec<TraceItem>) {
        items.sort_by_cached_key(|item| (self.place(item), item.project_id));
        if !self.ascending {
            items.reverse();
        }
        items.truncate(self.limit);
    }
}

/// The number that an item has in a field.
pub fn number(item: &TraceItem, key: &str) -> Option<f64> {
    match ItemField::named(key).value(item) {
        Some(FieldValue::Number(number)) => Some(number),
        _ => None,
    }
}

/// What is measured of a group of items.
#[derive(Debug, Clone, PartialEq)]
pub enum Aggregate {
    /// How many items.
    Count,
    /// How many different values of a field; of many, roughly.
    CountUnique(String),
    /// Sum of the numbers of a field; no numbers: none.
    Sum(String),
    /// Their mean.
    Average(String),
    /// The smallest.
    Min(String),
    /// The largest.
    Max(String),
    /// The smallest number that is at least as large as this part (0 to 1) of them; of many, to within a hundredth.
    Percentile(String, f64),
    /// How many items failed ([`has_failed`]).
    FailureCount,
    /// Which part of the items did.
    FailureRate,
    /// Time of the latest item, in seconds since the epoch.
    LastSeen,
}

impl Aggregate {
    /// The field it looks at.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::CountUnique(field)
            | Self::Sum(field)
            | Self::Average(field)
            | Self::Min(field)
            | Self::Max(field)
            | Self::Percentile(field, _) => Some(field),
            Self::Count | Self::FailureCount | Self::FailureRate | Self::LastSeen => None,
        }
    }
}

/// Name of the field that says how a span ended.
pub const STATUS: &str = "span.status";

/// Whether a status means failure: all but these, and none, do.
pub fn has_failed(status: &str) -> bool {
    !matches!(status, "" | "ok" | "cancelled" | "unknown" | "unset")
}

/// What is asked of groups of items.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregation {
    /// The fields that the items of a group share. Without any, all items are one group, which is there without items.
    pub group_by: Vec<String>,
    /// What is measured.
    pub aggregates: Vec<Aggregate>,
    /// The order of the groups; ties, and all without an order, are in the order of their values.
    pub order: Option<GroupOrder>,
    /// At most [`GROUPS_MAX`].
    pub limit: usize,
}

/// An order of groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupOrder {
    /// What they are ordered by.
    pub by: GroupColumn,
    /// Largest first; what is missing is smaller than all.
    pub descending: bool,
}

/// A column of groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupColumn {
    /// Of the fields to group by, the one with this number.
    Field(usize),
    /// Of the aggregates, the one with this number.
    Aggregate(usize),
}

/// Groups found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Groups {
    /// The groups in their order.
    pub rows: Vec<Group>,
    /// Whether all items were looked at. With more than [`GROUPS_MAX`] different groups some are left out.
    pub is_complete: bool,
}

/// Items that share some values.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The values, in the order of the fields; `None`: they have none.
    pub values: Vec<Option<FieldValue>>,
    /// What was measured, in the order of the aggregates.
    pub measured: Vec<Option<f64>>,
}

impl Groups {
    /// Puts groups in order and keeps as many as are wanted.
    pub fn arranged(mut rows: Vec<Group>, aggregation: &Aggregation, is_complete: bool) -> Self {
        rows.sort_by(|a, b| {
            let order = aggregation.order.map(|order| {
                let ascending = match order.by {
                    GroupColumn::Field(n) => a.values.get(n).cmp(&b.values.get(n)),
                    GroupColumn::Aggregate(n) => {
                        let key = |group: &Group| order_of(group.measured.get(n).copied().flatten());
                        key(a).cmp(&key(b))
                    }
                };
                if order.descending { ascending.reverse() } else { ascending }
            });
            order.unwrap_or(std::cmp::Ordering::Equal).then_with(|| a.values.cmp(&b.values))
        });
        rows.truncate(aggregation.limit);
        Self { rows, is_complete }
    }
}

/// The name of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeKey {
    /// The name.
    pub name: String,
    /// Type of the values; one name may have several.
    pub of_type: AttributeType,
    /// Items with a value of this type.
    pub count: u64,
}

/// Size of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TraceStoreSize {
    /// Items.
    pub items: u64,
    /// Bytes on disk.
    pub bytes: u64,
}

/// Refuses a page that is larger than [`PAGE_MAX`].
pub fn check_page(page: &TracePage) -> Result<(), StoreError> {
    refuse(page.limit > PAGE_MAX, || format!("a page has at most {PAGE_MAX} items, not {}", page.limit))
}

/// Refuses an aggregation that is out of bounds or asks for what cannot be grouped or measured.
pub fn check_aggregation(aggregation: &Aggregation) -> Result<(), StoreError> {
    let Aggregation { group_by, aggregates, limit, .. } = aggregation;
    refuse(*limit > GROUPS_MAX, || format!("at most {GROUPS_MAX} groups are listed, not {limit}"))?;
    refuse(group_by.len() > COLUMNS_MAX, || format!("items are grouped by at most {COLUMNS_MAX} fields"))?;
    for key in group_by {
        check_groupable(key)?;
    }
    check_aggregates(aggregates)
}

/// Refuses aggregates that are too many or cannot be measured.
pub fn check_aggregates(aggregates: &[Aggregate]) -> Result<(), StoreError> {
    refuse(aggregates.len() > COLUMNS_MAX, || format!("at most {COLUMNS_MAX} aggregates are measured at once"))?;
    for aggregate in aggregates {
        match aggregate {
            Aggregate::CountUnique(key) => check_groupable(key)?,
            Aggregate::Percentile(_, part) => {
                refuse(!(0.0..=1.0).contains(part), || format!("{part} is not a part between 0 and 1"))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Refuses a field whose values are not grouped: ids of items, of which each has its own.
pub fn check_groupable(key: &str) -> Result<(), StoreError> {
    refuse(ItemField::named(key) == ItemField::Id, || format!("items are not grouped by {key:?}: each has its own"))
}

/// Bytes of the name and the attributes of an item.
pub fn described_bytes(item: &TraceItem) -> usize {
    let attribute = |(key, value): (&String, &AttributeValue)| match value {
        AttributeValue::Text(text) => key.len() + text.len(),
        _ => key.len() + size_of::<AttributeValue>(),
    };
    item.name.len() + item.attributes.iter().map(attribute).sum::<usize>()
}

/// Brings the items of a trace into their order and within their bounds.
pub fn arrange_trace(items: &mut Vec<TraceItem>, limit: usize) {
    items.sort_by_key(|item| (item.timestamp, item.id, item.project_id, item.kind));
    items.truncate(limit.min(TRACE_ITEMS_MAX));
    let mut bytes = 0;
    let beyond = items.iter().position(|item| {
        bytes += described_bytes(item);
        bytes > TRACE_BYTES_MAX
    });
    items.truncate(beyond.map_or(items.len(), |place| place.max(1)));
}

fn refuse(is_wrong: bool, message: impl FnOnce() -> String) -> Result<(), StoreError> {
    if is_wrong { Err(StoreError::Invalid(message())) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::order_of;

    #[test]
    fn numbers_keep_their_order() {
        let numbers = [f64::MIN, -2.5, -1.0, 0.0, 1e-300, 1.0, 2.0, 1e300];
        let orders: Vec<i64> = numbers.iter().map(|number| order_of(Some(*number))).collect();
        assert!(orders.is_sorted_by(|a, b| a < b), "{orders:?}");
        assert!(order_of(None) < orders[0]);
        assert_eq!(order_of(Some(-0.0)), order_of(Some(0.0)));
    }
}
