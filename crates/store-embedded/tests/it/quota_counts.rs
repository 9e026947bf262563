//! What quotas have counted, in a data directory.

use nuthatch_store::{conformance, memory::MemoryQuotaCounts};
use nuthatch_store_embedded::quota_counts::EmbeddedQuotaCounts;

#[tokio::test]
async fn both_keep_what_they_are_given() {
    conformance::quota_counts::run(MemoryQuotaCounts::new(), |store| store).await;
    let dir = tempfile::tempdir().unwrap();
    conformance::quota_counts::run(EmbeddedQuotaCounts::new(dir.path()), |_| EmbeddedQuotaCounts::new(dir.path()))
        .await;
}
