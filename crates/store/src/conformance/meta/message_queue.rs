//! Messages that wait for the worker.

use nuthatch_issues::TopicRecord;

use crate::{MetaStore, message_queue::QueueBounds};

/// Messages wait in order until they are taken; more than the bounds allow are refused together.
pub async fn messages_wait_in_order(store: &impl MetaStore) {
    let record = |n: u8| TopicRecord { partition: u16::from(n % 2), key: [n; 16], value: vec![n; 10] };
    let records = |range: std::ops::RangeInclusive<u8>| range.map(record).collect::<Vec<_>>();
    let wide = QueueBounds::default();
    assert!(store.queue_messages(records(1..=3), wide).await.expect("queues"));
    assert!(store.queue_messages(records(4..=5), wide).await.expect("queues"));

    let first = store.queued_messages(4).await.expect("lists");
    assert_eq!(first.iter().map(|queued| queued.record.clone()).collect::<Vec<_>>(), records(1..=4));
    assert!(first.is_sorted_by_key(|queued| queued.number));
    store.unqueue_messages(first[1].number).await.expect("removes");
    let rest = store.queued_messages(10).await.expect("lists");
    assert_eq!(rest.iter().map(|queued| queued.record.clone()).collect::<Vec<_>>(), records(3..=5));

    let refused = [QueueBounds { messages: 4, ..wide }, QueueBounds { bytes: 49, ..wide }];
    for bounds in refused {
        assert!(!store.queue_messages(records(6..=7), bounds).await.expect("answers"), "{bounds:?}");
    }
    assert_eq!(store.queued_messages(10).await.expect("lists"), rest, "all or none");
    assert!(store.queue_messages(records(6..=7), QueueBounds { messages: 5, bytes: 50 }).await.expect("queues"));

    let last = store.queued_messages(10).await.expect("lists").last().map_or(0, |queued| queued.number);
    store.unqueue_messages(last).await.expect("removes");
    assert_eq!(store.queued_messages(10).await.expect("lists"), []);
    assert!(store.queue_messages(records(8..=8), wide).await.expect("queues"));
    assert!(store.queued_messages(1).await.expect("lists")[0].number > last, "numbers are not given twice");
}
