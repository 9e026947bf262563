//! Forgets what is older than the retention.

use std::{sync::Arc, time::Duration};

use nuthatch_store::StoreError;
use tokio_util::sync::CancellationToken;

use crate::{Worker, retry, telemetry};

/// Time between two rounds.
const ROUND: Duration = Duration::from_hours(1);

/// For how long outcomes are kept by the minute; then by the hour.
const MINUTES_KEPT: Duration = Duration::from_hours(7 * 24);

/// For how long the rows of single sessions are kept. An update comes at most five days after its session began
/// (`reference/ingest-protocol.md` §7.4); the rest is time for a log that had to wait.
const SESSIONS_KEPT: Duration = Duration::from_hours(30 * 24);

pub(crate) async fn run(worker: Arc<Worker>, stop: CancellationToken) -> Result<(), StoreError> {
    loop {
        let now = worker.clock.now();
        let before = now.minus(worker.options.retention);
        if retry(&stop, || worker.events.drop_before(before)).await?.is_none()
            || retry(&stop, || worker.traces.drop_before(before)).await?.is_none()
            || retry(&stop, || worker.issues.expire(before)).await?.is_none()
        {
            return Ok(());
        }
        let Some(expired) = retry(&stop, || worker.letters.expire_letters(before)).await? else { return Ok(()) };
        telemetry::letters_expired(expired);
        if retry(&stop, || worker.outcomes.expire_outcomes(before)).await?.is_none()
            || retry(&stop, || worker.settlements.forget_items(before)).await?.is_none()
            || retry(&stop, || worker.monitors.expire_check_ins(before)).await?.is_none()
            || retry(&stop, || worker.sessions.expire_sessions(now.minus(SESSIONS_KEPT), before)).await?.is_none()
            || retry(&stop, || worker.outcomes.roll_up_outcomes(now.minus(MINUTES_KEPT))).await?.is_none()
        {
            return Ok(());
        }
        // The rows go first: one without its bytes would be shown and could not be read.
        if retry(&stop, || worker.files.expire_files(before)).await?.is_none()
            || retry(&stop, || worker.blobs.expire(before)).await?.is_none()
        {
            return Ok(());
        }
        tokio::select! {
            biased;
            () = tokio::time::sleep(ROUND) => {}
            () = stop.cancelled() => return Ok(()),
        }
    }
}
