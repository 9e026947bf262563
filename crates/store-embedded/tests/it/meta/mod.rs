//! The metadata database.

mod agreement;
mod crash;
mod formats;

use std::path::Path;

use nuthatch_issues::{
    Changes, MessageKey, Needs,
    changes::{EventFate, Handled},
};
use nuthatch_protocol::{EventId, IssueId, Position, ProjectId, Timestamp, Topic};
use nuthatch_store::{
    IssueStore, ProjectStore, SessionStore, StoreError,
    conformance::meta::{self, Place, issue},
    issues::{ConsumerPosition, IssueQuery, IssueSort},
    memory::MemoryMeta,
};
use nuthatch_store_embedded::meta::{EmbeddedMeta, MetaOptions};

fn open(path: &Path) -> EmbeddedMeta {
    EmbeddedMeta::open(path, MetaOptions::default()).unwrap()
}

fn position(offset: u64) -> ConsumerPosition {
    ConsumerPosition {
        consumer: "worker".to_owned(),
        position: Position { topic: Topic::IngestEvents, partition: 0, offset },
    }
}

fn key(project_id: ProjectId, id: u8) -> MessageKey {
    MessageKey { project_id, id: EventId([id; 16]), of_event: true }
}

/// Issue `n`, counted from record `n`.
fn nth(n: u64, project: ProjectId) -> Changes {
    Changes {
        created: vec![issue(n, project, n)],
        handled: vec![Handled {
            key: key(project, n as u8),
            position: Some(position(n).position),
            fate: EventFate::Counted,
            at: Timestamp(0),
        }],
        users: vec![(IssueId(n), n)],
        ..Changes::default()
    }
}

/// How many issues the first project has.
async fn issues(store: &EmbeddedMeta, place: Place) -> u64 {
    let query = IssueQuery {
        organization: place.organization,
        projects: vec![place.web],
        filter: Vec::new(),
        seen_since: None,
        sort: IssueSort::LastSeen,
        cursor: None,
        limit: 1,
    };
    store.issues(&query).await.unwrap().hits
}

async fn transact(store: &EmbeddedMeta, to: u64, changes: Changes) -> Result<Changes, StoreError> {
    store.transact(Needs::default(), Some(position(to)), Box::new(|_| changes)).await
}

#[tokio::test]
async fn memory_conforms() {
    meta::all(MemoryMeta::new).await;
}

#[tokio::test]
async fn embedded_conforms() {
    let dir = tempfile::tempdir().unwrap();
    let mut stores = 0;
    meta::all(|| {
        stores += 1;
        open(&dir.path().join(format!("{stores}.db")))
    })
    .await;
}

#[tokio::test]
async fn writes_that_are_committed_together_fail_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = std::sync::Arc::new(open(&dir.path().join("meta.db")));
    let place = Place::make(&*store, "acme").await;
    let mut writes = tokio::task::JoinSet::new();
    for n in 0..100 {
        let store = std::sync::Arc::clone(&store);
        // Two of a kind: one of them must be refused, and only that one.
        writes.spawn(async move { transact(&store, n, nth(n / 2 + 1, place.web)).await.is_ok() });
    }
    let done = writes.join_all().await;
    assert_eq!(done.iter().filter(|ok| **ok).count(), 50);
    assert_eq!(issues(&store, place).await, 50);
}

#[tokio::test]
async fn places_that_nothing_refers_to_are_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("meta.db"));
    let raw = rusqlite::Connection::open(dir.path().join("meta.db")).unwrap();
    raw.execute_batch(
        "INSERT INTO session_place VALUES (1, 1, 'gone', ''), (2, 1, 'with a session', ''), (3, 1, 'with counts', '');
         INSERT INTO session_state VALUES (1, x'01', 2, 5, 5, 0, 0, 0, NULL, NULL, 0);
         INSERT INTO session_hour VALUES (3, 7, 1, 0, 0, 0, 0, 0, 0);",
    )
    .unwrap();
    store.expire_sessions(Timestamp(0), Timestamp(0)).await.unwrap();
    let mut places = raw.prepare("SELECT release FROM session_place ORDER BY id").unwrap();
    let kept: Vec<String> = places.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(kept, ["with a session", "with counts"]);
}

#[tokio::test]
async fn a_panicking_decision_leaves_nothing_and_others_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("meta.db"));
    let place = Place::make(&store, "acme").await;
    let refused = store.transact(Needs::default(), Some(position(5)), Box::new(|_| panic!("a bug"))).await;
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
    assert_eq!(store.position("worker", position(0).position).await.unwrap(), position(0).position);
    transact(&store, 1, nth(1, place.web)).await.unwrap();
    assert!(store.issue(IssueId(1)).await.unwrap().is_some());
}

#[tokio::test]
async fn configuration_written_by_another_process_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let (server, command) = (open(&dir.path().join("meta.db")), open(&dir.path().join("meta.db")));
    let place = Place::make(&command, "acme").await;
    // Any commit of its own makes a server look; an idle one looks by itself after a while.
    transact(&server, 1, nth(1, place.web)).await.unwrap();
    assert_eq!(server.config_version(), command.config_version());
    let before = server.config_version();
    command.create_organization("other", "Other", Timestamp(0)).await.unwrap();
    transact(&server, 2, Changes::default()).await.unwrap();
    assert_ne!(server.config_version(), before);
}

#[tokio::test]
async fn a_backup_is_a_whole_database() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("meta.db"));
    let place = Place::make(&store, "acme").await;
    transact(&store, 1, nth(1, place.web)).await.unwrap();
    let copy = dir.path().join("copy.db");
    store.backup_to(&copy).await.unwrap();
    transact(&store, 2, nth(2, place.web)).await.unwrap();
    assert!(store.backup_to(&copy).await.is_err(), "an existing file is left alone");

    let copy = open(&copy);
    assert_eq!(copy.position("worker", position(0).position).await.unwrap(), position(1).position);
    assert_eq!(copy.issue(IssueId(1)).await.unwrap(), store.issue(IssueId(1)).await.unwrap());
    assert_eq!(copy.issue(IssueId(2)).await.unwrap(), None);
}
