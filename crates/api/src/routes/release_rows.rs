//! From the stores to the rows of releases: events, issues and health of each.

use std::collections::{BTreeMap, HashMap};

use nuthatch_protocol::{OrganizationId, ProjectId, Timestamp};
use nuthatch_query::{Expr, Op, Term, Value};
use nuthatch_store::{
    events::{EventQuery, TagValue},
    projects::Project,
    releases::{self, ReleaseFacts},
    sessions::{SessionGroup, SessionGrouping, SessionQuery, SessionSum},
};

use super::event_page::in_environments;
use crate::{
    Api,
    error::ApiError,
    health::ratio,
    series::{HOUR_SECS, Intervals},
    shape::{
        release::{Release, ReleaseHealth, ReleaseProject, release_id},
        version::VersionInfo,
    },
};

/// A version and the projects that have it, never none.
pub(super) type Version = (String, Vec<releases::Release>);

/// What is told of releases.
pub(super) struct Telling {
    pub(super) organization: OrganizationId,
    /// Projects that may be looked at.
    pub(super) projects: Vec<Project>,
    /// One of which sessions and events must be of; none: any.
    pub(super) environments: Vec<String>,
    /// Whether health is told.
    pub(super) with_health: bool,
    /// The period of health.
    pub(super) from: Timestamp,
    /// Its end.
    pub(super) until: Timestamp,
    /// The present.
    pub(super) now: Timestamp,
}

/// `key` is one of these texts.
pub(super) fn one_of(key: &str, texts: impl IntoIterator<Item = String>) -> Expr {
    Expr::Term(Term { key: key.to_owned(), op: Op::In(texts.into_iter().map(Value::Text).collect()) })
}

const BY_PROJECT: SessionGrouping = SessionGrouping { project: true, release: false, environment: false };
const BY_RELEASE: SessionGrouping = SessionGrouping { project: true, release: true, environment: false };

impl Telling {
    pub(super) fn project_ids(&self) -> Vec<ProjectId> {
        self.projects.iter().map(|project| project.id).collect()
    }

    /// The condition on environments, and on versions if some are given.
    pub(super) fn filter(&self, versions: Option<&[String]>) -> Expr {
        let environments = in_environments(&self.environments);
        let versions = versions.map(|versions| one_of("release", versions.to_vec()));
        Expr::And(environments.into_iter().chain(versions).collect())
    }

    /// Sessions of the period, without users and durations.
    pub(super) fn of_period(&self, filter: Expr, by: SessionGrouping) -> SessionQuery {
        SessionQuery {
            projects: self.project_ids(),
            filter,
            from_hour: self.from.hours(),
            until_hour: self.until.hours() + 1,
            interval_hours: None,
            by,
            with_users: false,
            with_durations: false,
        }
    }

    /// The same of the last day.
    pub(super) fn of_day(&self, filter: Expr, by: SessionGrouping) -> SessionQuery {
        let (from_hour, until_hour) = (self.now.hours() - 23, self.now.hours() + 1);
        SessionQuery { from_hour, until_hour, ..self.of_period(filter, by) }
    }

    /// The rows of versions, in their order.
    pub(super) async fn rows(&self, api: &Api, page: Vec<Version>) -> Result<Vec<Release>, ApiError> {
        let versions: Vec<String> = page.iter().map(|(version, _)| version.clone()).collect();
        if versions.is_empty() {
            return Ok(Vec::new());
        }
        let known = Known::read(self, api, &versions).await?;
        Ok(page.into_iter().map(|version| self.row(&known, version)).collect())
    }

    fn row(&self, known: &Known, (version, of_projects): Version) -> Release {
        let created = of_projects.iter().map(|release| release.date).min().unwrap_or(self.now);
        let mut projects: Vec<ReleaseProject> = of_projects
            .iter()
            .filter_map(|release| self.projects.iter().find(|project| project.id == release.project_id))
            .map(|project| self.project(known, project, &version))
            .collect();
        projects.sort_by(|a, b| a.slug.cmp(&b.slug));
        let seen = known.seen.get(&version);
        // The same for all projects that were there when it was said.
        let facts = of_projects.iter().map(|release| &release.facts).find(|facts| **facts != ReleaseFacts::default());
        let facts = facts.cloned().unwrap_or_default();
        Release {
            id: release_id(self.organization, &version),
            short_version: VersionInfo::short(&version),
            version_info: VersionInfo::read(&version),
            status: if facts.archived { "archived" } else { "open" },
            reference: facts.reference,
            url: facts.url,
            date_released: facts.released.map(|time| time.to_string()),
            date_created: created.to_string(),
            date_started: facts.started.map(|time| time.to_string()),
            data: serde_json::Map::new(),
            new_groups: projects.iter().map(|project| project.new_groups).sum(),
            owner: None,
            commit_count: 0,
            deploy_count: 0,
            last_commit: None,
            last_deploy: None,
            authors: Vec::new(),
            projects,
            first_event: seen.map(|seen| seen.first_seen.to_string()),
            last_event: seen.map(|seen| seen.last_seen.to_string()),
            current_project_meta: serde_json::Map::new(),
            user_agent: None,
            version,
        }
    }

