//! Monitors and check-ins.

use std::time::Duration;

use nuthatch_protocol::{
    CheckIn, DataCategory, EventId, Outcome, Position, ProjectId, Timestamp, Topic,
    check_in::{CheckInStatus, IntervalUnit, MonitorConfig, Schedule},
};

use super::{
    fixture::{NOW, Place},
    settlements::{one, settlement, sums},
};
use crate::{
    MetaStore, StoreError,
    issues::ConsumerPosition,
    monitors::{
        CHECK_INS_PER_MINUTE, CheckInQuery, MONITOR_ENVIRONMENTS_MAX, Monitor, PROJECT_MONITORS_MAX, ReceivedCheckIn,
        Run, WAITING_CHECK_INS_MAX,
    },
    settlements::Counted,
};

use CheckInStatus::{Error, InProgress, Ok as Fine};

fn config(hours: u32) -> MonitorConfig {
    MonitorConfig {
        schedule: Schedule::Interval { value: hours, unit: IntervalUnit::Hour },
        checkin_margin: Some(5),
        max_runtime: None,
        timezone: Some("Europe/Vienna".to_owned()),
        failure_issue_threshold: None,
        recovery_threshold: None,
        owner: None,
    }
}

/// A check-in of a monitor in production, so many seconds after the time of everything.
fn check_in(project_id: ProjectId, slug: &str, id: Option<u8>, status: CheckInStatus, secs: u64) -> ReceivedCheckIn {
    ReceivedCheckIn {
        project_id,
        record_id: EventId([secs as u8 ^ 0x80; 16]),
        received: NOW.plus(Duration::from_secs(secs)),
        handled: NOW.plus(Duration::from_secs(secs)),
        check_in: CheckIn {
            id: id.map(|id| EventId([id; 16])),
            slug: slug.to_owned(),
            status,
            duration_ms: None,
            environment: "production".to_owned(),
            release: None,
            trace_id: None,
            config: None,
        },
    }
}

fn with_config(mut received: ReceivedCheckIn, hours: u32) -> ReceivedCheckIn {
    received.check_in.config = Some(config(hours));
    received
}

/// Takes a batch.
async fn take(store: &impl MetaStore, check_ins: Vec<ReceivedCheckIn>) {
    let counted = |received: ReceivedCheckIn| {
        let units = one(received.project_id, DataCategory::Monitor, received.received);
        Counted { what: received, units }
    };
    let records = check_ins.len() as u64;
    let start = Position { topic: Topic::IngestMonitors, partition: 0, offset: 0 };
    let before = store.position("tester", start).await.expect("looks up").offset;
    let settlement = settlement(start.topic, before + records, records);
    store.apply_check_ins(check_ins.into_iter().map(counted).collect(), settlement).await.expect("applies");
}

async fn only_monitor(store: &impl MetaStore, project: ProjectId) -> Monitor {
    store.monitors(&[project]).await.expect("lists").pop().expect("a monitor")
}

fn all(monitor: EventId) -> CheckInQuery {
    let (from, until) = (Timestamp(0), Timestamp(i64::MAX));
    CheckInQuery { monitor, environments: Vec::new(), from, until, after: None, limit: 100 }
}

async fn runs(store: &impl MetaStore, monitor: EventId) -> Vec<Run> {
    store.check_ins(&all(monitor)).await.expect("lists")
}

/// A monitor is made by the first check-in that says what to expect, and changed by later ones.
pub async fn monitors_are_made_by_check_ins(store: &impl MetaStore) {
    let Place { web, api, .. } = Place::make(store, "acme").await;
    take(
        store,
        vec![
            with_config(check_in(web, "backup", Some(1), InProgress, 60), 1),
            with_config(check_in(web, "backup", Some(1), Fine, 70), 2),
            with_config(check_in(api, "backup", Some(1), Error, 75), 3),
        ],
    )
    .await;
    let monitor = only_monitor(store, web).await;
    assert_eq!((monitor.slug.as_str(), monitor.config.clone()), ("backup", config(2)));
    assert_eq!(monitor.environments.len(), 1);
    let environment = &monitor.environments[0];
    assert_eq!((environment.name.as_str(), environment.status), ("production", Fine));
    let found = runs(store, monitor.id).await;
    assert_eq!(found.len(), 1);
    let run = &found[0];
    assert_eq!((run.status, run.duration_ms, run.begun), (Fine, Some(10_000), Some(run.added)));
    assert_eq!(only_monitor(store, api).await.config, config(3), "another project's is another monitor");
    assert_eq!(sums(store, web, DataCategory::Monitor).await, [(Outcome::Accepted, String::new(), 2)]);
    assert_eq!(store.books().await.expect("reads").imbalances(), []);

    store.delete_monitor(monitor.id).await.expect("is there");
    assert_eq!((store.monitors(&[web]).await.expect("lists"), runs(store, monitor.id).await), (vec![], vec![]));
    let again = store.delete_monitor(monitor.id).await;
    assert!(matches!(again, Err(StoreError::NotFound(_))));
}

