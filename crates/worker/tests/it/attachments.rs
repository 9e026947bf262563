//! Attached texts are kept without what a project wants taken out of them.

use nuthatch_protocol::{BlobId, BlobKey, Sha1, StoredPayload};
use nuthatch_store::{
    BlobStore as _, FileStore as _,
    files::{File, FileKind, FileQuery, FileScope},
};
use nuthatch_worker::FILES_CONSUMER;
use serde_json::json;

use super::*;

const ATTACHMENTS: Position = Position { topic: Topic::IngestAttachments, ..START };

impl Stores {
    async fn attach(&self, number: u8, name: &str, bytes: &[u8]) -> BlobKey {
        let id = BlobId([number; 16]);
        let key = BlobKey::new(self.project, NOW, id);
        self.blobs.put(key, Bytes::copy_from_slice(bytes)).await.unwrap();
        let header = IngestHeader {
            project_id: self.project,
            key_id: KeyId(1),
            event_id: EventId([9; 16]),
            item_type: "attachment".to_owned(),
            attributes: ItemAttributes { filename: Some(name.to_owned()), ..ItemAttributes::default() },
            blob: Some(StoredPayload { id, bytes: bytes.len() as u64, sha1: Sha1([number; 20]) }),
            user_agent: None,
            client_hints: nuthatch_protocol::record::ClientHints::default(),
            letter_id: None,
            received: NOW,
            sent_at: None,
            client_ip: None,
            client: None,
            version: "7".to_owned(),
        };
        let value = IngestRecord { header, payload: Bytes::new() }.encode();
        let record = NewRecord { key: [number; 16], value };
        self.log.append(ATTACHMENTS.topic, 0, vec![record]).await.unwrap();
        key
    }

    async fn attached(&self) -> Vec<File> {
        let accepted = self.log.bounds(ATTACHMENTS.topic, 0).await.unwrap().next;
        let stop = CancellationToken::new();
        let running = tokio::spawn(self.worker(None).run(stop.clone()));
        while self.meta.position(FILES_CONSUMER, ATTACHMENTS).await.unwrap().offset < accepted {
            tokio::time::sleep(LOOK).await;
        }
        stop.cancel();
        running.await.unwrap().unwrap();
        let query = FileQuery {
            project_id: self.project,
            scope: FileScope::Kind(FileKind::Attachment),
            cursor: None,
            limit: 100,
        };
        self.meta.files(&query).await.unwrap().rows
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_taken_out_of_an_attached_text_is_in_no_store_and_other_files_stay_as_they_came() {
    let stores = Stores::new().await;
    let rules = json!({"applications": {"$attachments.'app.log'": ["@email:mask"]}});
    stores.choose(move |options| options.scrubbing.relay_pii_config = rules.as_object().cloned()).await;
    let text = b"of jane@example.com".as_slice();
    let large = [text, &b" ".repeat(1 << 20)].concat();
    let scrubbed = stores.attach(1, "app.log", text).await;
    let mut kept = Vec::new();
    for (number, name, bytes) in [
        (2, "other.txt", text),
        (3, "app.log", b"nothing to find"),
        (4, "app.log", b"\0binary of jane@example.com"),
        (5, "app.log", &large),
    ] {
        kept.push((number, stores.attach(number, name, bytes).await, bytes.len() as u64));
    }
    let files = stores.attached().await;
    let of_checksum = |number: u8| Sha1([number; 20]).to_string();
    let file_of = |number: u8| files.iter().find(|file| file.head.part.starts_with(&of_checksum(number))).unwrap();
    let file = file_of(1);
    assert_eq!((file.head.blob, file.head.bytes), (None, 19));
    assert_eq!(stores.meta.file_content(file.id).await.unwrap().unwrap(), "of ****************");
    assert_eq!(stores.blobs.size(scrubbed).await.unwrap(), None, "the bytes that came are gone");
    for (number, key, bytes) in kept {
        assert_eq!(file_of(number).head.blob, Some(BlobId([number; 16])), "{number}");
        assert_eq!(stores.blobs.size(key).await.unwrap(), Some(bytes), "{number}");
    }
}
