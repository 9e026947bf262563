//! Pages of events, newest first, and what lies beside an event.

use nuthatch_protocol::{EventId, Timestamp};
use nuthatch_query::{Expr, Op, Term, Value};
use nuthatch_store::events::{EventPage, EventQuery, EventSummary};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    Api,
    error::ApiError,
    page::{Cursor, Links},
    query::{Paging, single},
    search::parse_event_search,
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
    let at = |row: Option<&EventSummary>, backwards| match row {
        Some(row) => Cursor { value: row.timestamp.0, key: row.event_id, backwards },
        None => Cursor { value: 0, key: EventId([0; 16]), backwards },
    };
    let (first, last) = (at(rows.first(), true), at(rows.last(), false));
    // In the direction one came from there is at least the row of the cursor; in the other one has to look.
    let has_previous = match (backwards, rows.first()) {
        (true, Some(first)) => beside(api, query, first, !oldest_first).await?.is_some(),
        _ => cursor.is_some() && !backwards,
    };
    let has_next = match (backwards, rows.last()) {
        (false, Some(last)) if rows.len() == limit => beside(api, query, last, oldest_first).await?.is_some(),
        _ => backwards,
    };
    let links = Links { previous: first.to_string(), has_previous, next: last.to_string(), has_next };
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
