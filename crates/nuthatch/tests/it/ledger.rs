//! The promise: received = accepted + filtered + limited + refused, to the unit, whenever the process dies.
//!
//! `LEDGER_KILLS` sets how often the server is killed.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Method;
use nuthatch::{
    client::{Client, Dsn},
    sample::Sequence,
    server::open_meta,
};
use nuthatch_protocol::{EventId, Position, Timestamp, Topic};
use nuthatch_store::{EventStore as _, SettlementStore as _, issues::ConsumerPosition, settlements::Settlement};
use nuthatch_store_embedded::events::{EmbeddedEvents, Options};
use serde_json::{Value, json};

use crate::server::{self, Server, Site, run};

const KILLS: u64 = 3;

/// Requests between two kills, each sent after the answer to the one before.
const REQUESTS: u64 = 60;

/// A share so small that most of what is sent waits in the backlog.
const SHARE: [(&str, &str); 2] =
    [("NUTHATCH_INTAKE__LANE_EVENTS_PER_SECOND", "1"), ("NUTHATCH_INTAKE__LANE_BURST_EVENTS", "15")];

/// Units by outcome, reason and category.
type Sums = BTreeMap<(String, String, String), u64>;

fn unit(sums: &mut Sums, category: &str, outcome: &str, reason: &str, quantity: u64) {
    *sums.entry((outcome.to_owned(), reason.to_owned(), category.to_owned())).or_default() += quantity;
}

/// Errors that the limited key lets through before it says 429: in its window, which goes on after a kill.
const LIMIT: u64 = 15;

/// Errors that are sent with it between two kills.
const FLOOD: u64 = 10;

/// A key with a limit, and a filter.
async fn limit_and_filter(server: &Server<'_>, client: &mut Client) -> Dsn {
    let project = format!("/api/0/projects/{}/{}/", server.site.organization, server.site.project);
    let mut change = async |method: Method, path: String, body: Value| {
        let answer = client.api(method, &path, &server.site.token, Some(&body)).await.unwrap();
        assert!(answer.status.is_success(), "{path}: {}", String::from_utf8_lossy(&answer.body));
        answer.json().unwrap()
    };
    let filters = json!({"options": {"filters:error_messages": "unwanted*"}});
    change(Method::PUT, project.clone(), filters).await;
    let limited = json!({"name": "Limited", "rateLimit": {"window": 31 * 86_400, "count": LIMIT}});
    let key = change(Method::POST, format!("{project}keys/"), limited).await;
    Dsn::parse(key["dsn"]["public"].as_str().unwrap()).unwrap()
}

