//! The promise: received = accepted + filtered + limited + refused, to the unit, whenever the process dies.
//!
//! `LEDGER_KILLS` sets how often the server is killed.

use std::collections::BTreeMap;

use bytes::Bytes;
use nuthatch::{
    client::{Client, Dsn},
    sample::Sequence,
    server::open_meta,
};
use nuthatch_protocol::{EventId, Outcomes, Position, Timestamp, Topic};
use nuthatch_store::{EventStore as _, SettlementStore as _, issues::ConsumerPosition, settlements::Settlement};
use nuthatch_store_embedded::events::{EmbeddedEvents, Options};
use serde_json::Value;

use crate::server::{Server, Site, json, run};

const KILLS: u64 = 3;

/// Requests between two kills, each sent after the answer to the one before.
const REQUESTS: u64 = 60;

/// Units by outcome, reason and category.
type Sums = BTreeMap<(String, String, String), u64>;

fn unit(sums: &mut Sums, category: &str, outcome: &str, reason: &str, quantity: u64) {
    *sums.entry((outcome.to_owned(), reason.to_owned(), category.to_owned())).or_default() += quantity;
}

/// A request at random: its body, its status, and what it must add to the ledger.
fn request(random: &mut Sequence, sent: &mut Vec<EventId>) -> (String, u16, Sums) {
    let mut sums = Sums::new();
    let fresh = |random: &mut Sequence| {
        let (high, low) = (u128::from(random.next_u64()), u128::from(random.next_u64()));
        EventId((high << 64 | low).to_be_bytes())
    };
    let event = |id: EventId, payload: &str| format!("{{\"event_id\":\"{id}\"}}\n{{\"type\":\"event\"}}\n{payload}\n");
    let skipped = "{\"type\":\"session\"}\n{}\n{\"type\":\"mystery\"}\n{}\n";
    match random.below(7) {
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
        n => {
            let id = fresh(random);
            sent.push(id);
            unit(&mut sums, "error", "accepted", "", 1);
            let mut body = event(id, &format!(r#"{{"message":"problem {}"}}"#, random.below(5)));
            if n == 5 {
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
    let (mut sent, mut wanted) = (Vec::new(), Sums::new());
    for _ in 0..kills {
        let server = site.start();
        let mut client = server.client();
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

    let running = json(&site.data(), &["verify"], "");
    assert_eq!((&running["balanced"], &running["events_checked"]), (&true.into(), &Value::Null));
    server.stop();
    let stopped = json(&site.data(), &["verify"], "");
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
    let outcomes = Outcomes::default();
    meta.settle(Settlement { consumer, records: 2, outcomes, letters: Vec::new() }).await.unwrap();
    drop(meta);
    let (code, words) = checks();
    assert_eq!((code, words[0].as_str()), (Some(3), "records-of-position"));
    let people = run(&site.data(), &["verify"], "");
    assert!(String::from_utf8_lossy(&people.stdout).contains("The books do not balance"));
}
