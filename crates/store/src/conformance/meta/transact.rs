//! Issues as the consumers write them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use nuthatch_issues::{Activity, ActivityKind, Assignee, Changes, HourlyCount, Issue, Needs, Snapshot, Status};
use nuthatch_protocol::{EventId, Hash, IssueId, Level, Position, ProjectId, Timestamp, Topic, UserId};
use serde_json::json;

use super::fixture::{NOW, Place, apply, issue, try_apply};
use crate::{MetaStore, StoreError, issues::ConsumerPosition};

const HOUR: i64 = 472_222;

fn at(offset: u64) -> Position {
    Position { topic: Topic::IngestEvents, partition: 3, offset }
}

fn worker_at(offset: u64) -> ConsumerPosition {
    ConsumerPosition { consumer: "worker".to_owned(), position: at(offset) }
}

fn hours(issue: u64, hour: i64, count: u64) -> HourlyCount {
    HourlyCount { issue_id: IssueId(issue), hour, count }
}

async fn get(store: &impl MetaStore, id: u64) -> Option<Issue> {
    store.issue(IssueId(id)).await.expect("looks up")
}

/// The snapshot a transaction with these needs sees.
async fn snapshot(store: &impl MetaStore, needs: Needs) -> Snapshot {
    let seen = Arc::new(Mutex::new(Snapshot::default()));
    let keep = Arc::clone(&seen);
    let decide = move |snapshot: &Snapshot| {
        *keep.lock().expect("nobody panics with it") = snapshot.clone();
        Changes::default()
    };
    store.transact(needs, None, Box::new(decide)).await.expect("reads");
    seen.lock().expect("nobody panics with it").clone()
}

/// A snapshot holds what was asked for, whole, and nothing else.
pub async fn snapshots_hold_what_was_asked(store: &impl MetaStore) {
    let Place { web, api, .. } = Place::make(store, "acme").await;
    let unknown = ProjectId(99);
    let (owned, others, free) = (Hash([1; 16]), Hash([2; 16]), Hash([3; 16]));
    let (counted, elsewhere) = (EventId([1; 16]), EventId([2; 16]));
    let empty = snapshot(store, Needs { hashes: vec![(web, owned)], ..Needs::default() }).await;
    assert_eq!((empty.last_issue_id, empty.projects), (IssueId(0), HashMap::from([(web, 0)])));

    apply(
        store,
        Changes {
            created: vec![issue(1, web, 1), issue(2, web, 2), issue(3, api, 1), issue(4, api, 2)],
            hashes: vec![(web, owned, IssueId(1)), (web, others, IssueId(2)), (api, others, IssueId(4))],
            counted: vec![(web, counted, Some(at(7)), NOW), (web, elsewhere, None, NOW)],
            ..Changes::default()
        },
    )
    .await;
    let needs = Needs {
        hashes: vec![(web, owned), (web, owned), (api, owned), (web, free), (unknown, owned)],
        issues: vec![IssueId(3), IssueId(3), IssueId(77)],
        occurrences: vec![(web, counted), (web, counted), (api, counted), (web, EventId([9; 16]))],
    };
    let seen = snapshot(store, needs).await;
    assert_eq!(seen.projects, HashMap::from([(web, 2), (api, 2)]));
    assert_eq!(seen.hashes, HashMap::from([((web, owned), Some(IssueId(1)))]));
    assert_eq!(seen.issues, HashMap::from([(IssueId(1), issue(1, web, 1)), (IssueId(3), issue(3, api, 1))]));
    assert_eq!(seen.counted, HashMap::from([((web, counted), at(7))]));
    assert_eq!(seen.last_issue_id, IssueId(4));

    let found = store.counted(&[(web, elsewhere), (web, counted), (api, counted)]).await.expect("looks up");
    assert_eq!(found, [(web, counted, at(7))], "only what came from the log");
}