/// Errors with the limited key, and what they must add to the ledger.
async fn flood(client: &mut Client, dsn: &Dsn, random: &mut Sequence, sent: &mut Vec<EventId>, before: u64) -> Sums {
    let mut sums = Sums::new();
    for n in before..before + FLOOD {
        let id = fresh(random);
        let status = post(client, dsn, event(id, r#"{"message":"too much"}"#)).await;
        if n < LIMIT {
            assert_eq!(status, 200);
            sent.push(id);
            unit(&mut sums, "error", "accepted", "", 1);
        } else {
            assert_eq!(status, 429, "the first one too many is refused, and each after it");
            unit(&mut sums, "error", "rate_limited", "key_quota", 1);
        }
    }
    sums
}

fn fresh(random: &mut Sequence) -> EventId {
    let (high, low) = (u128::from(random.next_u64()), u128::from(random.next_u64()));
    EventId((high << 64 | low).to_be_bytes())
}

fn event(id: EventId, payload: &str) -> String {
    format!("{{\"event_id\":\"{id}\"}}\n{{\"type\":\"event\"}}\n{payload}\n")
}

/// A request at random: its body, its status, and what it must add to the ledger.
fn request(random: &mut Sequence, sent: &mut Vec<EventId>) -> (String, u16, Sums) {
    let mut sums = Sums::new();
    let skipped = "{\"type\":\"session\"}\n{}\n{\"type\":\"mystery\"}\n{}\n";
    match random.below(8) {
        0 => {
            unit(&mut sums, "unknown", "invalid", "invalid_envelope", 1);
            ("nonsense".to_owned(), 400, sums)
        }
        1 => {
            unit(&mut sums, "error", "invalid", "invalid_json", 1);
            (event(fresh(random), "not json"), 200, sums)
        }
        2 if !sent.is_empty() => {
            unit(&mut sums, "error", "invalid", "duplicate", 1);
            (event(*random.pick(sent).unwrap(), r#"{"message":"again"}"#), 200, sums)
        }
        3 => {
            unit(&mut sums, "session", "invalid", "invalid_session", 1);
            unit(&mut sums, "unknown", "invalid", "unknown_item_type", 1);
            (format!("{{}}\n{skipped}"), 200, sums)
        }
        4 => {
            let lost = 1 + random.below(9);
            unit(&mut sums, "error", "client_discard", "sample_rate", lost);
            let report = format!("{{\"discarded_events\":[[\"sample_rate\",\"error\",{lost}]]}}");
            (format!("{{}}\n{{\"type\":\"client_report\"}}\n{report}\n"), 200, sums)
        }
        5 => {
            unit(&mut sums, "error", "filtered", "error-message", 1);
            (event(fresh(random), r#"{"message":"unwanted noise"}"#), 200, sums)
        }
        n => {
            let id = fresh(random);
            sent.push(id);
            unit(&mut sums, "error", "accepted", "", 1);
            let mut body = event(id, &format!(r#"{{"message":"problem {}"}}"#, random.below(5)));
            if n == 6 {
                unit(&mut sums, "session", "invalid", "invalid_session", 1);
                unit(&mut sums, "unknown", "invalid", "unknown_item_type", 1);
                body += skipped;
            }
            (body, 200, sums)
        }
    }
}

async fn ledger(server: &Server<'_>, client: &mut Client) -> Sums {
    let by = "groupBy=outcome&groupBy=reason&groupBy=category";
    let path = format!("/organizations/{}/stats_v2/?{by}&statsPeriod=1d", server.site.organization);
    let stats = server.api(client, &path).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let groups = stats["groups"].as_array().unwrap().iter().map(|group| {
        let by = &group["by"];
        let key = (text(&by["outcome"]), text(&by["reason"]), text(&by["category"]));
        (key, group["totals"]["sum(quantity)"].as_u64().unwrap())
    });
    groups.collect()
}

async fn post(client: &mut Client, dsn: &Dsn, body: String) -> u16 {
    client.envelope(dsn, Bytes::from(body), false).await.unwrap().status.into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_books_balance_to_the_unit_whenever_the_server_is_killed() {
    let kills = std::env::var("LEDGER_KILLS").ok().map_or(KILLS, |n| n.parse().unwrap());
    let site = Site::new();
    let mut random = Sequence::new(2026);
    let (mut sent, mut wanted, mut limited) = (Vec::new(), Sums::new(), None);
    for kill in 0..kills {
        let server = site.start_as(&[], &SHARE);
        let mut client = server.client();
        if limited.is_none() {
            limited = Some(limit_and_filter(&server, &mut client).await);
        }
        let flooded = flood(&mut client, limited.as_ref().unwrap(), &mut random, &mut sent, kill * FLOOD).await;
        for (key, quantity) in flooded {
            *wanted.entry(key).or_default() += quantity;
        }
        for _ in 0..REQUESTS {
            let (body, status, sums) = request(&mut random, &mut sent);
            assert_eq!(post(&mut client, &server.dsn, body.clone()).await, status, "{body}");
            for (key, quantity) in sums {
                *wanted.entry(key).or_default() += quantity;
            }
        }
        // The worker is in the middle of it.
        server.kill();
        let books = run(&site.data(), &["verify"], "");
        assert_eq!(books.status.code(), Some(0), "{}", String::from_utf8_lossy(&books.stdout));
    }
    let server = site.start();
    let mut client = server.client();
    server.until_processed(&mut client).await;
    assert_eq!(ledger(&server, &mut client).await, wanted);

    let topics = server::json(&site.data(), &["log", "topics"], "");
    let in_lane = |name: &str| {
        let topic = topics.as_array().unwrap().iter().find(|topic| topic["topic"] == name);
        topic.unwrap()["next"].as_u64().unwrap()
    };
    assert!(in_lane("ingest-events") >= 15 * kills && in_lane("ingest-events-backlog") >= 15 * kills, "{topics}");

    let running = server::json(&site.data(), &["verify"], "");
    assert_eq!((&running["balanced"], &running["events_checked"]), (&true.into(), &Value::Null));
    server.stop();
    let stopped = server::json(&site.data(), &["verify"], "");
    assert_eq!((&stopped["balanced"], &stopped["events_checked"]), (&true.into(), &sent.len().into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verify_names_what_does_not_balance() {
    let site = Site::new();
    let server = site.start();
    let mut client = server.client();
    for n in 0..3 {
        let body = format!("{{}}\n{{\"type\":\"event\"}}\n{{\"message\":\"problem {n}\"}}\n");
        assert_eq!(post(&mut client, &server.dsn, body).await, 200);
    }
    server.until_processed(&mut client).await;
    server.stop();
    let checks = || {
        let output = run(&site.data(), &["verify", "--json"], "");
        let value: Value = serde_json::from_slice(&output.stdout).unwrap();
        let found = value["imbalances"].as_array().unwrap().clone();
        let words: Vec<String> = found.iter().map(|found| found["check"].as_str().unwrap().to_owned()).collect();
        (output.status.code(), words)
    };
    assert_eq!(checks(), (Some(0), Vec::new()));

    // Events vanish from the event store behind the metadata's back.
    let events = EmbeddedEvents::open(&site.data().join("events"), Options::default()).unwrap();
    events.drop_before(Timestamp(i64::MAX / 2)).await.unwrap();
    drop(events);
    assert_eq!(checks(), (Some(3), vec!["stored-events".to_owned(); 3]));

    // A consumer claims records that it did not apply.
    let meta = open_meta(&site.data()).unwrap();
    let position = Position { topic: Topic::IngestEvents, partition: 0, offset: 4 };
    let consumer = ConsumerPosition { consumer: "issues".to_owned(), position };
    meta.settle(Settlement::of(consumer, 2)).await.unwrap();
    drop(meta);
    let (code, words) = checks();
    assert_eq!((code, words[0].as_str()), (Some(3), "records-of-position"));
    let people = run(&site.data(), &["verify"], "");
    assert!(String::from_utf8_lossy(&people.stdout).contains("The books do not balance"));
}
