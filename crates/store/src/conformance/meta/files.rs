//! Files and the reports of users.

use std::time::Duration;

use bytes::Bytes;
use nuthatch_protocol::{
    BlobId, DataCategory, EventId, Origin, Outcome, Position, ProjectId, Sha1, SpanId, Timestamp, Topic, TraceId, Units,
};
use serde_json::{Map, json};

use super::fixture::NOW;
use crate::{
    MetaStore,
    files::{
        File, FileEffect, FileHead, FileKind, FileQuery, FileScope, InTrace, ListCursor, NewFile, NumberedReport, Page,
        UserReport, UserReportQuery,
    },
    issues::ConsumerPosition,
    outcomes::OutcomeQuery,
    settlements::{Counted, Settlement},
};

const WEB: ProjectId = ProjectId(1);
const API: ProjectId = ProjectId(2);

fn head(kind: FileKind, owner: u8, part: &str) -> FileHead {
    FileHead {
        project_id: WEB,
        kind,
        owner: EventId([owner; 16]),
        part: part.to_owned(),
        name: "a \u{0} <b>.txt".to_owned(),
        content_type: "text/plain".to_owned(),
        attachment_type: (kind == FileKind::Attachment).then(|| "event.attachment".to_owned()),
        in_trace: None,
        bytes: 5,
        sha1: Sha1([3; 20]),
        blob: Some(BlobId([4; 16])),
        received: NOW,
    }
}

fn counted(what: FileEffect, category: DataCategory, quantity: u64) -> Counted<FileEffect> {
    let origin = Origin { received: NOW, project_id: Some(WEB), key_id: None };
    Counted { what, units: Units { origin, counts: vec![(category, quantity)] } }
}

fn blob(head: FileHead) -> Counted<FileEffect> {
    counted(FileEffect::File(NewFile { head, content: None }), DataCategory::Attachment, 5)
}

fn report(project_id: ProjectId, event: u8, comments: &str, received: Timestamp) -> UserReport {
    UserReport {
        project_id,
        event_id: EventId([event; 16]),
        name: "Ada".to_owned(),
        email: "ada@example.org".to_owned(),
        comments: comments.to_owned(),
        received,
    }
}

fn said(report: UserReport) -> Counted<FileEffect> {
    counted(FileEffect::Report(report), DataCategory::Feedback, 1)
}

/// Keeps what one record brings.
async fn keep(store: &impl MetaStore, to: u64, effects: Vec<Counted<FileEffect>>) {
    let position = Position { topic: Topic::IngestAttachments, partition: 0, offset: to };
    let consumer = ConsumerPosition { consumer: "files".to_owned(), position };
    let settlement = Settlement::of(consumer, 1);
    store.keep_files(effects, settlement).await.expect("keeps");
}

async fn page(store: &impl MetaStore, scope: FileScope, cursor: Option<ListCursor>, limit: usize) -> Page<File> {
    store.files(&FileQuery { project_id: WEB, scope, cursor, limit }).await.expect("lists")
}

fn parts(page: &Page<File>) -> Vec<&str> {
    page.rows.iter().map(|file| file.head.part.as_str()).collect()
}

async fn sums(store: &impl MetaStore) -> Vec<(DataCategory, Outcome, u64)> {
    let mut query = OutcomeQuery {
        projects: vec![WEB],
        keys: Vec::new(),
        categories: Vec::new(),
        outcomes: Vec::new(),
        reasons: Vec::new(),
        from_minute: 0,
        until_minute: i64::MAX,
        interval_minutes: 1,
        by: crate::outcomes::OutcomeGrouping::default(),
    };
    (query.by.category, query.by.outcome) = (true, true);
    let sums = store.outcome_sums(&query).await.expect("sums");
    sums.into_iter()
        .map(|sum| {
            let group = sum.group;
            (group.category.expect("asked for"), group.outcome.expect("asked for"), sum.quantity)
        })
        .collect()
}

