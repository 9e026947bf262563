use bytes::Bytes;
use http::StatusCode;
use nuthatch_issues::{Changes, Needs};
use nuthatch_protocol::{EventId, Hash, IngestRecord, ItemAttributes, KeyId, Timestamp, Topic, record::IngestHeader};
use nuthatch_store::{IssueStore as _, Log as _, log::NewRecord};
use serde_json::json;

use crate::app::{App, NOON};

#[tokio::test]
async fn events_of_an_issue_are_walked_in_both_directions() {
    let app = App::new().await;
    app.issue(&app.acme.project, 1, 1).await;
    for n in 1..=3 {
        app.event(&app.acme.project, n, 1, NOON - 600 + i64::from(n) * 60, &json!({"n": n})).await;
    }
    app.event(&app.acme.project, 9, 2, NOON - 10, &json!({})).await;
    let id = |n: u8| EventId([n; 16]).to_string();
    let path = |which: &str| format!("/api/0/organizations/acme/issues/WEB-1/events/{which}/");
    let latest = app.get(&path("latest")).await.json();
    assert_eq!((&latest["eventID"], &latest["nextEventID"]), (&json!(id(3)), &json!(null)));
    let middle = app.get(&path(latest["previousEventID"].as_str().unwrap())).await.json();
    assert_eq!((&middle["nextEventID"], &middle["previousEventID"]), (&json!(id(3)), &json!(id(1))));
    assert_eq!(app.get(&path("oldest")).await.json()["eventID"], id(1));
    assert_eq!(app.get(&path("recommended")).await.json()["eventID"], id(3));
    assert_eq!(app.get(&path(&id(9))).await.status, StatusCode::NOT_FOUND, "an event of another issue");

    let list = |cursor: String| format!("/api/0/issues/1001/events/?per_page=2&cursor={cursor}");
    let first = app.get(&list(String::new())).await;
    assert_eq!(first.json().as_array().unwrap().len(), 2);
    assert!(first.json()[0].get("release").is_none(), "a list row has no release");
    let second = app.get(&list(first.cursor("next").unwrap())).await;
    assert_eq!((&second.json()[0]["id"], second.cursor("next")), (&json!(id(1)), None));
    let back = app.get(&list(second.cursor("previous").unwrap())).await;
    assert_eq!((back.json(), back.cursor("previous")), (first.json(), None));
}

#[tokio::test]
async fn the_json_of_an_event_is_what_was_stored_byte_for_byte() {
    let app = App::new().await;
    let body = json!({"zeta": 1.0, "alpha": {"lineno": 1}});
    let id = app.event(&app.acme.project, 7, 1, NOON - 60, &body).await;
    let answer = app.get(&format!("/api/0/projects/acme/web/events/{id}/json/")).await;
    assert_eq!(answer.body, body.to_string());
}

#[tokio::test]
async fn the_json_of_an_event_tells_the_same_errors_as_the_event() {
    let app = App::new().await;
    let body = json!({"_meta": {"user": {"id": {"": {"err": ["invalid_data"], "val": 7}}}}});
    let id = app.event(&app.acme.project, 7, 1, NOON - 60, &body).await;
    let shown = app.get(&format!("/api/0/projects/acme/web/events/{id}/")).await.json();
    let json = app.get(&format!("/api/0/projects/acme/web/events/{id}/json/")).await.json();
    assert_eq!(json["errors"], json!([{"type": "invalid_data", "name": "user.id", "value": 7}]));
    assert_eq!((&shown["errors"][0]["type"], &json["_meta"]), (&json["errors"][0]["type"], &body["_meta"]));
}

