//! Measures of spans, log lines and metrics over time (`reference/web-api.md` §4.2).

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use nuthatch_protocol::Timestamp;
use nuthatch_store::traces::Aggregate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use super::{
    item_search::{ItemSearch, wrong},
    paths::OrganizationPath,
};
use crate::{
    Api,
    auth::{
        access::{InOrganization, Within},
        scope::EventRight,
    },
    error::{ApiError, ErrorBody},
    period::{Period, duration},
    query::{Query, single},
    series::{DAY_SECS, HOUR_SECS, INTERVALS_MAX, Intervals},
    trace_items::{Column, column::Measure, value::of_measure},
};

/// Most series at once.
const AXES_MAX: usize = 10;

/// What is measured, and how often.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", default)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct SeriesQuery {
    /// Functions such as `count()`, which is meant when absent, or `p95(span.duration)`.
    y_axis: Vec<String>,
    /// Length of an interval: `5m`, `1h`, `1d`. Follows the period when absent.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    interval: Option<String>,
    /// Not supported: one series for each group.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<u32>)]
    top_events: Option<String>,
}

/// A measure over time. With several functions the answer is an object of such, by function, each with its `order`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ItemSeries {
    /// `[second, [{"count": value}]]`, aligned and without gaps; the last may be incomplete.
    #[schema(value_type = Vec<Vec<Object>>)]
    data: Vec<Value>,
    /// Seconds since the epoch.
    start: i64,
    /// Seconds since the epoch.
    end: i64,
    meta: SeriesMeta,
    is_metrics_data: bool,
    /// Place of the function among those asked for.
    order: usize,
}

/// What a series measures.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SeriesMeta {
    /// Type by function.
    fields: BTreeMap<String, &'static str>,
    /// Unit by function.
    units: BTreeMap<String, Option<&'static str>>,
    dataset: &'static str,
}

/// Measures of spans, log lines or metrics per interval.
#[utoipa::path(
    get, path = "/api/0/organizations/{org}/events-stats/", operation_id = "getTraceItemSeries", tag = "traces",
    params(OrganizationPath, ItemSearch, SeriesQuery, Period),
    responses((status = 200, body = ItemSeries), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn series(
    State(api): State<Api>,
    place: Within<InOrganization, EventRight>,
    Query(search): Query<ItemSearch>,
    Query(wanted): Query<SeriesQuery>,
    Query(period): Query<Period>,
) -> Result<Json<Value>, ApiError> {
    if wanted.top_events.is_some() {
        return Err(wrong("topEvents", "is not supported; ask for each group with a query of its own".to_owned()));
    }
    let axes = axes(&wanted.y_axis)?;
    let selected = search.select(&api, &place, &period).await?;
    let intervals = intervals(wanted.interval.as_deref(), selected.from, selected.until)?;
    let aggregates: Vec<Aggregate> = axes.iter().map(|(_, measure)| measure.aggregate.clone()).collect();
    let found = match &selected.query {
        Some(query) => api.traces.histogram(query, intervals.secs as u32, &aggregates).await?,
        None => Vec::new(),
    };
    let one = |(order, (text, measure)): (usize, (String, Measure))| {
        let described = Column::Measure(measure.clone()).described().unwrap_or(("number", None));
        let by_start: BTreeMap<i64, Option<f64>> =
            found.iter().map(|(start, values)| (start.secs(), values.get(order).copied().flatten())).collect();
        let data = (0..intervals.count).map(|n| {
            let start = intervals.first + n * intervals.secs;
            let value = by_start.get(&start).copied().flatten();
            let shown = of_measure(value, &measure, intervals.secs as f64);
            json!([start, [{ "count": if shown.is_null() { json!(0) } else { shown } }]])
        });
        let series = ItemSeries {
            data: data.collect(),
            start: intervals.first,
            end: intervals.first + intervals.count * intervals.secs,
            meta: SeriesMeta {
                fields: BTreeMap::from([(text.clone(), described.0)]),
                units: BTreeMap::from([(text.clone(), described.1)]),
                dataset: selected.dataset.name(),
            },
            is_metrics_data: false,
            order,
        };
        (text, json!(series))
    };
    let is_one = axes.len() == 1;
    let mut all = axes.into_iter().enumerate().map(one);
    Ok(Json(match all.next() {
        Some((_, series)) if is_one => series,
        first => Value::Object(first.into_iter().chain(all).collect()),
    }))
}

fn axes(texts: &[String]) -> Result<Vec<(String, Measure)>, ApiError> {
    let count = ["count()".to_owned()];
    let texts = if texts.is_empty() { &count } else { texts };
    if texts.len() > AXES_MAX {
        return Err(wrong("yAxis", format!("at most {AXES_MAX} are taken, not {}", texts.len())));
    }
    let axis = |text: &String| match Column::read(text) {
        Ok(Column::Measure(measure)) => Ok((text.clone(), measure)),
        Ok(Column::Field(_)) => Err(wrong("yAxis", format!("{text:?} is a field; functions of fields are shown"))),
        Err(message) => Err(wrong("yAxis", message)),
    };
    texts.iter().map(axis).collect()
}

/// The intervals of a period: as long as asked, or some dozens.
fn intervals(asked: Option<&str>, from: Timestamp, until: Timestamp) -> Result<Intervals, ApiError> {
    let length = until.secs() - from.secs();
    let secs = match asked.filter(|text| !text.is_empty()) {
        Some(text) => {
            let parsed = duration(text).and_then(|length| u32::try_from(length.as_secs()).ok());
            i64::from(parsed.ok_or_else(|| wrong("interval", format!("{text:?} is not a length such as 5m")))?)
        }
        None if length <= HOUR_SECS => 60,
        None if length <= DAY_SECS => 300,
        None if length <= 30 * DAY_SECS => HOUR_SECS,
        None => DAY_SECS,
    };
    // An interval that does not fit is replaced by the shortest that does.
    let shortest = length / INTERVALS_MAX + 1;
    Ok(Intervals::covering(from, until, if secs < shortest { (shortest + 59) / 60 * 60 } else { secs }))
}
