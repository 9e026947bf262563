use http::{StatusCode, header};
use nuthatch_protocol::{EventId, IngestRecord, Position, Topic};
use nuthatch_store::{Log as _, log::ReadLimit};
use serde_json::{Value, json};

use crate::app::{App, NOON, token};

const WEB: &str = "/api/0/projects/acme/web";

fn id(n: u8) -> String {
    EventId([n; 16]).to_string()
}

#[tokio::test]
async fn attachments_are_listed_read_and_removed() {
    let app = App::new().await;
    app.attachment(&app.acme.project, 7, "a.txt", "text/plain", b"first").await;
    app.attachment(&app.acme.project, 7, "b.bin", "", b"second").await;
    app.attachment(&app.acme.project, 8, "c.bin", "", b"of another event").await;
    let list = format!("{WEB}/events/{}/attachments/", id(7));
    let first = app.get(&format!("{list}?per_page=1")).await;
    assert_eq!(first.json()[0]["name"], "b.bin");
    let second = app.get(&format!("{list}?per_page=1&cursor={}", first.cursor("next").unwrap())).await;
    assert_eq!((&second.json()[0]["name"], second.cursor("next")), (&json!("a.txt"), None));
    assert_eq!(app.get(&format!("{list}?cursor=x")).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(app.get(&format!("{WEB}/events/nonsense/attachments/")).await.status, StatusCode::NOT_FOUND);

    let path = format!("{list}{}/", second.json()[0]["id"].as_str().unwrap());
    assert_eq!(app.get(&path).await.json(), second.json()[0]);
    assert_eq!(app.get(&format!("{path}?download")).await.body, "first");
    let elsewhere = path.replace(&id(7), &id(8));
    assert_eq!(app.get(&elsewhere).await.status, StatusCode::NOT_FOUND, "an attachment of another event");

    let reader = token(&app.meta, app.acme.user, app.acme.organization.id, &["event:read"]).await;
    let refused = app.with_token(&reader, "DELETE", &path, &Value::Null).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(app.ann("DELETE", &path, &Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(app.ann("DELETE", &path, &Value::Null).await.status, StatusCode::NOT_FOUND);
    assert_eq!(app.get(&list).await.json().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_strangers_send_never_runs_in_the_origin_of_the_page() {
    let app = App::new().await;
    for (content_type, served) in [
        ("text/html", "application/octet-stream"),
        ("image/svg+xml", "application/octet-stream"),
        ("application/javascript", "application/octet-stream"),
        ("text/html; image/png", "application/octet-stream"),
        ("x\r\nSet-Cookie: a=b", "application/octet-stream"),
        ("IMAGE/PNG; charset=x", "image/png"),
        ("text/plain", "text/plain"),
    ] {
        app.attachment(&app.acme.project, 7, "a\".html\r\nSet-Cookie: a=b", content_type, b"<script>1</script>").await;
        let list = app.get(&format!("{WEB}/events/{}/attachments/", id(7))).await.json();
        let path = format!("{WEB}/events/{}/attachments/{}/?download=1", id(7), list[0]["id"].as_str().unwrap());
        let answer = app.get(&path).await;
        assert_eq!(answer.headers[header::CONTENT_TYPE], served, "{content_type:?}");
        assert_eq!(answer.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(answer.headers[header::CONTENT_SECURITY_POLICY], "sandbox; default-src 'none'");
        let disposition = answer.headers[header::CONTENT_DISPOSITION].to_str().unwrap();
        assert!(disposition.starts_with("attachment; filename=\"a_.html__Set-Cookie: a=b\""), "{disposition}");
        assert!(!answer.headers.contains_key(header::SET_COOKIE));
    }
}

#[tokio::test]
async fn files_are_found_by_their_kind() {
    let app = App::new().await;
    app.attachment(&app.acme.project, 7, "a.txt", "text/plain", b"first").await;
    let listed = app.get(&format!("{WEB}/files/?kind=attachment")).await.json();
    assert_eq!((&listed[0]["owner"], &listed[0]["kind"]), (&json!(id(7)), &json!("attachment")));
    assert_eq!(app.get(&format!("{WEB}/files/?kind=profile")).await.json(), json!([]));
    for query in ["", "?kind=", "?kind=made-up"] {
        assert_eq!(app.get(&format!("{WEB}/files/{query}")).await.status, StatusCode::BAD_REQUEST, "{query}");
    }
    assert_eq!(app.get(&format!("{WEB}/files/1/?download=1")).await.body, "first");
    assert_eq!(app.get(&format!("{WEB}/files/2/")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn reports_are_shown_with_their_event_and_its_issue() {
    let app = App::new().await;
    app.issue(&app.acme.project, 1, 1).await;
    app.event(&app.acme.project, 7, 1, NOON - 60, &json!({})).await;
    app.report(&app.acme.project, 7, "it broke <b>").await;
    app.report(&app.acme.project, 9, "no event").await;
    let listed = app.get(&format!("{WEB}/user-reports/")).await.json();
    assert_eq!((&listed[0]["comments"], &listed[0]["issue"]), (&json!("no event"), &Value::Null));
    let report = &listed[1];
    assert_eq!((&report["eventID"], &report["issue"]["shortId"]), (&json!(id(7)), &json!("WEB-1")));
    for path in [format!("{WEB}/events/{}/", id(7)), "/api/0/issues/1001/events/latest/".to_owned()] {
        let event = app.get(&path).await.json();
        assert_eq!(event["userReport"]["comments"], "it broke <b>", "{path}");
    }
}

#[tokio::test]
async fn a_report_is_taken_when_all_of_it_can_be() {
    let app = App::new().await;
    let path = format!("{WEB}/user-feedback/");
    let good = json!({"event_id": id(7), "name": "Ada", "email": "ada@example.org", "comments": "it broke"});
    for (field, value) in [
        ("event_id", json!("x")),
        ("comments", json!(" ")),
        ("comments", json!("x".repeat(4097))),
        ("name", json!("x".repeat(129))),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let answer = app.ann("POST", &path, &body).await;
        assert_eq!((answer.status, answer.json()[field].is_array()), (StatusCode::BAD_REQUEST, true), "{field}");
    }
    let answer = app.ann("POST", &path, &good).await;
    assert_eq!((answer.status, &answer.json()["eventID"]), (StatusCode::OK, &json!(id(7))));
    let start = Position { topic: Topic::IngestAttachments, partition: 0, offset: 0 };
    let all = ReadLimit { records: usize::MAX, bytes: usize::MAX };
    let records = app.log.read(start, all).await.unwrap().records;
    assert_eq!(records.len(), 1, "what was refused is nowhere");
    let record = IngestRecord::decode(&records[0].value).unwrap();
    assert_eq!((record.header.item_type.as_str(), record.header.event_id), ("user_report", EventId([7; 16])));
}
