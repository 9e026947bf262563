//! Sums of sessions (`reference/web-api.md` §4.4).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Sums of sessions over time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionStats {
    /// When the first interval begins.
    pub(crate) start: String,
    /// When the last interval ends.
    pub(crate) end: String,
    /// When each interval begins.
    pub(crate) intervals: Vec<String>,
    /// One for each combination of what was grouped by that occurred; one when nothing was grouped.
    pub(crate) groups: Vec<SessionStatsGroup>,
    /// The search text, as it came.
    pub(crate) query: String,
}

/// One group.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionStatsGroup {
    /// What it is of: `project` as a number, `release`, `environment` and `session.status` as words.
    #[schema(value_type = BTreeMap<String, Value>)]
    pub(crate) by: BTreeMap<&'static str, Value>,
    /// Each field over all intervals: counts, rates of 0 to 1, milliseconds; null when there is nothing to take it of.
    #[schema(value_type = BTreeMap<String, Option<f64>>)]
    pub(crate) totals: BTreeMap<String, Value>,
    /// Each field by interval.
    #[schema(value_type = BTreeMap<String, Vec<Option<f64>>>)]
    pub(crate) series: BTreeMap<String, Vec<Value>>,
}
