//! Tables of events: one row for each, or groups as soon as a column is a function (`reference/web-api.md` §4.1).

use std::collections::{BTreeMap, HashSet};

use nuthatch_protocol::Timestamp;
use nuthatch_query::FieldValue;
use nuthatch_store::{
    event_groups::{EventCount, EventGroups, GroupKey, GroupValue, Grouping},
    projects::Project,
    traces::{Aggregate, Group},
};
use serde_json::{Map, Value};

use super::{
    event_lookup::Issues,
    event_page::{canonical, page},
    event_search::SelectedEvents,
    item_search::wrong,
};
use crate::{
    Api,
    error::ApiError,
    event_table::{Row, Shared, measured, needs_body, of_tag, unique_tag},
    page::Links,
    query::Paging,
    trace_items::{Columns, column::descending},
};

/// One row for each event.
pub(super) async fn rows(
    api: &Api,
    selected: &SelectedEvents,
    columns: &Columns,
    sort: &str,
    paging: &Paging,
) -> Result<(Vec<Map<String, Value>>, Links), ApiError> {
    let (newest_first, by) = if sort.is_empty() { (true, "timestamp") } else { descending(sort) };
    if by != "timestamp" {
        return Err(wrong("sort", "a table of events without functions is sorted by timestamp".to_owned()));
    }
    let (found, links) = match &selected.query {
        Some(query) => page(api, query, paging, !newest_first).await?,
        None => (Vec::new(), Links::none()),
    };
    let with_body = columns.0.iter().any(|(field, _)| needs_body(field));
    let mut issues = Issues::default();
    let mut rows = Vec::with_capacity(found.len());
    for event in &found {
        let body = if with_body { canonical(api, event).await? } else { None };
        let issue = issues.of(api, event.project_id, event.hashes.as_slice()).await?;
        let project = selected.projects.iter().find(|project| project.id == event.project_id);
        let row = Row { event, project, issue: issue.as_ref(), body: body.as_ref() };
        let always = ["id", "project.name"].into_iter();
        let fields = always.chain(columns.0.iter().map(|(field, _)| field.as_str()));
        rows.push(fields.map(|field| (field.to_owned(), row.cell(field))).collect());
    }
    Ok((rows, links))
}

/// What is asked of groups of events.
pub(super) struct EventGrouping {
    /// The names of the fields, and what they are for groups.
    fields: Vec<(String, Shared)>,
    /// Tags whose values are told apart.
    unique: Vec<String>,
    aggregates: Vec<Aggregate>,
}

/// What the events of a group have for the fields.
pub(super) type Values = Vec<Option<FieldValue>>;

/// What was counted of the groups of each interval.
pub(super) type Counts = BTreeMap<(Timestamp, Values), EventCount>;

impl EventGrouping {
    /// Reads the fields and functions of a table or series; why not, when events have none such.
    pub(super) fn read(fields: Vec<String>, aggregates: Vec<Aggregate>) -> Result<Self, String> {
        let shared = |field: String| match Shared::named(&field) {
            Some(shared) => Ok((field, shared)),
            None => Err(format!("events cannot be grouped by {field:?}")),
        };
        let mut unique: Vec<String> = Vec::new();
        for aggregate in &aggregates {
            match aggregate {
                Aggregate::Count | Aggregate::LastSeen => {}
                Aggregate::CountUnique(field) => match unique_tag(field) {
                    Some(tag) if unique.contains(&tag) => {}
                    Some(tag) => unique.push(tag),
                    None => return Err(format!("different values of {field:?} cannot be counted of events")),
                },
                _ => return Err("events have count(), count_unique(f), epm(), eps() and last_seen() only".to_owned()),
            }
        }
        Ok(Self { fields: fields.into_iter().map(shared).collect::<Result<_, _>>()?, unique, aggregates })
    }

    /// The groups of the events, by their intervals if there are any, and whether all events were looked at.
    pub(super) async fn groups(
        &self,
        api: &Api,
        selected: &SelectedEvents,
        interval_secs: Option<u32>,
    ) -> Result<(Counts, bool), ApiError> {
        let by_hash = self.fields.iter().any(|(_, shared)| !matches!(shared, Shared::Tag(_)));
        let tags = self.fields.iter().filter_map(|(_, shared)| match shared {
            Shared::Tag(key) => Some(GroupKey::Tag(key.clone())),
            _ => None,
        });
        let by = by_hash.then_some(GroupKey::Hash).into_iter().chain(tags).collect();
        let grouping = Grouping { by, unique: self.unique.clone(), interval_secs };
        let EventGroups { rows, is_complete } = match &selected.query {
            Some(query) => api.events.groups(query, &grouping).await?,
            None => EventGroups { rows: Vec::new(), is_complete: true },
        };
        let mut issues = Issues::default();
        let mut joined = Counts::new();
        for group in rows {
            let values = self.values(api, &selected.projects, &group.values, by_hash, &mut issues).await?;
            match joined.get_mut(&(group.start, values.clone())) {
                Some(known) => known.add(group.counted),
                None => drop(joined.insert((group.start, values), group.counted)),
            }
        }
        Ok((joined, is_complete))
    }

    /// The fields of a group of the store.
    async fn values(
        &self,
        api: &Api,
        projects: &[Project],
        found: &[Option<GroupValue>],
        by_hash: bool,
        issues: &mut Issues,
    ) -> Result<Values, ApiError> {
        let mut found = found.iter();
        let hash = match by_hash.then(|| found.next()).flatten() {
            Some(Some(GroupValue::Hash(project, hash))) => Some((*project, *hash)),
            _ => None,
        };
        let project = hash.and_then(|(id, _)| projects.iter().find(|project| project.id == id));
        let of_issue = self.fields.iter().any(|(_, shared)| matches!(shared, Shared::OfIssue(_)));
        let issue = match hash.filter(|_| of_issue) {
            Some((project, hash)) => issues.of(api, project, &[hash]).await?,
            None => None,
        };
        let value = |(field, shared): &(String, Shared)| match shared {
            Shared::Project => hash.map(|(project, _)| FieldValue::Number(project.0 as f64)),
            Shared::OfIssue(fact) => project.zip(issue.as_ref()).map(|(project, issue)| fact.of(issue, project)),
            Shared::Tag(_) => match found.next() {
                Some(Some(GroupValue::Tag(value))) => Some(of_tag(field, value)),
                _ => None,
            },
        };
        Ok(self.fields.iter().map(value).collect())
    }

    /// What was measured of a group.
    pub(super) fn measured(&self, counted: &EventCount) -> Vec<Option<f64>> {
        self.aggregates.iter().map(|aggregate| measured(aggregate, counted, &self.unique)).collect()
    }

    /// The groups of all times, as tables have them, and whether all events were looked at.
    pub(super) async fn table(&self, api: &Api, selected: &SelectedEvents) -> Result<(Vec<Group>, bool), ApiError> {
        let (groups, is_complete) = self.groups(api, selected, None).await?;
        let mut rows: Vec<Group> = groups
            .into_iter()
            .map(|((_, values), counted)| Group { values, measured: self.measured(&counted) })
            .collect();
        if rows.is_empty() && self.fields.is_empty() {
            // Without fields all events are one group, which is there without events.
            let unique = self.unique.iter().map(|_| HashSet::new()).collect();
            let nothing = EventCount { count: 0, last_seen: Timestamp::default(), unique };
            let measured = self.measured(&nothing);
            rows.push(Group { values: Vec::new(), measured });
        }
        Ok((rows, is_complete))
    }
}
