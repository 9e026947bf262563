//! What intake decides itself, made durable before it is answered: as a record of the topic `outcomes`.
//!
//! Requests that wait together share one record, so that a flood of refusals costs few appends. Sums are by the minute
//! and by bounded words, so waiting takes little memory however many requests do; see [`WAITING_MAX`].

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use nuthatch_protocol::{OutcomeKey, Outcomes, Topic};
use nuthatch_store::{Log, StoreError, log::NewRecord};
use tokio::{
    sync::{Semaphore, oneshot},
    time::{sleep, timeout},
};

use crate::refusal::Refusal;

/// Most requests whose outcomes wait for one append; others wait in front, within the time an append may take.
const WAITING_MAX: usize = 4096;

/// Most keys in one record, which keeps it well under a megabyte; more make several.
const KEYS_MAX: usize = 2000;

/// Pause before another attempt to append to a log that is not available.
const APPEND_PAUSE: Duration = Duration::from_millis(50);

/// The partition of all outcomes: a record holds those of many projects.
const PARTITION: u16 = 0;

/// Appends outcomes. Cheap to clone; all clones are one.
#[derive(Clone)]
pub(crate) struct Recorder {
    shared: Arc<Shared>,
}

struct Shared {
    log: Arc<dyn Log>,
    append_wait: Duration,
    places: Semaphore,
    waiting: Mutex<Waiting>,
}

/// What the next append will hold.
#[derive(Default)]
struct Waiting {
    outcomes: Outcomes,
    /// Told whether they are durable.
    requests: Vec<oneshot::Sender<bool>>,
    /// An append is under way; whoever does it takes what is waiting afterwards.
    is_appending: bool,
}

impl Recorder {
    pub(crate) fn new(log: Arc<dyn Log>, append_wait: Duration) -> Self {
        let (places, waiting) = (Semaphore::new(WAITING_MAX), Mutex::default());
        Self { shared: Arc::new(Shared { log, append_wait, places, waiting }) }
    }

    /// Returns when the outcomes of a request are durable.
    pub(crate) async fn record(&self, outcomes: Vec<(OutcomeKey, u64)>) -> Result<(), Refusal> {
        if outcomes.is_empty() {
            return Ok(());
        }
        let shared = &self.shared;
        let place = timeout(shared.append_wait, shared.places.acquire()).await;
        let Ok(Ok(_place)) = place else { return Err(Refusal::Unavailable) };
        let (sender, durable) = oneshot::channel();
        let must_append = {
            let mut waiting = shared.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            for (key, quantity) in outcomes {
                waiting.outcomes.add(key, quantity);
            }
            waiting.requests.push(sender);
            !std::mem::replace(&mut waiting.is_appending, true)
        };
        if must_append {
            // Not in the request itself: it may be given up by its client, and others wait for the same append.
            tokio::spawn(append_all(shared.clone()));
        }
        if durable.await.unwrap_or(false) { Ok(()) } else { Err(Refusal::Unavailable) }
    }
}

/// Appends what is waiting, and what came meanwhile, until nothing is.
async fn append_all(shared: Arc<Shared>) {
    loop {
        let (outcomes, requests) = {
            let mut waiting = shared.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if waiting.requests.is_empty() {
                waiting.is_appending = false;
                return;
            }
            (std::mem::take(&mut waiting.outcomes), std::mem::take(&mut waiting.requests))
        };
        let record = |part: Outcomes| NewRecord { key: [0; 16], value: part.encode() };
        let records = outcomes.parts(KEYS_MAX).into_iter().map(record).collect();
        let is_durable = timeout(shared.append_wait, append(&*shared.log, records)).await.unwrap_or(false);
        for request in requests {
            // Who has gone away need not know.
            let _ = request.send(is_durable);
        }
    }
}

/// Tries until the log is there.
async fn append(log: &dyn Log, records: Vec<NewRecord>) -> bool {
    loop {
        match log.append(Topic::Outcomes, PARTITION, records.clone()).await {
            Ok(_) => return true,
            Err(error @ StoreError::Unavailable { .. }) => {
                tracing::warn!(%error, "intake waits for the log");
                sleep(APPEND_PAUSE).await;
            }
            Err(error) => {
                tracing::error!(%error, "intake cannot record outcomes");
                return false;
            }
        }
    }
}
