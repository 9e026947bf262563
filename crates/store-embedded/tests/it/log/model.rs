//! Random sequences of actions against the in-memory reference.

use std::path::PathBuf;

use nuthatch_store::{
    Log,
    log::{LogLayout, ReadLimit},
    memory::MemoryLog,
};
use nuthatch_store_embedded::log::EmbeddedLog;
use proptest::prelude::*;
use tempfile::TempDir;

use super::{TOPIC, at, copy, record, small_segments};

#[derive(Debug, Clone)]
enum Action {
    Append { records: usize, bytes: usize },
    Read { from: u64, limit: ReadLimit },
    Find { from: u64, number: u64 },
    Release { consumer: bool, offset: u64 },
    Reopen,
    Crash,
}

fn action() -> impl Strategy<Value = Action> {
    let limit = (0..30usize, 0..200_000usize).prop_map(|(records, bytes)| ReadLimit { records, bytes });
    prop_oneof![
        6 => (0..6usize, prop_oneof![0..3000usize, 50_000..150_000usize])
            .prop_map(|(records, bytes)| Action::Append { records, bytes }),
        3 => (0..60u64, limit).prop_map(|(from, limit)| Action::Read { from, limit }),
        2 => (0..60u64, 0..60u64).prop_map(|(from, number)| Action::Find { from, number }),
        2 => (any::<bool>(), 0..60u64).prop_map(|(consumer, offset)| Action::Release { consumer, offset }),
        1 => Just(Action::Reopen),
        1 => Just(Action::Crash),
    ]
}

fn layout() -> LogLayout {
    LogLayout { partitions: 1, consumers: vec![(TOPIC, "a".to_owned()), (TOPIC, "b".to_owned())] }
}

fn open(dir: &std::path::Path) -> EmbeddedLog {
    let log = EmbeddedLog::open(dir, small_segments(layout())).unwrap();
    assert_eq!(log.recovery().findings, []);
    log
}

async fn run(actions: Vec<Action>) {
    let root = TempDir::new().unwrap();
    let mut dir: PathBuf = root.path().join("0");
    let mut log = open(&dir);
    // Trims record by record; the one on disk keeps whole segments, so what is compared starts at `first`.
    let model = MemoryLog::with_layout(layout());
    let mut number = 0;
    for (step, action) in actions.into_iter().enumerate() {
        match action {
            Action::Append { records, bytes } => {
                let records: Vec<_> = (number..).take(records).map(|number| record(number % 40, bytes)).collect();
                number += records.len() as u64;
                let expected = model.append(TOPIC, 0, records.clone()).await.unwrap();
                assert_eq!(log.append(TOPIC, 0, records).await.unwrap(), expected);
            }
            Action::Read { from, limit } => {
                let from = at(from.max(model.bounds(TOPIC, 0).await.unwrap().first));
                let expected = model.read(from, limit).await.unwrap();
                let found = log.read(from, limit).await.unwrap();
                assert_eq!((found.records, found.damaged), (expected.records, expected.damaged));
                assert!(found.next >= expected.next, "behind a gap at the most");
            }
            Action::Find { from, number } => {
                let from = at(from.max(model.bounds(TOPIC, 0).await.unwrap().first));
                let key = record(number % 40, 0).key;
                assert_eq!(log.find(from, key).await.unwrap(), model.find(from, key).await.unwrap());
            }
            Action::Release { consumer, offset } => {
                let consumer = if consumer { "a" } else { "b" };
                model.release(consumer, at(offset)).await.unwrap();
                log.release(consumer, at(offset)).await.unwrap();
            }
            Action::Reopen => {
                log.shutdown().await;
                drop(log);
                log = open(&dir);
            }
            Action::Crash => {
                let after = root.path().join((step + 1).to_string());
                copy(&dir, &after);
                drop(log);
                dir = after;
                log = open(&dir);
            }
        }
        assert_eq!(log.consumers().await.unwrap(), model.consumers().await.unwrap());
        let (found, expected) = (log.bounds(TOPIC, 0).await.unwrap(), model.bounds(TOPIC, 0).await.unwrap());
        assert_eq!(found.next, expected.next);
        assert!(found.first <= expected.first);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_log_does_what_the_reference_does(actions in prop::collection::vec(action(), 1..25)) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run(actions));
    }
}
