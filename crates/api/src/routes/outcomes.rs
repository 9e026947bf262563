//! What became of what was received (`reference/web-api.md` §4.4).

use std::{collections::BTreeMap, str::FromStr};

use axum::{Json, extract::State};
use nuthatch_protocol::{DataCategory, KeyId, Outcome, Timestamp};
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

/// The only field there is.
const FIELD: &str = "sum(quantity)";

/// Seconds of the shortest interval.
const MINUTE_SECS: i64 = 60;

/// Which outcomes, and how they are summed up. What may repeat is one of several.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", default)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct OutcomeSearch {
    /// `sum(quantity)`, which is also meant when absent.
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
    if let Some(other) = search.field.iter().find(|field| *field != FIELD) {
        return Err(ApiError::Invalid(format!("field {other:?} is not {FIELD}")));
    }
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
    let mut series: BTreeMap<OutcomeGroup, Vec<(i64, u64)>> = BTreeMap::new();
    for sum in api.meta.outcome_sums(&query).await? {
        series.entry(sum.group).or_default().push((sum.start_minute * MINUTE_SECS, sum.quantity));
    }
    let mut groups: Vec<OutcomeStatsGroup> = series
        .into_iter()
        .map(|(group, counts)| {
            let counts: Vec<u64> = intervals.fill(counts).into_iter().map(|(_, count)| count).collect();
            let total = counts.iter().sum();
            OutcomeStatsGroup {
                by: words(group),
                totals: BTreeMap::from([(FIELD, total)]),
                series: BTreeMap::from([(FIELD, counts)]),
            }
        })
        .collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.totals[FIELD]));
    let time = |n: i64| Timestamp::from_secs(intervals.first + n * intervals.secs).to_string();
    Ok(Json(OutcomeStats {
        start: time(0),
        end: time(intervals.count),
        intervals: (0..intervals.count).map(time).collect(),
        groups,
    }))
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