/// Issues read back as they were written, by id, number and hash; of an update only `user_count` is the store's own.
pub async fn changes_are_applied(store: &impl MetaStore) {
    let Place { web, api, .. } = Place::make(store, "acme").await;
    let created = Changes { created: vec![issue(1, web, 1), issue(2, api, 1)], ..Changes::default() };
    let applied = try_apply(store, None, created.clone()).await.expect("applies");
    assert_eq!(applied, created, "what was decided is handed back");
    assert_eq!(get(store, 1).await, Some(issue(1, web, 1)));
    let by_number = store.issue_by_short_id(api, 1).await.expect("looks up");
    assert_eq!(by_number, Some(issue(2, api, 1)));
    assert_eq!(store.issue_by_short_id(api, 2).await.expect("looks up"), None);
    assert_eq!(get(store, 3).await, None);

    let later = NOW.plus(Duration::from_secs(5));
    let counted = Issue { last_seen: later, times_seen: 2, ..issue(1, web, 1) };
    let retitled = Issue { title: "KeyError: 'ß'".to_owned(), metadata: serde_json::Map::new(), ..counted.clone() };
    let changed = Issue {
        status: Status::Resolved,
        substatus: None,
        priority_locked_at: Some(later),
        level: Level::Fatal,
        logger: Some("root".to_owned()),
        first_seen: Timestamp(-5),
        resolved_at: Some(later),
        first_release: Some("1.0".to_owned()),
        last_release: Some("2.0".to_owned()),
        assignee: Some(Assignee::User(UserId(7))),
        unhandled: true,
        ..retitled.clone()
    };
    // With the issue in the snapshot and without: a store may skip what is as it was, but never what is not.
    for needs in [vec![IssueId(1)], vec![]] {
        for wanted in [&counted, &retitled, &changed, &counted] {
            let updated = vec![Issue { user_count: 1000, ..wanted.clone() }];
            let needs = Needs { issues: needs.clone(), ..Needs::default() };
            let decide = move |_: &Snapshot| Changes { updated, ..Changes::default() };
            store.transact(needs, None, Box::new(decide)).await.expect("applies");
            assert_eq!(get(store, 1).await.as_ref(), Some(wanted));
        }
    }
    assert_eq!(get(store, 2).await, Some(issue(2, api, 1)), "others stay as they are");
}

/// Changes that cannot be applied are refused whole, and the consumer stays where it was.
pub async fn refused_changes_leave_nothing(store: &impl MetaStore) {
    let Place { web, api, .. } = Place::make(store, "acme").await;
    apply(store, Changes { created: vec![issue(1, web, 1)], ..Changes::default() }).await;
    let good = Changes {
        created: vec![issue(2, web, 2)],
        counts: vec![hours(1, HOUR, 5)],
        users: vec![(IssueId(1), 5)],
        counted: vec![(web, EventId([1; 16]), Some(at(1)), NOW)],
        ..Changes::default()
    };
    let conflicts = [issue(1, api, 1), issue(3, web, 1)];
    let missing = [
        Changes { created: vec![issue(3, ProjectId(99), 1)], ..Changes::default() },
        Changes { updated: vec![issue(77, web, 7)], ..Changes::default() },
        Changes { hashes: vec![(web, Hash([1; 16]), IssueId(77))], ..Changes::default() },
        Changes { users: vec![(IssueId(77), 1)], ..Changes::default() },
        Changes { counts: vec![hours(77, HOUR, 1)], ..Changes::default() },
    ];
    for bad in conflicts {
        let refused =
            try_apply(store, Some(worker_at(9)), Changes { created: vec![issue(2, web, 2), bad], ..good.clone() });
        let refused = refused.await;
        assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    }
    for bad in missing {
        let both = Changes {
            created: [good.created.clone(), bad.created].concat(),
            updated: bad.updated,
            hashes: bad.hashes,
            counts: [good.counts.clone(), bad.counts].concat(),
            users: [good.users.clone(), bad.users].concat(),
            ..good.clone()
        };
        let refused = try_apply(store, Some(worker_at(9)), both).await;
        assert!(matches!(refused, Err(StoreError::NotFound(_))), "{refused:?}");
    }
    assert_eq!(store.position("worker", at(0)).await.expect("looks up"), at(0));
    assert_eq!(get(store, 2).await, None);
    assert_eq!(get(store, 1).await, Some(issue(1, web, 1)));
    assert_eq!(store.hourly_counts(&[IssueId(1)], 0).await.expect("looks up"), []);
    assert_eq!(store.counted(&[(web, EventId([1; 16]))]).await.expect("looks up"), []);
}

