//! What every log must do.
#![expect(clippy::unwrap_used, reason = "a suite of assertions")]

use bytes::Bytes;
use nuthatch_protocol::{Position, Topic};

use crate::{
    Log, StoreError,
    log::{LogLayout, NewRecord, RECORD_MAX_BYTES, ReadLimit, StoredRecord},
};

const ALL: ReadLimit = ReadLimit { records: usize::MAX, bytes: usize::MAX };

/// Runs the suite. `make` gives an empty log of the layout each time.
pub async fn run<L: Log>(make: impl AsyncFn(LogLayout) -> L) {
    let two_partitions = LogLayout { partitions: 2, consumers: Vec::new() };
    a_new_log_is_empty(&make(two_partitions.clone()).await).await;
    what_is_appended_is_read_in_order(&make(two_partitions.clone()).await).await;
    partitions_and_topics_are_apart(&make(two_partitions.clone()).await).await;
    reads_keep_their_limits(&make(two_partitions.clone()).await).await;
    the_last_record_of_a_key_is_found(&make(two_partitions.clone()).await).await;
    who_waits_is_woken(&make(two_partitions.clone()).await).await;
    what_no_log_takes_is_refused(&make(two_partitions).await).await;
    consumers_move_forwards_only(&make(LogLayout::default()).await).await;
    nothing_in_front_of_a_slow_consumer_is_trimmed(&make(two_consumers()).await).await;
    released_offsets_are_not_given_again(&make(two_consumers()).await).await;
}

fn two_consumers() -> LogLayout {
    let consumers = ["slow", "fast"].map(|name| (Topic::IngestEvents, name.to_owned()));
    LogLayout { partitions: 1, consumers: consumers.to_vec() }
}

fn events(offset: u64) -> Position {
    Position { topic: Topic::IngestEvents, partition: 0, offset }
}

fn record(key: u8, value: impl Into<Bytes>) -> NewRecord {
    NewRecord { key: [key; 16], value: value.into() }
}

async fn append(log: &impl Log, records: Vec<NewRecord>) -> u64 {
    log.append(Topic::IngestEvents, 0, records).await.unwrap().offset
}

async fn read(log: &impl Log, from: u64) -> Vec<StoredRecord> {
    let batch = log.read(events(from), ALL).await.unwrap();
    assert_eq!(batch.damaged, []);
    batch.records
}

async fn a_new_log_is_empty(log: &impl Log) {
    assert_eq!(log.health(), Ok(()));
    assert_eq!(log.consumers().await.unwrap(), []);
    for topic in Topic::ALL {
        assert_eq!(log.partitions(topic), 2);
        let bounds = log.bounds(topic, 1).await.unwrap();
        assert_eq!((bounds.first, bounds.next), (0, 0));
    }
    let batch = log.read(events(0), ALL).await.unwrap();
    assert_eq!((batch.records, batch.damaged, batch.next), (vec![], vec![], events(0)));
    assert_eq!(append(log, vec![]).await, 0, "nothing takes no offset");
    assert_eq!(log.bounds(Topic::IngestEvents, 0).await.unwrap().next, 0);
}

async fn what_is_appended_is_read_in_order(log: &impl Log) {
    let large = vec![7; 300_000];
    let records = [record(1, "a"), record(2, ""), record(1, large), record(3, "d")];
    assert_eq!(append(log, records[..1].to_vec()).await, 0);
    assert_eq!(append(log, records[1..3].to_vec()).await, 1);
    assert_eq!(append(log, records[3..].to_vec()).await, 3);
    for from in 0..=4 {
        let expected: Vec<_> = (from..4)
            .map(|offset| {
                let NewRecord { key, value } = records[offset as usize].clone();
                StoredRecord { position: events(offset), key, value }
            })
            .collect();
        assert_eq!(read(log, from).await, expected, "from {from}");
        assert_eq!(log.read(events(from), ALL).await.unwrap().next, events(4));
    }
    assert_eq!(log.bounds(Topic::IngestEvents, 0).await.unwrap().next, 4);
}

async fn partitions_and_topics_are_apart(log: &impl Log) {
    for (topic, partition, value) in
        [(Topic::IngestEvents, 0, "a"), (Topic::IngestEvents, 1, "b"), (Topic::Outcomes, 0, "c")]
    {
        let at = Position { topic, partition, offset: 0 };
        assert_eq!(log.append(topic, partition, vec![record(1, value)]).await.unwrap(), at);
        let batch = log.read(at, ALL).await.unwrap();
        assert_eq!(batch.records.len(), 1);
        assert_eq!(batch.records[0].value, value);
        assert_eq!(batch.records[0].position, at);
    }
}

