use std::sync::Mutex;

use nuthatch_store::{conformance, memory::MemoryLog};
use nuthatch_store_embedded::log::EmbeddedLog;
use tempfile::TempDir;

use super::small_segments;

#[tokio::test]
async fn the_reference_conforms() {
    conformance::log::run(async |layout| MemoryLog::with_layout(layout)).await;
}

#[tokio::test]
async fn the_log_on_disk_conforms() {
    let dirs = Mutex::new(Vec::new());
    conformance::log::run(async |layout| {
        let dir = TempDir::new().unwrap();
        let log = EmbeddedLog::open(dir.path(), small_segments(layout)).unwrap();
        dirs.lock().unwrap().push(dir);
        log
    })
    .await;
}