/// A consumer's position moves with its changes, and is each consumer's, topic's and partition's own.
pub async fn positions_move_with_changes(store: &impl MetaStore) {
    let Place { web, .. } = Place::make(store, "acme").await;
    assert_eq!(store.position("worker", at(5)).await.expect("looks up"), at(5), "starts where it is told to");
    try_apply(store, Some(worker_at(8)), Changes { created: vec![issue(1, web, 1)], ..Changes::default() })
        .await
        .expect("applies");
    try_apply(store, Some(worker_at(12)), Changes::default()).await.expect("applies");
    assert_eq!(store.position("worker", at(0)).await.expect("looks up"), at(12));
    for start in [Position { partition: 4, ..at(1) }, Position { topic: Topic::IngestOccurrences, ..at(1) }] {
        assert_eq!(store.position("worker", start).await.expect("looks up"), start);
    }
    assert_eq!(store.position("other", at(1)).await.expect("looks up"), at(1));
}

/// A user counts once for an issue, however often and in however many batches it was seen.
pub async fn users_are_counted_once(store: &impl MetaStore) {
    let Place { web, .. } = Place::make(store, "acme").await;
    let users = vec![(IssueId(1), u64::MAX), (IssueId(1), 7), (IssueId(1), 7), (IssueId(2), 7)];
    apply(
        store,
        Changes { created: vec![issue(1, web, 1), issue(2, web, 2)], users: users.clone(), ..Changes::default() },
    )
    .await;
    let counts = async || {
        let (one, two) = (get(store, 1).await, get(store, 2).await);
        (one.map(|issue| issue.user_count), two.map(|issue| issue.user_count))
    };
    assert_eq!(counts().await, (Some(2), Some(1)));
    apply(store, Changes { users, ..Changes::default() }).await;
    assert_eq!(counts().await, (Some(2), Some(1)));
    let users = vec![(IssueId(1), 8), (IssueId(2), 8)];
    apply(store, Changes { updated: vec![issue(1, web, 1)], users, ..Changes::default() }).await;
    assert_eq!(counts().await, (Some(3), Some(2)), "with an update of the issue and without");
}

/// Hourly counts add up, across batches and inside one; hours without events are left out.
pub async fn counters_add_up(store: &impl MetaStore) {
    let Place { web, .. } = Place::make(store, "acme").await;
    let created = vec![issue(1, web, 1), issue(2, web, 2), issue(3, web, 3)];
    let counts = vec![hours(1, HOUR, 2), hours(1, HOUR, 3), hours(2, HOUR, 1), hours(1, HOUR - 30, 1)];
    apply(store, Changes { created, counts, ..Changes::default() }).await;
    let counts = vec![hours(1, HOUR, 10), hours(1, HOUR + 2, 4), hours(3, HOUR, 9), hours(3, -4, 1)];
    apply(store, Changes { counts, ..Changes::default() }).await;

    let (one, two) = (IssueId(1), IssueId(2));
    let asked = store.hourly_counts(&[two, one, one], HOUR).await.expect("looks up");
    assert_eq!(asked, [(one, HOUR, 15), (one, HOUR + 2, 4), (two, HOUR, 1)]);
    let all = store.hourly_counts(&[one], i64::MIN).await.expect("looks up");
    assert_eq!(all, [(one, HOUR - 30, 1), (one, HOUR, 15), (one, HOUR + 2, 4)]);
    assert_eq!(store.hourly_counts(&[], 0).await.expect("looks up"), []);
    assert_eq!(store.hourly_counts(&[one], HOUR + 3).await.expect("looks up"), []);
}

