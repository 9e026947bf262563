//! Sessions as SDKs send them, through the real binary, back as the health of a release.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::server::{Server, Site};

/// An envelope of session items, as the SDK for Python writes it.
async fn send(server: &Server<'_>, items: &[(&str, Value)]) {
    let mut body = format!("{{\"sent_at\":\"{}\"}}\n", nuthatch::now());
    for (item_type, payload) in items {
        let payload = payload.to_string();
        body += &format!("{{\"type\":\"{item_type}\",\"length\":{}}}\n{payload}\n", payload.len());
    }
    let answer = server.client().envelope(&server.dsn, Bytes::from(body), false).await.unwrap();
    assert_eq!((answer.status.as_u16(), &answer.body[..]), (200, &b"{}"[..]));
}

fn session(sid: &str, user: &str, status: &str, errors: u64) -> Value {
    let now = nuthatch::now();
    json!({
        "sid": sid, "init": true, "started": now.to_string(), "timestamp": now.to_string(), "status": status,
        "errors": errors, "did": user, "duration": 1.5,
        "attrs": {"release": "shop@1.0", "environment": "production", "user_agent": "python-requests/2.31"},
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_become_the_health_of_a_release_and_survive_a_kill() {
    let site = Site::new();
    let server = site.start();
    let (first, second) = ("8333339f5675bf4f86ad4b0d6dc5dd5c", "1a0b4b3ee0ab4a0ea0bf4b0d6dc5dd5d");
    send(&server, &[("session", session(first, "ada", "ok", 0)), ("session", session(second, "bob", "exited", 1))])
        .await;
    let aggregates = json!([{"started": nuthatch::now().to_string(), "exited": 7, "errored": 1}]);
    let attrs = json!({"release": "shop@1.0", "environment": "production"});
    send(&server, &[("sessions", json!({"aggregates": aggregates, "attrs": attrs}))]).await;
    server.kill();

    let server = site.start();
    let mut client = server.client();
    // The end of the first one; of the second one again what is known.
    send(
        &server,
        &[("session", session(first, "ada", "crashed", 1)), ("session", session(second, "bob", "exited", 1))],
    )
    .await;
    server.until_processed(&mut client).await;

    let fields = "field=sum(session)&field=count_unique(user)&field=crash_free_rate(session)&field=crash_rate(user)";
    let path = format!("/organizations/{}/sessions/?{fields}&groupBy=release&statsPeriod=2h", site.organization);
    let stats = server.api(&mut client, &path).await;
    let group = &stats["groups"][0];
    assert_eq!(group["by"], json!({"release": "shop@1.0"}));
    let totals = &group["totals"];
    assert_eq!((&totals["sum(session)"], &totals["count_unique(user)"]), (&json!(10), &json!(2)), "{stats}");
    assert_eq!((&totals["crash_free_rate(session)"], &totals["crash_rate(user)"]), (&json!(0.9), &json!(0.5)));

    let path = format!("/organizations/{}/sessions/?field=sum(session)&groupBy=session.status", site.organization);
    let stats = server.api(&mut client, &path).await;
    let groups = stats["groups"].as_array().unwrap().iter();
    let counts: Vec<_> =
        groups.map(|group| (&group["by"]["session.status"], &group["totals"]["sum(session)"])).collect();
    assert_eq!(json!(counts[..3]), json!([["healthy", 7], ["errored", 2], ["crashed", 1]]));

    let releases = server.api(&mut client, &format!("/organizations/{}/releases/?health=1", site.organization)).await;
    let health = &releases[0]["projects"][0]["healthData"];
    assert_eq!((&releases[0]["version"], &health["totalSessions24h"]), (&json!("shop@1.0"), &json!(10)));
    assert_eq!((&health["crashFreeSessions"], &health["adoption"]), (&json!(90.0), &json!(100.0)));

    let path = format!("/organizations/{}/stats_v2/?category=session&groupBy=outcome", site.organization);
    let outcomes = server.api(&mut client, &path).await;
    assert_eq!(outcomes["groups"][0]["totals"]["sum(quantity)"], 5, "each item counts once: {outcomes}");
    server.stop();
    let books = crate::server::json(&site.data(), &["verify"], "");
    assert_eq!(books["balanced"], true);
}