async fn give_up(store: &impl MetaStore, secs: u64) {
    let position = Position { topic: Topic::IngestMonitors, partition: 0, offset: 0 };
    let consumer = ConsumerPosition { consumer: "tester".to_owned(), position };
    store.give_up_check_ins(NOW.plus(Duration::from_secs(secs)), consumer).await.expect("gives up");
}

/// A check-in that overtook the one that describes its monitor waits for it, then both have their effect. What waits in
/// vain is counted as that, once, and the books balance all the while.
pub async fn check_ins_wait_for_their_monitor(store: &impl MetaStore) {
    let Place { web, api, .. } = Place::make(store, "acme").await;
    let waiting = async |expected| {
        let books = store.books().await.expect("reads");
        assert_eq!((books.imbalances(), books.waiting_check_ins), (vec![], expected));
    };
    let ended = {
        let mut ended = check_in(web, "backup", Some(1), Fine, 0);
        ended.check_in.duration_ms = Some(2_500);
        ended
    };
    let elsewhere = check_in(web, "other", Some(2), Fine, 1);
    take(store, vec![ended, elsewhere, check_in(api, "backup", Some(1), Error, 2)]).await;
    assert_eq!(store.monitors(&[web, api]).await.expect("lists"), []);
    assert_eq!(sums(store, web, DataCategory::Monitor).await, []);
    waiting(3).await;

    let begun = with_config(check_in(web, "backup", Some(1), InProgress, 3), 1);
    take(store, vec![begun, check_in(web, "backup", Some(1), InProgress, 4)]).await;
    let found = runs(store, only_monitor(store, web).await.id).await;
    let seen: Vec<_> = found.iter().map(|run| (run.status, run.duration_ms, run.added, run.begun)).collect();
    assert_eq!(seen, [(Fine, Some(2_500), NOW, Some(NOW))], "the beginning that came last does not open it again");
    waiting(2).await;

    give_up(store, 2).await;
    give_up(store, 2).await;
    waiting(1).await;
    let counted = [
        (Outcome::Accepted, String::new(), 2),
        (Outcome::Invalid, "duplicate".to_owned(), 1),
        (Outcome::Invalid, "unknown_monitor".to_owned(), 1),
    ];
    assert_eq!(sums(store, web, DataCategory::Monitor).await, counted);

    take(store, vec![with_config(check_in(api, "backup", Some(3), Fine, 60), 1)]).await;
    let found = runs(store, only_monitor(store, api).await.id).await;
    assert_eq!(found.iter().map(|run| (run.id.0[0], run.status)).collect::<Vec<_>>(), [(3, Fine), (1, Error)]);
    waiting(0).await;
}

/// Keys are public: a project has a bounded number of check-ins that wait.
pub async fn waiting_check_ins_are_bounded(store: &impl MetaStore) {
    let Place { web, api, .. } = Place::make(store, "acme").await;
    let named = |number| check_in(web, &format!("job-{number}"), None, Fine, number);
    take(store, (0..WAITING_CHECK_INS_MAX + 2).map(named).collect()).await;
    take(store, vec![check_in(api, "job", None, Fine, 0)]).await;
    let refused = (Outcome::Invalid, "unknown_monitor".to_owned(), 2);
    assert_eq!(sums(store, web, DataCategory::Monitor).await, [refused]);
    let books = store.books().await.expect("reads");
    assert_eq!((books.imbalances(), books.waiting_check_ins), (vec![], WAITING_CHECK_INS_MAX as i64 + 1));
}

/// A run that is over is not opened again; one without id is the newest in progress; another monitor's stays as it is.
pub async fn runs_end_once(store: &impl MetaStore) {
    let Place { web, .. } = Place::make(store, "acme").await;
    take(
        store,
        vec![
            with_config(check_in(web, "a", Some(1), InProgress, 0), 1),
            with_config(check_in(web, "b", Some(1), Error, 1), 1),
            check_in(web, "a", None, InProgress, 2),
            check_in(web, "a", None, Error, 3),
            check_in(web, "a", Some(1), InProgress, 4),
            check_in(web, "a", None, Fine, 5),
        ],
    )
    .await;
    let monitors = store.monitors(&[web]).await.expect("lists");
    assert_eq!(runs(store, monitors[1].id).await, []);
    let found: Vec<_> = runs(store, monitors[0].id).await.into_iter().map(|run| (run.id.0[0], run.status)).collect();
    assert_eq!(found, [(0x80 ^ 5, Fine), (1, Error)]);
    let counted = [
        (Outcome::Accepted, String::new(), 4),
        (Outcome::Invalid, "check_in_of_other_monitor".to_owned(), 1),
        (Outcome::Invalid, "duplicate".to_owned(), 1),
    ];
    assert_eq!(sums(store, web, DataCategory::Monitor).await, counted);
}

