//! Monitors of scheduled jobs and their check-ins (`reference/ingest-protocol.md` §18).

use std::time::Duration;

use async_trait::async_trait;
use nuthatch_protocol::{
    CheckIn, EventId, Outcome, ProjectId, Timestamp, TraceId,
    check_in::{CheckInStatus, MonitorConfig},
};
use serde::{Deserialize, Serialize};

use crate::{
    StoreError,
    issues::ConsumerPosition,
    settlements::{Counted, Settlement},
};

/// New check-ins of a monitor and environment that are taken in a minute of the server's clock.
pub const CHECK_INS_PER_MINUTE: u64 = 6;

/// Most check-ins on a page: twice what a page of the API holds.
pub const PAGE_MAX: usize = 200;

/// Most monitors that are listed.
pub const MONITORS_MAX: usize = 1_000;

/// Most monitors of a project: keys are public, and a check-in can make one.
pub const PROJECT_MONITORS_MAX: u64 = 500;

/// Most environments that a monitor has runs in.
pub const MONITOR_ENVIRONMENTS_MAX: usize = 100;

/// How long a check-in waits for its monitor to be described. SDKs send the check-ins of a run side by side, so that the
/// one that ends the first run may overtake the one that says what to expect.
pub const DESCRIPTION_WAIT: Duration = Duration::from_mins(1);

/// Most check-ins of a project that wait for monitors; what is beyond has no effect.
pub const WAITING_CHECK_INS_MAX: u64 = 100;

/// The reason of a check-in whose monitor nobody described in time.
pub const UNKNOWN_MONITOR: &str = "unknown_monitor";

/// The reason of a check-in that would make one monitor more than [`PROJECT_MONITORS_MAX`].
pub const TOO_MANY_MONITORS: &str = "too_many_monitors";

/// Monitors and check-ins.
#[async_trait]
pub trait MonitorStore: Send + Sync + 'static {
    /// Takes check-ins in order and settles their batch, in one transaction. A monitor that is not known is made when the
    /// check-in says what to expect of it; those that do not wait for one that does, without an outcome until then, and
    /// are taken in front of it. What becomes of a run is what [`place`] says.
    async fn apply_check_ins(
        &self,
        check_ins: Vec<Counted<ReceivedCheckIn>>,
        settlement: Settlement,
    ) -> Result<(), StoreError>;

    /// Gives up check-ins that have waited for their monitor since before a time: they are counted as
    /// [`UNKNOWN_MONITOR`], in the account of a consumer.
    async fn give_up_check_ins(&self, before: Timestamp, consumer: ConsumerPosition) -> Result<(), StoreError>;

    /// Monitors of projects, by project and slug, each with its environments; at most [`MONITORS_MAX`].
    async fn monitors(&self, projects: &[ProjectId]) -> Result<Vec<Monitor>, StoreError>;

    /// A page of check-ins of a monitor, newest first.
    async fn check_ins(&self, query: &CheckInQuery) -> Result<Vec<Run>, StoreError>;

    /// Removes a monitor with its check-ins. [`StoreError::NotFound`] when there is none.
    async fn delete_monitor(&self, id: EventId) -> Result<(), StoreError>;

    /// Forgets check-ins that were received before a time, as retention demands. Monitors stay.
    async fn expire_check_ins(&self, before: Timestamp) -> Result<(), StoreError>;
}

/// A check-in with what intake knew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedCheckIn {
    /// The project of the key.
    pub project_id: ProjectId,
    /// A random id: of the run, if it is a new one without an id, and of the monitor, if it is a new one.
    pub record_id: EventId,
    /// When it was received.
    pub received: Timestamp,
    /// When the worker took it. From then on it waits for its monitor, if it must.
    pub handled: Timestamp,
    /// What it says.
    pub check_in: CheckIn,
}

/// A monitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Monitor {
    /// Id.
    pub id: EventId,
    /// The project.
    pub project_id: ProjectId,
    /// Name in URLs; unique in the project.
    pub slug: String,
    /// What it expects.
    pub config: MonitorConfig,
    /// When it was made.
    pub created: Timestamp,
    /// Where its job runs, by name.
    pub environments: Vec<MonitorEnvironment>,
}

