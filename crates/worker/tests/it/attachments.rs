//! Attached texts are kept without what a project wants taken out of them.

use nuthatch_protocol::{BlobId, BlobKey, Sha1, SpanId, StoredPayload, TraceId, trace_attachment::TRACE_ATTACHMENT};
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
        let attributes = ItemAttributes { filename: Some(name.to_owned()), ..ItemAttributes::default() };
        self.append(number, attributes, "", bytes).await
    }

    /// Appends an attachment: what is in its record, and what lies beside.
    async fn append(&self, number: u8, attributes: ItemAttributes, payload: &str, bytes: &[u8]) -> BlobKey {
        let id = BlobId([number; 16]);
        let key = BlobKey::new(self.project, NOW, id);
        self.blobs.put(key, Bytes::copy_from_slice(bytes)).await.unwrap();
        let header = IngestHeader {
            project_id: self.project,
            key_id: KeyId(1),
            event_id: EventId([9; 16]),
            item_type: "attachment".to_owned(),
            attributes,
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
        let value = IngestRecord { header, payload: payload.to_owned().into() }.encode();
        let record = NewRecord { key: [number; 16], value };
        self.log.append(ATTACHMENTS.topic, 0, vec![record]).await.unwrap();
        key
    }

    async fn attached(&self, scope: FileScope) -> Vec<File> {
        let accepted = self.log.bounds(ATTACHMENTS.topic, 0).await.unwrap().next;
        let stop = CancellationToken::new();
        let running = tokio::spawn(self.worker(None).run(stop.clone()));
        while self.meta.position(FILES_CONSUMER, ATTACHMENTS).await.unwrap().offset < accepted {
            tokio::time::sleep(LOOK).await;
        }
        stop.cancel();
        running.await.unwrap().unwrap();
        let query = FileQuery { project_id: self.project, scope, cursor: None, limit: 100 };
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
    let files = stores.attached(FileScope::Kind(FileKind::Attachment)).await;
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

fn of_trace(trace: &str, attachment: u8) -> (ItemAttributes, String) {
    let attributes = ItemAttributes {
        content_type: Some(TRACE_ATTACHMENT.to_owned()),
        span_id: Some("0505050505050505".to_owned()),
        ..ItemAttributes::default()
    };
    let id = format!("{attachment:02x}").repeat(16);
    let meta = json!({
        "trace_id": trace, "attachment_id": id, "timestamp": NOW.as_secs_f64(), "filename": "app.log",
        "content_type": "text/plain", "attributes": {"mail": {"type": "string", "value": "of jane@example.com"}},
    });
    (attributes, meta.to_string())
}

#[tokio::test(start_paused = true)]
async fn attachments_of_traces_are_kept_once_scrubbed_and_with_their_trace() {
    let stores = Stores::new().await;
    let rules = json!({"applications": {"$attachments.'app.log'": ["@email:mask"], "$string": ["@email:mask"]}});
    stores.choose(move |options| options.scrubbing.relay_pii_config = rules.as_object().cloned()).await;
    let (trace, text) = ("07".repeat(16), b"of jane@example.com".as_slice());
    let mut keys = Vec::new();
    for (number, attachment, bytes) in [(1, 1, text), (2, 2, &b"nothing to find"[..]), (3, 2, b"sent again")] {
        let (attributes, meta) = of_trace(&trace, attachment);
        keys.push(stores.append(number, attributes, &meta, bytes).await);
    }
    let (attributes, meta) = of_trace("none", 3);
    stores.append(4, attributes, &meta, b"of no trace").await;

    let files = stores.attached(FileScope::AttachmentsOfTrace(TraceId([7; 16]))).await;
    let [second, first] = &files[..] else { panic!("two attachments: {files:?}") };
    assert_eq!((first.head.blob, first.head.name.as_str()), (None, "app.log"));
    assert_eq!(stores.meta.file_content(first.id).await.unwrap().unwrap(), "of ****************");
    assert_eq!(stores.blobs.size(keys[0]).await.unwrap(), None, "the bytes that came are gone");
    assert_eq!((second.head.blob, second.head.bytes), (Some(BlobId([2; 16])), 15));
    assert_eq!(stores.blobs.size(keys[1]).await.unwrap(), Some(15));
    let place = second.head.in_trace.as_ref().unwrap();
    assert_eq!((place.span_id, &place.attributes["mail"]), (Some(SpanId([5; 8])), &json!("of ****************")));

    for (category, accepted, duplicate, invalid) in
        [(DataCategory::Attachment, 34, 10, 11), (DataCategory::AttachmentItem, 2, 1, 1)]
    {
        let wanted = [
            ((Outcome::Accepted, String::new()), accepted),
            ((Outcome::Invalid, "duplicate".to_owned()), duplicate),
            ((Outcome::Invalid, "invalid_trace_attachment".to_owned()), invalid),
        ];
        assert_eq!(stores.ledger_of(category).await, wanted.into());
    }
}
