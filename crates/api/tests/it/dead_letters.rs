use bytes::Bytes;
use http::StatusCode;
use nuthatch_protocol::{IngestRecord, LetterId, Position, Topic, record::DeadLetter};
use nuthatch_store::{DeadLetterStore as _, conformance::meta::letter};
use serde_json::{Value, json};

use crate::app::{App, token};

const LETTERS: &str = "/api/0/projects/acme/web/dead-letters/";

/// Six letters of Ann's project, every second one too deep, one of Eve's, and one of nobody.
async fn app() -> App {
    let app = App::new().await;
    let reason = |n| if n % 2 == 0 { "too_deep" } else { "invalid_json" };
    let (web, api) = (Some(app.acme.project.id), Some(app.other.project.id));
    let mut letters: Vec<DeadLetter> = (1..=6).map(|n| letter(n, web, reason(n))).collect();
    letters.extend([letter(7, api, "too_deep"), letter(8, None, "invalid_record")]);
    app.letters(&letters).await;
    app
}

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|letter| letter["id"].as_str().unwrap()).collect()
}

/// A letter whose record is these bytes.
fn holding(record: Bytes, topic: Topic, app: &App) -> DeadLetter {
    let mut letter = letter(50, Some(app.acme.project.id), "invalid_json");
    letter.header.source = Position { topic, partition: 0, offset: record.len() as u64 };
    DeadLetter { original: record, ..letter }
}

