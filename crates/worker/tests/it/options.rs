//! What a project's options do to its events, also when they change between a crash and the replay.

use bytes::Bytes;
use nuthatch_normalize::scrub::ScrubSettings;
use nuthatch_protocol::{EventId, Position, Topic};
use nuthatch_store::{
    Change, EventStore as _, Log as _, ProjectStore as _,
    events::StoredEvent,
    log::NewRecord,
    projects::{Organization, Project, ProjectOptions},
};
use nuthatch_worker::row_id;
use serde_json::json;

use super::*;

const SECRET: &str = "4111 1111 1111 1111";

impl Stores {
    pub(super) async fn choose(&self, change: impl FnOnce(&mut ProjectOptions) + Send + 'static) {
        let change: Change<Project> = Box::new(|project| {
            change(&mut project.options);
            Ok(())
        });
        self.meta.change_project(self.project, change).await.unwrap();
    }

    async fn stored(&self, id: EventId) -> Option<StoredEvent> {
        self.events.get(self.project, id).await.unwrap()
    }

    async fn issue_texts(&self) -> String {
        let organization = self.meta.project(self.project).await.unwrap().unwrap().organization_id;
        let query = IssueQuery {
            organization,
            projects: Vec::new(),
            filter: Vec::new(),
            seen_since: None,
            sort: IssueSort::LastSeen,
            cursor: None,
            limit: 100,
        };
        format!("{:?}", self.meta.issues(&query).await.unwrap().issues)
    }
}

#[tokio::test]
async fn what_is_taken_out_is_in_no_store() {
    let stores = Stores::new().await;
    stores.choose(|options| options.scrubbing.sensitive_fields = vec!["zebra".to_owned()]).await;
    let event = json!({"message": format!("paid with {SECRET}"), "extra": {"note": SECRET, "q": "a zebra"}, "user": {"id": "zebra"}});
    stores.accept(1, &event.to_string()).await;
    stores.drain(None).await.unwrap();
    let stored = stores.stored(EventId([1; 16])).await.unwrap();
    let all = format!("{:?} {:?} {}", stored.summary, stored.body, stores.issue_texts().await);
    assert!(all.contains("paid with [creditcard]"), "{all}");
    assert!(!all.contains("4111") && !all.contains("zebra"), "{all}");
}

#[tokio::test]
async fn what_the_organization_requires_holds_for_a_project_that_wants_nothing_and_from_the_next_batch_on() {
    let stores = Stores::new().await;
    stores.choose(|options| options.scrubbing = ScrubSettings::nothing()).await;
    let event =
        json!({"message": "m", "extra": {"note": SECRET, "q": "a zebra"}, "user": {"ip_address": "203.0.113.5"}});
    stores.accept(1, &event.to_string()).await;
    stores.drain(None).await.unwrap();
    let id = stores.meta.project(stores.project).await.unwrap().unwrap().organization_id;
    let require: Change<Organization> = Box::new(|organization| {
        organization.options.scrubbing = ScrubSettings {
            scrub_ip_addresses: true,
            sensitive_fields: vec!["zebra".to_owned()],
            ..ScrubSettings::default()
        };
        Ok(())
    });
    stores.meta.change_organization(id, require).await.unwrap();
    stores.accept(2, &event.to_string()).await;
    stores.drain(None).await.unwrap();
    let body = async |id| String::from_utf8(stores.stored(EventId([id; 16])).await.unwrap().body.to_vec()).unwrap();
    let (before, after) = (body(1).await, body(2).await);
    for secret in [SECRET, "zebra", "203.0.113.5"] {
        assert!(before.contains(secret), "{secret} in {before}");
        assert!(!after.contains(secret), "{secret} in {after}");
    }
}

