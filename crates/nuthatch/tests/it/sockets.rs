//! Clients that connect and then do nothing, or next to nothing.

use bytes::Bytes;
use nuthatch_protocol::Dsn;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use crate::server::Site;

/// Idle and slow clients at a time.
const CLIENTS: usize = 10_000;

/// Files that this process needs for other things.
const OTHER_FILES: usize = 500;

/// What the server may take in all while they are there, in bytes.
const MEMORY_MAX: u64 = 400 * 1024 * 1024;

/// A third of the clients say nothing, a third stop in the head of a request, a third in its body. Others are served as
/// ever, in bounded memory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_and_slow_clients_stop_nobody_else() {
    let files = usize::try_from(rlimit::increase_nofile_limit(u64::MAX).unwrap()).unwrap_or(usize::MAX);
    let clients = CLIENTS.min(files.saturating_sub(OTHER_FILES));
    let site = Site::new();
    let server = site.start();
    let dsn: Dsn = server.dsn.text.parse().unwrap();
    let (project, key) = (dsn.project_id, dsn.public_key);
    let head = format!("POST /api/{project}/envelope/?sentry_key={key} HTTP/1.1\r\nhost: x\r\n");
    let mut idle = Vec::with_capacity(clients);
    for n in 0..clients {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        match n % 3 {
            0 => {}
            1 => stream.write_all(format!("{head}x-slow: ").as_bytes()).await.unwrap(),
            _ => stream.write_all(format!("{head}content-length: 100000\r\n\r\n{{").as_bytes()).await.unwrap(),
        }
        idle.push(stream);
    }
    let mut client = server.client();
    for n in 0..20 {
        let body = format!("{{\"event_id\":\"{n:032x}\"}}\n{{\"type\":\"event\"}}\n{{\"message\":\"served\"}}\n");
        let answer = client.envelope(&server.dsn, Bytes::from(body), false).await.unwrap();
        assert_eq!(answer.status, 200);
    }
    let issues = format!("/organizations/{}/issues/", site.organization);
    server.until(&mut client, &issues, |issues| issues[0]["count"] == "20").await;
    let memory = server.memory_bytes();
    assert!(memory < MEMORY_MAX, "{clients} clients that do nothing cost {memory} bytes");
    drop(idle);
    server.stop();
}
