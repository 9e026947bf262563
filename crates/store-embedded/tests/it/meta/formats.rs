//! Databases of earlier versions, of later ones, and what is no database.

use nuthatch_issues::{Cause, Needs, Status};
use nuthatch_protocol::{DataCategory, Fact, Facts, Hash, LetterId, Origin, Outcome, PublicKey, UserId};
use nuthatch_store::{
    AccountStore, DeadLetterStore, IssueTypeStore, OutcomeStore, ProjectFactStore, ProjectTokenStore, TeamStore,
    accounts::NewUser,
};
use rusqlite::Connection;

use super::*;

/// The first format: its schema and one row of everything, as it wrote them.
const FORMAT_1: [&str; 2] =
    [include_str!("../../../migrations/meta/0001_start.sql"), include_str!("../../fixtures/meta/0001.sql")];

#[tokio::test]
async fn format_1_opens() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("meta.db");
    let old = Connection::open(&path).unwrap();
    for sql in FORMAT_1 {
        old.execute_batch(sql).unwrap();
    }
    old.execute("INSERT INTO position VALUES ('issues', 'ingest-events', 0, 9)", []).unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    drop(old);

    let store = open(&path);
    assert_eq!(store.config_version(), 3);
    assert_eq!(store.user_by_email("ADA@example.org").await.unwrap().unwrap().id, UserId(1));
    assert!(store.session(&[1; 32], Timestamp(0)).await.unwrap().is_some());
    assert_eq!(store.token(&[2; 32]).await.unwrap().unwrap().scopes, ["event:read", "org:admin"]);
    let user = NewUser {
        email: "eve@example.org".to_owned(),
        name: String::new(),
        password_hash: String::new(),
        created: Timestamp(0),
    };
    assert!(store.set_up(&[3; 32], user, Timestamp(0)).await.unwrap().is_some());
    let client_key = store.key(PublicKey([4; 16])).await.unwrap().unwrap();
    let project = store.project(client_key.project_id).await.unwrap().unwrap();
    assert_eq!((project.slug.as_str(), store.members(project.organization_id).await.unwrap().len()), ("web", 2));

    assert_eq!(store.project_token(&[9; 32]).await.unwrap().unwrap().project_id, project.id);
    let types = store.issue_types(project.organization_id).await.unwrap();
    assert_eq!((types[0].id.0, types[0].slug.as_str(), types[0].evidence[0].key.as_str()), (100_000, "leak", "path"));

    let found = store.issue(IssueId(1)).await.unwrap().unwrap();
    assert_eq!((found.title.as_str(), found.status, found.user_count), ("ValueError: no", Status::Ignored, 1));
    assert_eq!(found.metadata["value"], "no");
    let found_issue = found.id;
    assert_eq!(store.hashes(found.id).await.unwrap(), [Hash([5; 16])]);
    assert_eq!(store.hourly_counts(&[found.id], 0).await.unwrap(), [(found.id, 472_222, 2)]);
    let activities = store.activities(found.id, 10).await.unwrap();
    assert_eq!((activities.len(), activities[0].cause), (1, Cause::User { id: UserId(1) }));
    let handled = store.handled(&[key(project.id, 7), key(project.id, 8)]).await.unwrap();
    let found: Vec<_> = handled.iter().map(|handled| (handled.position, handled.fate)).collect();
    assert_eq!(found, [(Some(position(8).position), EventFate::Counted), (None, EventFate::None)]);
    assert_eq!(store.history(found_issue, 9).await.unwrap().len(), 1);
    assert_eq!(store.open_periods(found_issue).await.unwrap().len(), 1);
    assert_eq!(store.teams(project.organization_id).await.unwrap()[0].slug, "core");
    assert_eq!(store.position("worker", position(0).position).await.unwrap(), position(9).position);

    let kept = store.letter(LetterId(1)).await.unwrap().unwrap();
    let header = kept.letter.header;
    assert_eq!((header.source, header.project_id), (position(3).position, Some(project.id)));
    assert_eq!((header.reason.as_str(), header.place.as_deref()), ("invalid_json", Some("byte 0")));
    assert_eq!(&kept.record[..], b"not json");

    // What its projects were sent before is looked through once.
    assert_eq!(store.projects_to_look_through().await.unwrap(), [project.id]);
    let mut found = Facts::default();
    found.saw(project.id, Fact::Environment("production".to_owned()), Timestamp(0));
    store.looked_through(project.id, found).await.unwrap();
    assert_eq!(store.projects_to_look_through().await.unwrap(), []);
    assert_eq!(store.project_facts(&[project.id]).await.unwrap()[0].environments, ["production"]);

    // The ledger begins with what there was.
    let books = store.books().await.unwrap();
    assert_eq!(books.imbalances(), []);
    assert_eq!((books.accounts[0].opening, books.accounts[0].records), (9, 0));
    let total = &books.totals[0];
    assert_eq!(
        (total.category, total.opening as u64, total.remembered),
        (DataCategory::Error, books.issue_events[0].1, 1)
    );
}

