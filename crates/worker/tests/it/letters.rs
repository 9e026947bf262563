//! Dead letters that are replayed.

use nuthatch_protocol::LetterId;
use serde_json::json;

use super::*;

/// One event that nothing can be made of, and its letter.
async fn refused() -> (Stores, LetterId) {
    let stores = Stores::new().await;
    stores.accept(1, "not json").await;
    stores.drain(None).await.unwrap();
    let id = stores.dead().await[0].id;
    (stores, id)
}

impl Stores {
    async fn request_replay(&self, id: LetterId, payload: Option<&'static str>) {
        let letter = self.meta.letter(id).await.unwrap().unwrap();
        let record = letter.replacement(payload.map(|text| Bytes::from_static(text.as_bytes()))).unwrap();
        self.meta.request_replay(id, record).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_edited_letter_becomes_the_event_it_should_have_been() {
    let (stores, id) = refused().await;
    stores.request_replay(id, Some(r#"{"message":"mended"}"#)).await;
    stores.drain(None).await.unwrap();
    assert_eq!(stores.dead().await, []);
    assert_eq!((stores.counted().await, stores.searchable().await), (1, 1));
    let event = stores.events.get(stores.project, EventId([1; 16])).await.unwrap();
    assert!(event.is_some(), "it keeps the id that was answered");
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_is_refused_again_is_a_new_letter() {
    let (stores, id) = refused().await;
    stores.request_replay(id, None).await;
    stores.drain(None).await.unwrap();
    let dead = stores.dead().await;
    assert_eq!(dead.len(), 1);
    assert_ne!((dead[0].id, dead[0].header.source.offset), (id, 0));
    assert!(!dead[0].replay_requested, "it waits for somebody, or it would go round for ever");
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_dies_while_it_replays_does_it_again_and_counts_once() {
    let mut deaths = 0;
    for operation in 0.. {
        let (stores, id) = refused().await;
        stores.request_replay(id, Some(r#"{"message":"mended"}"#)).await;
        if stores.drain(Some(dies_at(operation))).await.is_ok() {
            break;
        }
        deaths += 1;
        stores.drain(None).await.unwrap();
        assert_eq!(stores.dead().await, [], "died at operation {operation}");
        assert_eq!(stores.counted().await, 1, "died at operation {operation}");
        assert_eq!(stores.searchable().await, 1, "died at operation {operation}");
    }
    assert!(deaths > 5, "only {deaths} deaths were tried");
}

/// Items that have no id by which the stores would know them again: topic, type, and a payload that can be read.
fn nameless_items() -> [(Topic, &'static str, String); 6] {
    let at = NOW.as_secs_f64();
    let trace = "0123456789abcdef0123456789abcdef";
    let session = json!({"sid": trace, "started": NOW.to_string(), "status": "ok", "attrs": {"release": "web@1.0"}});
    let span = json!({"trace_id": trace, "span_id": "0123456789abcdef", "start_timestamp": at - 1.0, "end_timestamp": at,
        "name": "job", "status": "ok"});
    let line = json!({"timestamp": at, "trace_id": trace, "level": "info", "body": "hello"});
    let metric = json!({"timestamp": at, "trace_id": trace, "name": "queue", "type": "gauge", "value": 3});
    let items = |item| json!({"items": [item]}).to_string();
    let schedule = json!({"schedule": {"type": "interval", "value": 1, "unit": "hour"}});
    let check_in = json!({"monitor_slug": "job", "status": "in_progress", "monitor_config": schedule});
    let report = json!({"event_id": trace, "name": "Ada", "email": "ada@example.com", "comments": "broken"});
    [
        (Topic::IngestSessions, "session", session.to_string()),
        (Topic::TraceItems, "span", items(span)),
        (Topic::TraceItems, "log", items(line)),
        (Topic::TraceItems, "trace_metric", items(metric)),
        (Topic::IngestMonitors, "check_in", check_in.to_string()),
        (Topic::IngestAttachments, "user_report", report.to_string()),
    ]
}

impl Stores {
    /// Items of any category in the ledger, by outcome and reason; bytes are left out.
    async fn items_by_outcome(&self) -> BTreeMap<(Outcome, String), u64> {
        let query = OutcomeQuery {
            projects: vec![self.project],
            keys: Vec::new(),
            categories: DataCategory::ALL
                .iter()
                .copied()
                .filter(|category| *category != DataCategory::LogByte)
                .collect(),
            outcomes: Vec::new(),
            reasons: Vec::new(),
            from_minute: 0,
            until_minute: i64::MAX,
            interval_minutes: 1,
            by: OutcomeGrouping { outcome: true, reason: true, ..OutcomeGrouping::default() },
        };
        let sums = self.meta.outcome_sums(&query).await.unwrap().into_iter();
        sums.map(|sum| ((sum.group.outcome.unwrap(), sum.group.reason.unwrap()), sum.quantity)).collect()
    }
}

/// A worker may die behind the append of a replay and before the letter is gone; then it appends it again.
#[tokio::test(start_paused = true)]
async fn what_has_no_id_counts_once_though_its_letter_was_replayed_twice() {
    for (topic, item_type, payload) in nameless_items() {
        let mut repetitions = 0;
        for operation in 0.. {
            let stores = Stores::new().await;
            stores.accept_item(topic, item_type, 1, "not json").await;
            stores.drain(None).await.unwrap();
            let letter = stores.dead().await.remove(0);
            let stored = stores.meta.letter(letter.id).await.unwrap().unwrap();
            let record = stored.replacement(Some(Bytes::from(payload.clone()))).unwrap();
            stores.meta.request_replay(letter.id, record).await.unwrap();
            let is_done = stores.drain(Some(dies_at(operation))).await.is_ok();
            stores.drain(None).await.unwrap();
            let place = format!("{item_type}, died at operation {operation}");
            assert_eq!(stores.dead().await, [], "{place}");
            let mut found = stores.items_by_outcome().await;
            repetitions += found.remove(&(Outcome::Invalid, "duplicate".to_owned())).unwrap_or_default();
            // Received twice: once as it was, once as it is replayed.
            let wanted = [((Outcome::Accepted, String::new()), 1), ((Outcome::Invalid, letter.header.reason), 1)];
            assert_eq!(found, BTreeMap::from(wanted), "{place}");
            assert_eq!(stores.meta.books().await.unwrap().imbalances(), [], "{place}");
            if is_done {
                break;
            }
        }
        assert!(repetitions > 0, "{item_type}: no death made the worker replay the letter again");
    }
}

#[tokio::test(start_paused = true)]
async fn a_replay_that_is_refused_twice_is_one_letter() {
    for operation in 0.. {
        let stores = Stores::new().await;
        stores.accept_item(Topic::TraceItems, "log", 1, "not json").await;
        stores.drain(None).await.unwrap();
        let id = stores.dead().await[0].id;
        stores.request_replay(id, None).await;
        let is_done = stores.drain(Some(dies_at(operation))).await.is_ok();
        stores.drain(None).await.unwrap();
        assert_eq!(stores.dead().await.len(), 1, "died at operation {operation}");
        if is_done {
            break;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn letters_expire_with_the_events() {
    let (stores, _) = refused().await;
    let mut worker = stores.worker(None);
    worker.clock = Arc::new(|| NOW.plus(Duration::from_hours(91 * 24)));
    let stop = CancellationToken::new();
    let running = tokio::spawn(worker.run(stop.clone()));
    while !stores.dead().await.is_empty() {
        tokio::time::sleep(LOOK).await;
    }
    stop.cancel();
    running.await.unwrap().unwrap();
}