async fn reads_keep_their_limits(log: &impl Log) {
    append(log, (0..10).map(|key| record(key, vec![key; 100])).collect()).await;
    for (limit, expected) in [
        (ReadLimit { records: 3, bytes: usize::MAX }, 3),
        (ReadLimit { records: usize::MAX, bytes: 250 }, 2),
        (ReadLimit { records: 5, bytes: 200 }, 2),
        (ReadLimit { records: usize::MAX, bytes: 1 }, 1),
        (ReadLimit { records: 0, bytes: 0 }, 1),
    ] {
        let batch = log.read(events(4), limit).await.unwrap();
        assert_eq!(batch.records.len(), expected, "{limit:?}");
        assert_eq!(batch.records[0].position, events(4));
        assert_eq!(batch.next, events(4 + expected as u64));
    }
}

async fn the_last_record_of_a_key_is_found(log: &impl Log) {
    append(log, vec![record(1, "a"), record(2, "b"), record(1, "c"), record(3, "d")]).await;
    let found = async |from, key| log.find(events(from), [key; 16]).await.unwrap().map(|found| found.position.offset);
    assert_eq!(found(0, 1).await, Some(2));
    assert_eq!(found(0, 2).await, Some(1));
    assert_eq!(found(2, 2).await, None);
    assert_eq!(found(0, 9).await, None);
    assert_eq!(log.find(events(0), [1; 16]).await.unwrap().unwrap().value, "c");
}

async fn who_waits_is_woken(log: &impl Log) {
    append(log, vec![record(1, "a")]).await;
    log.wait(events(0)).await;
    tokio::join!(log.wait(events(1)), log.wait(events(2)), append(log, vec![record(2, "b"), record(3, "c")]));
    tokio::select! {
        biased;
        () = log.wait(events(3)) => unreachable!("there is no such record"),
        () = std::future::ready(()) => {}
    }
}

async fn what_no_log_takes_is_refused(log: &impl Log) {
    let there_is_not = Position { partition: 2, ..events(0) };
    let large = vec![record(1, "small"), record(1, vec![0; RECORD_MAX_BYTES + 1])];
    let refused = [
        log.append(Topic::IngestEvents, 2, vec![record(1, "a")]).await.err(),
        log.append(Topic::IngestEvents, 0, large).await.err(),
        log.read(there_is_not, ALL).await.err(),
        log.find(there_is_not, [0; 16]).await.err(),
        log.bounds(Topic::IngestEvents, 2).await.err(),
        log.release("worker", there_is_not).await.err(),
    ];
    for error in refused {
        assert!(matches!(error, Some(StoreError::Invalid(_))), "{error:?}");
    }
    assert_eq!(log.bounds(Topic::IngestEvents, 0).await.unwrap().next, 0, "all or none");
}

async fn consumers_move_forwards_only(log: &impl Log) {
    append(log, vec![record(1, "a"), record(2, "b"), record(3, "c")]).await;
    log.release("worker", events(2)).await.unwrap();
    log.release("worker", events(1)).await.unwrap();
    assert_eq!(log.consumers().await.unwrap(), [("worker".to_owned(), events(2))]);
    assert_eq!(read(log, 0).await.len(), 3, "a topic without registered consumers is never trimmed");
}

async fn nothing_in_front_of_a_slow_consumer_is_trimmed(log: &impl Log) {
    append(log, (0..10).map(|key| record(key, vec![key; 10])).collect()).await;
    let first = async || log.bounds(Topic::IngestEvents, 0).await.unwrap().first;
    log.release("fast", events(8)).await.unwrap();
    log.release("unregistered", events(9)).await.unwrap();
    assert_eq!(first().await, 0, "one consumer has not begun");
    log.release("slow", events(3)).await.unwrap();
    assert!(first().await <= 3);
    assert_eq!(read(log, 3).await.len(), 7);
    let kept = read(log, 0).await;
    assert_eq!(kept[0].position.offset, first().await, "what was trimmed is skipped");
    assert_eq!(kept.last().unwrap().position, events(9));
}

async fn released_offsets_are_not_given_again(log: &impl Log) {
    append(log, vec![record(1, "a")]).await;
    log.release("fast", events(5)).await.unwrap();
    assert_eq!(read(log, 1).await, [], "what was never there is not damaged");
    assert_eq!(append(log, vec![record(2, "b")]).await, 5);
    let offsets: Vec<u64> = read(log, 0).await.iter().map(|record| record.position.offset).collect();
    assert_eq!(offsets, [0, 5]);
    assert_eq!(log.read(events(0), ALL).await.unwrap().next, events(6));
}
