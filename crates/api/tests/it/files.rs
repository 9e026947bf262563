use http::{StatusCode, header};
use nuthatch_protocol::{EventId, IngestRecord, Position, Topic};
use nuthatch_store::{Log as _, log::ReadLimit};
use serde_json::{Value, json};

use crate::app::{Answer, App, NOON, token};

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
async fn attachments_of_traces_are_listed_read_and_removed() {
    let app = App::new().await;
    app.trace_attachment(&app.acme.project, 7, "a.txt", b"first").await;
    app.trace_attachment(&app.acme.project, 7, "b.html", b"second").await;
    app.trace_attachment(&app.acme.project, 8, "c.txt", b"of another trace").await;
    app.trace_attachment(&app.other.project, 7, "d.txt", b"of another project").await;
    app.attachment(&app.acme.project, 7, "e.txt", "", b"of an event of the same id").await;
    let list = format!("{WEB}/traces/{}/attachments/", id(7));
    let first = app.get(&format!("{list}?per_page=1")).await;
    assert_eq!(first.json()[0]["name"], "b.html");
    let second = app.get(&format!("{list}?per_page=1&cursor={}", first.cursor("next").unwrap())).await;
    assert_eq!(second.cursor("next"), None);
    let row = &second.json()[0];
    let wanted = json!({
        "id": row["id"], "attachmentId": row["attachmentId"], "traceId": id(7), "spanId": "0101010101010101",
        "name": "a.txt", "mimetype": "text/plain", "size": 5, "sha1": "01".repeat(20), "attributes": {"n": 1},
        "timestamp": row["timestamp"], "dateCreated": row["dateCreated"],
    });
    assert_eq!(*row, wanted);
    assert_ne!(row["timestamp"], row["dateCreated"]);
    for none in ["nonsense".to_owned(), "0".repeat(32)] {
        assert_eq!(app.get(&format!("{WEB}/traces/{none}/attachments/")).await.status, StatusCode::BAD_REQUEST);
    }

    let path = format!("{list}{}/", row["id"].as_str().unwrap());
    assert_eq!(app.get(&path).await.json(), *row);
    assert_eq!(app.get(&format!("{path}?download")).await.body, "first");
    for elsewhere in [path.replace(&id(7), &id(8)), path.replace("/traces/", "/events/")] {
        assert_eq!(app.get(&elsewhere).await.status, StatusCode::NOT_FOUND, "{elsewhere}");
    }
    let reader = token(&app.meta, app.acme.user, app.acme.organization.id, &["event:read"]).await;
    let refused = app.with_token(&reader, "DELETE", &path, &Value::Null).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(app.ann("DELETE", &path, &Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(app.ann("DELETE", &path, &Value::Null).await.status, StatusCode::NOT_FOUND);
    assert_eq!(app.get(&list).await.json().as_array().unwrap().len(), 1);
    let of_event = app.get(&format!("{WEB}/events/{}/attachments/", id(7))).await.json();
    assert_eq!((of_event.as_array().unwrap().len(), &of_event[0]["name"]), (1, &json!("e.txt")));
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
    app.issue(&app.acme.project, 2, 2).await;
    for (issue, count) in [(1001, 1), (1002, 0)] {
        assert_eq!(app.get(&format!("/api/0/issues/{issue}/")).await.json()["userReportCount"], count, "{issue}");
    }
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

#[tokio::test]
async fn files_and_reports_are_found_by_their_issue() {
    let app = App::new().await;
    let web = &app.acme.project;
    app.issue(web, 1, 1).await;
    app.issue(web, 2, 2).await;
    for (event, hash) in [(1, 1), (2, 2), (3, 1)] {
        app.event(web, event, hash, NOON - 60, &json!({})).await;
    }
    for (event, name) in [(1, "a"), (2, "other issue"), (3, "b"), (9, "no event"), (1, "c"), (2, "other issue")] {
        app.attachment(web, event, name, "text/plain", b"x").await;
        app.report(web, event, name).await;
    }
    app.attachment(&app.other.project, 1, "other project", "text/plain", b"x").await;

    let names = |answer: &Answer, key: &str| -> Vec<String> {
        answer.json().as_array().unwrap().iter().map(|row| row[key].as_str().unwrap().to_owned()).collect()
    };
    for prefix in ["/api/0", "/api/0/organizations/acme"] {
        let files = app.get(&format!("{prefix}/issues/1001/attachments/")).await;
        assert_eq!(names(&files, "name"), ["c", "b", "a"], "{prefix}");
        let reports = app.get(&format!("{prefix}/issues/1001/user-reports/")).await;
        assert_eq!(names(&reports, "comments"), ["c", "b"], "an event has one report: the newest");
        assert_eq!(reports.json()[1]["event"]["eventID"], id(3));
    }
    let by_short_id = app.get("/api/0/organizations/acme/issues/WEB-2/attachments/").await;
    assert_eq!(names(&by_short_id, "event_id"), [id(2), id(2)]);

    let list = |cursor: String| format!("/api/0/issues/1001/attachments/?per_page=1&cursor={cursor}");
    let first = app.get(&list(String::new())).await;
    let second = app.get(&list(first.cursor("next").unwrap())).await;
    let third = app.get(&list(second.cursor("next").unwrap())).await;
    let walked = [&first, &second, &third].map(|page| names(page, "name"));
    assert_eq!(walked, [["c"], ["b"], ["a"]]);
    assert_eq!((first.cursor("previous"), third.cursor("next")), (None, None));
    let back = app.get(&list(third.cursor("previous").unwrap())).await;
    assert_eq!(names(&back, "name"), ["b"]);
    assert_eq!(app.get(&list("x".to_owned())).await.status, StatusCode::BAD_REQUEST);

    let releaser = token(&app.meta, app.acme.user, app.acme.organization.id, &["project:read"]).await;
    for rest in ["attachments", "user-reports"] {
        let path = format!("/api/0/issues/1001/{rest}/");
        let strange = app.with_token(&app.other.token, "GET", &path, &Value::Null).await;
        assert_eq!(strange.status, StatusCode::NOT_FOUND, "{rest} of another organization");
        let refused = app.with_token(&releaser, "GET", &path, &Value::Null).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{rest}");
    }
}

#[tokio::test]
async fn so_many_files_of_other_issues_are_passed_over_at_once() {
    let app = App::new().await;
    let web = &app.acme.project;
    app.issue(web, 1, 1).await;
    app.event(web, 1, 1, NOON - 60, &json!({})).await;
    app.attachment(web, 1, "sought", "text/plain", b"x").await;
    for _ in 0..1000 {
        app.attachment(web, 9, "no event", "text/plain", b"x").await;
    }
    let first = app.get("/api/0/issues/1001/attachments/").await;
    assert_eq!(first.json(), json!([]));
    let path = format!("/api/0/issues/1001/attachments/?cursor={}", first.cursor("next").unwrap());
    let second = app.get(&path).await;
    assert_eq!((&second.json()[0]["name"], second.cursor("next")), (&json!("sought"), None));
}
