//! What operators rely on.

use http::Method;

use crate::server::{Site, json};

#[tokio::test]
async fn health_metrics_and_log_say_how_the_server_is() {
    let site = Site::new();
    let server = site.start();
    let mut client = server.client();
    let of_relay = |path: &str| format!("/api/relay/healthcheck/{path}");
    let of_relay = ["live", "live/", "ready", "ready/"].map(of_relay);
    let own = ["/health/live", "/health/ready"].map(str::to_owned);
    for path in own.iter().chain(&of_relay) {
        let answer = client.api(Method::GET, path, "", None).await.unwrap();
        assert_eq!(answer.json().unwrap()["is_healthy"], true, "{path}");
    }
    let dsn = server.dsn.clone();
    let body = "{}\n{\"type\":\"event\"}\n{\"message\":\"hello\"}\n";
    assert_eq!(client.envelope(&dsn, body.into(), false).await.unwrap().status, 200);
    server.until_processed(&mut client).await;
    let metrics = client.api(Method::GET, "/metrics", "", None).await.unwrap();
    let text = String::from_utf8(metrics.body.to_vec()).unwrap();
    assert!(text.contains("nuthatch_worker_records_total 1"), "{text}");
    let topics = json(&site.data(), &["log", "topics"], "");
    let events = topics.as_array().unwrap().iter().find(|t| t["topic"] == "ingest-events").unwrap();
    assert_eq!(
        (&events["next"], &events["lag"]["issues"], &events["lag"]["events"]),
        (&1.into(), &0.into(), &0.into())
    );
    server.stop();
}
