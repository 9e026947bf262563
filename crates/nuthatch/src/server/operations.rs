//! What operators ask: is it alive, is it ready, what does it count.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    extract::{ConnectInfo, State},
    routing::get,
};
use http::{HeaderMap, StatusCode, header};
use metrics_exporter_prometheus::PrometheusHandle;
use nuthatch_protocol::{Position, Topic};
use nuthatch_store::{EventStore, Log, TraceStore};
use serde_json::{Value, json};

/// What the operator's routes need.
#[derive(Clone)]
pub(super) struct Operations {
    /// The log: not ready when it cannot append.
    pub log: Arc<dyn Log>,
    /// The events: how many, how large.
    pub events: Arc<dyn EventStore>,
    /// The trace items: how many, how large.
    pub traces: Arc<dyn TraceStore>,
    /// What is counted.
    pub metrics: PrometheusHandle,
    /// Token that `/metrics` asks for; empty: local clients only.
    pub metrics_token: Arc<str>,
}

/// `/health/live`, `/health/ready`, `/metrics`, and Relay's names of the first two, with and without the slash at the end
/// (`reference/ingest-protocol.md` §2).
pub(super) fn router(operations: Operations) -> Router {
    Router::new()
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .route("/api/relay/healthcheck/live", get(live))
        .route("/api/relay/healthcheck/live/", get(live))
        .route("/api/relay/healthcheck/ready", get(ready))
        .route("/api/relay/healthcheck/ready/", get(ready))
        .route("/metrics", get(metrics))
        .with_state(operations)
}

async fn live() -> Json<Value> {
    Json(json!({"is_healthy": true}))
}

async fn ready(State(operations): State<Operations>) -> (StatusCode, Json<Value>) {
    match operations.log.health() {
        Ok(()) => (StatusCode::OK, Json(json!({"is_healthy": true}))),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"is_healthy": false, "reason": reason}))),
    }
}

async fn metrics(
    State(operations): State<Operations>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Result<String, StatusCode> {
    if !may_read_metrics(&operations.metrics_token, peer, &headers) {
        return Err(StatusCode::FORBIDDEN);
    }
    let released = operations.log.consumers().await.unwrap_or_default();
    for topic in Topic::ALL {
        let mut bytes = 0;
        let mut lags = BTreeMap::new();
        for partition in 0..operations.log.partitions(topic) {
            let Ok(bounds) = operations.log.bounds(topic, partition).await else { continue };
            bytes += bounds.bytes;
            for consumer in nuthatch_worker::consumers(topic) {
                // Who has not begun yet lags behind everything.
                let is_its = |(name, at): &&(String, Position)| {
                    (name.as_str(), at.topic, at.partition) == (*consumer, topic, partition)
                };
                let reached = released.iter().find(is_its).map_or(bounds.first, |(_, at)| at.offset.max(bounds.first));
                *lags.entry(*consumer).or_insert(0) += bounds.next.saturating_sub(reached);
            }
        }
        metrics::gauge!("nuthatch_log_bytes", "topic" => topic.as_str()).set(bytes as f64);
        for (consumer, lag) in lags {
            metrics::gauge!("nuthatch_log_lag_records", "consumer" => consumer, "topic" => topic.as_str())
                .set(lag as f64);
        }
    }
    if let Ok(size) = operations.events.size().await {
        metrics::gauge!("nuthatch_events_stored").set(size.rows as f64);
        metrics::gauge!("nuthatch_events_bytes").set(size.bytes as f64);
    }
    if let Ok(size) = operations.traces.size().await {
        metrics::gauge!("nuthatch_trace_items_stored").set(size.items as f64);
        metrics::gauge!("nuthatch_trace_items_bytes").set(size.bytes as f64);
    }
    Ok(operations.metrics.render())
}

/// With a token: who has it. Without: a client on this machine that did not come through a proxy.
fn may_read_metrics(token: &str, peer: SocketAddr, headers: &HeaderMap) -> bool {
    if token.is_empty() {
        return peer.ip().is_loopback()
            && !headers.contains_key("x-forwarded-for")
            && !headers.contains_key("forwarded");
    }
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let digest = |text: &str| <sha2::Sha256 as sha2::Digest>::digest(text.as_bytes());
    digest(given) == digest(&format!("Bearer {token}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_for_those_who_may() {
        let local = SocketAddr::from(([127, 0, 0, 1], 1));
        let remote = SocketAddr::from(([192, 0, 2, 1], 1));
        let none = HeaderMap::new();
        assert!(may_read_metrics("", local, &none));
        assert!(!may_read_metrics("", remote, &none));
        let proxied =
            HeaderMap::from_iter([(http::HeaderName::from_static("x-forwarded-for"), "192.0.2.1".parse().unwrap())]);
        assert!(!may_read_metrics("", local, &proxied));
        let bearer = HeaderMap::from_iter([(header::AUTHORIZATION, "Bearer s3".parse().unwrap())]);
        assert!(may_read_metrics("s3", remote, &bearer));
        assert!(!may_read_metrics("s4", local, &bearer));
        assert!(!may_read_metrics("s3", local, &none));
    }
}
