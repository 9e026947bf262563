//! What every blob store must do.
#![expect(clippy::unwrap_used, reason = "a suite of assertions")]

use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use nuthatch_protocol::{BlobId, BlobKey, ProjectId, Timestamp};

use crate::blobs::BlobStore;

/// Noon of a day.
const NOON: Timestamp = Timestamp(1_769_860_800_000_000);
const DAY: Duration = Duration::from_hours(24);

/// Runs the suite. `make` gives an empty store each time.
pub async fn run<S: BlobStore>(make: impl AsyncFn() -> S) {
    bytes_come_back_as_they_went(&make().await).await;
    a_second_put_changes_nothing(&make().await).await;
    what_is_not_there_is_not_there(&make().await).await;
    names_are_apart(&make().await).await;
    whole_days_are_forgotten(&make().await).await;
    many_are_put_at_once(&make().await).await;
    what_comes_in_pieces_is_there_when_it_is_finished(&make().await).await;
}

fn key(project: u64, received: Timestamp, id: u8) -> BlobKey {
    BlobKey::new(ProjectId(project), received, BlobId([id; 16]))
}

/// All bytes of a blob, and the length it was said to have.
async fn read(store: &impl BlobStore, key: BlobKey) -> Option<(u64, Vec<u8>)> {
    let blob = store.open(key).await.unwrap()?;
    let pieces: Vec<Bytes> = blob.pieces.try_collect().await.unwrap();
    Some((blob.bytes, pieces.concat()))
}

async fn bytes_come_back_as_they_went(store: &impl BlobStore) {
    let large: Vec<u8> = (0..3_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for (id, bytes) in [(1, Vec::new()), (2, b"\0\n\xff{}".to_vec()), (3, large)] {
        let key = key(1, NOON, id);
        store.put(key, bytes.clone().into()).await.unwrap();
        assert_eq!(read(store, key).await, Some((bytes.len() as u64, bytes.clone())), "{key}");
        assert_eq!(store.size(key).await.unwrap(), Some(bytes.len() as u64));
        for limit in [0, 1, 4, u64::MAX] {
            let head = &bytes[..bytes.len().min(usize::try_from(limit).unwrap_or(usize::MAX))];
            assert_eq!(store.head(key, limit).await.unwrap().as_deref(), Some(head), "{key}, {limit}");
        }
    }
}

async fn a_second_put_changes_nothing(store: &impl BlobStore) {
    let key = key(1, NOON, 1);
    for _ in 0..2 {
        store.put(key, Bytes::from_static(b"same")).await.unwrap();
    }
    assert_eq!(read(store, key).await, Some((4, b"same".to_vec())));
}

async fn what_is_not_there_is_not_there(store: &impl BlobStore) {
    let key = key(1, NOON, 1);
    for _ in 0..2 {
        assert_eq!(read(store, key).await, None);
        assert_eq!((store.size(key).await.unwrap(), store.head(key, 9).await.unwrap()), (None, None));
        store.delete(key).await.unwrap();
        store.put(key, Bytes::from_static(b"x")).await.unwrap();
        store.delete(key).await.unwrap();
    }
}

async fn names_are_apart(store: &impl BlobStore) {
    let keys = [key(1, NOON, 1), key(2, NOON, 1), key(1, NOON.plus(DAY), 1), key(1, NOON, 2)];
    for (n, key) in keys.iter().enumerate() {
        store.put(*key, Bytes::from(vec![n as u8])).await.unwrap();
    }
    for (n, key) in keys.iter().enumerate() {
        assert_eq!(read(store, *key).await, Some((1, vec![n as u8])));
    }
    store.delete(keys[0]).await.unwrap();
    assert_eq!(read(store, keys[0]).await, None);
    assert!(read(store, keys[1]).await.is_some() && read(store, keys[3]).await.is_some());
}

async fn whole_days_are_forgotten(store: &impl BlobStore) {
    store.expire(NOON).await.unwrap();
    let old = [key(1, NOON.minus(DAY), 1), key(1, NOON.minus(DAY * 40), 2), key(7, NOON.minus(DAY), 3)];
    let kept = [key(1, NOON, 1), key(7, NOON.plus(DAY), 3)];
    for key in old.iter().chain(&kept) {
        store.put(*key, Bytes::from_static(b"x")).await.unwrap();
    }
    store.expire(NOON).await.unwrap();
    for key in old {
        assert_eq!(read(store, key).await, None, "{key}");
    }
    for key in kept {
        assert!(read(store, key).await.is_some(), "{key}");
    }
    store.put(old[0], Bytes::from_static(b"late")).await.unwrap();
    assert!(read(store, old[0]).await.is_some(), "a day can come again");
}

async fn many_are_put_at_once(store: &impl BlobStore) {
    let puts = (0..64).map(|id| store.put(key(u64::from(id % 4) + 1, NOON, id), Bytes::from(vec![id; 100])));
    futures_util::future::try_join_all(puts).await.unwrap();
    for id in 0..64 {
        assert_eq!(read(store, key(u64::from(id % 4) + 1, NOON, id)).await, Some((100, vec![id; 100])));
    }
}

async fn what_comes_in_pieces_is_there_when_it_is_finished(store: &impl BlobStore) {
    let keys = [key(1, NOON, 1), key(1, NOON, 2), key(2, NOON, 3)];
    let mut writers = Vec::new();
    for key in keys {
        writers.push(store.begin(key).await.unwrap());
    }
    for n in 0..4_u8 {
        for writer in &mut writers {
            writer.add(vec![n; 100_000].into()).await.unwrap();
        }
    }
    for key in keys {
        assert_eq!((read(store, key).await, store.size(key).await.unwrap()), (None, None), "{key}");
    }
    let wanted: Vec<u8> = (0..4).flat_map(|n| vec![n; 100_000]).collect();
    writers.pop().unwrap().finish().await.unwrap();
    drop(writers.pop());
    writers.pop().unwrap().finish().await.unwrap();
    for (key, wanted) in keys.into_iter().zip([Some(&wanted), None, Some(&wanted)]) {
        assert_eq!(read(store, key).await, wanted.map(|bytes| (bytes.len() as u64, bytes.clone())), "{key}");
    }
    store.begin(keys[1]).await.unwrap().finish().await.unwrap();
    assert_eq!(read(store, keys[1]).await, Some((0, Vec::new())));
}
