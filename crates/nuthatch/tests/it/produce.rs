//! Messages that are handed in at the command line become issues, whether or not the server runs.

use serde_json::{Value, json};

use crate::server::{Site, json, run};

/// An occurrence with this fingerprint, as producers of the topic write it.
fn occurrence(id: u8, project: u64, type_id: u32, fingerprint: &str) -> Value {
    json!({
        "id": format!("{id:032x}"), "project_id": project, "fingerprint": [fingerprint], "type": type_id,
        "issue_title": format!("{fingerprint} failed"), "subtitle": "", "detection_time": 1_700_000_000,
        "evidence_display": [],
        "event": {
            "event_id": format!("{id:032x}"), "project_id": project, "platform": "other", "timestamp": 1_700_000_000,
        },
    })
}

/// The number of the site's only project.
const PROJECT: u64 = 1;
/// A missed check-in: no noise rule.
const TYPE: u32 = 4001;

#[tokio::test]
async fn messages_reach_a_running_server_and_each_bad_line_is_named() {
    let site = Site::new();
    let server = site.start();
    let mut client = server.client();
    let mut missing = occurrence(3, PROJECT, TYPE, "c");
    missing["event"]["timestamp"].take();
    let lines = [
        occurrence(1, PROJECT, TYPE, "a").to_string(),
        String::new(),
        "{\"id\":".to_owned(),
        occurrence(2, PROJECT, 4_000_000, "b").to_string(),
        occurrence(2, 99, TYPE, "b").to_string(),
        missing.to_string(),
        occurrence(4, PROJECT, TYPE, "d").to_string(),
    ];
    let input = lines.join("\n");
    let output = run(&site.data(), &["log", "produce", "-", "--json"], &input);
    assert_eq!(output.status.code(), Some(1), "some were refused");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&answer["accepted"], &answer["refused"]), (&json!(2), &json!(4)));
    let places = answer["lines"].as_array().unwrap().iter().map(|line| {
        let place = line["place"].as_str().unwrap_or("accepted");
        (line["line"].as_u64().unwrap(), place)
    });
    let expected =
        [(1, "accepted"), (3, "$"), (4, "$.type"), (5, "$.project_id"), (6, "$.event.timestamp"), (7, "accepted")];
    assert_eq!(places.collect::<Vec<_>>(), expected);
    let text = String::from_utf8(run(&site.data(), &["log", "produce", "-"], &lines[3]).stdout).unwrap();
    assert!(text.contains("$.type") && text.contains("accepted 0, refused 1"), "{text}");

    let path = format!("/organizations/{}/issues/?query=issue.type:monitor_check_in_failure", site.organization);
    let issues = server.until(&mut client, &path, |issues| issues.as_array().unwrap().len() == 2).await;
    let mut titles: Vec<_> = issues.as_array().unwrap().iter().map(|issue| issue["title"].as_str().unwrap()).collect();
    titles.sort_unstable();
    assert_eq!(titles, ["a failed", "d failed"]);
}

#[tokio::test]
async fn what_is_handed_to_a_stopped_server_counts_once_when_it_starts() {
    let site = Site::new();
    let change = json!({
        "payload_type": "status_change", "id": "resolved by hand", "project_id": PROJECT, "fingerprint": ["a"],
        "new_status": 1,
    });
    let lines = [occurrence(1, PROJECT, TYPE, "a"), occurrence(1, PROJECT, TYPE, "a"), change];
    let input: String = lines.iter().map(|line| format!("{line}\n")).collect();
    assert_eq!(json(&site.data(), &["log", "produce", "-"], &input)["accepted"], 3);

    let server = site.start();
    let mut client = server.client();
    let path = format!("/organizations/{}/issues/?query=issue.type:monitor_check_in_failure", site.organization);
    let issues = server.until(&mut client, &path, |issues| issues[0]["status"] == "resolved").await;
    assert_eq!((&issues[0]["count"], issues.as_array().unwrap().len()), (&json!("1"), 1));
}