/// An issue lists its hashes in the order it came to own them; a hash has one owner.
pub async fn hashes_keep_their_order(store: &impl MetaStore) {
    let Place { web, api, .. } = Place::make(store, "acme").await;
    let own = |hash: u8, id| (web, Hash([hash; 16]), IssueId(id));
    let created = vec![issue(1, web, 1), issue(2, web, 2)];
    apply(store, Changes { created, hashes: vec![own(9, 1), own(3, 1), own(5, 2)], ..Changes::default() }).await;
    apply(store, Changes { hashes: vec![own(7, 1), own(1, 1)], ..Changes::default() }).await;
    let of = async |id| store.hashes(IssueId(id)).await.expect("lists").iter().map(|h| h.0[0]).collect::<Vec<_>>();
    assert_eq!((of(1).await, of(2).await, of(3).await), (vec![9, 3, 7, 1], vec![5], vec![]));

    apply(store, Changes { hashes: vec![own(9, 2)], ..Changes::default() }).await;
    assert_eq!((of(1).await, of(2).await), (vec![3, 7, 1], vec![5, 9]));
    let owner = async |project, hash: u8| store.issue_of_hash(project, Hash([hash; 16])).await.expect("looks up");
    assert_eq!(owner(web, 9).await, Some(IssueId(2)));
    assert_eq!(owner(web, 3).await, Some(IssueId(1)));
    assert_eq!((owner(web, 4).await, owner(api, 9).await), (None, None));
}

/// Activities come newest first, totals are a project's own.
pub async fn totals_and_activities(store: &impl MetaStore) {
    let Place { web, api, .. } = Place::make(store, "acme").await;
    let old = Issue { times_seen: 41, first_seen: Timestamp(-7), ..issue(2, web, 2) };
    let happened = |id, kind, secs| Activity {
        issue_id: IssueId(id),
        kind,
        data: json!({"assignee": "\"7\"", "n": [secs]}),
        user_id: (secs > 1).then_some(UserId(7)),
        at: NOW.plus(Duration::from_secs(secs)),
    };
    let resolved = happened(1, ActivityKind::SetResolved, 1);
    let again = happened(1, ActivityKind::SetRegression, 1);
    let assigned = happened(1, ActivityKind::Assigned, 2);
    let activities = vec![assigned.clone(), resolved.clone(), happened(2, ActivityKind::SetIgnored, 3), again.clone()];
    apply(store, Changes { created: vec![issue(1, web, 1), old], activities, ..Changes::default() }).await;

    let all = store.activities(IssueId(1), 10).await.expect("lists");
    assert_eq!(all, [assigned.clone(), again, resolved], "at the same time the later one is newer");
    assert_eq!(store.activities(IssueId(1), 1).await.expect("lists"), [assigned]);
    assert_eq!(store.activities(IssueId(3), 1).await.expect("lists"), []);

    let totals = store.project_totals(web).await.expect("sums");
    assert_eq!((totals.issues, totals.events, totals.first_event), (2, 42, Some(Timestamp(-7))));
    for empty in [api, ProjectId(99)] {
        let totals = store.project_totals(empty).await.expect("sums");
        assert_eq!((totals.issues, totals.events, totals.first_event), (0, 0, None));
    }
}

/// Retention forgets counted occurrences and counters of earlier hours, and nothing else.
pub async fn retention_forgets_whole_hours(store: &impl MetaStore) {
    let Place { web, .. } = Place::make(store, "acme").await;
    let start = Timestamp::from_secs(HOUR * 3600);
    let (old, young) = (EventId([1; 16]), EventId([2; 16]));
    apply(
        store,
        Changes {
            created: vec![issue(1, web, 1)],
            counts: vec![hours(1, HOUR - 2, 1), hours(1, HOUR - 1, 1), hours(1, HOUR, 1)],
            counted: vec![(web, old, Some(at(1)), Timestamp(start.0 - 1)), (web, young, Some(at(2)), start)],
            ..Changes::default()
        },
    )
    .await;
    store.expire(start.plus(Duration::from_mins(30))).await.expect("forgets");
    assert_eq!(store.hourly_counts(&[IssueId(1)], 0).await.expect("looks up"), [(IssueId(1), HOUR, 1)]);
    assert_eq!(store.counted(&[(web, old), (web, young)]).await.expect("looks up"), [(web, young, at(2))]);
    assert_eq!(get(store, 1).await, Some(issue(1, web, 1)));
}
