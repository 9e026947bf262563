use http::StatusCode;
use nuthatch_issues::{Decoded, decode};
use nuthatch_protocol::{Partition, Position, Timestamp, Topic};
use nuthatch_store::{Log as _, log::ReadLimit};
use serde_json::{Value, json};

use crate::app::{Answer, App, NOON, token};

const SEND: &str = "/api/0/projects/acme/web/occurrences/";
const CHANGE: &str = "/api/0/projects/acme/web/status-changes/";
const ID: &str = "0123456789abcdef0123456789abcdef";

fn occurrence(changes: &Value) -> Value {
    let mut occurrence = json!({
        "fingerprint": ["disk", "/var"], "type": "metric_issue", "issue_title": "Disk is full", "subtitle": "/var at 99 %",
    });
    occurrence.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    occurrence
}

impl App {
    async fn project_token(&self) -> String {
        let made = self.ann("POST", "/api/0/projects/acme/web/tokens/", &json!({"name": "detector"})).await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        made.json()["token"].as_str().unwrap().to_owned()
    }

    /// The messages on the topic, with their keys.
    async fn messages(&self) -> Vec<([u8; 16], Partition, Value)> {
        let mut all = Vec::new();
        for partition in 0..self.log.partitions(Topic::IngestOccurrences) {
            let from = Position { topic: Topic::IngestOccurrences, partition, offset: 0 };
            let read = self.log.read(from, ReadLimit { records: 10_000, bytes: 1 << 30 }).await.unwrap();
            all.extend(
                read.records
                    .into_iter()
                    .map(|record| (record.key, partition, serde_json::from_slice(&record.value).unwrap())),
            );
        }
        all
    }
}

