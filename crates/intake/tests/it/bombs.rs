//! Compressed bodies, small and far too large.

use std::io::Write as _;

use axum::body::Body;
use flate2::{Compression, write};
use nuthatch_intake::IntakeConfig;

use crate::app::{App, envelope_request, good_envelope};

pub(crate) fn compress(encoding: &str, bytes: &[u8]) -> Vec<u8> {
    match encoding {
        "gzip" | "x-gzip" => {
            let mut encoder = write::GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        "deflate" => {
            let mut encoder = write::ZlibEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        "raw-deflate" => {
            let mut encoder = write::DeflateEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        "br" => {
            let mut out = Vec::new();
            let parameters = brotli::enc::BrotliEncoderParams { quality: 2, ..Default::default() };
            brotli::BrotliCompress(&mut &*bytes, &mut out, &parameters).unwrap();
            out
        }
        "zstd" => zstd::bulk::compress(bytes, 1).unwrap(),
        other => panic!("no encoder for {other}"),
    }
}

const ENCODINGS: [&str; 4] = ["gzip", "deflate", "br", "zstd"];

fn compressed_request(encoding: &str, body: Vec<u8>) -> http::Request<Body> {
    let mut request = envelope_request(body);
    request.headers_mut().insert("content-encoding", encoding.parse().unwrap());
    request
}

#[tokio::test]
async fn a_bomb_is_refused_and_its_neighbour_is_served() {
    let config = IntakeConfig { envelope_max_bytes: 8 << 20, ..IntakeConfig::default() };
    let app = App::with(config, |log| log).await;
    let one = |encoding| (encoding, compress(encoding, &vec![0; 64 << 20]));
    // None of the streams in a row is too large by itself.
    let in_a_row = |encoding| (encoding, compress(encoding, &vec![0; 1 << 20]).repeat(64));
    let bombs = ENCODINGS.map(one).into_iter().chain(["gzip", "zstd"].map(in_a_row));
    let bombs: Vec<_> = bombs.collect();
    for (encoding, bomb) in &bombs {
        assert!(bomb.len() < 1 << 20, "{encoding}: the bomb itself must be small");
        assert_eq!(app.send(compressed_request(encoding, bomb.clone())).await.status, 413, "{encoding}");
        let good = compress(encoding, good_envelope().as_bytes());
        assert_eq!(app.send(compressed_request(encoding, good)).await.status, 200, "{encoding}");
    }
    assert_eq!(app.records().await.len(), bombs.len());
}

#[tokio::test]
async fn a_body_of_many_steps_comes_out_whole() {
    let app = App::new().await;
    let filler = "x".repeat(20 << 20);
    let envelope =
        format!("{{}}\n{{\"type\":\"attachment\"}}\n{filler}\n{{\"type\":\"event\"}}\n{{\"message\":\"behind\"}}");
    for encoding in ENCODINGS {
        let answer = app.send(compressed_request(encoding, compress(encoding, envelope.as_bytes()))).await;
        assert_eq!(answer.status, 200, "{encoding}");
    }
    let records = app.records().await;
    assert_eq!(records.len(), ENCODINGS.len());
    assert!(records.iter().all(|record| record.payload == "{\"message\":\"behind\"}"));
}

#[tokio::test]
async fn room_is_given_back() {
    // Each body needs most of the room, so the second would wait in vain if the first kept its part.
    let config = IntakeConfig { inflight_max_bytes: 64 << 10, ..IntakeConfig::default() };
    let app = App::with(config, |log| log).await;
    let envelope = good_envelope() + &"\n".repeat(60 << 10);
    for _ in 0..3 {
        assert_eq!(app.post(envelope.clone()).await.status, 200);
        let answer = app.send(compressed_request("gzip", compress("gzip", envelope.as_bytes()))).await;
        assert_eq!(answer.status, 200);
    }
}