/// A file reads back as it was written; one of the same identity is a duplicate, and a batch counts once.
pub async fn files_are_kept_once(store: &impl MetaStore) {
    let kept = head(FileKind::Attachment, 1, "a");
    let inline = FileHead { blob: None, attachment_type: None, ..head(FileKind::ReplayEvent, 1, "0") };
    let content = Some(Bytes::from_static(b"{\"a\":\"\\u0000\"}"));
    let with_row = NewFile { head: inline.clone(), content: content.clone() };
    let with_row = counted(FileEffect::File(with_row), DataCategory::Replay, 1);
    keep(store, 1, vec![blob(kept.clone()), with_row.clone()]).await;
    keep(store, 1, vec![blob(head(FileKind::Attachment, 1, "never"))]).await;
    keep(store, 2, vec![blob(FileHead { name: "other".to_owned(), ..kept.clone() }), with_row]).await;
    keep(
        store,
        3,
        vec![blob(head(FileKind::UnrealReport, 1, "a")), blob(FileHead { project_id: API, ..kept.clone() })],
    )
    .await;

    let wanted = [(DataCategory::Attachment, 15, 5), (DataCategory::Replay, 1, 1)];
    let wanted = wanted.into_iter().flat_map(|(category, accepted, duplicate)| {
        [(category, Outcome::Accepted, accepted), (category, Outcome::Invalid, duplicate)]
    });
    assert_eq!(sums(store).await, wanted.collect::<Vec<_>>());
    assert_eq!(store.books().await.expect("books").imbalances(), []);

    let listed = page(store, FileScope::AttachmentsOf(kept.owner), None, 10).await;
    assert_eq!(parts(&listed), ["a", "a"]);
    let [unreal, attachment] = &listed.rows[..] else { unreachable!("two were listed") };
    assert_eq!((unreal.head.kind, &attachment.head), (FileKind::UnrealReport, &kept));
    assert_eq!(store.file(attachment.id).await.expect("finds").as_ref(), Some(attachment));
    assert_eq!(store.file_content(attachment.id).await.expect("finds"), None);
    let replays = page(store, FileScope::Kind(FileKind::ReplayEvent), None, 10).await;
    assert_eq!(replays.rows[0].head, inline);
    assert_eq!(store.file_content(replays.rows[0].id).await.expect("finds"), content);
    assert_eq!(page(store, FileScope::AttachmentsOf(EventId([9; 16])), None, 10).await.rows, []);

    assert!(store.remove_file(attachment.id).await.expect("removes"));
    assert!(!store.remove_file(attachment.id).await.expect("removes"));
    assert_eq!(store.file(attachment.id).await.expect("finds"), None);
    keep(store, 4, vec![blob(kept)]).await;
    let again = page(store, FileScope::AttachmentsOf(EventId([1; 16])), None, 10).await;
    assert!(again.rows[0].id > unreal.id, "ids are not given twice");
}

/// Pages go in both directions.
pub async fn files_are_listed_newest_first(store: &impl MetaStore) {
    let names = ["a", "b", "c", "d", "e"];
    keep(store, 1, names.map(|part| blob(head(FileKind::Profile, 1, part))).to_vec()).await;
    let scope = FileScope::Kind(FileKind::Profile);
    let at = |page: &Page<File>, index: usize, backwards| Some(ListCursor { number: page.rows[index].id.0, backwards });
    let first = page(store, scope, None, 2).await;
    assert_eq!((parts(&first), first.has_previous, first.has_next), (vec!["e", "d"], false, true));
    let second = page(store, scope, at(&first, 1, false), 2).await;
    assert_eq!((parts(&second), second.has_previous, second.has_next), (vec!["c", "b"], true, true));
    let third = page(store, scope, at(&second, 1, false), 2).await;
    assert_eq!((parts(&third), third.has_previous, third.has_next), (vec!["a"], true, false));
    let back = page(store, scope, at(&third, 0, true), 2).await;
    assert_eq!((parts(&back), back.has_previous, back.has_next), (vec!["c", "b"], true, true));
}

/// The attachments of a project are one list, of whichever kind, in both directions.
pub async fn attachments_of_all_events_are_one_list(store: &impl MetaStore) {
    let (plain, unreal) = (FileKind::Attachment, FileKind::UnrealReport);
    let files = [(plain, 1, "a"), (unreal, 2, "b"), (plain, 3, "c"), (FileKind::Profile, 1, "no"), (unreal, 1, "d")];
    let mut all = files.map(|(kind, event, part)| blob(head(kind, event, part))).to_vec();
    all.push(blob(FileHead { project_id: API, ..head(plain, 1, "elsewhere") }));
    all.push(blob(head(plain, 4, "e")));
    keep(store, 1, all).await;
    let at = |page: &Page<File>, index: usize, backwards| Some(ListCursor { number: page.rows[index].id.0, backwards });
    let first = page(store, FileScope::Attachments, None, 2).await;
    assert_eq!((parts(&first), first.has_previous, first.has_next), (vec!["e", "d"], false, true));
    let second = page(store, FileScope::Attachments, at(&first, 1, false), 2).await;
    assert_eq!((parts(&second), second.has_previous, second.has_next), (vec!["c", "b"], true, true));
    let third = page(store, FileScope::Attachments, at(&second, 1, false), 2).await;
    assert_eq!((parts(&third), third.has_previous, third.has_next), (vec!["a"], true, false));
    let back = page(store, FileScope::Attachments, at(&third, 0, true), 2).await;
    assert_eq!((parts(&back), back.has_previous, back.has_next), (vec!["c", "b"], true, true));
    let start = page(store, FileScope::Attachments, at(&second, 0, true), 4).await;
    assert_eq!((parts(&start), start.has_previous, start.has_next), (vec!["e", "d"], false, true));
}

