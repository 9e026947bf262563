//! Sums of outcomes (`reference/web-api.md` §4.4).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Sums of outcomes over time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OutcomeStats {
    /// When the first interval begins.
    pub(crate) start: String,
    /// When the last interval ends.
    pub(crate) end: String,
    /// When each interval begins.
    pub(crate) intervals: Vec<String>,
    /// One for each combination of what was grouped by that occurred, the largest first.
    pub(crate) groups: Vec<OutcomeStatsGroup>,
}

/// One group.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OutcomeStatsGroup {
    /// What it is of: `outcome`, `category`, `reason` and `key` as words, `project` as a number.
    #[schema(value_type = BTreeMap<String, Value>)]
    pub(crate) by: BTreeMap<&'static str, Value>,
    /// By field, over all intervals.
    #[schema(value_type = BTreeMap<String, u64>)]
    pub(crate) totals: BTreeMap<&'static str, u64>,
    /// By field, of each interval.
    #[schema(value_type = BTreeMap<String, Vec<u64>>)]
    pub(crate) series: BTreeMap<&'static str, Vec<u64>>,
}
