//! What projects have is known without looking through what they sent.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use nuthatch_protocol::{Facts, ProjectId, Timestamp, Topic};
use nuthatch_store::{ProjectFactStore, StoreError, memory::MemoryMeta, project_facts::ProjectFacts};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::{LOOK, NOW, Stores};

/// Events in three environments, one of them named twice, another without; a transaction, logs of another project.
async fn history() -> Stores {
    let stores = Stores::new().await;
    for (id, environment) in [(1, "production"), (2, "staging"), (3, "production"), (4, "canary"), (5, "")] {
        let event = json!({"message": "it broke", "environment": environment, "timestamp": NOW.as_secs_f64()});
        stores.accept(id, &event.to_string()).await;
    }
    let transaction = json!({
        "type": "transaction", "transaction": "GET /", "start_timestamp": NOW.as_secs_f64() - 1.0,
        "timestamp": NOW.as_secs_f64(),
        "contexts": {"trace": {"trace_id": "a".repeat(32), "span_id": "b".repeat(16)}},
    });
    stores.accept_item(Topic::IngestTransactions, "transaction", 6, &transaction.to_string()).await;
    stores
}

fn expected() -> ProjectFacts {
    let environments = ["canary", "production", "staging"].map(str::to_owned).to_vec();
    ProjectFacts { environments, has_transactions: true, ..ProjectFacts::default() }
}

/// What was seen; the other facts are not of rows.
async fn seen(stores: &Stores) -> ProjectFacts {
    let facts = stores.meta.project_facts(&[stores.project]).await.unwrap().remove(0);
    ProjectFacts { first_event: None, latest_release: None, ..facts }
}

#[tokio::test]
async fn facts_are_kept_with_the_events_and_traces_that_show_them() {
    let stores = history().await;
    stores.drain(None).await.unwrap();
    assert_eq!(seen(&stores).await, expected());
}

/// The metadata of a version that kept no facts.
struct Older {
    meta: Arc<MemoryMeta>,
    waiting: Mutex<Vec<ProjectId>>,
}

#[async_trait]
impl ProjectFactStore for Older {
    async fn project_facts(&self, projects: &[ProjectId]) -> Result<Vec<ProjectFacts>, StoreError> {
        self.meta.project_facts(projects).await
    }

    async fn projects_to_look_through(&self) -> Result<Vec<ProjectId>, StoreError> {
        Ok(self.waiting.lock().unwrap().clone())
    }

    async fn looked_through(&self, project: ProjectId, found: Facts) -> Result<(), StoreError> {
        self.meta.looked_through(project, found).await?;
        self.waiting.lock().unwrap().retain(|waiting| *waiting != project);
        Ok(())
    }

    async fn expire_facts(&self, before: Timestamp) -> Result<(), StoreError> {
        self.meta.expire_facts(before).await
    }
}

#[tokio::test]
async fn what_was_sent_before_facts_were_kept_is_looked_through_once() {
    let stores = history().await;
    stores.drain(None).await.unwrap();
    // Far later than everything: nothing is known any more.
    stores.meta.expire_facts(Timestamp(i64::MAX)).await.unwrap();
    assert_eq!(seen(&stores).await, ProjectFacts::default());

    let older = Arc::new(Older { meta: stores.meta.clone(), waiting: Mutex::new(vec![stores.project]) });
    let mut worker = stores.worker(None);
    worker.facts = older.clone();
    let stop = CancellationToken::new();
    let running = tokio::spawn(worker.run(stop.clone()));
    while !older.waiting.lock().unwrap().is_empty() {
        tokio::time::sleep(LOOK).await;
    }
    stop.cancel();
    running.await.unwrap().unwrap();
    assert_eq!(seen(&stores).await, expected());
}
