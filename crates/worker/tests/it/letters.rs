//! Dead letters that are replayed.

use nuthatch_protocol::LetterId;

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
