//! Measures of events, spans, log lines and metrics over time (`reference/web-api.md` §4.2).

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use nuthatch_protocol::Timestamp;
use nuthatch_store::{
    event_groups::EventCount,
    traces::{Aggregate, Aggregation, Group, Groups},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use super::{
    event_rows::{EventGrouping, Values},
    event_search::SelectedEvents,
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
    trace_items::{
        Column, Columns,
        column::Measure,
        value::{of_group, of_measure},
    },
};

/// Most series at once.
const AXES_MAX: usize = 10;

/// Most groups with a series of their own.
const TOP_MAX: usize = 10;

/// The series of all groups that have none of their own.
const OTHER: &str = "Other";

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
    /// Of events: so many groups, at most 10, have a series each; the others together are `Other`.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<u32>)]
    top_events: Option<String>,
    /// What the events of such a group share, and what `sort` may be by.
    field: Vec<String>,
    /// Which groups are the top ones: a field or function, with `-` in front for the largest first. When absent those
    /// with the largest first function.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    sort: Option<String>,
    /// `1`: without `Other`.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    exclude_other: Option<String>,
}

/// A measure over time. With several functions the answer is an object of such, by function, each with its `order`. With
/// `topEvents` it is an object of such answers, by the values of the groups with commas between them.
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

/// Measures of events, spans, log lines or metrics per interval.
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
    let axes = axes(&wanted.y_axis)?;
    let aggregates: Vec<Aggregate> = axes.iter().map(|(_, measure)| measure.aggregate.clone()).collect();
    if let Some(set) = search.events() {
        let selected = SelectedEvents::of(&api, &place, set, &search, &period).await?;
        let intervals = intervals(wanted.interval.as_deref(), selected.from, selected.until)?;
        let frame = Frame { axes, intervals, dataset: set.name() };
        return match wanted.top()? {
            Some(top) => top_events(&api, &selected, &frame, &wanted, top).await.map(Json),
            None => {
                let grouping =
                    EventGrouping::read(Vec::new(), aggregates).map_err(|message| wrong("yAxis", message))?;
                let (groups, _) = grouping.groups(&api, &selected, Some(frame.intervals.secs as u32)).await?;
                let found = groups.iter().map(|((start, _), counted)| (start.secs(), grouping.measured(counted)));
                Ok(Json(frame.answer(&found.collect(), 0)))
            }
        };
    }
    if wanted.top_events.is_some() {
        return Err(wrong("topEvents", "is for events only; ask for each group with a query of its own".to_owned()));
    }
    let selected = search.select(&api, &place, &period).await?;
    let intervals = intervals(wanted.interval.as_deref(), selected.from, selected.until)?;
    let found = match &selected.query {
        Some(query) => api.traces.histogram(query, intervals.secs as u32, &aggregates).await?,
        None => Vec::new(),
    };
    let found = found.into_iter().map(|(start, values)| (start.secs(), values)).collect();
    Ok(Json(Frame { axes, intervals, dataset: selected.dataset.name() }.answer(&found, 0)))
}

/// What was measured in each interval, by its first second.
type Measured = BTreeMap<i64, Vec<Option<f64>>>;

/// What all series of an answer share.
struct Frame {
    axes: Vec<(String, Measure)>,
    intervals: Intervals,
    dataset: &'static str,
}

impl Frame {
    /// The series of the functions: one as it is, several by function.
    fn answer(&self, found: &Measured, order: usize) -> Value {
        if let [axis] = &self.axes[..] {
            return self.series(axis, 0, found, order);
        }
        let all = self.axes.iter().enumerate();
        Value::Object(all.map(|(n, axis)| (axis.0.clone(), self.series(axis, n, found, n))).collect())
    }

    /// The series of the function with this number.
    fn series(&self, (text, measure): &(String, Measure), number: usize, found: &Measured, order: usize) -> Value {
        let Self { intervals, dataset, .. } = self;
        let described = Column::Measure(measure.clone()).described().unwrap_or(("number", None));
        let data = (0..intervals.count).map(|n| {
            let start = intervals.first + n * intervals.secs;
            let value = found.get(&start).and_then(|values| values.get(number).copied().flatten());
            let shown = of_measure(value, measure, intervals.secs as f64);
            json!([start, [{ "count": if shown.is_null() { json!(0) } else { shown } }]])
        });
        json!(ItemSeries {
            data: data.collect(),
            start: intervals.first,
            end: intervals.first + intervals.count * intervals.secs,
            meta: SeriesMeta {
                fields: BTreeMap::from([(text.clone(), described.0)]),
                units: BTreeMap::from([(text.clone(), described.1)]),
                dataset,
            },
            is_metrics_data: false,
            order,
        })
    }
}