#[tokio::test]
async fn what_was_accepted_is_found_before_it_is_applied() {
    let app = App::new().await;
    app.issue(&app.acme.project, 1, 1).await;
    let id = EventId([0x5a; 16]);
    let record = IngestRecord {
        header: IngestHeader {
            project_id: app.acme.project.id,
            key_id: KeyId(1),
            event_id: id,
            item_type: "event".to_owned(),
            attributes: ItemAttributes::default(),
            blob: None,
            user_agent: None,
            client_hints: nuthatch_protocol::record::ClientHints::default(),
            letter_id: None,
            received: Timestamp::from_secs(NOON),
            sent_at: None,
            client_ip: None,
            client: None,
            version: "7".to_owned(),
        },
        payload: Bytes::from_static(b"{\"platform\":\"python\"}"),
    };
    let record = NewRecord { key: id.0, value: record.encode() };
    app.log.append(Topic::IngestEvents, 0, vec![record]).await.unwrap();
    let found = app.get(&format!("/api/0/organizations/acme/eventids/{id}/")).await.json();
    assert_eq!((&found["projectSlug"], &found["groupId"]), (&json!("web"), &json!("1001")));
    let dashed = "5a5a5a5a-5a5a-5a5a-5a5a-5a5a5a5a5a5a";
    assert_eq!(app.get(&format!("/api/0/projects/acme/web/events/{dashed}/")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn tags_are_counted_and_their_values_listed() {
    let app = App::new().await;
    app.issue(&app.acme.project, 1, 1).await;
    app.event(&app.acme.project, 1, 1, NOON - 60, &json!({})).await;
    app.event(&app.acme.project, 2, 1, NOON - 50, &json!({})).await;
    let tags = app.get("/api/0/issues/1001/tags/?key=browser").await.json();
    assert_eq!((&tags[0]["totalValues"], &tags[0]["topValues"][0]["count"]), (&json!(2), &json!(2)));
    assert_eq!(tags[0]["topValues"][0]["query"], "browser:\"Firefox 1\"");
    let values = app.get("/api/0/issues/1001/tags/browser/values/").await.json();
    assert_eq!(values[0]["value"], "Firefox 1");
    assert_eq!(app.get("/api/0/issues/1001/tags/nothing/").await.status, StatusCode::NOT_FOUND);

    let all = "/api/0/organizations/acme/tags";
    let total = async |path: &str| app.get(path).await.json().as_array().unwrap().len();
    assert_eq!(total(&format!("{all}/")).await, 2);
    assert_eq!(total(&format!("{all}/?project=web&environment=production")).await, 2);
    assert_eq!(total(&format!("{all}/?environment=staging")).await, 0);
    assert_eq!(total(&format!("{all}/browser/values/?environment=staging")).await, 0);
    assert_eq!(total("/api/0/projects/acme/web/tags/?environment=staging").await, 0);
    assert_eq!(app.get(&format!("{all}/?project=api")).await.status, StatusCode::NOT_FOUND, "another's project");
}

#[tokio::test]
async fn events_of_a_project_are_whole_when_asked_for_and_lie_among_those_of_their_issue() {
    let app = App::new().await;
    let issue = app.issue(&app.acme.project, 1, 1).await;
    let hashes = vec![(app.acme.project.id, Hash([2; 16]), issue)];
    let changes = Changes { hashes, ..Changes::default() };
    app.meta.transact(Needs::default(), None, Box::new(move |_| changes)).await.unwrap();
    let older = app.event(&app.acme.project, 1, 1, NOON - 60, &json!({"platform": "python"})).await;
    let newer = app.event(&app.acme.project, 2, 2, NOON - 50, &json!({"platform": "python"})).await;
    let list = "/api/0/projects/acme/web/events/";
    let shown = app.get(&format!("{list}{older}/")).await.json();
    assert_eq!(shown["nextEventID"], newer.to_string(), "the other hash is of the same issue");
    assert!(app.get(list).await.json()[0].get("entries").is_none());
    let whole = app.get(&format!("{list}?full=1")).await.json();
    assert_eq!((&whole[0]["eventID"], &whole[0]["groupID"]), (&json!(newer.to_string()), &json!(issue.to_string())));
    assert!(whole[0]["entries"].is_array());
}

#[tokio::test]
async fn an_event_of_a_detector_carries_what_was_reported() {
    let app = App::new().await;
    let occurrence = json!({
        "id": "ab".repeat(16), "project_id": 1, "event_id": "07".repeat(16), "fingerprint": ["cd".repeat(16)],
        "issue_title": "Disk is full", "subtitle": "/var", "resource_id": null, "evidence_data": {"used_bytes": 7},
        "evidence_display": [{"name": "Volume", "value": "/var", "important": true}], "type": 100_000,
        "detection_time": 1_769_860_800.5, "level": "warning", "culprit": "db-2", "priority": 75, "assignee": "user:1",
    });
    app.event(&app.acme.project, 7, 1, NOON - 60, &json!({"occurrence": occurrence})).await;
    app.event(&app.acme.project, 8, 1, NOON - 60, &json!({})).await;
    let event = |n: u8| format!("/api/0/projects/acme/web/events/{}/", EventId([n; 16]));
    let shown = app.get(&event(7)).await.json()["occurrence"].clone();
    assert_eq!((&shown["projectId"], &shown["type"]), (&json!(1), &json!(100_000)));
    assert_eq!((&shown["issueTitle"], &shown["evidenceData"]), (&json!("Disk is full"), &json!({"usedBytes": 7})));
    assert_eq!((&shown["detectionTime"], &shown["resourceId"]), (&json!(1_769_860_800.5), &json!(null)));
    assert_eq!(shown.as_object().unwrap().len(), 15);
    assert_eq!(app.get(&event(8)).await.json()["occurrence"], json!(null));
}

#[tokio::test]
async fn a_light_row_has_what_the_event_has() {
    let app = App::new().await;
    app.issue(&app.acme.project, 1, 1).await;
    let user = json!({"id": "42", "email": "ada@example.org", "username": "ada", "ip_address": "203.0.113.7"});
    let frames = json!([{"filename": "lib.py", "function": "call", "in_app": false},
        {"filename": "pay.py", "function": "charge", "in_app": true}]);
    let body = json!({"user": user, "exception": {"values": [
        {"type": "KeyError", "value": "no money", "stacktrace": {"frames": frames}}]}});
    app.event(&app.acme.project, 1, 1, NOON - 60, &body).await;
    for path in ["/api/0/projects/acme/web/events/", "/api/0/issues/1001/events/"] {
        let row = app.get(path).await.json()[0].clone();
        for member in ["id", "email", "username", "ip_address"] {
            assert_eq!(row["user"][member], user[member], "{path} {member}");
        }
        assert_eq!(row["location"], "pay.py", "{path}");
        let metadata = json!({"type": "KeyError", "value": "no money", "filename": "pay.py", "function": "charge"});
        assert_eq!(row["metadata"], metadata, "{path}");
        assert!(row.get("release").is_none() && row.get("entries").is_none(), "{path}");
    }
}

#[tokio::test]
async fn the_release_of_an_event_and_of_an_issue_is_told_as_by_itself() {
    let app = App::new().await;
    app.issue(&app.acme.project, 1, 1).await;
    let known = json!({"version": "web@1.0", "projects": ["web"], "dateReleased": "2026-01-30T12:00:00Z"});
    let release = app.ann("POST", "/api/0/organizations/acme/releases/", &known).await.json();
    let id = app.event(&app.acme.project, 1, 1, NOON - 60, &json!({"release": "web@1.0"})).await;
    let event = app.get(&format!("/api/0/projects/acme/web/events/{id}/")).await.json();
    let issue = app.get("/api/0/issues/1001/").await.json();
    for shown in [&event["release"], &issue["firstRelease"]] {
        for member in ["version", "shortVersion", "versionInfo", "dateCreated", "dateReleased"] {
            assert!(!release[member].is_null());
            assert_eq!(shown[member], release[member], "{member}");
        }
    }
    let unknown = app.event(&app.acme.project, 2, 1, NOON - 50, &json!({"release": "web@9.1"})).await;
    let event = app.get(&format!("/api/0/projects/acme/web/events/{unknown}/")).await.json();
    assert_eq!(
        (&event["release"]["versionInfo"]["package"], &event["release"]["dateCreated"]),
        (&json!("web"), &json!(null))
    );
}
