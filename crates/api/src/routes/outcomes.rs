//! What became of what was received (`reference/web-api.md` §4.4).

use std::{collections::BTreeMap, str::FromStr};

use axum::{Json, extract::State};
use nuthatch_protocol::{CategoryUnit, DataCategory, KeyId, Outcome, Timestamp};
use nuthatch_store::outcomes::{OutcomeGroup, OutcomeGrouping, OutcomeQuery};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

use super::paths::OrganizationPath;
use crate::{
    Api,
    auth::{
        access::{InOrganization, Within, chosen},
        scope::OrganizationRight,
    },
    error::{ApiError, ErrorBody},
    period::Period,
    query::{Query, single},
    series::Intervals,
    shape::outcome::{OutcomeStats, OutcomeStatsGroup},
};

/// Quantities, in what each category is counted in.
const QUANTITY: &str = "sum(quantity)";

/// How often something was seen: the quantity of what is counted in items.
const TIMES_SEEN: &str = "sum(times_seen)";

/// Seconds of the shortest interval.
const MINUTE_SECS: i64 = 60;

/// Which outcomes, and how they are summed up. What may repeat is one of several.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", default)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct OutcomeSearch {
    /// `sum(quantity)`, which is also meant when absent, and `sum(times_seen)`, which is the same of the categories that are
    /// counted in items and not in bytes or time.
    field: Vec<String>,
    /// `outcome`, `category`, `reason`, `project`, `key`.
    group_by: Vec<String>,
    /// Slugs or ids; `-1` or absent: all.
    project: Vec<String>,
    /// Ids of keys.
    key: Vec<String>,
    /// Categories, for instance `error`.
    category: Vec<String>,
    /// `accepted`, `filtered`, `rate_limited`, `invalid`, `client_discard`.
    outcome: Vec<String>,
    /// Reasons, for instance `duplicate`.
    reason: Vec<String>,
    /// Length of an interval, in whole minutes: `1m`, `1h`, `1d`. By the hour up to seven days and then by the day when
    /// absent. What is older than seven days is kept by the hour.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    interval: Option<String>,
}

/// What was counted of each field, by the beginning of an interval in seconds.
type CountsOfFields = BTreeMap<&'static str, Vec<(i64, u64)>>;

/// What was received over the period (a day when absent) and what became of it. The sum over all outcomes but
/// `client_discard` is what was received.
#[utoipa::path(
    get, path = "/api/0/organizations/{org}/stats_v2/", operation_id = "getOrganizationStats", tag = "organizations",
    params(OrganizationPath, OutcomeSearch, Period),
    responses((status = 200, body = OutcomeStats), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn stats(
    State(api): State<Api>,
    place: Within<InOrganization, OrganizationRight>,
    Query(search): Query<OutcomeSearch>,
    Query(period): Query<Period>,
) -> Result<Json<OutcomeStats>, ApiError> {
    let fields = fields(&search.field)?;
    let by = grouping(&search.group_by)?;
    let intervals = Intervals::of_period(&period, search.interval.as_deref(), MINUTE_SECS, api.now())?;
    let projects = place.projects(&api).await?;
    let query = OutcomeQuery {
        projects: chosen(&projects, &search.project)?.iter().map(|project| project.id).collect(),
        keys: read::<KeyId>("key", &search.key)?,
        categories: read::<DataCategory>("category", &search.category)?,
        outcomes: read::<Outcome>("outcome", &search.outcome)?,
        reasons: search.reason,
        from_minute: intervals.first / MINUTE_SECS,
        until_minute: (intervals.first + intervals.count * intervals.secs) / MINUTE_SECS,
        interval_minutes: intervals.secs / MINUTE_SECS,
        by,
    };
    let mut found: BTreeMap<OutcomeGroup, CountsOfFields> = BTreeMap::new();
    for field in &fields {
        let Some(categories) = categories(field, &query.categories) else { continue };
        for sum in api.meta.outcome_sums(&OutcomeQuery { categories, ..query.clone() }).await? {
            let counts = found.entry(sum.group).or_default().entry(*field).or_default();
            counts.push((sum.start_minute * MINUTE_SECS, sum.quantity));
        }
    }
    let mut groups: Vec<OutcomeStatsGroup> = found
        .into_iter()
        .map(|(group, mut counts)| {
            let mut filled = |field: &'static str| {
                let counts = intervals.fill(counts.remove(field).unwrap_or_default());
                (field, counts.into_iter().map(|(_, count)| count).collect())
            };
            let series: BTreeMap<_, Vec<u64>> = fields.iter().copied().map(&mut filled).collect();
            let totals = series.iter().map(|(field, counts)| (*field, counts.iter().sum())).collect();
            OutcomeStatsGroup { by: words(group), totals, series }
        })
        .collect();
    groups.sort_by_key(|group| std::cmp::Reverse(fields.first().and_then(|field| group.totals.get(field)).copied()));
    let time = |n: i64| Timestamp::from_secs(intervals.first + n * intervals.secs).to_string();
    Ok(Json(OutcomeStats {
        start: time(0),
        end: time(intervals.count),
        intervals: (0..intervals.count).map(time).collect(),
        groups,
    }))
}

/// The fields that are asked for, each once.
fn fields(names: &[String]) -> Result<Vec<&'static str>, ApiError> {
    let mut fields = Vec::new();
    for name in names {
        let known = [QUANTITY, TIMES_SEEN].into_iter().find(|known| known == name);
        let known =
            known.ok_or_else(|| ApiError::Invalid(format!("field {name:?} is not {QUANTITY} or {TIMES_SEEN}")))?;
        if !fields.contains(&known) {
            fields.push(known);
        }
    }
    Ok(if fields.is_empty() { vec![QUANTITY] } else { fields })
}

/// The categories that a field is about, of those that are asked for (all when empty); `None` when it is about none.
fn categories(field: &str, asked: &[DataCategory]) -> Option<Vec<DataCategory>> {
    if field == QUANTITY {
        return Some(asked.to_vec());
    }
    let asked = if asked.is_empty() { DataCategory::ALL } else { asked };
    let counted: Vec<_> = asked.iter().copied().filter(|category| category.unit() == CategoryUnit::Items).collect();
    (!counted.is_empty()).then_some(counted)
}

fn grouping(names: &[String]) -> Result<OutcomeGrouping, ApiError> {
    let mut by = OutcomeGrouping::default();
    for name in names {
        *match name.as_str() {
            "outcome" => &mut by.outcome,
            "category" => &mut by.category,
            "reason" => &mut by.reason,
            "project" => &mut by.project,
            "key" => &mut by.key,
            other => {
                let detail = format!("groupBy {other:?} is not outcome, category, reason, project or key");
                return Err(ApiError::Invalid(detail));
            }
        } = true;
    }
    Ok(by)
}

fn words(group: OutcomeGroup) -> BTreeMap<&'static str, Value> {
    let OutcomeGroup { project, key, category, outcome, reason } = group;
    let known = [
        ("project", project.map(|id| json!(id))),
        ("key", key.map(|id| json!(id.to_string()))),
        ("category", category.map(|category| json!(category))),
        ("outcome", outcome.map(|outcome| json!(outcome))),
        ("reason", reason.map(Value::from)),
    ];
    known.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn read<T: FromStr>(name: &str, words: &[String]) -> Result<Vec<T>, ApiError> {
    let read = |word: &String| word.parse().map_err(|_| ApiError::Invalid(format!("{name} {word:?} is not known")));
    words.iter().map(read).collect()
}