    fn project(&self, known: &Known, project: &Project, version: &str) -> ReleaseProject {
        let key = (project.id, version.to_owned());
        ReleaseProject {
            id: project.id.0,
            slug: project.slug.clone(),
            name: project.name.clone(),
            platform: project.platform.clone(),
            platforms: project.platform.iter().cloned().collect(),
            new_groups: known.new_issues.get(&key).copied().unwrap_or_default(),
            has_health_data: known.ever.contains_key(&key),
            health_data: known.health.as_ref().map(|health| health.of(&key, known.ever.contains_key(&key), self.now)),
        }
    }
}

/// A version of a project.
type Key = (ProjectId, String);

/// What the stores say about some versions.
struct Known {
    new_issues: HashMap<Key, u64>,
    seen: HashMap<String, TagValue>,
    ever: HashMap<Key, SessionSum>,
    health: Option<Health>,
}

impl Known {
    async fn read(telling: &Telling, api: &Api, versions: &[String]) -> Result<Self, ApiError> {
        let projects = telling.project_ids();
        let new_issues = api.meta.new_issues(&projects, versions).await?;
        let filter = telling.filter(Some(versions));
        let events = EventQuery { projects, hashes: None, from: None, until: None, filter: filter.clone() };
        let seen = api.events.tag_values(&events, "release", versions.len()).await?.top;
        let ever = telling.of_period(filter.clone(), BY_RELEASE);
        let ever = SessionQuery { from_hour: 0, until_hour: i64::MAX, ..ever };
        Ok(Self {
            new_issues: new_issues.into_iter().map(|(project, version, count)| ((project, version), count)).collect(),
            seen: seen.into_iter().map(|value| (value.value.clone(), value)).collect(),
            ever: by_release(api.meta.session_sums(&ever).await?),
            health: if telling.with_health { Some(Health::read(telling, api, filter).await?) } else { None },
        })
    }
}

/// The sums that health is made of.
struct Health {
    period: HashMap<Key, SessionSum>,
    day: HashMap<Key, SessionSum>,
    /// Of the last day, by the hour.
    hours: HashMap<Key, Vec<(i64, u64)>>,
    /// Of the last day, all releases of a project.
    projects: HashMap<ProjectId, SessionSum>,
}

impl Health {
    async fn read(telling: &Telling, api: &Api, filter: Expr) -> Result<Self, ApiError> {
        let period = telling.of_period(filter.clone(), BY_RELEASE);
        let period = SessionQuery { with_users: true, with_durations: true, ..period };
        let day = SessionQuery { with_users: true, ..telling.of_day(filter.clone(), BY_RELEASE) };
        let hours = SessionQuery { interval_hours: Some(1), ..telling.of_day(filter, BY_RELEASE) };
        let projects = SessionQuery { with_users: true, ..telling.of_day(telling.filter(None), BY_PROJECT) };
        let mut by_hour: HashMap<Key, Vec<(i64, u64)>> = HashMap::new();
        for sum in api.meta.session_sums(&hours).await? {
            let (at, count) = (sum.start_hour * HOUR_SECS, count(sum.health.sessions));
            if let Some(key) = key(sum.group) {
                by_hour.entry(key).or_default().push((at, count));
            }
        }
        let projects = api.meta.session_sums(&projects).await?.into_iter();
        Ok(Self {
            period: by_release(api.meta.session_sums(&period).await?),
            day: by_release(api.meta.session_sums(&day).await?),
            hours: by_hour,
            projects: projects.filter_map(|sum| Some((sum.group.project?, sum))).collect(),
        })
    }

    fn of(&self, key: &Key, has_health_data: bool, now: Timestamp) -> ReleaseHealth {
        let nothing = SessionSum::default();
        let period = self.period.get(key).unwrap_or(&nothing);
        let day = self.day.get(key).unwrap_or(&nothing);
        let project = self.projects.get(&key.0).unwrap_or(&nothing);
        let percent = |part: f64, all: f64| ratio(part, all).map(|share| share * 100.0);
        let (health, users) = (&period.health, &period.users);
        let hours = self.hours.get(key).cloned().unwrap_or_default();
        ReleaseHealth {
            duration_p50: health.durations.quantile(0.5),
            duration_p90: health.durations.quantile(0.9),
            crash_free_users: percent((users.users - users.crashed) as f64, users.users as f64),
            crash_free_sessions: percent((health.sessions - health.crashed) as f64, health.sessions as f64),
            total_users: users.users,
            total_users_24h: day.users.users,
            total_project_users_24h: project.users.users,
            total_sessions: count(health.sessions),
            total_sessions_24h: count(day.health.sessions),
            total_project_sessions_24h: count(project.health.sessions),
            adoption: percent(day.users.users as f64, project.users.users as f64),
            sessions_adoption: percent(day.health.sessions as f64, project.health.sessions as f64),
            sessions_crashed: count(health.crashed),
            sessions_errored: count(health.only_errored()),
            has_health_data,
            stats: BTreeMap::from([("24h", Intervals::last(24, HOUR_SECS, now).fill(hours))]),
        }
    }
}

fn count(sessions: i64) -> u64 {
    u64::try_from(sessions).unwrap_or_default()
}

fn key(group: SessionGroup) -> Option<Key> {
    Some((group.project?, group.release?))
}

fn by_release(sums: Vec<SessionSum>) -> HashMap<Key, SessionSum> {
    sums.into_iter().filter_map(|sum| Some((key(sum.group.clone())?, sum))).collect()
}
