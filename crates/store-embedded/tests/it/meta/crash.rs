//! A machine that stops between any two bytes.

use std::path::Path;

use nuthatch_store::conformance::meta::Place;

use super::*;

const TRANSACTIONS: u64 = 12;

/// All transactions up to the consumer's position are there, whole, and nothing of later ones.
async fn assert_whole(path: &Path, place: Place) -> u64 {
    let store = open(path);
    let applied = store.position("worker", position(0).position).await.unwrap().offset;
    assert_eq!(issues(&store, place).await, applied);
    for n in 1..=TRANSACTIONS {
        let issue = store.issue(IssueId(n)).await.unwrap();
        assert_eq!(issue.map(|issue| issue.user_count), (n <= applied).then_some(1), "issue {n} of {applied}");
        let counted = store.handled(&[key(place.web, n as u8)]).await.unwrap();
        assert_eq!(counted.len(), usize::from(n <= applied), "occurrence {n} of {applied}");
    }
    // It goes on where it stopped.
    transact(&store, applied + 1, nth(applied + 1, place.web)).await.unwrap();
    applied
}

#[tokio::test]
async fn a_cut_at_any_byte_leaves_whole_transactions() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("meta.db");
    let place = Place::make(&open(&path), "acme").await; // closed again: it is all in the database file
    let database = std::fs::read(&path).unwrap();
    let store = open(&path);
    for n in 1..=TRANSACTIONS {
        transact(&store, n, nth(n, place.web)).await.unwrap();
    }
    let wal = std::fs::read(dir.path().join("meta.db-wal")).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), database, "nothing was copied back yet");

    let mut seen = Vec::new();
    for cut in (0..=60).map(|n| wal.len() * n / 60) {
        let copy = dir.path().join("copy.db");
        let _ = std::fs::remove_file(dir.path().join("copy.db-shm"));
        std::fs::write(&copy, &database).unwrap();
        std::fs::write(dir.path().join("copy.db-wal"), &wal[..cut]).unwrap();
        seen.push(assert_whole(&copy, place).await);
    }
    assert!(seen.is_sorted(), "{seen:?}");
    assert_eq!((seen[0], seen[60]), (0, TRANSACTIONS));

    drop(store);
    assert_eq!(assert_whole(&path, place).await, TRANSACTIONS);
}
