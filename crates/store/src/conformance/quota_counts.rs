//! What every store of what quotas have counted must do.
#![expect(clippy::unwrap_used, reason = "a suite of assertions")]

use bytes::Bytes;

use crate::QuotaCountStore;

/// Runs the suite on an empty store. `reopen` gives it as the next process finds it.
pub async fn run<S: QuotaCountStore>(store: S, reopen: impl Fn(S) -> S) {
    assert_eq!(store.quota_counts().await.unwrap(), None, "nothing was kept yet");
    let mut store = store;
    for counts in ["first", "", "the last one is the one that counts"] {
        store.keep_quota_counts(Bytes::from(counts)).await.unwrap();
        assert_eq!(store.quota_counts().await.unwrap(), Some(Bytes::from(counts)));
        store = reopen(store);
        assert_eq!(store.quota_counts().await.unwrap(), Some(Bytes::from(counts)));
    }
}
