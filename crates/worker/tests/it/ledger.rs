//! One outcome for each record, whatever is sent and whatever fails.

use nuthatch_protocol::Partition;
use nuthatch_store::{MonitorStore as _, issues::ConsumerPosition};
use nuthatch_worker::CHECK_INS_CONSUMER;
use proptest::prelude::*;
use serde_json::json;

use super::*;

/// A record of either topic.
#[derive(Debug, Clone)]
enum Sent {
    /// An event with this id and payload.
    Event(u8, &'static str),
    /// A record that is none.
    NoRecord,
    /// A message for the issue platform.
    Message(String),
    /// A check-in with this payload.
    CheckIn(String),
}

fn occurrence(id: u8, project: u64, kind: u64, fingerprint: &str) -> String {
    let id = EventId([id; 16]).to_string();
    json!({
        "payload_type": "occurrence", "id": id, "project_id": project, "fingerprint": [fingerprint], "type": kind,
        "issue_title": "Slow", "subtitle": "x", "detection_time": NOW.secs(), "level": "info",
        "evidence_data": {}, "evidence_display": [], "event_id": id,
        "event": {
            "event_id": id, "project_id": project, "platform": "python", "tags": {}, "timestamp": NOW.to_string(),
            "received": NOW.to_string(),
        },
    })
    .to_string()
}

fn status_change(id: u8, status: i64) -> String {
    json!({
        "payload_type": "status_change", "id": EventId([id; 16]).to_string(), "project_id": 1, "fingerprint": ["a"],
        "new_status": status, "new_substatus": null,
    })
    .to_string()
}

fn sent() -> impl Strategy<Value = Sent> {
    let payload = prop::sample::select(vec![r#"{"message":"a"}"#, r#"{"message":"b"}"#, "not json", "[]", ""]);
    prop_oneof![
        4 => (0..12u8, payload).prop_map(|(id, payload)| Sent::Event(id, payload)),
        1 => Just(Sent::NoRecord),
        3 => check_in().prop_map(Sent::CheckIn),
        // An unknown project, an unknown type, one that is noise at first, one that has its quota.
        3 => (0..12u8, 1..3u64, prop::sample::select(vec![1001, 1006, 2001, 77_777]), "[ab]")
            .prop_map(|(id, project, kind, fingerprint)| Sent::Message(occurrence(id, project, kind, &fingerprint))),
        2 => (0..12u8, 0..4i64).prop_map(|(id, status)| Sent::Message(status_change(id, status))),
        1 => prop::sample::select(vec!["", "{}", "[]", r#"{"payload_type":"other","id":"1","project_id":1,"fingerprint":["a"]}"#])
            .prop_map(|text| Sent::Message(text.to_owned())),
    ]
}

/// Check-ins of two monitors, some of which nobody has described, and of a few runs; and what is none.
fn check_in() -> impl Strategy<Value = String> {
    let status = prop::sample::select(vec!["in_progress", "ok", "error", "?"]);
    let run = prop::option::of(1..4u8);
    prop_oneof![
        9 => ("[ab]", status, run, any::<bool>()).prop_map(|(slug, status, run, describes)| {
            let config = json!({"schedule": {"type": "interval", "value": 1, "unit": "hour"}});
            let id = run.map(|run| EventId([run; 16]).to_string());
            let config = describes.then_some(config);
            json!({"monitor_slug": slug, "status": status, "check_in_id": id, "monitor_config": config}).to_string()
        }),
        1 => prop::sample::select(vec!["", "{}", "[]", "nothing"]).prop_map(str::to_owned),
    ]
}

async fn append(stores: &Stores, sent: &Sent) {
    let (topic, value) = match sent {
        Sent::Event(id, payload) => return stores.accept(*id, payload).await,
        Sent::CheckIn(payload) => return stores.accept_item(Topic::IngestMonitors, "check_in", 0, payload).await,
        Sent::NoRecord => (Topic::IngestEvents, Bytes::from_static(b"nothing")),
        Sent::Message(text) => (Topic::IngestOccurrences, Bytes::from(text.clone())),
    };
    stores.log.append(topic, 0 as Partition, vec![NewRecord { key: [0; 16], value }]).await.unwrap();
}

/// Runs a worker with batches of this size until everything is done or a store fails for good.
async fn drain(stores: &Stores, batch: usize, fault: Option<Faults>) -> Result<(), StoreError> {
    let stop = CancellationToken::new();
    let mut worker = stores.worker(fault);
    worker.options.batch.records = batch;
    let mut running = tokio::spawn(worker.run(stop.clone()));
    loop {
        if stores.is_settled().await {
            stop.cancel();
            return running.await.unwrap();
        }
        tokio::select! {
            ended = &mut running => return ended.unwrap(),
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

async fn check(history: &[Sent], deaths: &[(usize, u64)]) {
    let stores = Stores::new().await;
    for sent in history {
        append(&stores, sent).await;
    }
    for (batch, operation) in deaths {
        if drain(&stores, *batch, Some(dies_at(*operation))).await.is_ok() {
            break;
        }
        let books = stores.meta.books().await.unwrap();
        assert_eq!(books.imbalances(), [], "after a death the books balance at once");
    }
    drain(&stores, 5, None).await.unwrap();
    let books = stores.meta.books().await.unwrap();
    assert_eq!(books.imbalances(), []);
    let position = Position { topic: Topic::IngestMonitors, ..START };
    let consumer = ConsumerPosition { consumer: CHECK_INS_CONSUMER.to_owned(), position };
    stores.meta.give_up_check_ins(Timestamp(i64::MAX), consumer).await.unwrap();
    let books = stores.meta.books().await.unwrap();
    assert_eq!((books.imbalances(), books.waiting_check_ins), (vec![], 0));
    let counted: i64 = books.accounts.iter().map(|account| account.quantity).sum();
    assert_eq!(counted, history.len() as i64, "one outcome for each record");
    let summed: i64 = books.totals.iter().map(|total| total.in_minutes).sum();
    assert_eq!(summed, history.len() as i64);
    let lost = books.totals.iter().filter(|total| total.category == DataCategory::Unknown);
    assert_eq!(lost.count(), 0, "no record is missing");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn every_record_has_one_outcome(
        history in prop::collection::vec(sent(), 1..40),
        deaths in prop::collection::vec((1..8usize, 0..40u64), 0..5),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(check(&history, &deaths));
    }
}
