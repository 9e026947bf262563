//! The promise: what was acknowledged is not lost, and is counted once, whenever the process dies.
//!
//! `CRASH_KILLS` sets how often the server is killed (`make crash`: 50).

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use nuthatch::{
    client::Client,
    now,
    sample::{Samples, Sequence, Size, envelope},
};
use nuthatch_protocol::EventId;

use crate::server::{Server, Site};

const KILLS: u64 = 6;
const CONNECTIONS: u64 = 32;

/// A share with which both lanes of events are used.
const SHARE: [(&str, &str); 2] =
    [("NUTHATCH_INTAKE__LANE_EVENTS_PER_SECOND", "100"), ("NUTHATCH_INTAKE__LANE_BURST_EVENTS", "200")];

/// What the clients know.
#[derive(Default)]
struct Ledger {
    /// Answered 200.
    acknowledged: HashSet<EventId>,
    /// Sent, and no answer came: it may be stored or not.
    unknown: Vec<(EventId, Bytes)>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_stored_once_whenever_the_server_is_killed() {
    let kills = std::env::var("CRASH_KILLS").ok().map_or(KILLS, |n| n.parse().unwrap());
    let site = Site::new();
    let ledger = Arc::new(Mutex::new(Ledger::default()));
    let mut random = Sequence::new(2026);
    let mut under_load = Duration::ZERO;
    for round in 0..kills {
        let server = site.start_as(&[], &SHARE);
        let stop = Arc::new(AtomicBool::new(false));
        let begun = Instant::now();
        let clients: Vec<_> = (0..CONNECTIONS)
            .map(|lane| tokio::spawn(send(&server, ledger.clone(), stop.clone(), round * CONNECTIONS + lane)))
            .collect();
        tokio::time::sleep(Duration::from_millis(300 + random.below(1200))).await;
        server.kill();
        under_load += begun.elapsed();
        stop.store(true, Ordering::Relaxed);
        for client in clients {
            client.await.unwrap();
        }
    }

    let server = site.start();
    let mut client = server.client();
    server.until_processed(&mut client).await;
    let stored = stored_ids(&server, &mut client).await;
    let ledger = std::mem::take(&mut *ledger.lock().unwrap());
    let lost: Vec<_> = ledger.acknowledged.difference(&stored).collect();
    assert!(lost.is_empty(), "{} acknowledged events are lost, for instance {:?}", lost.len(), lost.first());

    let sent: HashSet<_> =
        ledger.acknowledged.iter().copied().chain(ledger.unknown.iter().map(|(id, _)| *id)).collect();
    assert!(stored.is_subset(&sent), "something is stored that nobody sent");
    let counted = counted(&server, &mut client).await;
    assert_eq!(counted, stored.len() as u64, "the issues' counts are not the number of stored events");
    println!(
        "{kills} kills, {} acknowledged at {:.0}/s, {} stored, all of them once",
        ledger.acknowledged.len(),
        ledger.acknowledged.len() as f64 / under_load.as_secs_f64(),
        stored.len()
    );
}

/// Sends new events, and now and then one again whose answer never came, as SDKs that retry do.
async fn send_all(
    mut client: Client,
    dsn: nuthatch::client::Dsn,
    ledger: Arc<Mutex<Ledger>>,
    stop: Arc<AtomicBool>,
    seed: u64,
) {
    let samples = Samples::new(20).unwrap();
    let mut random = Sequence::new(seed);
    while !stop.load(Ordering::Relaxed) {
        let again = if random.below(4) == 0 { ledger.lock().unwrap().unknown.pop() } else { None };
        let (id, body) = again.unwrap_or_else(|| {
            let sample = samples.event(&mut random, now(), Size::Usual);
            (sample.event_id, Bytes::from(envelope(&sample, &dsn.text, now())))
        });
        let answer = client.envelope(&dsn, body.clone(), false).await;
        let mut ledger = ledger.lock().unwrap();
        match answer {
            Ok(answer) if answer.status == 200 => {
                ledger.acknowledged.insert(id);
            }
            _ => ledger.unknown.push((id, body)),
        }
    }
}

fn send(
    server: &Server<'_>,
    ledger: Arc<Mutex<Ledger>>,
    stop: Arc<AtomicBool>,
    seed: u64,
) -> impl Future<Output = ()> + use<> {
    send_all(server.client(), server.dsn.clone(), ledger, stop, seed)
}

/// Every event of the project as the API lists them; none may be listed twice.
async fn stored_ids(server: &Server<'_>, client: &mut Client) -> HashSet<EventId> {
    let mut ids = HashSet::new();
    let path = format!("/projects/{}/{}/events/", server.site.organization, server.site.project);
    pages(server, client, &path, |event| {
        let id: EventId = event["eventID"].as_str().unwrap().parse().unwrap();
        assert!(ids.insert(id), "{id} is stored twice");
    })
    .await;
    ids
}

/// The sum of the issues' counts.
async fn counted(server: &Server<'_>, client: &mut Client) -> u64 {
    let mut sum = 0;
    let path = format!("/organizations/{}/issues/", server.site.organization);
    pages(server, client, &path, |issue| sum += issue["count"].as_str().unwrap().parse::<u64>().unwrap()).await;
    sum
}

async fn pages(server: &Server<'_>, client: &mut Client, path: &str, mut each: impl FnMut(&serde_json::Value)) {
    let mut cursor = String::new();
    loop {
        let path = format!("/api/0{path}?query=&per_page=100&limit=100&cursor={cursor}");
        let answer = client.api(http::Method::GET, &path, &server.site.token, None).await.unwrap();
        let link = answer.headers["link"].to_str().unwrap().to_owned();
        answer.json().unwrap().as_array().unwrap().iter().for_each(&mut each);
        let next = link.split(',').find(|part| part.contains("rel=\"next\"")).unwrap();
        if next.contains("results=\"false\"") {
            return;
        }
        next.split("cursor=\"").nth(1).unwrap().split('"').next().unwrap().clone_into(&mut cursor);
    }
}