impl SeriesQuery {
    /// How many groups have a series of their own.
    fn top(&self) -> Result<Option<usize>, ApiError> {
        let Some(text) = self.top_events.as_deref().filter(|text| !text.is_empty()) else { return Ok(None) };
        match text.parse() {
            Ok(top @ 1..=TOP_MAX) => Ok(Some(top)),
            _ => Err(wrong("topEvents", format!("{text:?} is not a number of 1 to {TOP_MAX}"))),
        }
    }
}

/// A series for each of the top groups, and one of all others.
async fn top_events(
    api: &Api,
    selected: &SelectedEvents,
    frame: &Frame,
    wanted: &SeriesQuery,
    top: usize,
) -> Result<Value, ApiError> {
    let texts = wanted.field.iter().chain(frame.axes.iter().map(|(text, _)| text)).cloned().collect::<Vec<_>>();
    let columns = Columns::read(&texts).map_err(|message| wrong("field", message))?;
    let names: Vec<&String> =
        columns.0.iter().filter(|(_, column)| matches!(column, Column::Field(_))).map(|(text, _)| text).collect();
    if names.is_empty() {
        return Err(wrong("field", "topEvents needs a field that the events of a group share".to_owned()));
    }
    let first = frame.axes.first().map_or(String::new(), |(text, _)| format!("-{text}"));
    let sort = wanted.sort.as_deref().filter(|sort| !sort.is_empty()).unwrap_or(&first);
    let order = columns.order(sort).map_err(|message| wrong("sort", message))?;
    let grouping = EventGrouping::read(columns.fields(), columns.aggregates());
    let grouping = grouping.map_err(|message| wrong("field", message))?;
    let (groups, _) = grouping.groups(api, selected, Some(frame.intervals.secs as u32)).await?;

    // Over all intervals, to find the top ones.
    let mut whole: BTreeMap<&Values, EventCount> = BTreeMap::new();
    for ((_, values), counted) in &groups {
        add(&mut whole, values, counted);
    }
    let whole = whole
        .into_iter()
        .map(|(values, counted)| Group { values: values.clone(), measured: grouping.measured(&counted) });
    let aggregation =
        Aggregation { group_by: columns.fields(), aggregates: columns.aggregates(), order: Some(order), limit: top };
    let tops: Vec<Values> =
        Groups::arranged(whole.collect(), &aggregation, true).rows.into_iter().map(|group| group.values).collect();

    let measured = |counts: BTreeMap<i64, EventCount>| {
        let of_axes = |counted: &EventCount| {
            let all = grouping.measured(counted);
            let places = columns.0.iter().filter(|(_, column)| matches!(column, Column::Measure(_)));
            let by_text: BTreeMap<&String, Option<f64>> = places.map(|(text, _)| text).zip(all).collect();
            frame.axes.iter().map(|(text, _)| by_text.get(text).copied().flatten()).collect()
        };
        counts.iter().map(|(start, counted)| (*start, of_axes(counted))).collect::<Measured>()
    };
    let mut answer = serde_json::Map::new();
    let mut others: BTreeMap<i64, EventCount> = BTreeMap::new();
    let mut of_tops: Vec<BTreeMap<i64, EventCount>> = vec![BTreeMap::new(); tops.len()];
    for ((start, values), counted) in &groups {
        let series = tops.iter().position(|top| top == values).and_then(|place| of_tops.get_mut(place));
        add(series.unwrap_or(&mut others), start.secs(), counted);
    }
    for (order, (values, counts)) in tops.iter().zip(of_tops).enumerate() {
        let shown =
            values.iter().zip(&names).map(|(value, name)| match of_group(value.as_ref(), name, &selected.projects) {
                Value::String(text) => text,
                Value::Null => "None".to_owned(),
                other => other.to_string(),
            });
        answer.insert(shown.collect::<Vec<_>>().join(","), frame.answer(&measured(counts), order));
    }
    if !others.is_empty() && !matches!(wanted.exclude_other.as_deref(), Some("1" | "true")) {
        answer.insert(OTHER.to_owned(), frame.answer(&measured(others), tops.len()));
    }
    Ok(Value::Object(answer))
}

/// Adds what was counted to what is known under a key.
fn add<K: Ord>(sums: &mut BTreeMap<K, EventCount>, key: K, counted: &EventCount) {
    match sums.get_mut(&key) {
        Some(known) => known.add(counted.clone()),
        None => drop(sums.insert(key, counted.clone())),
    }
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
