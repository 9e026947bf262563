//! What was acknowledged and cannot be handled waits on the dead-letter list, with reason and place, and costs no
//! neighbour.

use nuthatch::client::Client;

use crate::server::{Server, Site, json, run};

#[tokio::test]
async fn bad_events_wait_with_reason_and_place_and_their_neighbours_live() {
    let site = Site::new();
    let server = site.start();
    let mut client = server.client();
    let deep = format!("{{\"extra\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let bad = [("not json at all", "invalid_json"), ("[1,2]", "not_an_object"), (deep.as_str(), "too_deep")];
    let good = r#"{"message":"a good neighbour"}"#;
    for (payload, _) in bad {
        for payload in [payload, good] {
            let body = format!("{{}}\n{{\"type\":\"event\",\"length\":{}}}\n{payload}\n", payload.len());
            let answer = client.envelope(&server.dsn, body.into(), false).await.unwrap();
            assert_eq!(answer.status, 200, "an event's content is judged after the answer");
        }
    }
    server.until_processed(&mut client).await;
    let path = format!("/organizations/{}/issues/?query=", site.organization);
    let issues = server.until(&mut client, &path, |issues| issues[0]["count"] == "3").await;
    assert_eq!(issues.as_array().unwrap().len(), 1);

    // Newest first.
    let letters = json(&site.data(), &["log", "dead-letters"], "");
    let letters = letters.as_array().unwrap();
    assert_eq!(letters.len(), bad.len());
    for (letter, (payload, reason)) in letters.iter().rev().zip(bad) {
        assert_eq!(letter["reason"], reason);
        assert!(letter["message"].as_str().unwrap().len() > 5);
        assert!(letter["source"].as_str().unwrap().starts_with("ingest-events/0/"));
        let shown = json(&site.data(), &["log", "dead-letters", "show", &letter["id"].to_string()], "");
        assert_eq!((&shown["payload"], &shown["encoding"]), (&payload.into(), &"text".into()));
    }
}

/// Sends an event that nothing can be made of.
async fn send_bad(server: &Server<'_>, client: &mut Client) {
    let body = "{}\n{\"type\":\"event\",\"length\":8}\nnot json\n";
    assert_eq!(client.envelope(&server.dsn, body.into(), false).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_letter_that_is_edited_at_the_command_line_becomes_an_event_of_the_running_server() {
    let site = Site::new();
    let server = site.start();
    let mut client = server.client();
    send_bad(&server, &mut client).await;
    server.until_processed(&mut client).await;
    let data = site.data();
    let id = json(&data, &["log", "dead-letters", "list"], "")[0]["id"].to_string();
    let mended = r#"{"message":"mended"}"#;
    let asked = json(&data, &["log", "dead-letters", "replay", &id, "--payload", "-"], mended);
    assert_eq!(asked["requested"], 1);
    let path = format!("/organizations/{}/issues/?query=", site.organization);
    let issues = server.until(&mut client, &path, |issues| !issues[0].is_null()).await;
    assert_eq!(issues[0]["title"], "mended");
    let path = format!("/projects/{}/{}/dead-letters/", site.organization, site.project);
    server.until(&mut client, &path, |letters| letters.as_array().unwrap().is_empty()).await;
}

#[tokio::test]
async fn what_is_asked_of_a_stopped_server_is_done_when_it_starts() {
    let site = Site::new();
    let server = site.start();
    let mut client = server.client();
    for _ in 0..3 {
        send_bad(&server, &mut client).await;
    }
    server.until_processed(&mut client).await;
    server.stop();

    let data = site.data();
    let letters = json(&data, &["log", "dead-letters", "list", "--reason", "invalid_json"], "");
    let ids: Vec<u64> = letters.as_array().unwrap().iter().map(|letter| letter["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), 3);
    assert_eq!(json(&data, &["log", "dead-letters", "discard", &ids[0].to_string()], "")["discarded"], 1);
    let again = run(&data, &["log", "dead-letters", "discard", &ids[0].to_string()], "");
    assert_eq!(again.status.code(), Some(1));
    let others = json(&data, &["log", "dead-letters", "discard", "--all", "--reason", "too_deep"], "");
    assert_eq!(others["discarded"], 0);
    assert_eq!(json(&data, &["log", "dead-letters", "replay", "--all"], "")["requested"], 2);
    let list = ["log", "dead-letters", "list"];
    assert_eq!(json(&data, &list, "")[1]["replay_requested"], true);

    // Refused again, they are new letters.
    let server = site.start();
    let path = format!("/projects/{}/{}/dead-letters/", site.organization, site.project);
    let mut client = server.client();
    let is_new = |letter: &serde_json::Value| letter["id"].as_str().unwrap().parse::<u64>().unwrap() > ids[0];
    let all_new = |letters: &serde_json::Value| {
        let letters = letters.as_array().unwrap();
        letters.len() == 2 && letters.iter().all(is_new)
    };
    server.until(&mut client, &path, all_new).await;
}

#[tokio::test]
async fn an_event_that_is_sent_twice_is_counted_once() {
    let site = Site::new();
    let server = site.start();
    let mut client = server.client();
    let id = "0123456789abcdef0123456789abcdef";
    let body = format!("{{\"event_id\":\"{id}\"}}\n{{\"type\":\"event\"}}\n{{\"message\":\"once\"}}\n");
    for _ in 0..5 {
        let answer = client.envelope(&server.dsn, body.clone().into(), false).await.unwrap();
        assert_eq!(answer.json().unwrap()["id"], id);
    }
    server.until_processed(&mut client).await;
    let issues = server.api(&mut client, &format!("/organizations/{}/issues/?query=", site.organization)).await;
    assert_eq!(issues[0]["count"], "1");
    let events = server.api(&mut client, &format!("/projects/{}/{}/events/", site.organization, site.project)).await;
    assert_eq!(events.as_array().unwrap().len(), 1);
}