/// An attachment of a trace reads back with its place in the trace, and is none of the event of the same id.
pub async fn attachments_of_traces_are_listed_by_trace(store: &impl MetaStore) {
    let kind = FileKind::TraceAttachment;
    let attributes = Map::from_iter([("a \u{0}".to_owned(), json!([1, "b", null]))]);
    let place = InTrace { span_id: Some(SpanId([0xf1; 8])), timestamp: Timestamp(NOW.0 - 1), attributes };
    let of_span = FileHead { in_trace: Some(place.clone()), ..head(kind, 1, "a") };
    let of_none = InTrace { span_id: None, timestamp: Timestamp(-1), attributes: Map::new() };
    let of_none = FileHead { in_trace: Some(of_none), ..head(kind, 1, "b") };
    let elsewhere = FileHead { project_id: API, ..of_span.clone() };
    let again = FileHead { name: "again".to_owned(), ..of_span.clone() };
    let others = [head(FileKind::Attachment, 1, "of an event"), head(kind, 2, "of another trace")];
    let all = [of_span.clone(), of_none.clone(), elsewhere, again].into_iter().chain(others);
    keep(store, 1, all.map(blob).collect()).await;
    let listed = page(store, FileScope::AttachmentsOfTrace(TraceId([1; 16])), None, 10).await;
    assert_eq!(listed.rows.len(), 2, "{listed:?}");
    let (second, first) = (&listed.rows[0], &listed.rows[1]);
    assert_eq!((&first.head, &second.head), (&of_span, &of_none));
    assert_eq!(store.file(first.id).await.expect("finds").as_ref(), Some(first));
    assert_eq!(parts(&page(store, FileScope::AttachmentsOf(EventId([1; 16])), None, 10).await), ["of an event"]);
    assert_eq!(parts(&page(store, FileScope::Attachments, None, 10).await), ["of an event"]);
    assert_eq!(parts(&page(store, FileScope::Kind(kind), None, 10).await), ["of another trace", "b", "a"]);
}

/// An event has one report, the newest; each one counts.
pub async fn the_newest_report_counts(store: &impl MetaStore) {
    keep(store, 1, vec![said(report(WEB, 1, "first", NOW)), said(report(WEB, 2, "other", NOW))]).await;
    keep(store, 2, vec![said(report(WEB, 1, "second", NOW)), said(report(API, 1, "elsewhere", NOW))]).await;
    let of = async |project, event| {
        let found = store.user_report(project, EventId([event; 16])).await.expect("finds");
        found.map(|report| report.comments)
    };
    assert_eq!(of(WEB, 1).await.as_deref(), Some("second"));
    assert_eq!(of(API, 1).await.as_deref(), Some("elsewhere"));
    assert_eq!(of(API, 2).await, None);
    let query = UserReportQuery { project_id: WEB, cursor: None, limit: 1 };
    let first = store.user_reports(&query).await.expect("lists");
    let comments = |page: &Page<NumberedReport>| page.rows[0].report.comments.clone();
    assert_eq!((comments(&first), first.has_previous, first.has_next), ("second".to_owned(), false, true));
    let cursor = Some(ListCursor { number: first.rows[0].number, backwards: false });
    let second = store.user_reports(&UserReportQuery { cursor, ..query }).await.expect("lists");
    assert_eq!((comments(&second), second.has_previous, second.has_next), ("other".to_owned(), true, false));
    assert_eq!(sums(store).await, [(DataCategory::Feedback, Outcome::Accepted, 4)]);
    // They are no events of issues.
    assert_eq!(store.books().await.expect("adds up").totals.iter().map(|total| total.reports).sum::<i64>(), 4);
}

/// Retention forgets the days that the blob store drops, and nothing of the day itself.
pub async fn files_are_forgotten_by_day(store: &impl MetaStore) {
    let midnight = Timestamp::from_secs(NOW.days() * 86_400);
    let (before, after) = (midnight.minus(Duration::from_micros(1)), midnight);
    let old = (0..1_200).map(|n| blob(FileHead { received: before, ..head(FileKind::Attachment, 1, &n.to_string()) }));
    keep(store, 1, old.collect()).await;
    keep(store, 2, vec![blob(FileHead { received: after, ..head(FileKind::Attachment, 1, "kept") })]).await;
    keep(store, 3, vec![said(report(WEB, 1, "old", before)), said(report(WEB, 2, "new", after))]).await;
    store.expire_files(NOW).await.expect("expires");
    let left = page(store, FileScope::AttachmentsOf(EventId([1; 16])), None, 10).await;
    assert_eq!(parts(&left), ["kept"]);
    assert_eq!(store.user_report(WEB, EventId([1; 16])).await.expect("finds"), None);
    assert!(store.user_report(WEB, EventId([2; 16])).await.expect("finds").is_some());
}
