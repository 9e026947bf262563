//! Which issues a request is about: from its parameters to a query of the store.

use nuthatch_protocol::{ProjectId, TeamId, UserId};
use nuthatch_query::Expr;
use nuthatch_store::{
    events::{EventQuery, HASHES_MAX},
    issues::{IssueCondition, IssueQuery, IssueSort, IssueTest, PAGE_MAX},
    projects::Project,
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{event_page::in_environments, issue_types::issue_types, latest_release::Latest, organizations::users};
use crate::{
    Api,
    auth::access::{InOrganization, chosen},
    error::ApiError,
    period::{Period, Range},
    query::single,
    search::{DEFAULT_QUERY, IssueSearch, Names, ShortIds},
};

/// Which issues, in which order.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct IssueSelection {
    /// Search text; empty: all issues; absent: `is:unresolved`.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    pub(super) query: Option<String>,
    /// `date` last seen (when absent), `new` first seen, `freq` events, `user` users.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    sort: Option<String>,
    /// Slugs or ids; `-1`, or absent: all.
    project: Vec<String>,
    /// Only issues with an event in one of these environments.
    environment: Vec<String>,
}

/// What a selection comes to.
pub(super) enum Selected {
    /// No issue can be meant.
    Nothing,
    /// The first page of these.
    Query(IssueQuery),
}

impl IssueSelection {
    /// The issues that a search text finds in some projects.
    pub(super) fn of_query(query: &str, project: Vec<String>, environment: Vec<String>) -> Self {
        Self { query: Some(query.to_owned()), project, environment, ..Self::default() }
    }

    /// The order that is asked for (`reference/web-api.md` §2.3).
    pub(super) fn sort(&self) -> Result<IssueSort, ApiError> {
        match self.sort.as_deref().unwrap_or_default() {
            "" | "date" | "recommended" | "inbox" => Ok(IssueSort::LastSeen),
            "new" => Ok(IssueSort::FirstSeen),
            "freq" | "trends" => Ok(IssueSort::Events),
            "user" => Ok(IssueSort::Users),
            other => Err(ApiError::Invalid(format!("sort {other:?} is not date, new, freq or user"))),
        }
    }

    /// The issues of an organization, or of one of its projects. `projects` are all of the organization's.
    pub(super) async fn select(
        &self,
        api: &Api,
        place: &InOrganization,
        projects: &[Project],
        only: Option<&Project>,
        period: &Period,
    ) -> Result<Selected, ApiError> {
        let now = api.now();
        let range = period.range(now)?;
        let sort = self.sort()?;
        let members: Vec<(UserId, String)> =
            users(api, place).await?.into_iter().map(|(id, user)| (id, user.email)).collect();
        let types = issue_types(api, place).await?;
        let (organization, me) = (place.organization.id, place.caller.user.id);
        let teams: Vec<(TeamId, String)> =
            api.meta.teams(organization).await?.into_iter().map(|team| (team.id, team.slug)).collect();
        let in_teams = api.meta.team_members(organization).await?.into_iter();
        let my_teams: Vec<TeamId> = in_teams.filter(|(_, user)| *user == me).map(|(team, _)| team).collect();
        let names = Names { me, members: &members, teams: &teams, my_teams: &my_teams, types: &types };
        let search = IssueSearch::read(self.query.as_deref().unwrap_or(DEFAULT_QUERY), &names, now)?;
        let chosen = self.choose(projects, only, &search)?;
        if chosen.is_empty() {
            return Ok(Selected::Nothing);
        }
        let latest = Latest { api, projects: &chosen };
        let mut filter = search.issue;
        for condition in &mut filter {
            latest.in_issues(condition).await?;
        }
        let unlisted = types.all().filter(|issue_type| !issue_type.is_listed).map(|issue_type| issue_type.id);
        if !search.is_specific {
            filter.push(IssueCondition { negated: true, test: IssueTest::Types(unlisted.collect()) });
        }
        for short_ids in &search.short_ids {
            filter.push(with_ids(api, projects, short_ids).await?);
        }
        let about_events = self.about_events(search.events);
        if !about_events.is_empty() {
            let about_events = latest.in_events(Expr::And(about_events)).await?;
            filter.push(with_events(api, &chosen, range, about_events).await?);
        }
        if let Some(until) = range.until {
            filter.push(IssueCondition { negated: true, test: IssueTest::FirstSeenSince(until) });
        }
        Ok(Selected::Query(IssueQuery {
            organization: place.organization.id,
            projects: chosen,
            filter,
            seen_since: range.from,
            sort,
            cursor: None,
            limit: PAGE_MAX,
        }))
    }

    /// The projects that are meant.
    fn choose(
        &self,
        projects: &[Project],
        only: Option<&Project>,
        search: &IssueSearch,
    ) -> Result<Vec<ProjectId>, ApiError> {
        let meant = chosen(projects, &self.project)?.into_iter().filter(|project| {
            only.is_none_or(|only| only.id == project.id)
                && search.projects.iter().all(|condition| condition.holds(project))
        });
        Ok(meant.map(|project| project.id).collect())
    }

    fn about_events(&self, mut conditions: Vec<Expr>) -> Vec<Expr> {
        conditions.extend(in_environments(&self.environment));
        conditions
    }
}

/// Issues that have an event that meets all conditions.
async fn with_events(
    api: &Api,
    projects: &[ProjectId],
    range: Range,
    filter: Expr,
) -> Result<IssueCondition, ApiError> {
    let query = EventQuery { projects: projects.to_vec(), hashes: None, from: range.from, until: range.until, filter };
    let hashes = api.events.hashes(&query, HASHES_MAX).await?;
    if hashes.len() == HASHES_MAX {
        return Err(ApiError::Invalid(format!(
            "more than {} kinds of events meet the search; narrow the period, the projects or the conditions on events",
            HASHES_MAX - 1
        )));
    }
    Ok(IssueCondition { negated: false, test: IssueTest::Hashes(hashes) })
}

/// Issues that have one of these short ids.
async fn with_ids(api: &Api, projects: &[Project], short_ids: &ShortIds) -> Result<IssueCondition, ApiError> {
    let mut ids = Vec::new();
    for (slug, number) in &short_ids.ids {
        if let Some(project) = projects.iter().find(|project| project.slug == *slug) {
            ids.extend(api.meta.issue_by_short_id(project.id, *number).await?.map(|issue| issue.id));
        }
    }
    Ok(IssueCondition { negated: short_ids.negated, test: IssueTest::Ids(ids) })
}
