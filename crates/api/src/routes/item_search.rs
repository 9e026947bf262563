//! Which events, spans, log lines or metrics a request is about: from its parameters to a query of the store.

use std::{collections::BTreeMap, time::Duration};

use nuthatch_protocol::{ProjectId, Timestamp};
use nuthatch_query::{Expr, Found, Grammar, Op, Term, Value, parse};
use nuthatch_store::{projects::Project, traces::TraceQuery};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{event_page::in_environments, event_search::EventSet, latest_release::Latest};
use crate::{
    Api,
    auth::access::{InOrganization, chosen},
    error::ApiError,
    period::{Period, Range},
    query::single,
    trace_items::Dataset,
};

/// The period when none is given.
const PERIOD: Duration = Duration::from_hours(14 * 24);

/// Which events, spans, log lines or metrics.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct ItemSearch {
    /// `spans`, `transactions`, `ourlogs` (also `logs`), `tracemetrics`. Tables and series have `errors` and
    /// `issuePlatform`, too, and all events as `discover` or when it is absent.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    dataset: Option<String>,
    /// Search text over fields and attributes; bare words are sought in names and log messages, of events in titles,
    /// messages and culprits.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    pub(super) query: Option<String>,
    /// Slugs or ids; `-1` or absent: all.
    project: Vec<String>,
    /// Only in these environments.
    pub(super) environment: Vec<String>,
}

/// Where and when a search is.
pub(super) struct Scope {
    /// All projects of the organization.
    pub(super) projects: Vec<Project>,
    /// Those that are asked about.
    pub(super) asked: Vec<ProjectId>,
    pub(super) from: Timestamp,
    /// As asked; open: up to now.
    pub(super) until: Option<Timestamp>,
    /// The end, now when it is open.
    pub(super) until_time: Timestamp,
    pub(super) now: Timestamp,
}

/// What a search comes to.
pub(super) struct Selected {
    pub(super) dataset: Dataset,
    /// All projects of the organization.
    pub(super) projects: Vec<Project>,
    /// `None`: there is no project to ask about.
    pub(super) query: Option<TraceQuery>,
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

/// A parameter that is wrong, and why.
pub(super) fn wrong(parameter: &str, message: String) -> ApiError {
    ApiError::InvalidFields(BTreeMap::from([(parameter.to_owned(), message)]))
}

impl ItemSearch {
    /// The events that are asked for, if it is events.
    pub(super) fn events(&self) -> Option<EventSet> {
        EventSet::named(self.dataset.as_deref().unwrap_or_default())
    }

    /// Projects and time; a fortnight when no period is given.
    pub(super) async fn scope(&self, api: &Api, place: &InOrganization, period: &Period) -> Result<Scope, ApiError> {
        let now = api.now();
        let Range { from, until } = period.range(now)?;
        let until_time = until.unwrap_or(now);
        let from = from.unwrap_or_else(|| until_time.minus(PERIOD));
        if from >= until_time {
            return Err(wrong("start", "must be before end".to_owned()));
        }
        let projects = place.projects(api).await?;
        let asked = chosen(&projects, &self.project)?.iter().map(|project| project.id).collect();
        Ok(Scope { projects, asked, from, until, until_time, now })
    }

    /// The items of an organization that are meant; a fortnight when no period is given.
    pub(super) async fn select(
        &self,
        api: &Api,
        place: &InOrganization,
        period: &Period,
    ) -> Result<Selected, ApiError> {
        let name = self.dataset.as_deref().unwrap_or_default();
        let dataset = Dataset::named(name).map_err(|message| {
            wrong("dataset", format!("{message}; tables and series also have errors, discover and issuePlatform"))
        })?;
        let Scope { projects, asked, from, until, until_time, now } = self.scope(api, place, period).await?;
        let text = self.query.as_deref().unwrap_or_default();
        let filter = parse(text, Grammar::Items, now).map_err(|error| ApiError::Invalid(error.to_string()))?;
        let mut parts = vec![by_number(filter, &projects)];
        parts.extend(in_environments(&self.environment));
        parts.extend(dataset.condition());
        let filter = Latest { api, projects: &asked }.in_events(Expr::And(parts)).await?;
        let query = TraceQuery { projects: asked, kind: dataset.kind(), from: Some(from), until, filter };
        let query = (!query.projects.is_empty()).then_some(query);
        Ok(Selected { dataset, projects, query, from, until: until_time })
    }
}

/// Conditions on slugs of projects as conditions on their numbers, which is what items have.
fn by_number(expr: Expr, projects: &[Project]) -> Expr {
    let all = |parts: Vec<Expr>| parts.into_iter().map(|part| by_number(part, projects)).collect();
    match expr {
        Expr::And(parts) => Expr::And(all(parts)),
        Expr::Or(parts) => Expr::Or(all(parts)),
        Expr::Not(part) => Expr::Not(Box::new(by_number(*part, projects))),
        Expr::Term(Term { key, op }) if matches!(key.as_str(), "project" | "project.name" | "project.slug") => {
            let is_meant = |project: &&Project| {
                Found::Text(project.slug.as_str().into()).meets(&op)
                    || Found::Number(project.id.0 as f64).meets(&op) && op != Op::Exists
            };
            let meant = projects.iter().filter(is_meant).map(|project| Value::Number(project.id.0 as f64));
            Expr::Term(Term { key: "project.id".to_owned(), op: Op::In(meant.collect()) })
        }
        Expr::Term(term) => Expr::Term(term),
    }
}