fn statuses(answer: &Answer) -> Vec<String> {
    let items = answer.json()["items"].as_array().unwrap().clone();
    items.iter().map(|item| item["status"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_an_occurrence_leaves_out_is_filled_in() {
    let app = App::new().await;
    let answer = app.with_token(&app.project_token().await, "POST", SEND, &occurrence(&json!({}))).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
    let id = answer.json()["items"][0]["id"].as_str().unwrap().to_owned();

    let messages = app.messages().await;
    let [(key, _, message)] = messages.as_slice() else { panic!("{messages:?}") };
    assert_eq!(id, nuthatch_protocol::EventId(*key).to_string(), "the key of the record is the id");
    assert_eq!((&message["id"], &message["event_id"]), (&json!(id), &json!(id)));
    assert_eq!((&message["type"], &message["project_id"]), (&json!(8001), &json!(app.acme.project.id)));
    assert_eq!(message["payload_type"], "occurrence");
    let now = NOON as f64;
    assert_eq!(message["detection_time"], now);
    let event = json!({"project_id": app.acme.project.id, "platform": "other", "timestamp": now, "received": now});
    assert_eq!(message["event"], event);
    let decoded = decode(message.to_string().as_bytes(), Timestamp::from_secs(NOON)).unwrap();
    assert!(matches!(decoded, Decoded::Occurrence { .. }), "{decoded:?}");
}

#[tokio::test]
async fn what_it_says_is_kept() {
    let app = App::new().await;
    let given = [
        occurrence(&json!({"id": "01234567-89AB-CDEF-0123-456789abcdef", "event_id": "f".repeat(32), "type": 8001})),
        occurrence(&json!({"event": {"event_id": "e".repeat(32), "platform": "go", "timestamp": 1, "received": 2}})),
        occurrence(
            &json!({"detection_time": "2026-01-31T11:00:00+01:00", "event": {"platform": "go"}, "project_id": app.acme.project.id}),
        ),
    ];
    let answer = app.ann("POST", SEND, &json!(given)).await;
    assert_eq!(statuses(&answer), ["accepted"; 3], "{answer:?}");
    assert_eq!(answer.json()["items"][0]["id"], ID, "in its normal form");
    let messages: Vec<Value> = app.messages().await.into_iter().map(|(_, _, message)| message).collect();
    let lookup = messages.iter().find(|message| message["id"] == ID).unwrap();
    assert_eq!(lookup.get("event"), None, "the event was stored before");
    let nested = messages
        .iter()
        .find(|message| message["event"]["platform"] == "go" && message["event"]["timestamp"] == 1)
        .unwrap();
    assert_eq!((&nested["event"]["received"], nested.get("event_id")), (&json!(2), None));
    let timed = messages.iter().find(|message| message["detection_time"].is_string()).unwrap();
    assert_eq!((&timed["event"]["timestamp"], &timed["event_id"]), (&timed["detection_time"], &timed["id"]));
}

#[tokio::test]
async fn each_item_is_judged_alone_and_told_where_it_is_wrong() {
    let app = App::new().await;
    let wrong = [
        (json!(7), "$"),
        (occurrence(&json!({"project_id": 99})), "$.project_id"),
        (occurrence(&json!({"type": "nonsense"})), "$.type"),
        (occurrence(&json!({"type": 1017})), "$.type"),
        (occurrence(&json!({"type": 4e9})), "$.type"),
        (occurrence(&json!({"type": null})), "$.type"),
        (occurrence(&json!({"payload_type": "status_change"})), "$.payload_type"),
        (occurrence(&json!({"fingerprint": []})), "$.fingerprint"),
        (occurrence(&json!({"id": "no uuid"})), "$.id"),
        (occurrence(&json!({"issue_title": null})), "$.issue_title"),
        (occurrence(&json!({"event": {"tags": [1]}})), "$.event.tags[0]"),
        (occurrence(&json!({"event": 1})), "$.event"),
        (occurrence(&json!({"event": {"project_id": 99}})), "$.event.project_id"),
        (occurrence(&json!({"evidence_display": [{"name": "a", "value": "b"}]})), "$.evidence_display[0].important"),
    ];
    for (item, path) in &wrong {
        let answer = app.ann("POST", SEND, &json!([occurrence(&json!({})), item, occurrence(&json!({}))])).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{item}");
        assert_eq!(statuses(&answer), ["accepted", "refused", "accepted"], "{item}");
        let refused = &answer.json()["items"][1];
        assert_eq!(refused["path"], *path, "{item} {refused}");
        assert!(refused["reason"].is_string() && refused["message"].as_str().unwrap().len() > 5, "{refused}");
    }
    let before = app.messages().await.len();
    assert_eq!(before, wrong.len() * 2, "nothing that was refused is on the topic");
    let items: Vec<&Value> = wrong.iter().map(|(item, _)| item).collect();
    let answer = app.ann("POST", SEND, &json!(items)).await;
    assert_eq!((answer.status, app.messages().await.len()), (StatusCode::BAD_REQUEST, before));
    assert!(answer.json()["detail"].is_string());
}

#[tokio::test]
async fn a_request_that_is_repeated_names_the_same_messages() {
    let app = App::new().await;
    let token = app.project_token().await;
    let authorization = format!("Bearer {token}");
    let body = json!([occurrence(&json!({})), occurrence(&json!({}))]);
    let ids = async |key: &str| {
        let headers = [("authorization", authorization.as_str()), ("idempotency-key", key)];
        let answer = app.send("POST", SEND, &headers, &body).await.json();
        [0, 1].map(|n| answer["items"][n]["id"].clone())
    };
    let first = ids("run 7").await;
    assert_ne!(first[0], first[1]);
    assert_eq!(ids("run 7").await, first);
    assert_ne!(ids("run 8").await, first);
    let unnamed = async || app.with_token(&token, "POST", SEND, &body).await.json()["items"][0]["id"].clone();
    assert_ne!(unnamed().await, unnamed().await);
    let headers = [("authorization", authorization.as_str()), ("idempotency-key", "")];
    assert_eq!(app.send("POST", SEND, &headers, &body).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_fingerprint_keeps_its_partition_and_status_changes_follow_it() {
    let app = App::with_partitions(4).await;
    let parts: Vec<Value> = (0..40).map(|n| occurrence(&json!({"fingerprint": [format!("part {n}"), "x"]}))).collect();
    let change = |n: usize| json!({"fingerprint": [format!("part {n}")], "new_status": 1});
    let changes: Vec<Value> = (0..40).map(change).collect();
    assert_eq!(app.ann("POST", SEND, &json!(parts)).await.status, StatusCode::ACCEPTED);
    let answer = app.ann("POST", CHANGE, &json!(changes)).await;
    assert_eq!(statuses(&answer), ["accepted"; 40]);
    let messages = app.messages().await;
    let mut used = std::collections::BTreeSet::new();
    for n in 0..40 {
        let part = json!(format!("part {n}"));
        let of: Vec<_> = messages.iter().filter(|(_, _, message)| message["fingerprint"][0] == part).collect();
        assert_eq!(of.len(), 2);
        assert_eq!(of[0].1, of[1].1, "in the order they were sent, so on one partition");
        assert_eq!(
            (&of[0].2["payload_type"], &of[1].2["payload_type"]),
            (&json!("occurrence"), &json!("status_change"))
        );
        used.insert(of[0].1);
    }
    assert_eq!(used.len(), 4);
    for (body, path) in [(json!({"fingerprint": ["a"]}), "$.new_status"), (json!({"new_status": 1}), "$.fingerprint")] {
        let answer = app.ann("POST", CHANGE, &body).await;
        assert_eq!((answer.status, &answer.json()["items"][0]["path"]), (StatusCode::BAD_REQUEST, &json!(path)));
    }
}

#[tokio::test]
async fn a_project_token_opens_its_project_for_occurrences_and_nothing_else() {
    let app = App::new().await;
    let token = app.project_token().await;
    let theirs = "/api/0/projects/other/api/occurrences/";
    for (method, path) in [
        ("GET", "/api/0/organizations/acme/issues/"),
        ("GET", "/api/0/"),
        ("GET", "/api/0/projects/acme/web/"),
        ("GET", "/api/0/projects/acme/web/tokens/"),
        ("PUT", "/api/0/organizations/acme/issues/"),
    ] {
        let refused = app.with_token(&token, method, path, &json!({})).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{method} {path}");
        assert!(refused.json()["detail"].as_str().unwrap().contains("occurrences"));
    }
    let body = occurrence(&json!({}));
    assert_eq!(app.with_token(&token, "POST", theirs, &body).await.status, StatusCode::NOT_FOUND);
    for mixed in ["/api/0/projects/other/web/occurrences/", "/api/0/projects/acme/api/occurrences/"] {
        assert_eq!(app.with_token(&token, "POST", mixed, &body).await.status, StatusCode::NOT_FOUND, "{mixed}");
    }
    let by_id = format!("/api/0/projects/{}/{}/occurrences", app.acme.organization.id, app.acme.project.id);
    assert_eq!(app.with_token(&token, "POST", &by_id, &body).await.status, StatusCode::ACCEPTED);
    let forged = format!("{token}0");
    assert_eq!(app.with_token(&forged, "POST", SEND, &body).await.status, StatusCode::UNAUTHORIZED);

    let list = app.get("/api/0/projects/acme/web/tokens/").await;
    assert!(!String::from_utf8_lossy(&list.body).contains(&token), "a token is shown once");
    assert_eq!(list.json()[0]["scopes"], json!(["occurrence:write"]));
    let path = format!("/api/0/projects/acme/web/tokens/{}/", list.json()[0]["id"].as_str().unwrap());
    assert_eq!(app.ann("DELETE", &path, &Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(app.with_token(&token, "POST", SEND, &body).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn accounts_send_with_the_right_to() {
    let app = App::new().await;
    let body = occurrence(&json!({}));
    for (scope, status) in
        [("event:write", 202), ("occurrence:write", 202), ("event:read", 403), ("project:admin", 403)]
    {
        let token = token(&app.meta, app.acme.user, app.acme.organization.id, &[scope]).await;
        assert_eq!(app.with_token(&token, "POST", SEND, &body).await.status, status, "{scope}");
    }
    assert_eq!(app.with_token(&app.other.token, "POST", SEND, &body).await.status, StatusCode::NOT_FOUND);
    assert_eq!(app.send("POST", SEND, &[], &body).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn requests_are_bounded() {
    let app = App::new().await;
    let one = occurrence(&json!({}));
    assert_eq!(app.ann("POST", SEND, &json!(vec![&one; 1000])).await.status, StatusCode::ACCEPTED);
    let many = app.ann("POST", SEND, &json!(vec![&one; 1001])).await;
    assert_eq!(many.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(many.json()["detail"].as_str().unwrap().contains("1000"));
    let large = |bytes: usize| occurrence(&json!({"evidence_data": {"x": "x".repeat(bytes)}}));
    assert_eq!(app.ann("POST", SEND, &large(7 << 20)).await.status, StatusCode::ACCEPTED, "more than other bodies");
    let large = app.ann("POST", SEND, &large(8 << 20)).await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(large.json()["detail"].as_str().unwrap().contains("8388608"));
    assert_eq!(app.ann("POST", SEND, &json!([])).await.status, StatusCode::BAD_REQUEST);
}
