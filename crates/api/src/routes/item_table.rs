//! Tables of events, spans, log lines and metrics (`reference/web-api.md` §4.1).

use std::{fmt, num::ParseIntError, str::FromStr};

use axum::{
    Json,
    extract::{OriginalUri, State},
    response::IntoResponse,
};
use nuthatch_protocol::{EventId, Timestamp, TraceItem, TraceItemKind};
use nuthatch_store::{
    projects::Project,
    traces::{Aggregation, GROUPS_MAX, Group, Groups, Place, TracePage, TraceQuery},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::{IntoParams, ToSchema};

use super::{
    event_rows::{self, EventGrouping},
    event_search::SelectedEvents,
    item_search::{ItemSearch, Selected, wrong},
    paths::OrganizationPath,
};
use crate::{
    Api,
    auth::{
        access::{InOrganization, Within},
        scope::EventRight,
    },
    error::{ApiError, ErrorBody},
    event_table,
    page::{Cursor, Links, cut},
    period::Period,
    query::{Paging, Query, single},
    trace_items::{
        Column, Columns,
        column::{descending, stored_name},
        value::{of_group, of_item, of_measure, type_of},
    },
};

/// The columns of a table and the order of its rows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct TableQuery {
    /// Columns: fields and attributes, or functions such as `count()` and `p95(span.duration)`. With a function, rows
    /// with the same plain fields are one row.
    field: Vec<String>,
    /// A column, with `-` in front for the largest first. Without functions: `timestamp` or a field with numbers; newest
    /// first when absent.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    sort: Option<String>,
}

/// A table.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Table {
    /// Rows; their members are the texts of `field`.
    #[schema(value_type = Vec<std::collections::BTreeMap<String, Object>>)]
    data: Vec<Map<String, Value>>,
    meta: TableMeta,
}

/// What the columns of a table are.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TableMeta {
    /// `string`, `integer`, `number`, `boolean`, `date`, `duration`, `percentage` or `rate`, by column.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    fields: Map<String, Value>,
    /// `millisecond`, `1/minute`, `1/second` or null, by column.
    #[schema(value_type = std::collections::BTreeMap<String, Option<String>>)]
    units: Map<String, Value>,
    dataset: &'static str,
    is_metrics_data: bool,
    #[schema(value_type = Object)]
    tips: Map<String, Value>,
    dataset_reason: &'static str,
    /// `full`, or `partial` when there were more groups than are looked at.
    data_scanned: &'static str,
}

