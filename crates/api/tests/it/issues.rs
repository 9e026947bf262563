use http::StatusCode;
use nuthatch_issues::{Changes, Needs};
use nuthatch_protocol::Timestamp;
use nuthatch_store::{IssueStore as _, ProjectStore as _};
use serde_json::{Value, json};

use crate::app::{App, NOON};

const LIST: &str = "/api/0/organizations/acme/issues/";

fn short_ids(rows: &Value) -> Vec<&str> {
    rows.as_array().unwrap().iter().map(|row| row["shortId"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_row_has_what_clients_read() {
    let app = App::new().await;
    let id = app.issue(&app.acme.project, 3, 1).await;
    let answer = app.get(LIST).await;
    assert_eq!(answer.headers["x-hits"], "1");
    let row = &answer.json()[0];
    assert_eq!(row["id"], id.to_string());
    assert_eq!(row["shortId"], "WEB-3");
    assert_eq!(row["count"], "3", "a text, as strict clients demand");
    assert_eq!(row["userCount"], 0);
    assert_eq!((&row["status"], &row["substatus"]), (&json!("unresolved"), &json!("new")));
    assert_eq!(row["metadata"], json!({"type": "ValueError", "value": "number"}));
    assert_eq!(row["project"]["slug"], "web");
    assert_eq!(row["permalink"], format!("https://nuthatch.example/organizations/acme/issues/{id}/"));
    let day = row["stats"]["24h"].as_array().unwrap();
    assert_eq!(day.len(), 24);
    assert_eq!(day.iter().map(|pair| pair[1].as_u64().unwrap()).sum::<u64>(), 3);
}

#[tokio::test]
async fn pages_go_both_ways() {
    let app = App::new().await;
    for number in 1..=5 {
        app.issue(&app.acme.project, number, number as u8).await;
    }
    let page = |cursor: String| format!("{LIST}?limit=2&cursor={cursor}");
    let first = app.get(&page(String::new())).await;
    assert_eq!(short_ids(&first.json()), ["WEB-5", "WEB-4"]);
    assert_eq!(first.cursor("previous"), None);
    let second = app.get(&page(first.cursor("next").unwrap())).await;
    assert_eq!(short_ids(&second.json()), ["WEB-3", "WEB-2"]);
    let third = app.get(&page(second.cursor("next").unwrap())).await;
    assert_eq!((short_ids(&third.json()), third.cursor("next")), (vec!["WEB-1"], None));
    let back = app.get(&page(third.cursor("previous").unwrap())).await;
    assert_eq!(short_ids(&back.json()), ["WEB-3", "WEB-2"]);
    let start = app.get(&page(back.cursor("previous").unwrap())).await;
    assert_eq!(short_ids(&start.json()), ["WEB-5", "WEB-4"]);
    assert_eq!(start.cursor("previous"), None);
}

#[tokio::test]
async fn search_knows_issues_and_their_events() {
    let app = App::new().await;
    app.issue(&app.acme.project, 1, 1).await;
    app.issue(&app.acme.project, 2, 2).await;
    app.event(&app.acme.project, 1, 1, NOON - 60, &json!({})).await;
    app.event(&app.acme.project, 2, 2, NOON - 60, &json!({})).await;
    let project = app.acme.project.id;
    let dates = [("web@1.0", NOON - 60), ("web@0.9", NOON - 7200)];
    let releases = dates.map(|(version, secs)| (project, version.to_owned(), Timestamp::from_secs(secs))).to_vec();
    let changes = Changes { releases, ..Changes::default() };
    app.meta.transact(Needs::default(), None, Box::new(move |_| changes)).await.unwrap();
    for (query, found) in [
        ("", vec!["WEB-2", "WEB-1"]),
        ("is:resolved", vec![]),
        ("!is:resolved", vec!["WEB-2", "WEB-1"]),
        ("is:new%20level:error", vec!["WEB-2", "WEB-1"]),
        ("assigned:none", vec!["WEB-2", "WEB-1"]),
        ("assigned:me", vec![]),
        ("number%202", vec!["WEB-2"]),
        ("issue:WEB-1", vec!["WEB-1"]),
        ("timesSeen:%3E1", vec!["WEB-2"]),
        ("browser:%22Firefox%201%22", vec!["WEB-1"]),
        ("!browser:%22Firefox%201%22", vec!["WEB-2"]),
        ("status:resolved", vec![]),
        ("issue.priority:%5Blow,%20medium%5D", vec!["WEB-2", "WEB-1"]),
        ("!issue.priority:medium", vec![]),
        ("assigned:%5Bme,%20my_teams%5D", vec![]),
        ("assigned:%5Bme,%20none%5D", vec!["WEB-2", "WEB-1"]),
        ("!assigned:%5Bme,%20none%5D", vec![]),
        ("is:assigned", vec![]),
        ("error.unhandled:1", vec!["WEB-2", "WEB-1"]),
        ("error.unhandled:no", vec![]),
        ("error.handled:true", vec![]),
        ("release:latest", vec!["WEB-2", "WEB-1"]),
        ("firstRelease:latest", vec!["WEB-2", "WEB-1"]),
        ("firstRelease:%5Bweb@1.0,%20web@2.0%5D", vec!["WEB-2", "WEB-1"]),
        ("project:nothing", vec![]),
        ("firstRelease:web@1.0", vec!["WEB-2", "WEB-1"]),
    ] {
        let answer = app.get(&format!("{LIST}?query={query}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{query} {answer:?}");
        assert_eq!(short_ids(&answer.json()), found, "{query}");
    }
    for wrong in [
        "query=is:nonsense",
        "query=a:1%20OR%20b:2",
        "query=error.handled:perhaps",
        "query=error.unhandled:t*",
        "query=issue.priority:urgent",
        "query=sdk.name:python",
        "query=has:geo.city",
        "query=team:payments",
        "sort=nonsense",
        "cursor=nonsense",
        "statsPeriod=soon",
    ] {
        let answer = app.get(&format!("{LIST}?{wrong}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}");
        assert!(answer.json()["detail"].is_string(), "{wrong}");
    }
    assert_eq!(app.get(&format!("{LIST}?expand=owners&unknown=1")).await.status, StatusCode::OK);
    let counts = "/api/0/organizations/acme/issues-count/?query=is:new&query=is:resolved";
    assert_eq!(app.get(counts).await.json(), json!({"is:new": 2, "is:resolved": 0}));
    let nowhere = app.get(&format!("{counts}&environment=nowhere")).await.json();
    assert_eq!(nowhere, json!({"is:new": 0, "is:resolved": 0}));
}

#[tokio::test]
async fn an_absent_query_means_unresolved_and_an_empty_one_everything() {
    let app = App::new().await;
    let id = app.issue(&app.acme.project, 1, 1).await;
    app.ann("PUT", &format!("/api/0/issues/{id}/"), &json!({"status": "resolved"})).await;
    assert_eq!(app.get(LIST).await.json(), json!([]));
    assert_eq!(short_ids(&app.get("/api/0/projects/acme/web/issues/?query=&cursor=").await.json()), ["WEB-1"]);
}

#[tokio::test]
async fn an_issue_is_resolved_archived_assigned_and_remembers_it() {
    let app = App::new().await;
    app.issue(&app.acme.project, 1, 1).await;
    let path = "/api/0/organizations/acme/groups/WEB-1";
    let resolved = app.ann("PUT", path, &json!({"status": "resolved", "snoozeDuration": null})).await.json();
    assert_eq!((&resolved["status"], &resolved["substatus"]), (&json!("resolved"), &Value::Null));
    let body = json!({"status": "ignored", "substatus": "archived_until_escalating", "assignedTo": "ann@example.com"});
    let archived = app.ann("PUT", path, &body).await.json();
    assert_eq!(archived["substatus"], "archived_until_escalating");
    assert_eq!(archived["assignedTo"]["email"], "ann@example.com");
    let again = app.ann("PUT", path, &json!({"assignedTo": "", "priority": "high"})).await.json();
    assert_eq!((&again["assignedTo"], &again["priority"]), (&Value::Null, &json!("high")));

    let detail = app.get(path).await.json();
    let kinds: Vec<&str> = detail["activity"].as_array().unwrap().iter().map(|a| a["type"].as_str().unwrap()).collect();
    assert_eq!(kinds.last(), Some(&"first_seen"));
    for kind in ["set_resolved", "set_ignored", "assigned", "unassigned", "set_priority"] {
        assert!(kinds.contains(&kind), "{kind} {kinds:?}");
    }
    for wrong in [json!({"status": "gone"}), json!({"assignedTo": "eve@example.com"}), json!({"priority": "urgent"})] {
        assert_eq!(app.ann("PUT", path, &wrong).await.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
}

#[tokio::test]
async fn what_cannot_be_changed_is_refused_and_nothing_with_it() {
    let app = App::new().await;
    let id = app.issue(&app.acme.project, 1, 1).await;
    let paths = ["/api/0/organizations/acme/issues/WEB-1/".to_owned(), format!("{LIST}?id={id}")];
    for (member, change) in [
        ("isBookmarked", json!({"isBookmarked": true})),
        ("isSubscribed", json!({"isSubscribed": true})),
        ("isPublic", json!({"isPublic": true})),
        ("hasSeen", json!({"hasSeen": false})),
        ("inbox", json!({"inbox": false})),
        ("discard", json!({"discard": true})),
        ("merge", json!({"merge": 1})),
        ("statusDetails.inCommit", json!({"status": "resolved", "statusDetails": {"inCommit": {"commit": "a"}}})),
        ("statusDetails.inRelease", json!({"status": "resolved", "statusDetails": {"inRelease": "latest"}})),
        ("statusDetails.inNextRelease", json!({"status": "resolved", "statusDetails": {"inNextRelease": true}})),
    ] {
        for path in &paths {
            let answer = app.ann("PUT", path, &change).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{change}");
            assert!(answer.json()[member][0].is_string(), "{answer:?}");
        }
    }
    assert_eq!(short_ids(&app.get(&format!("{LIST}?query=is:unresolved")).await.json()), ["WEB-1"]);
    // What it is already, and what is null, asks for nothing.
    let body = json!({"status": "resolved", "statusDetails": null, "hasSeen": true, "isPublic": false, "merge": null});
    assert_eq!(app.ann("PUT", &paths[0], &body).await.json()["status"], "resolved");
}

#[tokio::test]
async fn many_issues_are_changed_at_once() {
    let app = App::new().await;
    let first = app.issue(&app.acme.project, 1, 1).await;
    app.issue(&app.acme.project, 2, 2).await;
    let project = "/api/0/projects/acme/web/issues/";
    let muted = app.ann("PUT", &format!("{project}?id={first}"), &json!({"status": "muted"})).await.json();
    assert_eq!(muted, json!({"status": "ignored", "statusDetails": {}, "substatus": "archived_forever"}));
    let some = app.ann("PUT", &format!("{project}?status=unresolved"), &json!({"status": "resolved"})).await.json();
    assert_eq!(some["status"], "resolved");
    assert_eq!(short_ids(&app.get(&format!("{LIST}?query=is:resolved")).await.json()), ["WEB-2"]);
    let none = app.ann("PUT", &format!("{project}?status=unresolved"), &json!({"status": "resolved"})).await;
    assert_eq!(none.status, StatusCode::NO_CONTENT);
    let assign = app.ann("PUT", project, &json!({"assignedTo": "me"})).await;
    assert_eq!(assign.status, StatusCode::BAD_REQUEST, "only the status changes without ids");
}

#[tokio::test]
async fn a_short_id_or_event_id_leads_straight_to_its_issue() {
    let app = App::new().await;
    app.issue(&app.acme.project, 1, 1).await;
    let event = app.event(&app.acme.project, 7, 1, NOON - 60, &json!({})).await;
    for sought in ["WEB-1".to_owned(), event.to_string()] {
        let answer = app.get(&format!("{LIST}?shortIdLookup=1&query={sought}")).await;
        assert_eq!(answer.headers["x-sentry-direct-hit"], "1");
        assert_eq!(short_ids(&answer.json()), ["WEB-1"]);
    }
    let found = app.get("/api/0/organizations/acme/shortids/web-1/").await.json();
    assert_eq!((&found["projectSlug"], &found["group"]["shortId"]), (&json!("web"), &json!("WEB-1")));
}

#[tokio::test]
async fn a_search_for_more_kinds_of_events_than_are_looked_at_is_refused() {
    let app = App::new().await;
    app.issue(&app.acme.project, 1, 0).await;
    app.kinds(&app.acme.project, 10_000).await;
    let all = app.get(&format!("{LIST}?query=browser:Firefox*")).await;
    assert_eq!(all.status, StatusCode::OK, "{all:?}");
    app.event(&app.acme.project, 1, 0, NOON - 60, &json!({})).await;
    for (method, path) in [("GET", LIST), ("PUT", "/api/0/projects/acme/web/issues/")] {
        let body = if method == "PUT" { json!({"status": "resolved"}) } else { Value::Null };
        let refused = app.ann(method, &format!("{path}?query=browser:Firefox*"), &body).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "a part of the issues must not pass for all");
        assert!(refused.json()["detail"].as_str().unwrap().contains("narrow"), "{refused:?}");
    }
}

#[tokio::test]
async fn events_select_issues_of_their_own_project() {
    let app = App::new().await;
    let made = app.ann("POST", "/api/0/organizations/acme/projects/", &json!({"name": "ios"})).await.json();
    let id = made["id"].as_str().unwrap().parse().unwrap();
    let ios = app.meta.project(id).await.unwrap().unwrap();
    app.issue(&app.acme.project, 1, 1).await;
    app.issue(&ios, 1, 1).await;
    app.event(&ios, 1, 1, NOON - 60, &json!({})).await;
    let found = app.get(&format!("{LIST}?query=browser:%22Firefox%201%22")).await.json();
    assert_eq!(short_ids(&found), ["IOS-1"], "both projects have the hash, one has the event");
}
