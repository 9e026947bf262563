//! A project that floods has its events in the backlog, and nobody else waits behind them.

use std::sync::Mutex;

use nuthatch_issues::Changes;
use nuthatch_store::issues::ConsumerPosition;
use nuthatch_worker::BACKLOG_BATCH_RECORDS;

use super::*;
use crate::faults::Witness;

/// Which lane was moved how far, in the order of the transactions.
#[derive(Default)]
struct Journal(Mutex<Vec<Position>>);

impl Witness for Journal {
    fn asked(&self) -> Timestamp {
        NOW
    }

    fn committed(&self, _: Timestamp, position: Option<ConsumerPosition>, _: &Changes) {
        self.0.lock().unwrap().extend(position.map(|consumer| consumer.position));
    }
}

impl Journal {
    fn entries(&self) -> Vec<Position> {
        self.0.lock().unwrap().clone()
    }

    /// Lets the worker go on until the journal is as it should be; no time passes meanwhile.
    async fn until(&self, is_reached: impl Fn(&[Position]) -> bool) -> Vec<Position> {
        loop {
            let entries = self.entries();
            if is_reached(&entries) {
                return entries;
            }
            tokio::task::yield_now().await;
        }
    }
}

/// How far the backlog is at the end of some entries.
fn backlog_at(entries: &[Position]) -> u64 {
    let backlog = entries.iter().rev().find(|position| position.topic == Topic::IngestEventsBacklog);
    backlog.map_or(0, |position| position.offset)
}

async fn fill(stores: &Stores, topic: Topic, records: u64) {
    for number in 0..records {
        let id = EventId((u128::from(number) << 8 | topic as u128).to_be_bytes());
        stores.append_item(topic, "event", stores.project, id, r#"{"message":"flood"}"#).await;
    }
}

fn start(stores: &Stores, batch: usize) -> (Arc<Journal>, CancellationToken) {
    let (journal, stop) = (Arc::new(Journal::default()), CancellationToken::new());
    let mut worker = stores.worker_before(None, Some(journal.clone()));
    worker.options.batch.records = batch;
    worker.options.commit_max_events = 10_000;
    tokio::spawn(worker.run(stop.clone()));
    (journal, stop)
}

#[tokio::test(start_paused = true)]
async fn a_regular_event_waits_for_one_batch_of_a_long_backlog_at_most() {
    let stores = Stores::new().await;
    fill(&stores, Topic::IngestEventsBacklog, 50_000).await;
    let (journal, stop) = start(&stores, 1000);
    for number in 1..=5_u8 {
        // Somewhere in the flood, other events each time.
        let reached = backlog_at(&journal.entries()) + u64::from(number) * 300;
        let before = journal.until(|entries| backlog_at(entries) >= reached).await;
        stores.accept(number, r#"{"message":"calm"}"#).await;
        let is_applied = |entry: &Position| entry.topic == Topic::IngestEvents && entry.offset == u64::from(number);
        let after = journal.until(|entries| entries.iter().any(is_applied)).await;
        let applied = after.iter().position(is_applied).unwrap();
        let waited = backlog_at(&after[..applied]) - backlog_at(&before);
        assert!(waited <= BACKLOG_BATCH_RECORDS as u64, "it waited for {waited} events of the backlog");
    }
    stop.cancel();
}

#[tokio::test(start_paused = true)]
async fn while_both_lanes_are_full_they_alternate() {
    let stores = Stores::new().await;
    fill(&stores, Topic::IngestEvents, 400).await;
    fill(&stores, Topic::IngestEventsBacklog, 400).await;
    let (journal, stop) = start(&stores, 10);
    let entries = journal.until(|entries| entries.len() >= 60).await;
    let lanes: Vec<Topic> = entries.iter().map(|entry| entry.topic).collect();
    let mut runs: Vec<(Topic, usize)> = Vec::new();
    for lane in lanes {
        match runs.last_mut() {
            Some((topic, length)) if *topic == lane => *length += 1,
            _ => runs.push((lane, 1)),
        }
    }
    // Once both have begun and while the regular lane has batches, each of the backlog waits for one, and no longer.
    let ended = runs.iter().rposition(|(topic, _)| *topic == Topic::IngestEvents).unwrap();
    for (topic, length) in &runs[1..ended] {
        assert!(*length <= if *topic == Topic::IngestEvents { 2 } else { 1 }, "{runs:?}");
    }
    stop.cancel();
}

#[tokio::test]
async fn an_event_that_comes_in_both_lanes_counts_once() {
    for operation in 0.. {
        let stores = Stores::new().await;
        for id in 1..=6 {
            let payload = format!(r#"{{"message":"problem {}"}}"#, id % 2);
            stores.accept(id, &payload).await;
            stores.accept_item(Topic::IngestEventsBacklog, "event", id, &payload).await;
        }
        stores.accept_item(Topic::IngestEventsBacklog, "event", 7, "not json").await;
        let died = stores.drain(Some(dies_at(operation))).await.is_err();
        stores.drain(None).await.unwrap();
        let what = format!("died at operation {operation}");
        assert_eq!((stores.counted().await, stores.searchable().await), (6, 6), "{what}");
        let ledger = [
            ((Outcome::Accepted, String::new()), 6),
            ((Outcome::Invalid, "duplicate".to_owned()), 6),
            ((Outcome::Invalid, "invalid_json".to_owned()), 1),
        ];
        assert_eq!(stores.ledger().await, BTreeMap::from(ledger), "{what}");
        assert_eq!(stores.meta.books().await.unwrap().imbalances(), [], "{what}");
        let [letter] = &stores.dead().await[..] else { panic!("{what}: one letter") };
        assert_eq!(letter.header.source.topic, Topic::IngestEventsBacklog);
        if !died {
            return;
        }
    }
}
