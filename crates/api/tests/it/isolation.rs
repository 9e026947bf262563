use http::StatusCode;
use nuthatch_issues::{Changes, Needs};
use nuthatch_protocol::Timestamp;
use nuthatch_store::{IssueStore as _, conformance::meta::letter};
use serde_json::{Value, json};

use crate::app::App;

/// What answers without a credential, or is about the caller alone.
const NOT_ABOUT_AN_ORGANIZATION: [&str; 4] =
    ["/api/0/", "/api/0/auth/login/", "/api/0/auth/setup/", "/api/0/auth/logout/"];

/// A path of the description, with Ann's data in it.
pub fn filled_in(app: &App, path: &str) -> String {
    path.replace("{org}", "acme")
        .replace("{project}", "web")
        .replace("{issue}", &(app.acme.project.id.0 * 1000 + 1).to_string())
        .replace("{event_id}", &"07".repeat(16))
        .replace("{letter}", "1")
        .replace("{trace_id}/attachments/{attachment}", "{trace_id}/attachments/2")
        .replace("{trace_id}", &"01".repeat(16))
        .replace("{item_id}", &"01".repeat(16))
        .replace("{attachment}", "1")
        .replace("{file}", "1")
        .replace("{key}", &"01".repeat(16))
        .replace("{short_id}", "WEB-1")
        .replace("{version}", "web@1.0")
        .replace("{slug}", "error")
        .replace("{team}", "core")
        .replace("{member}", "me")
        .replace("{id}", "1")
}

/// Every operation of the description: method, path, with Ann's data in it.
fn operations(app: &App) -> Vec<(String, String)> {
    let api = serde_json::to_value(nuthatch_api::openapi()).unwrap();
    let mut all = Vec::new();
    for (path, methods) in api["paths"].as_object().unwrap() {
        let path = filled_in(app, path);
        all.extend(methods.as_object().unwrap().keys().map(|method| (method.to_uppercase(), path.clone())));
    }
    all
}

#[tokio::test]
async fn nobody_reads_or_changes_anything_of_another_organization() {
    let app = App::new().await;
    app.issue(&app.acme.project, 1, 1).await;
    app.event(&app.acme.project, 7, 1, crate::app::NOON - 60, &json!({})).await;
    app.letters(&[letter(0, Some(app.acme.project.id), "invalid_json")]).await;
    app.attachment(&app.acme.project, 7, "secret.txt", "text/plain", b"theirs").await;
    app.trace_attachment(&app.acme.project, 1, "secret.txt", b"theirs").await;
    app.ann("POST", "/api/0/organizations/acme/teams/", &json!({"name": "Core"})).await;
    let releases = vec![(app.acme.project.id, "web@1.0".to_owned(), Timestamp(0))];
    let changes = Changes { releases, ..Changes::default() };
    app.meta.transact(Needs::default(), None, Box::new(move |_| changes)).await.unwrap();
    let operations = operations(&app);
    assert!(operations.len() > 40, "{}", operations.len());
    for (method, path) in operations {
        if NOT_ABOUT_AN_ORGANIZATION.contains(&path.as_str()) {
            continue;
        }
        let body = if method == "GET" { Value::Null } else { json!({"name": "x", "scopes": []}) };
        let nobody = app.send(&method, &path, &[], &body).await;
        assert_eq!(nobody.status, StatusCode::UNAUTHORIZED, "{method} {path}");
        if path.contains("/acme/") {
            let eve = app.with_token(&app.other.token, &method, &path, &body).await;
            assert_eq!(eve.status, StatusCode::NOT_FOUND, "{method} {path} {:?}", eve.body);
            // Her own organization does not help to reach what is not in it.
            let through = path.replace("/acme/", "/other/").replace("/web/", "/api/");
            let is_one_issue = through.contains("/issues/") && through.ends_with("1/");
            if through.ends_with("/attachments/") && !through.contains("/issues/") {
                // Files may be there before their event.
                let eve = app.with_token(&app.other.token, &method, &through, &body).await;
                assert_eq!(eve.json(), json!([]), "{method} {through}");
            } else if is_one_issue
                || through.contains("0707")
                || through.contains("/files/1/")
                || through.contains("/attachments/2/")
                || through.contains("/dead-letters/1/")
                || through.contains("core")
                || through.contains("web@1.0")
            {
                let eve = app.with_token(&app.other.token, &method, &through, &body).await;
                assert_eq!(eve.status, StatusCode::NOT_FOUND, "{method} {through} {:?}", eve.body);
            }
        }
    }
}

#[tokio::test]
async fn lists_hold_only_what_is_ones_own() {
    let app = App::new().await;
    let theirs = app.issue(&app.acme.project, 1, 1).await;
    for path in ["/api/0/organizations/", "/api/0/projects/", "/api/0/organizations/other/issues/?query="] {
        let answer = app.with_token(&app.other.token, "GET", path, &Value::Null).await;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(!text.contains("acme") && !text.contains("\"web\""), "{path} {text}");
    }
    let path = format!("/api/0/issues/{theirs}/");
    assert_eq!(app.get(&path).await.status, StatusCode::OK);
    assert_eq!(app.with_token(&app.other.token, "GET", &path, &Value::Null).await.status, StatusCode::NOT_FOUND);
    let bulk = format!("/api/0/organizations/other/issues/?id={theirs}");
    let answer = app.with_token(&app.other.token, "PUT", &bulk, &json!({"status": "resolved"})).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(app.get(&path).await.json()["status"], "unresolved");
}
