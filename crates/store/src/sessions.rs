//! Sessions, and the health of releases that they add up to (`reference/ingest-protocol.md` §17).

use async_trait::async_trait;
use nuthatch_protocol::{
    DataCategory, ProjectId, SessionUpdate, Timestamp,
    session::{HealthTally, SessionPlace},
};
use nuthatch_query::{Expr, Found, Row, matches};

use crate::{
    StoreError,
    settlements::{Counted, ItemKey, Settlement},
};

/// Under what an update is remembered that would be counted again if it came again; none for updates that are merged.
pub fn counted_once(update: &SessionUpdate) -> Option<ItemKey> {
    match update {
        SessionUpdate::Counted { record, changes } => {
            let project_id = changes.first()?.place.project_id;
            Some(ItemKey { project_id, category: DataCategory::Session, id: *record })
        }
        SessionUpdate::One { .. } => None,
    }
}

/// How sessions stand, one row each, and their counts by hour. Both change together, so the counts are those of the rows
/// however often an update comes and in whichever order; what was counted without names counts once a record.
#[async_trait]
pub trait SessionStore: Send + Sync + 'static {
    /// [Merges](nuthatch_protocol::session::merge) the updates in their order, makes their releases known, and settles,
    /// in one transaction.
    async fn apply_sessions(
        &self,
        updates: Vec<Counted<SessionUpdate>>,
        settlement: Settlement,
    ) -> Result<(), StoreError>;

    /// Sums, by what the query asks and by interval, in this order; those without sessions are left out.
    async fn session_sums(&self, query: &SessionQuery) -> Result<Vec<SessionSum>, StoreError>;

    /// Forgets the counts of hours before the hour of `counts_before`, and how sessions stand that began before
    /// `states_before` (or whose counts are forgotten): an update of them would be taken for a new session.
    async fn expire_sessions(&self, states_before: Timestamp, counts_before: Timestamp) -> Result<(), StoreError>;
}

/// Which sessions, and how they are summed up. They are counted in the hour in which they began.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionQuery {
    /// Projects; always given, so that nobody reads another's. Empty: none.
    pub projects: Vec<ProjectId>,
    /// A condition on `release` and `environment`; nothing else has a value.
    pub filter: Expr,
    /// At or after this hour since the epoch.
    pub from_hour: i64,
    /// Before this hour.
    pub until_hour: i64,
    /// Hours of an interval, at least 1; they begin at whole multiples of it since the epoch. `None`: the whole time.
    pub interval_hours: Option<i64>,
    /// What is told apart.
    pub by: SessionGrouping,
    /// Whether users are counted. It costs more than the rest.
    pub with_users: bool,
    /// Whether it matters how long sessions were.
    pub with_durations: bool,
}

/// What sums are told apart by, besides the interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SessionGrouping {
    /// The project.
    pub project: bool,
    /// The release.
    pub release: bool,
    /// The environment.
    pub environment: bool,
}

/// What a sum is of. What was not asked for is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionGroup {
    /// The project.
    pub project: Option<ProjectId>,
    /// The release.
    pub release: Option<String>,
    /// The environment; empty for sessions that named none.
    pub environment: Option<String>,
}

/// A sum.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionSum {
    /// Of what.
    pub group: SessionGroup,
    /// First hour of the interval.
    pub start_hour: i64,
    /// The sessions; their durations, if asked for.
    pub health: HealthTally,
    /// The users, if asked for: each counts once, however many sessions they had in the interval.
    pub users: UserTally,
}

/// How many users had sessions of some kind. One user may be among several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UserTally {
    /// Any.
    pub users: u64,
    /// With errors, or ended badly: also those below.
    pub errored: u64,
    /// With errors, but none of the three below.
    pub only_errored: u64,
    /// Crashed.
    pub crashed: u64,
    /// Ended without telling.
    pub abnormal: u64,
    /// With an error that nobody caught.
    pub unhandled: u64,
    /// Did not respond.
    pub anr: u64,
}

impl UserTally {
    /// Users without any errors.
    pub fn healthy(&self) -> u64 {
        self.users.saturating_sub(self.errored)
    }
}

impl SessionQuery {
    /// Whether sessions of a place are meant.
    pub fn means(&self, place: &SessionPlace) -> bool {
        self.projects.contains(&place.project_id) && matches(&self.filter, &Fields(place))
    }

    /// What sessions of a place are summed up in.
    pub fn group(&self, place: &SessionPlace) -> SessionGroup {
        SessionGroup {
            project: self.by.project.then_some(place.project_id),
            release: self.by.release.then(|| place.release.clone()),
            environment: self.by.environment.then(|| place.environment.clone()),
        }
    }

    /// First hour of the interval of an hour.
    pub fn start_of(&self, hour: i64) -> i64 {
        match self.interval_hours {
            Some(hours) => hour.div_euclid(hours.max(1)) * hours.max(1),
            None => self.from_hour,
        }
    }
}

/// What conditions on sessions look at.
struct Fields<'p>(&'p SessionPlace);

impl Row for Fields<'_> {
    fn field<'a>(&'a self, key: &'a str) -> Found<'a> {
        let value = match key {
            "release" => &self.0.release,
            "environment" => &self.0.environment,
            _ => "",
        };
        if value.is_empty() { Found::Absent } else { Found::Text(value.into()) }
    }
}