/// A monitor in one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonitorEnvironment {
    /// The environment.
    pub name: String,
    /// When its first check-in that is kept was received.
    pub created: Timestamp,
    /// When the last check-in of its last run was received.
    pub last_check_in: Timestamp,
    /// How the last run is doing.
    pub status: CheckInStatus,
}

/// A run of a job, as its check-ins tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Id; the same in all its check-ins.
    pub id: EventId,
    /// Where it ran.
    pub environment: String,
    /// How it is doing.
    pub status: CheckInStatus,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<u64>,
    /// When its first check-in was received.
    pub added: Timestamp,
    /// When its last check-in was received.
    pub updated: Timestamp,
    /// When it said that it had begun.
    pub begun: Option<Timestamp>,
    /// Its version.
    pub release: Option<String>,
    /// Its trace.
    pub trace_id: Option<TraceId>,
}

/// Which runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckInQuery {
    /// The monitor.
    pub monitor: EventId,
    /// Environments; empty: all.
    pub environments: Vec<String>,
    /// Added at or after.
    pub from: Timestamp,
    /// Added before.
    pub until: Timestamp,
    /// Only what comes behind this run.
    pub after: Option<(Timestamp, EventId)>,
    /// At most [`PAGE_MAX`].
    pub limit: usize,
}

/// What a store knows of the run that a check-in may be about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// Nothing: it is a new one. So many new ones of monitor and environment were taken in this minute.
    New {
        /// How many.
        in_minute: u64,
        /// Whether the monitor has no run in the environment yet, and runs in [`MONITOR_ENVIRONMENTS_MAX`] others.
        is_crowded: bool,
    },
    /// The run, of this monitor and environment.
    Run(Run),
    /// A run of another monitor has the id.
    Foreign,
}

/// What becomes of a check-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placed {
    /// The run, as it is now.
    Run(Run),
    /// It has no effect.
    Dropped(Outcome, &'static str),
}

/// Decides over a check-in of a monitor that exists: a run that is over stays over, and a run that ends without saying how
/// long it took is measured by the server's clock. A beginning that the end overtook adds what the end did not say; the run
/// had begun by the time that it ended.
pub fn place(received: &ReceivedCheckIn, known: Known) -> Placed {
    let ReceivedCheckIn { record_id, received: now, check_in, .. } = received;
    let CheckIn { id, status, duration_ms, environment, release, trace_id, .. } = check_in;
    let begins = *status == CheckInStatus::InProgress;
    match known {
        Known::Foreign => Placed::Dropped(Outcome::Invalid, "check_in_of_other_monitor"),
        Known::New { is_crowded: true, .. } => Placed::Dropped(Outcome::Invalid, "too_many_environments"),
        Known::New { in_minute, .. } if in_minute >= CHECK_INS_PER_MINUTE => {
            Placed::Dropped(Outcome::RateLimited, "monitor_environment")
        }
        Known::New { .. } => Placed::Run(Run {
            id: id.unwrap_or(*record_id),
            environment: environment.clone(),
            status: *status,
            duration_ms: *duration_ms,
            added: *now,
            updated: *now,
            begun: begins.then_some(*now),
            release: release.clone(),
            trace_id: *trace_id,
        }),
        Known::Run(run) if run.status.is_final() && begins && run.begun.is_none() => Placed::Run(Run {
            begun: Some(run.added),
            updated: *now,
            release: run.release.or(release.clone()),
            trace_id: run.trace_id.or(*trace_id),
            ..run
        }),
        Known::Run(run) if run.status.is_final() => Placed::Dropped(Outcome::Invalid, "duplicate"),
        Known::Run(run) => {
            let measured = run.begun.filter(|_| !begins).map(|begun| {
                let micros = now.0.saturating_sub(begun.0).max(0);
                (micros / 1_000) as u64
            });
            Placed::Run(Run {
                status: *status,
                duration_ms: duration_ms.or(measured),
                updated: *now,
                release: release.clone().or(run.release),
                trace_id: trace_id.or(run.trace_id),
                ..run
            })
        }
    }
}

/// Minute of the server's clock in which new check-ins are limited.
pub fn minute(time: Timestamp) -> Timestamp {
    Timestamp::from_secs(time.secs().div_euclid(60) * 60)
}
