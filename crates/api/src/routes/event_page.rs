//! Pages of events, newest first, and what lies beside an event.

use nuthatch_protocol::{Event as Canonical, EventId, IssueId, Timestamp};
use nuthatch_query::{Expr, Op, Term, Value};
use nuthatch_store::events::{EventPage, EventQuery, EventSummary};
use serde::Deserialize;
use utoipa::IntoParams;

use super::event_lookup::body;
use crate::{
    Api,
    error::ApiError,
    page::{Cursor, Links},
    query::{Paging, single},
    search::parse_event_search,
    shape::event::{Event, EventRow, Neighbours},
};

/// Which events.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct EventSearch {
    /// Search text over tags, title, message, stack; empty or absent: all.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    query: Option<String>,
    /// Only in these environments.
    environment: Vec<String>,
}

impl EventSearch {
    /// The condition on events.
    pub(super) fn filter(&self, now: Timestamp) -> Result<Expr, ApiError> {
        let mut parts = vec![parse_event_search(self.query.as_deref().unwrap_or_default(), now)?];
        parts.extend(in_environments(&self.environment));
        Ok(Expr::And(parts))
    }
}

/// How events are listed.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct EventListing {
    /// `1`: whole events instead of rows.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    full: Option<String>,
}

impl EventListing {
    pub(super) fn is_full(&self) -> bool {
        matches!(self.full.as_deref(), Some("1" | "true"))
    }
}

/// Rows of the events of a page, each with the issue that shows it. What the index does not keep is in their bodies.
pub(super) async fn light(api: &Api, events: Vec<(EventSummary, Option<IssueId>)>) -> Result<Vec<EventRow>, ApiError> {
    let mut rows = Vec::with_capacity(events.len());
    for (event, issue) in events {
        let body = canonical(api, &event).await?;
        rows.push(EventRow::new(&event, body.as_ref(), issue));
    }
    Ok(rows)
}

/// The canonical event of a row, if it is still there.
pub(super) async fn canonical(api: &Api, event: &EventSummary) -> Result<Option<Canonical>, ApiError> {
    let stored = api.events.get(event.project_id, event.event_id).await?;
    Ok(stored.and_then(|stored| serde_json::from_slice(&stored.body).ok()))
}

/// Whole events of a page, each with the issue that shows it.
pub(super) async fn whole(api: &Api, events: Vec<(EventSummary, Option<IssueId>)>) -> Result<Vec<Event>, ApiError> {
    let mut whole = Vec::with_capacity(events.len());
    for (event, issue) in events {
        let Some(stored) = api.events.get(event.project_id, event.event_id).await? else { continue };
        whole.push(body(api, &stored, issue, Neighbours::default()).await?);
    }
    Ok(whole)
}

/// The condition that an event is in one of these environments; `None` when it may be in any.
pub(super) fn in_environments(names: &[String]) -> Option<Expr> {
    let names: Vec<Value> = names.iter().filter(|name| !name.is_empty()).cloned().map(Value::Text).collect();
    (!names.is_empty()).then(|| Expr::Term(Term { key: "environment".to_owned(), op: Op::In(names) }))
}

/// A page of events, the newest or the oldest first.
pub(super) async fn page(
    api: &Api,
    query: &EventQuery,
    paging: &Paging,
    oldest_first: bool,
) -> Result<(Vec<EventSummary>, Links), ApiError> {
    let cursor = Cursor::<EventId>::read(paging.cursor.as_deref())?;
    let backwards = cursor.is_some_and(|cursor| cursor.backwards);
    let after = cursor.map(|cursor| (Timestamp(cursor.value), cursor.key));
    let limit = paging.rows()?;
    let mut rows = api.events.search(query, &EventPage { ascending: backwards != oldest_first, after, limit }).await?;
    if backwards {
        rows.reverse();
    }
    let outermost = if backwards { rows.first() } else { rows.last() };
    let goes_on = match outermost.filter(|_| rows.len() == limit) {
        Some(row) => beside(api, query, row, backwards != oldest_first).await?.is_some(),
        None => false,
    };
    let links = Links::around(&rows, cursor, goes_on, |row| (row.timestamp.0, row.event_id));
    Ok((rows, links))
}

/// The newer or older neighbour of an event among those of a query.
pub(super) async fn beside(
    api: &Api,
    query: &EventQuery,
    event: &EventSummary,
    newer: bool,
) -> Result<Option<EventId>, ApiError> {
    let page = EventPage { ascending: newer, after: Some((event.timestamp, event.event_id)), limit: 1 };
    Ok(api.events.search(query, &page).await?.first().map(|row| row.event_id))
}
