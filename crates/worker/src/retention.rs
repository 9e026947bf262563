//! Forgets what is older than the retention.

use std::{sync::Arc, time::Duration};

use nuthatch_protocol::Timestamp;
use nuthatch_store::StoreError;
use tokio_util::sync::CancellationToken;

use crate::{Worker, telemetry};

/// Time between two rounds.
const ROUND: Duration = Duration::from_hours(1);

/// For how long outcomes are kept by the minute; then by the hour.
const MINUTES_KEPT: Duration = Duration::from_hours(7 * 24);

/// For how long the rows of single sessions are kept. An update comes at most five days after its session began
/// (`reference/ingest-protocol.md` §7.4); the rest is time for a log that had to wait.
const SESSIONS_KEPT: Duration = Duration::from_hours(30 * 24);

/// Goes on until told to stop. What fails is tried again in the next round and does not keep the rest from going: a full
/// disk may be what it fails for.
pub(crate) async fn run(worker: Arc<Worker>, stop: CancellationToken) -> Result<(), StoreError> {
    loop {
        round(&worker, worker.clock.now()).await;
        tokio::select! {
            biased;
            () = tokio::time::sleep(ROUND) => {}
            () = stop.cancelled() => return Ok(()),
        }
    }
}

async fn round(worker: &Worker, now: Timestamp) {
    let before = now.minus(worker.options.retention);
    done("events", worker.events.drop_before(before).await);
    done("traces", worker.traces.drop_before(before).await);
    done("issues", worker.issues.expire(before).await);
    done("facts of projects", worker.facts.expire_facts(before).await);
    if let Some(expired) = done("letters", worker.letters.expire_letters(before).await) {
        telemetry::letters_expired(expired);
    }
    done("outcomes", worker.outcomes.expire_outcomes(before).await);
    done("items", worker.settlements.forget_items(before).await);
    done("check-ins", worker.monitors.expire_check_ins(before).await);
    done("sessions", worker.sessions.expire_sessions(now.minus(SESSIONS_KEPT), before).await);
    done("outcomes by the minute", worker.outcomes.roll_up_outcomes(now.minus(MINUTES_KEPT)).await);
    // The rows go first: one without its bytes would be shown and could not be read.
    if done("files", worker.files.expire_files(before).await).is_some() {
        done("blobs", worker.blobs.expire(before).await);
    }
}

fn done<T>(what: &'static str, result: Result<T, StoreError>) -> Option<T> {
    result.inspect_err(|error| tracing::error!(%error, what, "retention failed and is tried again in an hour")).ok()
}
