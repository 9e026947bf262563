//! Waiting for a store. SDKs drop what is answered with 503, so one that is not available is given time to come back.

use std::time::Duration;

use nuthatch_store::StoreError;
use tokio::time::{sleep, timeout};

use crate::refusal::Refusal;

/// Pause before another attempt at a store that is not available.
const PAUSE: Duration = Duration::from_millis(50);

/// Repeats a call until it is done, for at most so long over all attempts.
pub(crate) async fn durably<T, F: Future<Output = Result<T, StoreError>>>(
    longest: Duration,
    mut call: impl FnMut() -> F,
) -> Result<T, Refusal> {
    let attempts = async {
        loop {
            match call().await {
                Ok(done) => return Ok(done),
                Err(error @ StoreError::Unavailable { .. }) => {
                    tracing::warn!(%error, "intake waits for a store");
                    sleep(PAUSE).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    };
    timeout(longest, attempts).await.unwrap_or(Err(Refusal::Unavailable))
}
