//! What was acknowledged and cannot be handled waits on the dead-letter list, with reason and place, and costs no
//! neighbour.

use crate::server::{Site, json};

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

    let letters = json(&site.data(), &["log", "dead-letters"], "");
    let letters = letters.as_array().unwrap();
    assert_eq!(letters.len(), bad.len());
    for (letter, (payload, reason)) in letters.iter().zip(bad) {
        assert_eq!(letter["reason"], reason);
        assert!(letter["message"].as_str().unwrap().len() > 5);
        assert!(letter["source"].as_str().unwrap().starts_with("ingest-events/0/"));
        assert!(letter["bytes"].as_u64().unwrap() > payload.len() as u64, "the original is kept");
    }
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
