//! Issues come back from the archive of a running server with the event that meets their condition.

use http::Method;
use nuthatch::client::Client;
use serde_json::{Value, json};

use crate::server::{Server, Site};

/// Sends an error of a user.
async fn send(server: &Server<'_>, client: &mut Client, message: &str, user: &str) {
    let payload = json!({"message": message, "user": {"id": user}}).to_string();
    let body = format!("{{}}\n{{\"type\":\"event\",\"length\":{}}}\n{payload}\n", payload.len());
    assert_eq!(client.envelope(&server.dsn, body.into(), false).await.unwrap().status, 200);
}

/// The issue of a message.
async fn issue(server: &Server<'_>, client: &mut Client, message: &str) -> Value {
    server.until_processed(client).await;
    let path = format!("/organizations/{}/issues/?query={message}", server.site.organization);
    server.until(client, &path, |issues| !issues[0].is_null()).await[0].clone()
}

#[tokio::test]
async fn archived_issues_come_back_with_the_event_that_meets_their_condition() {
    let site = Site::new();
    let server = site.start();
    let mut client = server.client();
    let conditions = [
        ("counted", json!({"ignoreCount": 2}), ["u0", "u0"]),
        ("windowed", json!({"ignoreCount": 2, "ignoreWindow": 60}), ["u0", "u0"]),
        ("affected", json!({"ignoreUserCount": 2}), ["u1", "u2"]),
        ("affected-of-late", json!({"ignoreUserCount": 2, "ignoreUserWindow": 60}), ["u0", "u1"]),
    ];
    for (message, details, _) in &conditions {
        send(&server, &mut client, message, "u0").await;
        let id = issue(&server, &mut client, message).await["id"].as_str().unwrap().to_owned();
        let path = format!("/api/0/organizations/{}/issues/{id}/", site.organization);
        let body = json!({"status": "ignored", "statusDetails": details});
        let archived = client.api(Method::PUT, &path, &site.token, Some(&body)).await.unwrap().json().unwrap();
        assert_eq!(archived["statusDetails"], *details, "{message}");
    }
    for (message, _, [first, second]) in &conditions {
        send(&server, &mut client, message, first).await;
        assert_eq!(issue(&server, &mut client, message).await["status"], "ignored", "{message}");
        send(&server, &mut client, message, second).await;
        let back = issue(&server, &mut client, message).await;
        assert_eq!((&back["status"], &back["substatus"]), (&"unresolved".into(), &"escalating".into()), "{message}");
        let detail = server.api(&mut client, &format!("/issues/{}/", back["id"].as_str().unwrap())).await;
        let escalated = detail["activity"].as_array().unwrap().iter().find(|entry| entry["type"] == "set_escalating");
        assert_eq!(escalated.unwrap()["cause"], json!({"type": "rule", "name": "snooze", "detectorId": null}));
    }
}
