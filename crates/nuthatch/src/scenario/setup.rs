//! The state that a scenario begins with.

use std::collections::BTreeMap;

use anyhow::Context as _;
use bytes::Bytes;
use md5::{Digest, Md5};
use nuthatch_issues::{
    Changes, Issue, IssueType, Needs, Options, Quota, Status, Substatus, changes::Sightings, issue::InboxReason,
    open_period::OpenPeriod, quota::Usage, release::Resolution,
};
use nuthatch_protocol::{
    EventId, EventRow, Hash, IssueId, Level, OrganizationId, Position, Priority, ProjectId, TeamId, Timestamp, Topic,
    TypeId, UserId,
};
use nuthatch_store::{
    EventStore as _, MetaStore, Seed,
    accounts::User,
    memory::MemoryEvents,
    projects::{Organization, Project, Role},
    teams::Team,
};
use serde::Deserialize;
use serde_json::{Map, json};

/// The state before the first message.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Setup {
    pub(super) now: Timestamp,
    pub(super) batch_times: BTreeMap<String, Timestamp>,
    organizations: Vec<OrganizationRow>,
    projects: Vec<ProjectRow>,
    releases: Vec<ReleaseRow>,
    users: Vec<UserRow>,
    teams: Vec<TeamRow>,
    events: Vec<EventBody>,
    pub(super) groups: Vec<Group>,
    orphan_hashes: Vec<OrphanHash>,
    noise_counters: Vec<NoiseCounter>,
    creation_quota_used: Vec<QuotaUsed>,
    options: ScenarioOptions,
}