#[tokio::test]
async fn events_in_occurrences_are_scrubbed_and_what_was_read_from_them() {
    let stores = Stores::new().await;
    stores.choose(|options| options.scrubbing.scrub_ip_addresses = true).await;
    let id = EventId([9; 16]);
    let message = json!({
        "id": id.to_string(), "project_id": stores.project.0, "event_id": EventId([8; 16]).to_string(), "fingerprint": ["a"],
        "issue_title": "Slow", "subtitle": "", "type": 1001, "detection_time": NOW.as_secs_f64(), "evidence_display": [],
        "event": {"event_id": EventId([8; 16]).to_string(), "project_id": stores.project.0, "platform": "python",
            "timestamp": NOW.as_secs_f64(), "received": NOW.as_secs_f64(), "tags": {},
            "user": {"ip_address": "203.0.113.5"}, "extra": {"card": SECRET}}
    });
    let record = NewRecord { key: [8; 16], value: Bytes::from(message.to_string()) };
    stores.log.append(Topic::IngestOccurrences, 0, vec![record]).await.unwrap();
    let stop = CancellationToken::new();
    let running = tokio::spawn(stores.worker(None).run(stop.clone()));
    let start = Position { topic: Topic::IngestOccurrences, partition: 0, offset: 0 };
    while stores.events.position(start).await.unwrap().offset < 1 {
        tokio::time::sleep(LOOK).await;
    }
    stop.cancel();
    running.await.unwrap().unwrap();
    assert!(stores.dead().await.is_empty(), "{:?}", stores.dead().await);
    if let Some(stored) = stores.stored(row_id(id)).await {
        let all = format!("{:?} {:?}", stored.summary, stored.body);
        assert!(!all.contains("4111") && !all.contains("203.0.113.5"), "{all}");
        assert!(all.contains("[Filtered]"), "{all}");
    } else {
        panic!("the occurrence has no row: {}", stores.issue_texts().await);
    }
}

#[tokio::test]
async fn filtered_events_make_no_issue_and_no_row_and_the_next_setting_counts() {
    let stores = Stores::new().await;
    stores.choose(|options| options.filters.releases = vec!["1.*".to_owned()]).await;
    stores.accept(1, r#"{"message":"a","release":"1.0"}"#).await;
    stores.accept(2, r#"{"message":"a","release":"2.0"}"#).await;
    stores.drain(None).await.unwrap();
    assert_eq!((stores.counted().await, stores.searchable().await), (1, 1));
    assert!(stores.stored(EventId([1; 16])).await.is_none());
    stores.choose(|options| options.filters.releases.clear()).await;
    stores.accept(3, r#"{"message":"a","release":"1.0"}"#).await;
    stores.drain(None).await.unwrap();
    assert_eq!((stores.counted().await, stores.searchable().await), (2, 2));
}

/// Filters are judged once, with the decision of the issues: whichever way the setting changes before the replay, stores
/// agree. Scrubbing is by the newest setting, so that what somebody switched on holds for all that is stored from then on.
#[tokio::test]
async fn options_that_change_between_a_crash_and_the_replay_leave_the_stores_in_agreement() {
    let mut deaths = 0;
    for operation in 0.. {
        let mut last = true;
        for filters_first in [true, false] {
            let stores = Stores::new().await;
            if filters_first {
                stores.choose(|options| options.filters.releases = vec!["1.*".to_owned()]).await;
            }
            for id in 1..=6 {
                let event = format!(r#"{{"message":"a","release":"{}.0","extra":{{"q":"zebra"}}}}"#, id % 2);
                stores.accept(id, &event).await;
            }
            if stores.drain(Some(dies_at(operation))).await.is_ok() {
                continue;
            }
            (last, deaths) = (false, deaths + 1);
            let before = stores.meta.position(ISSUES_CONSUMER, START).await.unwrap().offset;
            let stored_before = stores.events.position(START).await.unwrap().offset;
            stores
                .choose(move |options| {
                    options.filters.releases = if filters_first { Vec::new() } else { vec!["1.*".to_owned()] };
                    options.scrubbing.sensitive_fields = vec!["zebra".to_owned()];
                })
                .await;
            stores.drain(None).await.unwrap();
            let (counted, searchable) = (stores.counted().await, stores.searchable().await);
            assert_eq!(counted, searchable, "died at operation {operation}, {before} decided");
            for id in (stored_before + 1)..=6 {
                if let Some(stored) = stores.stored(EventId([id as u8; 16])).await {
                    assert!(!format!("{:?}", stored.body).contains("zebra"), "stored after the change");
                }
            }
        }
        if last {
            break;
        }
    }
    assert!(deaths > 10, "only {deaths} deaths were tried");
}
