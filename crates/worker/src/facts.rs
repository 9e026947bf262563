//! Finds what projects have that were sent something before facts were kept: once, in the rows that the stores hold.

use std::sync::Arc;

use nuthatch_protocol::{Fact, Facts, ProjectId, TraceItemKind};
use nuthatch_query::{Expr, Op, Term, Value};
use nuthatch_store::{
    StoreError,
    events::EventQuery,
    project_facts::ENVIRONMENTS_MAX,
    traces::{TracePage, TraceQuery},
};
use tokio_util::sync::CancellationToken;

use crate::Worker;

/// Looks through the rows of each project that waits for it, unless told to stop. One whose rows cannot be read waits for
/// the next start: lists lack what it has, and nothing else does.
pub(crate) async fn look_through(worker: Arc<Worker>, stop: CancellationToken) -> Result<(), StoreError> {
    for project in worker.facts.projects_to_look_through().await.unwrap_or_else(|error| {
        tracing::error!(%error, "which projects to look through is unknown, it is tried again at the next start");
        Vec::new()
    }) {
        if stop.is_cancelled() {
            break;
        }
        let looked = async { worker.facts.looked_through(project, found(&worker, project).await?).await };
        if let Err(error) = looked.await {
            tracing::error!(%error, %project, "what a project has is not known, it is tried again at the next start");
        }
    }
    Ok(())
}

/// What the stored rows of a project show.
async fn found(worker: &Worker, project: ProjectId) -> Result<Facts, StoreError> {
    let mut facts = Facts::default();
    let events = EventQuery { projects: vec![project], hashes: None, from: None, until: None, filter: Expr::all() };
    for value in worker.events.tag_values(&events, ENVIRONMENT, ENVIRONMENTS_MAX).await?.top {
        facts.saw(project, Fact::Environment(value.value), value.last_seen);
    }
    let is_root = Term { key: "is_transaction".to_owned(), op: Op::In(vec![Value::Text("true".to_owned())]) };
    for (kind, filter) in [
        (TraceItemKind::Span, Expr::Term(is_root)),
        (TraceItemKind::Log, Expr::all()),
        (TraceItemKind::Metric, Expr::all()),
    ] {
        let query = TraceQuery { projects: vec![project], kind, from: None, until: None, filter };
        let newest = TracePage { by: None, ascending: false, after: None, limit: 1 };
        for item in worker.traces.search(&query, &newest).await? {
            if let Some(fact) = Fact::of_item(&item) {
                facts.saw(project, fact, item.timestamp);
            }
        }
    }
    Ok(facts)
}

/// The tag that tells the environment of an event.
pub(crate) const ENVIRONMENT: &str = "environment";