/// Events, spans, log lines or metrics as a table: one row for each, or grouped as soon as a column is a function.
#[utoipa::path(
    get, path = "/api/0/organizations/{org}/events/", operation_id = "listTraceItems", tag = "traces",
    params(OrganizationPath, ItemSearch, TableQuery, Period, Paging),
    responses((status = 200, body = Table), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn table(
    State(api): State<Api>,
    place: Within<InOrganization, EventRight>,
    OriginalUri(uri): OriginalUri,
    Query(search): Query<ItemSearch>,
    Query(wanted): Query<TableQuery>,
    Query(period): Query<Period>,
    Query(paging): Query<Paging>,
) -> Result<impl IntoResponse, ApiError> {
    let columns = Columns::read(&wanted.field).map_err(|message| wrong("field", message))?;
    let sort = wanted.sort.as_deref().unwrap_or_default();
    let is_grouped = !columns.aggregates().is_empty();
    let (data, links, data_scanned, dataset) = if let Some(set) = search.events() {
        let selected = SelectedEvents::of(&api, &place, set, &search, &period).await?;
        let (data, links, scanned) = if is_grouped {
            event_groups(&api, &selected, &columns, sort, &paging).await?
        } else {
            let (rows, links) = event_rows::rows(&api, &selected, &columns, sort, &paging).await?;
            (rows, links, "full")
        };
        (data, links, scanned, set.name())
    } else {
        let selected = search.select(&api, &place, &period).await?;
        let (data, links, scanned) = if is_grouped {
            groups(&api, &selected, &columns, sort, &paging).await?
        } else {
            let (rows, links) = items(&api, &selected, &columns, sort, &paging).await?;
            (rows, links, "full")
        };
        (data, links, scanned, selected.dataset.name())
    };
    let described = |column: &Column| match column {
        Column::Field(field) if search.events().is_some() => {
            event_table::described(field).map(|of_type| (of_type, None))
        }
        column => column.described(),
    };
    let meta = meta(&columns, &data, dataset, data_scanned, described);
    Ok((links.header(&api.public_url, &uri), Json(Table { data, meta })))
}

/// One row for each item.
async fn items(
    api: &Api,
    selected: &Selected,
    columns: &Columns,
    sort: &str,
    paging: &Paging,
) -> Result<(Vec<Map<String, Value>>, Links), ApiError> {
    let (is_descending, by) = if sort.is_empty() { (true, "timestamp") } else { descending(sort) };
    let by = match Column::read(by) {
        Ok(Column::Field(field)) if stored_name(&field) == "timestamp" => None,
        Ok(Column::Field(field)) => Some(stored_name(&field).to_owned()),
        _ => return Err(wrong("sort", format!("{by:?} is no field of a table without functions"))),
    };
    let cursor = Cursor::<RankedId>::read(paging.cursor.as_deref())?;
    let (found, links) = page(api, selected.query.as_ref(), by, is_descending, cursor, paging.rows()?).await?;
    let rows = found.iter().map(|item| {
        let mut row = Map::new();
        row.insert("id".to_owned(), selected.dataset.id(item));
        row.insert("project.name".to_owned(), of_item(item, "project.name", &selected.projects));
        if item.kind == TraceItemKind::Span {
            for field in ["transaction.span_id", "trace"] {
                row.insert(field.to_owned(), of_item(item, field, &selected.projects));
            }
        }
        let shown = columns.0.iter().filter(|(text, _)| text != "id");
        row.extend(shown.map(|(text, _)| (text.clone(), of_item(item, text, &selected.projects))));
        row
    });
    Ok((rows.collect(), links))
}

/// A page of items with the cursors around it.
pub(super) async fn page(
    api: &Api,
    query: Option<&TraceQuery>,
    by: Option<String>,
    is_descending: bool,
    cursor: Option<Cursor<RankedId>>,
    limit: usize,
) -> Result<(Vec<TraceItem>, Links), ApiError> {
    let backwards = cursor.is_some_and(|cursor| cursor.backwards);
    let place =
        |cursor: Cursor<RankedId>| Place { rank: cursor.key.rank, time: Timestamp(cursor.value), id: cursor.key.id };
    let page = TracePage { by, ascending: is_descending == backwards, after: cursor.map(place), limit };
    let mut rows = match query {
        Some(query) => api.traces.search(query, &page).await?,
        None => Vec::new(),
    };
    // In the direction one came from there is at least the row of the cursor; in the other one has to look.
    let is_more = match (query, rows.last()) {
        (Some(query), Some(last)) if rows.len() == limit => {
            let beside = TracePage { after: Some(page.place(last)), limit: 1, ..page.clone() };
            !api.traces.search(query, &beside).await?.is_empty()
        }
        _ => false,
    };
    if backwards {
        rows.reverse();
    }
    let links = Links::around(&rows, cursor, is_more, |row| {
        let Place { rank, time, id } = page.place(row);
        (time.0, RankedId { rank, id })
    });
    Ok((rows, links))
}

/// The part of a place in a table that comes before and behind its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RankedId {
    rank: i64,
    id: EventId,
}

impl fmt::Display for RankedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.rank, self.id)
    }
}

impl FromStr for RankedId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (rank, id) = text.split_once('.').ok_or(())?;
        Ok(Self { rank: rank.parse().map_err(|_: ParseIntError| ())?, id: id.parse().map_err(|_| ())? })
    }
}

