//! Starts what time does to issues (`reference/issue-platform.md` §11.2).

use std::{sync::Arc, time::Duration};

use nuthatch_issues::{Job, Needs, Snapshot, run_job};
use nuthatch_protocol::{IssueId, Timestamp};
use nuthatch_store::{IssueStore, StoreError};
use tokio_util::sync::CancellationToken;

use crate::{Worker, retry, telemetry};

/// Time between two rounds.
const ROUND: Duration = Duration::from_mins(1);

/// Issues in one transaction.
const CHUNK: usize = 100;

/// Runs every job, round after round.
pub(crate) async fn run(worker: Arc<Worker>, stop: CancellationToken) -> Result<(), StoreError> {
    loop {
        let now = worker.clock.now();
        for job in Job::ALL {
            let Some(changed) = retry(&stop, || run_once(&*worker.issues, job, now)).await? else { return Ok(()) };
            if changed > 0 {
                telemetry::job_done(job.as_str(), changed);
            }
        }
        tokio::select! {
            biased;
            () = tokio::time::sleep(ROUND) => {}
            () = stop.cancelled() => return Ok(()),
        }
    }
}

/// Runs a job on all issues that are due. How many it changed.
pub async fn run_once(issues: &dyn IssueStore, job: Job, now: Timestamp) -> Result<usize, StoreError> {
    let (mut after, mut changed) = (IssueId(0), 0);
    loop {
        let ids = issues.due(job, now, after, CHUNK).await?;
        let Some(last) = ids.last() else { return Ok(changed) };
        after = *last;
        let needs = Needs { issues: ids.clone(), ..Needs::default() };
        let decide = Box::new(move |snapshot: &Snapshot| run_job(job, snapshot, &ids, now));
        changed += issues.transact(needs, None, decide).await?.updated.len();
    }
}