/// The ledger did not always know that user reports are no events.
#[tokio::test]
async fn reports_of_format_13_do_not_upset_the_books() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("meta.db");
    let store = open(&path);
    let place = Place::make(&store, "acme").await;
    let origin = Origin { received: Timestamp(0), project_id: Some(place.web), key_id: None };
    let mut changes = nth(1, place.web);
    changes.outcomes.add(origin.key(DataCategory::Feedback, Outcome::Accepted, ""), 1);
    transact(&store, 1, changes).await.unwrap();
    drop(store);
    Connection::open(&path)
        .unwrap()
        .execute_batch(
            "UPDATE outcome SET quantity = 3;
             UPDATE outcome_total SET quantity = 3;
             INSERT INTO position VALUES ('files', 'ingest-attachments', 0, 2);
             INSERT INTO outcome_account VALUES ('files', 'ingest-attachments', 0, 0, 2, 2);
             DROP TABLE waiting_check_in;
             DROP TABLE project_fact;
             DROP TABLE project_to_look_through;
             DROP INDEX release_by_date;
             DROP INDEX issue_feedback;
             PRAGMA user_version = 13;",
        )
        .unwrap();
    let books = open(&path).books().await.unwrap();
    let reports: i64 = books.totals.iter().map(|total| total.reports).sum();
    assert_eq!((books.imbalances(), reports), (vec![], 2));
}

/// Every number of the ledger has another one that it must fit to.
#[tokio::test]
async fn a_damaged_number_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("meta.db");
    let store = open(&path);
    let place = Place::make(&store, "acme").await;
    for n in 1..=3 {
        let origin = Origin { received: Timestamp(0), project_id: Some(place.web), key_id: None };
        let mut changes = nth(n, place.web);
        changes.outcomes.add(origin.key(DataCategory::Error, Outcome::Accepted, ""), 1);
        transact(&store, n, changes).await.unwrap();
    }
    assert_eq!(store.books().await.unwrap().imbalances(), []);
    let other = Connection::open(&path).unwrap();
    for (damage, mend, check) in [
        ("UPDATE outcome SET quantity = quantity - 1", "UPDATE outcome SET quantity = quantity + 1", "minutes"),
        ("UPDATE outcome_total SET quantity = 2", "UPDATE outcome_total SET quantity = 3", "outcomes-of-records"),
        ("UPDATE outcome_account SET records = 4", "UPDATE outcome_account SET records = 3", "records-of-position"),
        ("UPDATE outcome_account SET quantity = 4", "UPDATE outcome_account SET quantity = 3", "one-outcome-each"),
        ("UPDATE position SET \"offset\" = 4", "UPDATE position SET \"offset\" = 3", "records-of-position"),
        ("UPDATE issue SET times_seen = 2", "UPDATE issue SET times_seen = 1", "issue-counters"),
        ("UPDATE handled SET fate = 1", "UPDATE handled SET fate = 0", "messages"),
    ] {
        other.execute(damage, []).unwrap();
        let found = store.books().await.unwrap().imbalances();
        assert!(found.iter().any(|found| found.check == check), "{damage}: {found:?}");
        other.execute(mend, []).unwrap();
        assert_eq!(store.books().await.unwrap().imbalances(), [], "{mend}");
    }
}

#[tokio::test]
async fn a_dead_hash_is_seen_and_can_be_owned_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("meta.db");
    let store = open(&path);
    let place = Place::make(&store, "acme").await;
    let dead = (place.web, Hash([6; 16]));
    let project = place.web.0 as i64;
    Connection::open(&path)
        .unwrap()
        .execute("INSERT INTO issue_hash VALUES (?1, ?2, NULL, 0)", rusqlite::params![project, dead.1.0])
        .unwrap();

    let needs = Needs { hashes: vec![dead], ..Needs::default() };
    let decide = move |snapshot: &nuthatch_issues::Snapshot| {
        assert_eq!(snapshot.hashes[&dead], None);
        Changes { hashes: vec![(dead.0, dead.1, IssueId(1))], ..nth(1, dead.0) }
    };
    assert_eq!(store.issue_of_hash(dead.0, dead.1).await.unwrap(), None);
    store.transact(needs, None, Box::new(decide)).await.unwrap();
    assert_eq!(store.issue_of_hash(dead.0, dead.1).await.unwrap(), Some(IssueId(1)));
    assert_eq!(store.hashes(IssueId(1)).await.unwrap(), [dead.1]);
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("meta.db");
    let newer = Connection::open(&path).unwrap();
    newer.pragma_update(None, "user_version", 999).unwrap();
    let error = EmbeddedMeta::open(&path, MetaOptions::default()).unwrap_err();
    assert!(matches!(error, StoreError::Invalid(_)), "{error}");
    assert!(error.to_string().contains("format 999"), "{error}");
    let tables: i64 = newer.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
    assert_eq!(tables, 0);
}

#[test]
fn what_is_no_database_is_called_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("meta.db");
    std::fs::write(&path, [b'x'; 8192]).unwrap();
    let error = EmbeddedMeta::open(&path, MetaOptions::default()).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
}
