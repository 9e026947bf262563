//! Updates of sessions reach the health of releases exactly once.

use nuthatch_store::{
    Change, ProjectStore as _, ReleaseStore as _, SessionStore as _,
    projects::Project,
    sessions::{SessionGrouping, SessionQuery, SessionSum},
};
use nuthatch_worker::SESSIONS_CONSUMER;
use serde_json::{Value, json};

use super::*;

const SESSIONS: Position = Position { topic: Topic::IngestSessions, ..START };

impl Stores {
    async fn accept_session(&self, item_type: &str, payload: &Value) {
        let header = IngestHeader {
            project_id: self.project,
            key_id: KeyId(1),
            event_id: EventId([9; 16]),
            item_type: item_type.to_owned(),
            attributes: ItemAttributes::default(),
            blob: None,
            user_agent: None,
            client_hints: nuthatch_protocol::record::ClientHints::default(),
            letter_id: None,
            received: NOW,
            sent_at: None,
            client_ip: None,
            client: None,
            version: "7".to_owned(),
        };
        let value = IngestRecord { header, payload: Bytes::from(payload.to_string()) }.encode();
        self.log.append(Topic::IngestSessions, 0, vec![NewRecord { key: [9; 16], value }]).await.unwrap();
    }

    /// Runs a worker until it has taken every record of a session, or fails.
    async fn drain_sessions(&self, faults: Option<Faults>) -> Result<(), StoreError> {
        let accepted = self.log.bounds(SESSIONS.topic, 0).await.unwrap().next;
        let stop = CancellationToken::new();
        let mut running = tokio::spawn(self.worker(faults).run(stop.clone()));
        loop {
            if self.meta.position(SESSIONS_CONSUMER, SESSIONS).await.unwrap().offset == accepted {
                stop.cancel();
                return running.await.unwrap();
            }
            tokio::select! {
                ended = &mut running => return ended.unwrap(),
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    async fn health(&self) -> Vec<SessionSum> {
        let query = SessionQuery {
            projects: vec![self.project],
            filter: Expr::all(),
            from_hour: 0,
            until_hour: i64::MAX,
            interval_hours: None,
            by: SessionGrouping { release: true, ..SessionGrouping::default() },
            with_users: true,
            with_durations: true,
        };
        self.meta.session_sums(&query).await.unwrap()
    }

    async fn session_outcomes(&self) -> BTreeMap<(Outcome, String), u64> {
        let query = OutcomeQuery {
            projects: vec![self.project],
            keys: vec![KeyId(1)],
            categories: vec![DataCategory::Session],
            outcomes: Vec::new(),
            reasons: Vec::new(),
            from_minute: NOW.secs() / 60,
            until_minute: NOW.secs() / 60 + 1,
            interval_minutes: 1,
            by: OutcomeGrouping { outcome: true, reason: true, ..OutcomeGrouping::default() },
        };
        let sums = self.meta.outcome_sums(&query).await.unwrap().into_iter();
        sums.map(|sum| ((sum.group.outcome.unwrap(), sum.group.reason.unwrap()), sum.quantity)).collect()
    }
}

fn update(sid: u8, user: &str, init: bool, status: &str) -> Value {
    json!({
        "sid": EventId([sid; 16]).to_string(), "did": user, "init": init, "seq": 5, "status": status, "duration": 2,
        "started": NOW.minus(Duration::from_mins(1)).to_string(), "attrs": {"release": "web@1.0"},
    })
}

/// Six sessions: of the first four one crashed, two are known by their end alone, and some updates came twice. Others
/// that cannot be counted.
async fn history() -> Stores {
    let stores = Stores::new().await;
    for sid in 1..=2 {
        stores.accept_session("session", &update(sid, "ada", true, "ok")).await;
        stores.accept_session("session", &update(sid, "ada", true, "ok")).await;
        stores.accept_session("session", &update(sid, "ada", false, ["crashed", "exited"][usize::from(sid) - 1])).await;
    }
    for sid in 3..=4 {
        stores.accept_session("session", &update(sid, "bob", false, "exited")).await;
        stores.accept_session("session", &update(sid, "bob", true, "ok")).await;
    }
    let aggregates = json!([{"started": NOW.to_string(), "exited": 1, "errored": 1}]);
    stores.accept_session("sessions", &json!({"aggregates": aggregates, "attrs": {"release": "web@1.0"}})).await;
    stores.accept_session("session", &json!({"started": NOW.to_string(), "attrs": {}})).await;
    let mut old = update(9, "eve", true, "crashed");
    old["started"] = json!(NOW.minus(Duration::from_hours(6 * 24)).to_string());
    stores.accept_session("session", &old).await;
    stores
}

async fn assert_exact(stores: &Stores, what: &str) {
    let health = stores.health().await;
    let [sum] = &health[..] else { panic!("{what}: one release, not {health:?}") };
    let tally = &sum.health;
    assert_eq!((tally.sessions, tally.errored, tally.crashed), (6, 2, 1), "{what}");
    assert_eq!((tally.durations.count(), tally.durations.sum_ms), (3, 6000), "{what}");
    assert_eq!((sum.users.users, sum.users.crashed), (2, 1), "{what}");
    let outcomes = [
        ((Outcome::Accepted, String::new()), 11),
        ((Outcome::Invalid, "invalid_session".to_owned()), 1),
        ((Outcome::Invalid, "timestamp".to_owned()), 1),
    ];
    assert_eq!(stores.session_outcomes().await, BTreeMap::from(outcomes), "{what}");
    let dead = stores.dead().await;
    assert_eq!(dead.iter().map(|letter| letter.header.reason.as_str()).collect::<Vec<_>>(), ["invalid_session"]);
    assert_eq!(stores.meta.books().await.unwrap().imbalances(), [], "{what}: the books");
    let releases = stores.meta.releases(&[stores.project], None).await.unwrap();
    assert_eq!(releases.iter().map(|release| release.version.as_str()).collect::<Vec<_>>(), ["web@1.0"], "{what}");
}

#[tokio::test]
async fn sessions_count_once_however_often_they_are_told() {
    let stores = history().await;
    stores.drain_sessions(None).await.unwrap();
    assert_exact(&stores, "undisturbed").await;
}

#[tokio::test]
async fn sessions_are_taken_up_exactly_after_a_death_between_any_two_store_operations() {
    let mut deaths = 0;
    for operation in 0.. {
        let stores = history().await;
        if stores.drain_sessions(Some(dies_at(operation))).await.is_ok() {
            break;
        }
        deaths += 1;
        stores.drain_sessions(None).await.unwrap();
        assert_exact(&stores, &format!("died at operation {operation}")).await;
    }
    assert!(deaths > 10, "only {deaths} deaths were tried");
}

#[tokio::test]
async fn sessions_that_a_project_does_not_want_have_no_effect() {
    let stores = Stores::new().await;
    let change: Change<Project> = Box::new(|project| {
        project.options.filters.releases = vec!["web@1.*".to_owned()];
        Ok(())
    });
    stores.meta.change_project(stores.project, change).await.unwrap();
    stores.accept_session("session", &update(1, "ada", true, "crashed")).await;
    stores.drain_sessions(None).await.unwrap();
    assert_eq!(stores.health().await, []);
    let filtered = ((Outcome::Filtered, "release-version".to_owned()), 1);
    assert_eq!(stores.session_outcomes().await, BTreeMap::from([filtered]));
    assert_eq!(stores.meta.releases(&[stores.project], None).await.unwrap(), []);
}