/// New runs of a monitor and environment are limited by the minute, and listed by the page.
pub async fn runs_are_limited_and_listed(store: &impl MetaStore) {
    let Place { web, .. } = Place::make(store, "acme").await;
    // The time of everything is 20 seconds into a minute.
    let mut batch: Vec<_> = (0..10).map(|n| with_config(check_in(web, "a", Some(n), Fine, n.into()), 1)).collect();
    let mut elsewhere = check_in(web, "a", Some(77), Fine, 11);
    "staging".clone_into(&mut elsewhere.check_in.environment);
    batch.extend([elsewhere, check_in(web, "a", Some(50), Fine, 60)]);
    take(store, batch).await;
    let taken = CHECK_INS_PER_MINUTE + 2;
    let limited = (Outcome::RateLimited, "monitor_environment".to_owned(), 12 - taken);
    assert_eq!(sums(store, web, DataCategory::Monitor).await, [(Outcome::Accepted, String::new(), taken), limited]);
    let monitor = only_monitor(store, web).await;
    assert_eq!(monitor.environments.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["production", "staging"]);
    let ids = |runs: Vec<Run>| runs.into_iter().map(|run| run.id.0[0]).collect::<Vec<_>>();
    let everything = ids(runs(store, monitor.id).await);
    assert_eq!(everything, [50, 77, 5, 4, 3, 2, 1, 0]);
    let first = store.check_ins(&CheckInQuery { limit: 3, ..all(monitor.id) }).await.expect("lists");
    let after = first.last().map(|run| (run.added, run.id));
    let rest = store.check_ins(&CheckInQuery { after, ..all(monitor.id) }).await.expect("lists");
    assert_eq!([ids(first), ids(rest)].concat(), everything);
    let staging = CheckInQuery { environments: vec!["staging".to_owned()], ..all(monitor.id) };
    assert_eq!(ids(store.check_ins(&staging).await.expect("lists")), [77]);
    let minute = CheckInQuery {
        from: NOW.plus(Duration::from_secs(5)),
        until: NOW.plus(Duration::from_mins(1)),
        ..all(monitor.id)
    };
    assert_eq!(ids(store.check_ins(&minute).await.expect("lists")), [77, 5]);
    store.expire_check_ins(NOW.plus(Duration::from_secs(11))).await.expect("expires");
    assert_eq!(ids(runs(store, monitor.id).await), [50, 77]);
}

/// A project has a bounded number of monitors, and a monitor of environments, whatever check-ins name. Those that are there go
/// on.
pub async fn monitors_and_environments_are_bounded(store: &impl MetaStore) {
    let place = Place::make(store, "acme").await;
    let named = |project, number: u64| {
        let mut received = with_config(check_in(project, &format!("job-{number}"), None, Fine, number), 1);
        received.record_id.0[..8].copy_from_slice(&number.to_be_bytes());
        received
    };
    take(store, (0..PROJECT_MONITORS_MAX + 2).map(|number| named(place.web, number)).collect()).await;
    take(store, vec![named(place.web, 0), named(place.api, 0x1_0000)]).await;
    assert_eq!(store.monitors(&[place.web]).await.expect("lists").len() as u64, PROJECT_MONITORS_MAX);
    let accepted = (Outcome::Accepted, String::new(), PROJECT_MONITORS_MAX + 1);
    let refused = (Outcome::Invalid, "too_many_monitors".to_owned(), 2);
    assert_eq!(sums(store, place.web, DataCategory::Monitor).await, [accepted, refused]);

    let within = |number: usize| {
        let mut received = check_in(place.api, "job-65536", None, Fine, 3600 + number as u64);
        received.record_id.0[..8].copy_from_slice(&(0x2_0000 + number as u64).to_be_bytes());
        received.check_in.environment = format!("on-{number}");
        received
    };
    // One is there already.
    take(store, (1..=MONITOR_ENVIRONMENTS_MAX).map(within).collect()).await;
    let mut known = within(1);
    known.record_id.0[0] = 0xff;
    take(store, vec![known]).await;
    assert_eq!(only_monitor(store, place.api).await.environments.len(), MONITOR_ENVIRONMENTS_MAX);
    let accepted = (Outcome::Accepted, String::new(), MONITOR_ENVIRONMENTS_MAX as u64 + 1);
    let refused = (Outcome::Invalid, "too_many_environments".to_owned(), 1);
    assert_eq!(sums(store, place.api, DataCategory::Monitor).await, [accepted, refused]);
}
