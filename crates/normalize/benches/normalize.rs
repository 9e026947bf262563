//! What an event costs between the log and the stores: normal form, filters, scrubbing.
#![allow(missing_docs, clippy::unwrap_used)]

use std::{hint::black_box, net::IpAddr};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use nuthatch_normalize::{
    filter::{FilterSettings, Filters},
    normalize,
    scrub::{ScrubSettings, Scrubber},
};
use nuthatch_protocol::{IngestRecord, Timestamp};

/// 2026-11-20T00:00:00Z
const RECEIVED: i64 = 1_795_132_800;

fn events(criterion: &mut Criterion) {
    let (scrubber, _) = Scrubber::new(&ScrubSettings::default());
    let (filters, _) = Filters::new(&FilterSettings::default());
    let of_server = include_str!("../tests/it/events.jsonl").lines().next().unwrap();
    for (name, payload) in [("browser", include_str!("browser_event.json")), ("server", of_server)] {
        let mut record = IngestRecord::trial(payload.as_bytes().to_vec().into(), Timestamp::from_secs(RECEIVED));
        record.header.client_ip = Some(IpAddr::from([203, 0, 113, 9]));
        let event = normalize(&record, None).unwrap();
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Bytes(payload.len() as u64));
        group.bench_function("read", |bencher| {
            bencher.iter(|| serde_json::from_slice::<serde_json::Value>(black_box(&record.payload)).unwrap());
        });
        group.bench_function("normalize", |bencher| bencher.iter(|| normalize(black_box(&record), None).unwrap()));
        group.bench_function("filter", |bencher| bencher.iter(|| filters.reason(black_box(&event), None)));
        group.bench_function("scrub", |bencher| {
            bencher.iter_batched(
                || event.clone(),
                |mut event| {
                    scrubber.scrub(&mut event);
                    event
                },
                criterion::BatchSize::SmallInput,
            );
        });
        group.finish();
    }
}

criterion_group!(benches, events);
criterion_main!(benches);