#[tokio::test]
async fn letters_of_a_project_are_listed_newest_first_by_pages_and_reason() {
    let app = app().await;
    let all = app.get(LETTERS).await;
    assert_eq!(ids(&all.json()), ["6", "5", "4", "3", "2", "1"]);
    assert_eq!((all.cursor("previous"), all.cursor("next")), (None, None));
    let first = &all.json()[5];
    assert_eq!(first["source"], "ingest-events/0/1");
    assert_eq!((&first["reason"], &first["place"]), (&json!("invalid_json"), &json!("byte 1")));
    assert_eq!((&first["replayRequested"], &first["eventID"]), (&json!(false), &json!("01".repeat(16))));

    let page = app.get(&format!("{LETTERS}?reason=too_deep&per_page=2")).await;
    assert_eq!(ids(&page.json()), ["6", "4"]);
    let next = app.get(&format!("{LETTERS}?reason=too_deep&per_page=2&cursor={}", page.cursor("next").unwrap())).await;
    assert_eq!(ids(&next.json()), ["2"]);
    assert_eq!(next.cursor("next"), None);
    let back = format!("{LETTERS}?reason=too_deep&per_page=2&cursor={}", next.cursor("previous").unwrap());
    assert_eq!(ids(&app.get(&back).await.json()), ["6", "4"]);

    let reasons = app.get(&format!("{LETTERS}reasons/")).await.json();
    assert_eq!(reasons, json!([{"reason": "invalid_json", "count": 3}, {"reason": "too_deep", "count": 3}]));
    assert_eq!(app.get(&format!("{LETTERS}?cursor=x")).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_letter_shows_its_header_and_its_payload_as_far_as_it_can_be_shown() {
    let app = app().await;
    let shown = app.get(&format!("{LETTERS}1/")).await.json();
    assert_eq!(
        (&shown["payload"], &shown["encoding"], &shown["truncated"]),
        (&json!("{1}"), &json!("text"), &json!(false))
    );
    assert_eq!(shown["header"]["item_type"], "event");
    assert_eq!((&shown["payloadSize"], &shown["message"]), (&json!(3), &json!("expected a value \u{0} <b>1</b>")));

    let long = "ä".repeat(200_000);
    let binary = Bytes::from_static(b"\xff\x00no header");
    app.letters(&[
        holding(Bytes::from(long.clone()), Topic::IngestOccurrences, &app),
        holding(binary.clone(), Topic::IngestEvents, &app),
        holding(Bytes::new(), Topic::IngestEvents, &app),
    ])
    .await;
    let shown = app.get(&format!("{LETTERS}9/")).await.json();
    assert_eq!((&shown["payloadSize"], &shown["truncated"]), (&json!(400_000), &json!(true)));
    assert!(long.starts_with(shown["payload"].as_str().unwrap()));
    let shown = app.get(&format!("{LETTERS}10/")).await.json();
    assert_eq!((&shown["encoding"], &shown["payload"]), (&json!("base64"), &json!("/wBubyBoZWFkZXI=")));
    assert_eq!(shown["header"], Value::Null);

    for (letter, body) in [("10", json!({"payload": "{}"})), ("11", json!({})), ("1", json!({"payload": ""}))] {
        let refused = app.ann("POST", &format!("{LETTERS}{letter}/replay/"), &body).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{letter}: {:?}", refused.body);
    }
}

#[tokio::test]
async fn replays_are_asked_for_with_the_payload_that_was_given() {
    let app = app().await;
    let asked = app.ann("POST", &format!("{LETTERS}1/replay/"), &json!({"payload": "{\"message\": \"mended\"}"})).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED);
    assert_eq!(app.get(&format!("{LETTERS}1/")).await.json()["replayRequested"], true);
    let asked = app.meta.requested_replays(10).await.unwrap();
    let record = IngestRecord::decode(&asked[0].record).unwrap();
    assert_eq!((asked.len(), &record.payload[..]), (1, &b"{\"message\": \"mended\"}"[..]));
    assert_eq!(record.header.project_id, app.acme.project.id, "what intake knew stays");

    let all = app.ann("POST", &format!("{LETTERS}replay/?reason=too_deep"), &json!(null)).await;
    assert_eq!((all.status, all.json()), (StatusCode::ACCEPTED, json!({"count": 3})));
    let asked = app.meta.requested_replays(10).await.unwrap();
    let ids: Vec<u64> = asked.iter().map(|kept| kept.letter.id.0).collect();
    assert_eq!(ids, [1, 2, 4, 6]);
}

#[tokio::test]
async fn letters_are_discarded_one_by_one_and_by_reason() {
    let app = app().await;
    assert_eq!(app.ann("DELETE", &format!("{LETTERS}1/"), &json!(null)).await.status, StatusCode::NO_CONTENT);
    assert_eq!(app.ann("DELETE", &format!("{LETTERS}1/"), &json!(null)).await.status, StatusCode::NOT_FOUND);
    let gone = app.ann("DELETE", &format!("{LETTERS}?reason=too_deep"), &json!(null)).await;
    assert_eq!(gone.json(), json!({"count": 3}));
    assert_eq!(ids(&app.get(LETTERS).await.json()), ["5", "3"]);
    assert_eq!(app.ann("DELETE", LETTERS, &json!(null)).await.json(), json!({"count": 2}));
    for others in [7, 8] {
        assert!(app.meta.letter(LetterId(others)).await.unwrap().is_some(), "another project's, and nobody's");
    }
}

#[tokio::test]
async fn reading_and_changing_need_different_scopes() {
    let app = app().await;
    let with = async |scope| token(&app.meta, app.acme.user, app.acme.organization.id, &[scope]).await;
    let (writer, other) = (with("event:write").await, with("project:admin").await);
    let may = async |token: &str, method: &str, path: &str| {
        app.with_token(token, method, &format!("{LETTERS}{path}"), &json!({})).await.status
    };
    for (method, path) in [("POST", "1/replay/"), ("POST", "replay/"), ("DELETE", "1/"), ("DELETE", "")] {
        assert_eq!(may(&writer, method, path).await, StatusCode::FORBIDDEN, "{method} {path}");
    }
    assert_eq!(may(&writer, "GET", "1/").await, StatusCode::OK, "writing includes reading");
    assert_eq!(may(&other, "GET", "").await, StatusCode::FORBIDDEN);
}
