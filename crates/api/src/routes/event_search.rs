//! Which events a table or series is about: from its parameters to a query of the event store.

use nuthatch_protocol::{Hash, ProjectId, Timestamp};
use nuthatch_query::{Expr, Found, Op, Term, Value};
use nuthatch_store::{events::EventQuery, projects::Project};

use super::{
    event_lookup::hashes_of,
    event_page::in_environments,
    item_search::{ItemSearch, Scope},
    latest_release::Latest,
};
use crate::{
    Api,
    auth::access::{InOrganization, issue_of},
    error::ApiError,
    period::Period,
    search::parse_event_search,
};

/// Types of the rows that detectors and people make: they are no errors.
const NO_ERRORS: [&str; 2] = ["generic", "feedback"];

/// Events that a table or series is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EventSet {
    /// `discover`, also when no dataset is named: all.
    All,
    /// `errors`
    Errors,
    /// `issuePlatform`: what detectors and people made.
    IssuePlatform,
}

impl EventSet {
    /// The set that a dataset is.
    pub(super) fn named(dataset: &str) -> Option<Self> {
        match dataset {
            "" | "discover" => Some(Self::All),
            "errors" => Some(Self::Errors),
            "issuePlatform" => Some(Self::IssuePlatform),
            _ => None,
        }
    }

    /// The name in answers.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::All => "discover",
            Self::Errors => "errors",
            Self::IssuePlatform => "issuePlatform",
        }
    }

    /// What all its events meet.
    fn condition(self) -> Option<Expr> {
        let types = NO_ERRORS.map(|name| Value::Text(name.to_owned())).to_vec();
        let no_errors = Expr::Term(Term { key: "event.type".to_owned(), op: Op::In(types) });
        match self {
            Self::All => None,
            Self::Errors => Some(Expr::Not(Box::new(no_errors))),
            Self::IssuePlatform => Some(no_errors),
        }
    }
}

/// What a search for events comes to.
pub(super) struct SelectedEvents {
    /// All projects of the organization.
    pub(super) projects: Vec<Project>,
    /// `None`: there is nothing to ask about.
    pub(super) query: Option<EventQuery>,
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

impl SelectedEvents {
    /// The events of an organization that a request means; a fortnight when no period is given.
    pub(super) async fn of(
        api: &Api,
        place: &InOrganization,
        set: EventSet,
        search: &ItemSearch,
        period: &Period,
    ) -> Result<Self, ApiError> {
        let Scope { projects, mut asked, from, until, until_time, now } = search.scope(api, place, period).await?;
        let (mut filter, mut hashes) = (Vec::new(), None::<Vec<(ProjectId, Hash)>>);
        let text = search.query.as_deref().unwrap_or_default();
        for part in parts(parse_event_search(text, now)?) {
            match place_of(&part)? {
                Some((Place::Project, op, negated)) => {
                    asked.retain(|id| {
                        let project = projects.iter().find(|project| project.id == *id);
                        project.is_some_and(|project| is_meant(project, op) != negated)
                    });
                }
                Some((Place::Issue, op, false)) => {
                    let mut theirs = Vec::new();
                    for name in names(op)? {
                        let Some((project, issue)) = issue_of(api, &projects, &name).await? else { continue };
                        theirs.extend(hashes_of(api, project.id, issue.id).await?);
                    }
                    if let Some(wanted) = hashes {
                        theirs.retain(|hash| wanted.contains(hash));
                    }
                    asked.retain(|id| theirs.iter().any(|(project, _)| project == id));
                    hashes = Some(theirs);
                }
                Some((Place::Issue, _, true)) => return Err(misplaced("an issue cannot be excluded")),
                None => filter.push(part),
            }
        }
        filter.extend(in_environments(&search.environment));
        filter.extend(set.condition());
        let filter = Latest { api, projects: &asked }.in_events(Expr::And(filter)).await?;
        let query = EventQuery { projects: asked, hashes, from: Some(from), until, filter };
        let query = (!query.projects.is_empty()).then_some(query);
        Ok(Self { projects, query, from, until: until_time })
    }
}

/// Conditions that all hold.
fn parts(expr: Expr) -> Vec<Expr> {
    match expr {
        Expr::And(parts) => parts.into_iter().flat_map(self::parts).collect(),
        one => vec![one],
    }
}

/// What a condition is about that events do not carry themselves.
enum Place {
    Project,
    Issue,
}

/// The place that a condition is about, and whether it is negated; `None`: it is about the events.
fn place_of(part: &Expr) -> Result<Option<(Place, &Op, bool)>, ApiError> {
    let named = |term: &Term| match term.key.as_str() {
        "project" | "project.id" | "project.name" | "project.slug" => Ok(Some(Place::Project)),
        "issue" | "issue.id" => Ok(Some(Place::Issue)),
        key if key.ends_with(')') => Err(misplaced("functions such as count() are no conditions here")),
        _ => Ok(None),
    };
    match part {
        Expr::Term(term) => Ok(named(term)?.map(|place| (place, &term.op, false))),
        Expr::Not(inner) => match &**inner {
            Expr::Term(term) => Ok(named(term)?.map(|place| (place, &term.op, true))),
            inner => refuse_within(inner),
        },
        part => refuse_within(part),
    }
}

/// Refuses conditions on places within others.
fn refuse_within(part: &Expr) -> Result<Option<(Place, &Op, bool)>, ApiError> {
    let inner: &[Expr] = match part {
        Expr::And(parts) | Expr::Or(parts) => parts,
        Expr::Not(inner) => std::slice::from_ref(inner),
        Expr::Term(_) => &[],
    };
    for part in inner {
        if place_of(part)?.is_some() {
            return Err(misplaced("conditions on project and issue stand by themselves, not within OR or parentheses"));
        }
    }
    Ok(None)
}

fn misplaced(message: &str) -> ApiError {
    ApiError::Invalid(message.to_owned())
}

fn is_meant(project: &Project, op: &Op) -> bool {
    let id = project.id.to_string();
    *op == Op::Exists || [project.slug.as_str(), &id].iter().any(|name| Found::Text((*name).into()).meets(op))
}

fn names(op: &Op) -> Result<Vec<String>, ApiError> {
    match op {
        Op::In(values) => Ok(values.iter().map(Value::to_text).collect()),
        _ => Err(misplaced("an issue is named by its id or short id, such as WEB-4")),
    }
}
