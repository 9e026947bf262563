//! The blob store on disk.

use std::{fs, sync::Mutex, time::Duration};

use nuthatch_protocol::{BlobId, BlobKey, ProjectId, Timestamp};
use nuthatch_store::{BlobStore as _, conformance, memory::MemoryBlobs};
use nuthatch_store_embedded::blobs::EmbeddedBlobs;
use tempfile::TempDir;

const NOON: Timestamp = Timestamp(1_769_860_800_000_000);

#[tokio::test]
async fn the_reference_conforms() {
    conformance::blobs::run(async || MemoryBlobs::new()).await;
}

#[tokio::test]
async fn the_folder_conforms() {
    let dirs = Mutex::new(Vec::new());
    conformance::blobs::run(async || {
        let dir = TempDir::new().unwrap();
        let blobs = EmbeddedBlobs::open(&dir.path().join("blobs")).unwrap();
        dirs.lock().unwrap().push(dir);
        blobs
    })
    .await;
}

#[tokio::test]
async fn blobs_are_there_after_a_restart_under_their_names() {
    let dir = TempDir::new().unwrap();
    let key = BlobKey::new(ProjectId(3), NOON, BlobId([7; 16]));
    EmbeddedBlobs::open(dir.path()).unwrap().put(key, "kept".into()).await.unwrap();
    let again = EmbeddedBlobs::open(dir.path()).unwrap();
    assert_eq!(again.head(key, 9).await.unwrap().as_deref(), Some(&b"kept"[..]));
    assert_eq!(fs::read(dir.path().join("3/2026-01-31").join("07".repeat(16))).unwrap(), b"kept");
}

#[tokio::test]
async fn what_a_dying_put_left_goes_with_its_day_and_strangers_stay() {
    let dir = TempDir::new().unwrap();
    let blobs = EmbeddedBlobs::open(dir.path()).unwrap();
    let key = BlobKey::new(ProjectId(3), NOON, BlobId([7; 16]));
    blobs.put(key, "old".into()).await.unwrap();
    let day = dir.path().join("3/2026-01-31");
    fs::write(day.join(format!("{}#1", "08".repeat(16))), "half").unwrap();
    fs::write(dir.path().join("3/notes"), "mine").unwrap();
    fs::write(dir.path().join("README"), "mine").unwrap();
    blobs.expire(NOON.plus(Duration::from_hours(24))).await.unwrap();
    assert!(!day.exists());
    assert!(dir.path().join("3/notes").exists() && dir.path().join("README").exists());
}
