//! Mutated real envelopes against the whole server: it answers as the protocol says, never hangs, never dies, and loses
//! no neighbour.

use bytes::Bytes;
use nuthatch::{
    now,
    sample::{Samples, Sequence, Size, envelope},
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use crate::server::Site;

/// Cases of a run.
const CASES: u32 = 400;

/// Snippets that parsers stumble over.
const NASTY: &[&[u8]] = &[
    b"\0",
    b"\n",
    b"\r\n",
    b"{",
    b"}",
    b"[",
    b"\"",
    b"\\ud800",
    b"\\u0000",
    b"\xff\xfe",
    b"1e999",
    b"-0",
    b"NaN",
    b"null",
    b"\"length\":99999999999,",
    b"\"length\":-1,",
    b"\"event_id\":\"x\",",
    b"99999999999999999999",
    b"{\"a\":{\"a\":{\"a\":{\"a\":",
    b"\xf0\x9f\x92\xa9",
    b"%s%n",
    b"<script>",
    b"\x1b[2J",
    b"{{ default }}",
];

#[derive(Debug, Clone)]
enum Mutation {
    Insert(prop::sample::Index, usize),
    Remove(prop::sample::Index, u8),
    Flip(prop::sample::Index, u8),
    Repeat(prop::sample::Index, u8, u8),
    Truncate(prop::sample::Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        (at(), 0..NASTY.len()).prop_map(|(at, i)| Mutation::Insert(at, i)),
        (at(), any::<u8>()).prop_map(|(at, n)| Mutation::Remove(at, n)),
        (at(), any::<u8>()).prop_map(|(at, bits)| Mutation::Flip(at, bits)),
        (at(), any::<u8>(), 2..20_u8).prop_map(|(at, n, times)| Mutation::Repeat(at, n, times)),
        at().prop_map(Mutation::Truncate),
    ]
}

fn mutate(body: &mut Vec<u8>, mutation: &Mutation) {
    if body.is_empty() {
        return;
    }
    let len = body.len();
    match mutation {
        Mutation::Insert(at, i) => drop(body.splice(at.index(len)..at.index(len), NASTY[*i].iter().copied())),
        Mutation::Remove(at, n) => drop(body.drain(at.index(len)..(at.index(len) + usize::from(*n)).min(len))),
        Mutation::Flip(at, bits) => body[at.index(len)] ^= bits,
        Mutation::Repeat(at, n, times) => {
            let from = at.index(len);
            let part = body[from..(from + usize::from(*n)).min(len)].repeat(usize::from(*times));
            body.splice(from..from, part);
        }
        Mutation::Truncate(at) => body.truncate(at.index(len)),
    }
}

#[test]
fn mutated_envelopes_are_answered_and_cost_no_neighbour() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let site = Site::new();
    let server = site.start();
    let samples = Samples::new(1).unwrap();
    let client = std::cell::RefCell::new(server.client());
    let sent = std::cell::Cell::new(0_u64);
    let mut runner = TestRunner::new(Config { cases: CASES, failure_persistence: None, ..Config::default() });
    let strategy = (any::<u64>(), prop::collection::vec(mutation(), 1..6), any::<bool>());
    runner
        .run(&strategy, |(seed, mutations, large)| {
            let mut random = Sequence::new(seed);
            let size = if large { Size::Large } else { Size::Usual };
            let sample = samples.event(&mut random, now(), size);
            let mut body = envelope(&sample, &server.dsn.text, now());
            for mutation in &mutations {
                mutate(&mut body, mutation);
            }
            let mut client = client.borrow_mut();
            let answer = runtime.block_on(client.envelope(&server.dsn, Bytes::from(body), false)).unwrap();
            let status = answer.status.as_u16();
            prop_assert!([200, 400, 401, 403, 413].contains(&status), "status {}", status);

            let neighbour =
                "{}\n{\"type\":\"event\"}\n{\"message\":\"the neighbour\",\"fingerprint\":[\"neighbour\"]}\n";
            let answer = runtime.block_on(client.envelope(&server.dsn, neighbour.into(), false)).unwrap();
            prop_assert_eq!(answer.status.as_u16(), 200);
            sent.set(sent.get() + 1);
            Ok(())
        })
        .unwrap();
    runtime.block_on(async {
        let mut client = server.client();
        server.until_processed(&mut client).await;
        let path = format!("/organizations/{}/issues/?query=neighbour", site.organization);
        let issues = server.api(&mut client, &path).await;
        assert_eq!(issues[0]["count"], sent.get().to_string(), "every neighbour is counted");
    });
    server.stop();
}
