use std::{collections::BTreeMap, sync::Arc};

use nuthatch_store::Log;
use tempfile::TempDir;

use super::{TOPIC, at, open, read_all, record};

#[tokio::test(flavor = "multi_thread")]
async fn appenders_get_dense_places_of_their_own() {
    const APPENDERS: u64 = 32;
    const APPENDS: u64 = 20;
    let dir = TempDir::new().unwrap();
    let log = Arc::new(open(dir.path()));
    let appenders: Vec<_> = (0..APPENDERS)
        .map(|appender| {
            let log = log.clone();
            tokio::spawn(async move {
                let mut places = Vec::new();
                for append in 0..APPENDS {
                    let numbers = [0, 1].map(|half| (appender * APPENDS + append) * 2 + half);
                    let records = numbers.map(|number| record(number, 3000)).to_vec();
                    let first = log.append(TOPIC, 0, records).await.unwrap().offset;
                    places.extend([(first, numbers[0]), (first + 1, numbers[1])]);
                    // What is acknowledged can be read at once, and found.
                    let found = log.find(at(0), record(numbers[1], 0).key).await.unwrap().unwrap();
                    assert_eq!(found.position, at(first + 1));
                }
                places
            })
        })
        .collect();
    let mut places = BTreeMap::new();
    for appender in appenders {
        for (offset, number) in appender.await.unwrap() {
            assert_eq!(places.insert(offset, number), None, "offset {offset} was given twice");
        }
    }
    assert!(places.keys().copied().eq(0..APPENDERS * APPENDS * 2), "offsets are dense");
    let batch = read_all(&log).await;
    assert_eq!(batch.damaged, []);
    assert_eq!(batch.records.len(), places.len());
    for found in batch.records {
        assert_eq!(found.value, record(places[&found.position.offset], 3000).value);
    }
    assert!(log.bounds(TOPIC, 0).await.unwrap().bytes > 3000 * APPENDERS * APPENDS * 2);
    log.shutdown().await;
}