/// One row for each group of items.
async fn groups(
    api: &Api,
    selected: &Selected,
    columns: &Columns,
    sort: &str,
    paging: &Paging,
) -> Result<(Vec<Map<String, Value>>, Links, &'static str), ApiError> {
    let aggregation = aggregation(columns, sort)?;
    let groups = match &selected.query {
        Some(query) => api.traces.aggregate(query, &aggregation).await?,
        None => Groups { rows: Vec::new(), is_complete: true },
    };
    group_rows(groups, columns, &selected.projects, selected.until, selected.from, paging)
}

/// One row for each group of events.
async fn event_groups(
    api: &Api,
    selected: &SelectedEvents,
    columns: &Columns,
    sort: &str,
    paging: &Paging,
) -> Result<(Vec<Map<String, Value>>, Links, &'static str), ApiError> {
    let aggregation = aggregation(columns, sort)?;
    let grouping = EventGrouping::read(columns.fields(), columns.aggregates());
    let grouping = grouping.map_err(|message| wrong("field", message))?;
    let (rows, is_complete) = grouping.table(api, selected).await?;
    let groups = Groups::arranged(rows, &aggregation, is_complete);
    group_rows(groups, columns, &selected.projects, selected.until, selected.from, paging)
}

/// What is asked of the groups of a table.
fn aggregation(columns: &Columns, sort: &str) -> Result<Aggregation, ApiError> {
    let order = match sort {
        "" => None,
        sort => Some(columns.order(sort).map_err(|message| wrong("sort", message))?),
    };
    Ok(Aggregation { group_by: columns.fields(), aggregates: columns.aggregates(), order, limit: GROUPS_MAX })
}

/// A page of rows, and how much was looked at for them.
type Rows = (Vec<Map<String, Value>>, Links, &'static str);

/// A page of the groups as rows.
fn group_rows(
    groups: Groups,
    columns: &Columns,
    projects: &[Project],
    until: Timestamp,
    from: Timestamp,
    paging: &Paging,
) -> Result<Rows, ApiError> {
    let data_scanned = if groups.is_complete { "full" } else { "partial" };
    let (found, links) = cut(groups.rows, paging.cursor.as_deref(), paging.rows()?)?;
    let secs = until.as_secs_f64() - from.as_secs_f64();
    let row = |group: &Group| {
        let (mut values, mut measured) = (group.values.iter(), group.measured.iter());
        let cell = |(text, column): &(String, Column)| {
            let value = match column {
                Column::Field(field) => of_group(values.next().and_then(Option::as_ref), field, projects),
                Column::Measure(measure) => of_measure(measured.next().copied().flatten(), measure, secs),
            };
            (text.clone(), value)
        };
        columns.0.iter().map(cell).collect()
    };
    Ok((found.iter().map(row).collect(), links, data_scanned))
}

fn meta(
    columns: &Columns,
    rows: &[Map<String, Value>],
    dataset: &'static str,
    data_scanned: &'static str,
    described: impl Fn(&Column) -> Option<(&'static str, Option<&'static str>)>,
) -> TableMeta {
    let (mut fields, mut units) = (Map::new(), Map::new());
    for (text, column) in &columns.0 {
        let (of_type, unit) = described(column).unwrap_or_else(|| {
            // Attributes have the type of their values.
            let of_value = rows.iter().find_map(|row| row.get(text).and_then(type_of));
            (of_value.unwrap_or("string"), None)
        });
        fields.insert(text.clone(), json!(of_type));
        units.insert(text.clone(), json!(unit));
    }
    let extra = ["id", "project.name", "transaction.span_id", "trace"];
    for name in extra.into_iter().filter(|name| rows.first().is_some_and(|row| row.contains_key(*name))) {
        fields.entry(name).or_insert(json!("string"));
        units.entry(name).or_insert(Value::Null);
    }
    TableMeta {
        fields,
        units,
        dataset,
        is_metrics_data: false,
        tips: Map::new(),
        dataset_reason: "unchanged",
        data_scanned,
    }
}
