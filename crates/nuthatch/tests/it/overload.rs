//! More than the server can handle: nothing acknowledged is lost, and what cannot be taken is refused and counted.

use std::time::Instant;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

use crate::server::{PATIENCE, Server, Site, json};

/// The smallest bound there is.
const BOUND: &str = "16777216";
const EVENT_BYTES: usize = 900_000;

fn envelope(number: u64) -> Bytes {
    let message = format!("problem {number} {}", "x".repeat(EVENT_BYTES));
    format!("{{}}\n{{\"type\":\"event\"}}\n{{\"message\":\"{message}\",\"fingerprint\":[\"one\"]}}\n").into()
}

/// Sends until it is told to wait: how many were taken, and what the refusal says.
async fn fill(server: &Server<'_>) -> (u64, HeaderMap) {
    let mut client = server.client();
    for number in 0.. {
        let answer = client.envelope(&server.dsn, envelope(number), false).await.unwrap();
        match answer.status.as_u16() {
            200 => {}
            429 => return (number, answer.headers),
            other => panic!("event {number} was answered {other}"),
        }
    }
    unreachable!("it ends with an answer")
}

async fn sums(server: &Server<'_>) -> Vec<(String, String, u64)> {
    let path = format!(
        "/organizations/{}/stats_v2/?groupBy=outcome&groupBy=reason&category=error&statsPeriod=1d",
        server.site.organization
    );
    let stats = server.api(&mut server.client(), &path).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let sum = |group: &Value| {
        let by = &group["by"];
        (text(&by["outcome"]), text(&by["reason"]), group["totals"]["sum(quantity)"].as_u64().unwrap())
    };
    let mut sums: Vec<_> = stats["groups"].as_array().unwrap().iter().map(sum).collect();
    sums.sort();
    sums
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_log_answers_429_by_category_and_takes_more_when_it_was_worked_off() {
    let site = Site::new();
    let bound = [("NUTHATCH_LOG__MAX_BYTES", BOUND)];
    // Nobody works it off.
    let server = site.start_as(&["--role", "intake,api"], &bound);
    let (taken, headers) = fill(&server).await;
    assert!((8..=40).contains(&taken), "{taken} events of 900 kB in 16 MiB");
    assert_eq!(headers["x-sentry-rate-limits"], "60:error:organization:log_full");
    assert_eq!(headers["retry-after"], "60");
    let path = format!("/api/0/projects/{}/{}/occurrences/", site.organization, site.project);
    let body = serde_json::json!({"title": "x", "fingerprint": ["x"]});
    let mut client = server.client();
    let answer = client.api(http::Method::POST, &path, &site.token, Some(&body)).await.unwrap();
    assert_eq!(answer.status, 503, "detectors wait as well");
    let metrics = client.api(http::Method::GET, "/metrics", "", None).await.unwrap();
    let metrics = String::from_utf8(metrics.body.to_vec()).unwrap();
    assert!(metrics.lines().any(|line| line == "nuthatch_log_full 1"), "{metrics}");
    server.stop();

    let server = site.start_as(&[], &bound);
    let mut client = server.client();
    server.until_processed(&mut client).await;
    let begun = Instant::now();
    let mut refused = 1;
    // The files go a moment after the position that frees them.
    loop {
        match client.envelope(&server.dsn, envelope(taken), false).await.unwrap().status.as_u16() {
            200 => break,
            429 => refused += 1,
            other => panic!("{other}"),
        }
        assert!(begun.elapsed() < PATIENCE, "it stays full");
    }
    server.until_processed(&mut client).await;
    let expected = [("accepted", "", taken + 1), ("rate_limited", "log_full", refused)];
    let expected = expected.map(|(outcome, reason, units)| (outcome.to_owned(), reason.to_owned(), units));
    assert_eq!(sums(&server).await, expected);
    server.stop();
    let books = json(&site.data(), &["verify"], "");
    assert_eq!((&books["balanced"], &books["events_checked"]), (&true.into(), &(taken + 1).into()));
}
