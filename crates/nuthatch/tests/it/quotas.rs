//! Quotas hold over restarts.

use http::{HeaderMap, Method};
use nuthatch::client::{Client, Dsn};
use nuthatch_protocol::Timestamp;
use serde_json::{Value, json};

use crate::server::{Server, Site};

const WINDOW_SECS: i64 = 31 * 86_400;

/// Sends something; the status and the headers of the answer.
async fn post(client: &mut Client, dsn: &Dsn, item: &str) -> (u16, HeaderMap) {
    let body = format!("{{}}\n{{\"type\":\"{item}\"}}\n{{}}\n");
    let answer = client.envelope(dsn, body.into(), false).await.unwrap();
    (answer.status.into(), answer.headers)
}

async fn create(server: &Server<'_>, client: &mut Client, path: &str, body: Value) -> Value {
    let path = format!("/api/0/projects/{}/{}/{path}", server.site.organization, server.site.project);
    let answer = client.api(Method::POST, &path, &server.site.token, Some(&body)).await.unwrap();
    assert!(answer.status.is_success(), "{path}: {}", String::from_utf8_lossy(&answer.body));
    answer.json().unwrap()
}

/// Whether an answer tells clients to wait until the window ends, and whose limit it is.
async fn assert_limited(client: &mut Client, dsn: &Dsn, item: &str, limit: &str) {
    let before = nuthatch::now();
    let (status, headers) = post(client, dsn, item).await;
    assert_eq!(status, 429, "{item}");
    let wait: u64 = headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert_eq!(headers["x-sentry-rate-limits"].to_str().unwrap(), format!("{wait}:{limit}"));
    // Whole seconds, rounded up.
    let rest = |now: Timestamp| {
        let window = WINDOW_SECS * 1_000_000;
        (window - now.0.rem_euclid(window)) as u64
    };
    let possible = rest(nuthatch::now()).div_ceil(1_000_000)..=rest(before).div_ceil(1_000_000);
    assert!(possible.contains(&wait), "{wait} seconds, not {possible:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_goes_on_after_a_kill_and_after_a_restart() {
    let site = Site::new();
    let server = site.start();
    let mut client = server.client();
    let limited = json!({"name": "Limited", "rateLimit": {"window": WINDOW_SECS, "count": 3}});
    let key = create(&server, &mut client, "keys/", limited).await;
    let dsn = Dsn::parse(key["dsn"]["public"].as_str().unwrap()).unwrap();
    let quota =
        json!({"scope": "project", "categories": ["session"], "limit": 4, "window": WINDOW_SECS, "reasonCode": "s"});
    create(&server, &mut client, "quotas/", quota).await;
    for _ in 0..3 {
        assert_eq!(post(&mut client, &dsn, "event").await.0, 200);
        assert_eq!(post(&mut client, &dsn, "session").await.0, 200);
    }
    server.kill();

    let server = site.start();
    let mut client = server.client();
    assert_limited(&mut client, &dsn, "event", "error;default:key:key_quota").await;
    assert_eq!(post(&mut client, &dsn, "session").await.0, 200, "one more fits");
    server.until_processed(&mut client).await;
    server.stop();

    let server = site.start();
    let mut client = server.client();
    assert_limited(&mut client, &dsn, "event", "error;default:key:key_quota").await;
    assert_limited(&mut client, &dsn, "session", "session:project:s").await;
}