#[derive(Debug, Deserialize)]
struct OrganizationRow {
    id: OrganizationId,
    #[serde(default)]
    slug: String,
    #[serde(default)]
    features: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct ProjectRow {
    id: ProjectId,
    organization_id: OrganizationId,
    #[serde(default)]
    slug: String,
    platform: Option<String>,
    resolve_age_hours: Option<u32>,
}

#[derive(Debug, Deserialize)]
struct ReleaseRow {
    organization_id: OrganizationId,
    version: String,
    #[serde(default)]
    projects: Vec<ProjectId>,
    date_added: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
struct UserRow {
    id: UserId,
    #[serde(default)]
    member_of: Vec<OrganizationId>,
}

#[derive(Debug, Deserialize)]
struct TeamRow {
    id: TeamId,
    organization_id: OrganizationId,
}

#[derive(Debug, Deserialize)]
struct EventBody {
    project_id: ProjectId,
    event_id: EventId,
    #[serde(rename = "type", default = "default_type")]
    kind: String,
    timestamp: f64,
    release: Option<String>,
    environment: Option<String>,
    platform: Option<String>,
}

fn default_type() -> String {
    "default".to_owned()
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Group {
    #[serde(rename = "ref")]
    pub(super) name: String,
    pub(super) project_id: ProjectId,
    #[serde(rename = "type")]
    pub(super) type_id: TypeId,
    pub(super) fingerprints: Vec<String>,
    #[serde(default)]
    pub(super) title: String,
    pub(super) status: i64,
    pub(super) substatus: Option<i64>,
    #[serde(default = "medium")]
    pub(super) priority: i64,
    initial_priority: Option<i64>,
    #[serde(default)]
    priority_locked: bool,
    pub(super) first_seen: Timestamp,
    pub(super) last_seen: Timestamp,
    active_at: Option<Timestamp>,
    state_since: Option<Timestamp>,
    #[serde(default = "once")]
    pub(super) times_seen: u64,
    #[serde(default = "error")]
    pub(super) level: String,
    #[serde(default)]
    pub(super) culprit: String,
    #[serde(default)]
    pub(super) open_periods: Vec<Period>,
    resolution: Option<ResolutionRow>,
}

fn medium() -> i64 {
    50
}

fn once() -> u64 {
    1
}

fn error() -> String {
    "error".to_owned()
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Period {
    started: Timestamp,
    pub(super) ended: Option<Timestamp>,
    pub(super) highest_seen_priority: Option<i64>,
}

#[derive(Debug, Clone, Deserialize)]
struct ResolutionRow {
    #[serde(rename = "type")]
    kind: String,
    release: String,
    #[serde(alias = "current_release")]
    current_release_version: Option<String>,
}

#[derive(Debug, Deserialize)]
struct OrphanHash {
    project_id: ProjectId,
    fingerprint: Option<String>,
    hash: Option<Hash>,
}

#[derive(Debug, Deserialize)]
struct NoiseCounter {
    project_id: ProjectId,
    fingerprint: Option<String>,
    hash: Option<Hash>,
    #[serde(alias = "sightings")]
    count: u64,
    #[serde(alias = "expires_at")]
    expires: Timestamp,
}

#[derive(Debug, Deserialize)]
struct QuotaUsed {
    project_id: ProjectId,
    #[serde(rename = "type")]
    type_id: TypeId,
    #[serde(alias = "created")]
    at: Timestamp,
    #[serde(default = "once")]
    count: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ScenarioOptions {
    occurrence_rate_limit: Option<RateLimit>,
}

#[derive(Debug, Deserialize)]
struct RateLimit {
    limit: u64,
    #[serde(alias = "window", alias = "window_secs", default = "an_hour")]
    window_seconds: u32,
    #[serde(alias = "granularity", alias = "granularity_secs", default = "a_minute")]
    granularity_seconds: u32,
}

fn an_hour() -> u32 {
    3600
}

fn a_minute() -> u32 {
    60
}

/// The hash of a raw fingerprint part.
pub(super) fn hash_of(part: &str) -> Hash {
    Hash(Md5::digest(part.as_bytes()).into())
}

fn hash(fingerprint: Option<&String>, hash: Option<Hash>) -> anyhow::Result<Hash> {
    hash.or_else(|| fingerprint.map(|part| hash_of(part))).context("a hash of the setup needs `fingerprint` or `hash`")
}

impl Group {
    /// Whether the platform may still add to it; the others are being deleted or merged.
    pub(super) fn is_alive(&self) -> bool {
        Status::from_number(self.status).is_some()
    }

    fn issue(&self, id: IssueId, short_id: u64) -> anyhow::Result<Issue> {
        let status = Status::from_number(self.status).context("a group has an impossible status")?;
        let substatus = self.substatus.map(|number| Substatus::from_number(number).context("impossible substatus"));
        let level = self.level.parse().map_err(|()| anyhow::anyhow!("a group has level {:?}", self.level))?;
        let initial = self.initial_priority.unwrap_or(self.priority);
        let periods = self.open_periods.iter().zip(1..).map(|(period, number)| period.open_period(number, self));
        Ok(Issue {
            id,
            project_id: self.project_id,
            short_id,
            type_id: self.type_id,
            status,
            substatus: substatus.transpose()?,
            state_since: self.state_since.unwrap_or(self.last_seen),
            priority: Priority::nearest(self.priority),
            priority_locked_at: self.priority_locked.then_some(self.first_seen),
            initial_priority: Priority::nearest(initial),
            level,
            platform: String::new(),
            logger: None,
            title: self.title.clone(),
            culprit: self.culprit.clone(),
            event_type: "generic".to_owned(),
            metadata: [("title".to_owned(), json!(self.title))].into_iter().collect(),
            search_text: self.title.clone(),
            first_seen: self.first_seen,
            last_seen: self.last_seen,
            active_at: self.active_at.unwrap_or(self.first_seen),
            resolved_at: (status == Status::Resolved).then_some(self.state_since.unwrap_or(self.last_seen)),
            times_seen: self.times_seen,
            user_count: 0,
            first_release: None,
            last_release: None,
            assignee: None,
            unhandled: false,
            inbox: (status == Status::Unresolved).then_some(InboxReason::New),
            resolution: self.resolution.as_ref().map(|row| Resolution {
                release: row.release.clone(),
                in_next: row.kind.contains("next"),
                current: row.current_release_version.clone(),
            }),
            snooze: None,
            open_period: periods.last(),
            detector_id: None,
            flood: nuthatch_issues::Flood::default(),
        })
    }
}

impl Period {
    fn open_period(&self, number: u32, group: &Group) -> OpenPeriod {
        OpenPeriod {
            number,
            started: self.started,
            ended: self.ended,
            highest_priority: Priority::nearest(self.highest_seen_priority.unwrap_or(group.priority)),
            event_id: None,
            ended_by: None,
        }
    }
}

impl Setup {
    /// What an empty store must hold before [`super::Scenario::run`].
    pub fn seed(&self) -> Seed {
        let slug = |slug: &str, id: u64| if slug.is_empty() { format!("s{id}") } else { slug.to_owned() };
        let organization = |row: &OrganizationRow| Organization {
            id: row.id,
            slug: slug(&row.slug, row.id.0),
            name: row.slug.clone(),
            created: self.now,
            features: row.features.iter().cloned().collect(),
            options: nuthatch_store::projects::OrganizationOptions::default(),
        };
        let project = |row: &ProjectRow| Project {
            id: row.id,
            organization_id: row.organization_id,
            slug: slug(&row.slug, row.id.0),
            name: row.slug.clone(),
            platform: row.platform.clone(),
            created: self.now,
            resolve_age_hours: row.resolve_age_hours,
            options: nuthatch_store::projects::ProjectOptions::default(),
        };
        let user = |row: &UserRow| {
            let (email, name) = (format!("{}@example.com", row.id), row.id.to_string());
            let user = User { id: row.id, email, name, password_hash: String::new(), created: self.now };
            (user, row.member_of.iter().map(|id| (*id, Role::Member)).collect())
        };
        let team = |row: &TeamRow| {
            let slug = row.id.to_string();
            Team { id: row.id, organization_id: row.organization_id, name: slug.clone(), slug, created: self.now }
        };
        let orphans = self
            .orphan_hashes
            .iter()
            .filter_map(|row| Some((row.project_id, hash(row.fingerprint.as_ref(), row.hash).ok()?)));
        let gone = self.groups.iter().filter(|group| !group.is_alive());
        let gone = gone.flat_map(|group| group.fingerprints.iter().map(|part| (group.project_id, hash_of(part))));
        Seed {
            organizations: self.organizations.iter().map(organization).collect(),
            projects: self.projects.iter().map(project).collect(),
            users: self.users.iter().map(user).collect(),
            teams: self.teams.iter().map(team).collect(),
            dead_hashes: orphans.chain(gone).collect(),
        }
    }

    pub(super) fn options(&self) -> Options {
        let limit = self.options.occurrence_rate_limit.as_ref();
        Options {
            occurrence_rate_limit: limit.map(|limit| Quota {
                limit: limit.limit,
                window_secs: limit.window_seconds,
                granularity_secs: limit.granularity_seconds,
            }),
            ..Options::default()
        }
    }

    /// Writes issues and what the rules remember, and the events that were stored before.
    pub(super) async fn fill(&self, store: &dyn MetaStore, events: &MemoryEvents) -> anyhow::Result<()> {
        let mut changes = Changes::default();
        let mut last_short_ids: BTreeMap<ProjectId, u64> = BTreeMap::new();
        for group in self.groups.iter().filter(|group| group.is_alive()) {
            let id = IssueId(changes.created.len() as u64 + 1);
            let short_id = last_short_ids.entry(group.project_id).or_default();
            *short_id += 1;
            changes.created.push(group.issue(id, *short_id)?);
            changes.hashes.extend(group.fingerprints.iter().map(|part| (group.project_id, hash_of(part), id)));
            let periods = group.open_periods.iter().zip(1..);
            changes.periods.extend(periods.map(|(period, number)| (id, period.open_period(number, group))));
        }
        for row in &self.noise_counters {
            let sightings = Sightings { count: row.count, expires: row.expires };
            changes.sightings.push((row.project_id, hash(row.fingerprint.as_ref(), row.hash)?, Some(sightings)));
        }
        for row in &self.creation_quota_used {
            let quota = IssueType::built_in_by_id(row.type_id).and_then(|known| known.creation_quota);
            let start_secs = quota.context("a used quota is of a type without one")?.granule(row.at);
            changes.quotas.push((row.project_id, row.type_id, Usage { start_secs, count: row.count }));
        }
        for row in &self.releases {
            let all = self.projects.iter().filter(|project| project.organization_id == row.organization_id);
            let projects = if row.projects.is_empty() { all.map(|p| p.id).collect() } else { row.projects.clone() };
            let date = row.date_added.unwrap_or(self.now);
            changes.releases.extend(projects.into_iter().map(|project| (project, row.version.clone(), date)));
        }
        store.transact(Needs::default(), None, Box::new(move |_| changes)).await?;
        let start = Position { topic: Topic::IngestEvents, partition: 0, offset: 0 };
        events.upsert(self.events.iter().map(EventBody::row).collect(), start).await?;
        Ok(())
    }
}

impl EventBody {
    fn row(&self) -> EventRow {
        let mut body = Map::new();
        body.insert("event_id".to_owned(), json!(self.event_id));
        body.insert("release".to_owned(), json!(self.release));
        EventRow {
            project_id: self.project_id,
            event_id: self.event_id,
            shows: None,
            timestamp: Timestamp::from_secs_f64(self.timestamp).unwrap_or_default(),
            received: Timestamp::from_secs_f64(self.timestamp).unwrap_or_default(),
            hashes: Vec::new(),
            event_type: self.kind.clone(),
            level: Level::Info,
            platform: self.platform.clone().unwrap_or_default(),
            title: String::new(),
            culprit: String::new(),
            message: String::new(),
            release: self.release.clone(),
            environment: self.environment.clone(),
            transaction: None,
            trace: None,
            user: None,
            tags: Vec::new(),
            stack_text: String::new(),
            body: Bytes::from(serde_json::Value::Object(body).to_string()),
        }
    }
}
