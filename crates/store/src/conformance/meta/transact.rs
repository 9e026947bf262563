//! Issues as the consumers write them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use nuthatch_issues::{
    Activity, ActivityKind, Assignee, Cause, Changes, Flood, HourlyCount, Issue, IssueType, Job, MessageKey, Needs,
    Snapshot, Status, Substatus,
    changes::{EventFate, Handled, OrganizationState, ProjectState, Sightings},
    history::{HistoryEntry, HistoryState},
    jobs::ONGOING_AFTER,
    open_period::{OpenPeriod, PeriodEntry, PeriodEntryKind},
    quota::Usage,
    release::Resolution,
    snooze::Snooze,
};
use nuthatch_protocol::{
    EventId, Hash, IssueId, Level, Position, Priority, ProjectId, Timestamp, Topic, TypeId, UserId,
};
use serde_json::json;

use super::fixture::{NOW, Place, apply, becomes, issue, try_apply, user};
use crate::{MetaStore, StoreError, issues::ConsumerPosition, projects::Role};

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

fn key(project_id: ProjectId, id: u8) -> MessageKey {
    MessageKey { project_id, id: EventId([id; 16]), of_event: true }
}

fn handled(key: MessageKey, position: Option<Position>, at: Timestamp) -> Handled {
    Handled { key, position, fate: EventFate::Kept, at }
}

/// The snapshot a transaction with these needs sees.
pub(super) async fn snapshot(store: &impl MetaStore, needs: Needs) -> Snapshot {
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
    let Place { organization, web, api } = Place::make(store, "acme").await;
    let unknown = ProjectId(99);
    let (owned, others, free) = (Hash([1; 16]), Hash([2; 16]), Hash([3; 16]));
    let (once, elsewhere) = (key(web, 1), key(web, 2));
    let project =
        |last_short_id| ProjectState { organization_id: organization, last_short_id, resolve_age_hours: None };
    let empty = snapshot(store, Needs { projects: [web].into(), ..Needs::default() }).await;
    assert_eq!((empty.last_issue_id, empty.projects), (IssueId(0), HashMap::from([(web, project(0))])));

    apply(
        store,
        Changes {
            created: vec![issue(1, web, 1), issue(2, web, 2), issue(3, api, 1), issue(4, api, 2)],
            hashes: vec![(web, owned, IssueId(1)), (web, others, IssueId(2)), (api, others, IssueId(4))],
            handled: vec![handled(once, Some(at(7)), NOW), handled(elsewhere, None, NOW)],
            ..Changes::default()
        },
    )
    .await;
    let of_occurrence = MessageKey { of_event: false, ..once };
    let needs = Needs {
        projects: [web, unknown].into(),
        hashes: vec![(web, owned), (web, owned), (api, owned), (web, free), (unknown, owned)],
        issues: vec![IssueId(3), IssueId(3), IssueId(77)],
        messages: vec![once, once, elsewhere, key(api, 1), key(web, 9), of_occurrence],
        ..Needs::default()
    };
    let seen = snapshot(store, needs).await;
    let both = HashMap::from([(web, project(2)), (api, project(2))]);
    assert_eq!(seen.projects, both, "those that are named, and those of the issues");
    assert_eq!(seen.hashes, HashMap::from([((web, owned), Some(IssueId(1)))]));
    assert_eq!(seen.issues, HashMap::from([(IssueId(1), issue(1, web, 1)), (IssueId(3), issue(3, api, 1))]));
    assert_eq!(seen.handled, HashMap::from([(once, NOW), (elsewhere, NOW)]));
    assert_eq!(seen.last_issue_id, IssueId(4));
    assert_eq!(seen.organizations, HashMap::from([(organization, OrganizationState::default())]));

    let found = store.handled(&[once, key(api, 1), of_occurrence]).await.expect("looks up");
    assert_eq!(found, [handled(once, Some(at(7)), NOW)]);
}

/// What the rules of the platform remember comes back as it was written, adds up, and is forgotten when told to.
pub async fn rules_remember(store: &impl MetaStore) {
    let Place { web, api, .. } = Place::make(store, "acme").await;
    let (hash, other) = (Hash([1; 16]), Hash([2; 16]));
    let seen = |count| Sightings { count, expires: NOW.plus(Duration::from_hours(24)) };
    let usage = |start_secs, count| Usage { start_secs, count };
    let kind = TypeId(2007);
    let version = |name: &str| (web, name.to_owned());
    let changes = |number: u64| Changes {
        sightings: vec![(web, hash, Some(seen(number))), (api, other, Some(seen(1)))],
        occurrences: vec![(web, hash, usage(600, 1)), (web, hash, usage(660, number))],
        quotas: vec![(web, kind, usage(600, number))],
        releases: vec![(web, "a@1".to_owned(), Timestamp(number as i64))],
        ..Changes::default()
    };
    apply(store, changes(1)).await;
    apply(store, changes(2)).await;
    let needs = Needs {
        sighted: vec![(web, hash), (web, hash), (web, other)],
        created: [(web, kind), (api, kind)].into(),
        releases: [version("a@1"), version("a@2")].into(),
        ..Needs::default()
    };
    let found = snapshot(store, needs.clone()).await;
    assert_eq!(found.sightings, HashMap::from([((web, hash), seen(2))]));
    assert_eq!(found.occurrences, HashMap::from([((web, hash), vec![usage(600, 2), usage(660, 3)])]));
    assert_eq!(found.created, HashMap::from([((web, kind), vec![usage(600, 3)])]));
    assert_eq!(found.releases, HashMap::from([(version("a@1"), Timestamp(1))]), "known since the first");
    apply(store, Changes { sightings: vec![(web, hash, None)], ..Changes::default() }).await;
    assert_eq!(snapshot(store, needs).await.sightings, HashMap::new());
}

/// Only members and teams of the organization can be assigned, and a project tells its rules.
pub async fn organizations_and_projects_have_rules(store: &impl MetaStore) {
    let Place { organization, web, .. } = Place::make(store, "acme").await;
    let elsewhere = super::fixture::organization(store, "other").await.id;
    let (member, stranger) = (user(store, "a@b.c").await, user(store, "d@e.f").await);
    store.add_member(organization, member, Role::Member).await.expect("adds");
    let ours = store.create_team(organization, "ours", "Ours", NOW).await.expect("creates");
    let theirs =
        store.create_team(elsewhere, "ours", "Theirs", NOW).await.expect("a slug is taken once in an organization");
    let taken = store.create_team(organization, "ours", "Again", NOW).await;
    assert!(matches!(taken, Err(StoreError::Conflict(_))), "{taken:?}");
    assert_eq!(store.teams(organization).await.expect("lists"), std::slice::from_ref(&ours));

    let text = |assignee: Assignee| (web, assignee.text());
    let all = [Assignee::User(member), Assignee::User(stranger), Assignee::Team(ours.id), Assignee::Team(theirs.id)];
    let odd = ["user:x", "everybody", ""].map(|text| (web, text.to_owned()));
    let needs = Needs { actors: all.map(text).into_iter().chain(odd).collect(), ..Needs::default() };
    let found = snapshot(store, needs).await.actors;
    let known = [Assignee::User(member), Assignee::Team(ours.id)];
    assert_eq!(found, known.map(|assignee| (text(assignee), assignee)).into());

    let mut project = store.project(web).await.expect("reads").expect("exists");
    project.resolve_age_hours = Some(48);
    store.change_project(web, becomes(project.clone())).await.expect("writes");
    assert_eq!(store.project(web).await.expect("reads"), Some(project));
    let mut acme = store.organizations().await.expect("lists").remove(0);
    acme.features = ["a".to_owned(), "b".to_owned()].into();
    store.change_organization(acme.id, becomes(acme.clone())).await.expect("writes");
    assert_eq!(store.organizations().await.expect("lists")[0], acme);
    let own = IssueType::plain(TypeId(0), "nightly_backup", "Nightly backup", "outage");
    let own = store.create_issue_type(organization, own).await.expect("defines");
    let found = snapshot(store, Needs { projects: [web].into(), ..Needs::default() }).await;
    assert_eq!(found.organizations[&organization].types, HashMap::from([(own.id, own)]));
    assert_eq!(found.projects[&web].resolve_age_hours, Some(48));
    assert_eq!(found.organizations[&organization].features, acme.features);
}

/// History, open periods and their latest one read back; a period is written over by its number.
pub async fn lives_are_written_down(store: &impl MetaStore) {
    let Place { web, .. } = Place::make(store, "acme").await;
    let period = |number, ended| OpenPeriod {
        number,
        started: NOW,
        ended,
        highest_priority: Priority::Medium,
        event_id: Some(EventId([3; 16])),
        ended_by: ended.map(|_| UserId(5)),
    };
    let entry = |state, secs| HistoryEntry {
        issue_id: IssueId(1),
        state,
        release: Some("a@1".to_owned()),
        user_id: Some(UserId(5)),
        at: NOW.plus(Duration::from_secs(secs)),
    };
    let entries = vec![entry(HistoryState::Regressed, 1), entry(HistoryState::Resolved, 2)];
    let latest = Issue { open_period: Some(period(2, None)), ..issue(1, web, 1) };
    let (one, ended) = (IssueId(1), Some(NOW.plus(Duration::from_secs(9))));
    let changes = Changes {
        created: vec![latest.clone()],
        history: entries.clone(),
        periods: vec![(one, period(1, None)), (one, period(1, ended)), (one, period(2, None))],
        period_entries: vec![PeriodEntry {
            issue_id: one,
            period: 1,
            kind: PeriodEntryKind::Closed,
            priority: Priority::Medium,
            at: NOW,
        }],
        ..Changes::default()
    };
    apply(store, changes).await;
    assert_eq!(get(store, 1).await, Some(latest));
    assert_eq!(store.open_periods(one).await.expect("lists"), [period(1, ended), period(2, None)]);
    assert_eq!(store.history(one, 1).await.expect("lists"), [entries[1].clone()]);
    assert_eq!(store.history(one, 9).await.expect("lists").len(), 2);
    assert_eq!(store.history(IssueId(2), 9).await.expect("lists"), []);
}

/// Jobs find what may be due, and nothing else, in pages.
pub async fn jobs_find_what_is_due(store: &impl MetaStore) {
    let Place { web, api, .. } = Place::make(store, "acme").await;
    let mut project = store.project(web).await.expect("reads").expect("exists");
    project.resolve_age_hours = Some(2);
    store.change_project(web, becomes(project.clone())).await.expect("writes");
    let old = NOW.minus(ONGOING_AFTER);
    let young = Timestamp(old.0 + 1_000_000);
    let ignored = |id, until: Timestamp| Issue {
        status: Status::Ignored,
        substatus: Some(Substatus::ArchivedUntilConditionMet),
        snooze: Some(Snooze { until: Some(until), ..Snooze::default() }),
        ..issue(id, web, id)
    };
    let seen = |id, substatus, first_seen, state_since| Issue {
        substatus: Some(substatus),
        first_seen,
        state_since,
        ..issue(id, web, id)
    };
    let created = vec![
        seen(1, Substatus::New, old, NOW),
        seen(2, Substatus::New, young, old),
        seen(3, Substatus::Regressed, NOW, old),
        seen(4, Substatus::Escalating, old, young),
        seen(5, Substatus::Ongoing, old, old),
        ignored(6, NOW),
        ignored(7, Timestamp(NOW.0 + 1)),
        Issue { last_seen: NOW.minus(Duration::from_hours(2)), ..issue(8, web, 8) },
        Issue { last_seen: NOW.minus(Duration::from_hours(2)), ..issue(9, api, 1) },
    ];
    apply(store, Changes { created, ..Changes::default() }).await;
    let due = async |job, after| store.due(job, NOW, IssueId(after), 2).await.expect("looks up");
    assert_eq!(due(Job::ToOngoing, 0).await, [IssueId(1), IssueId(3)]);
    assert_eq!(due(Job::ToOngoing, 1).await, [IssueId(3)]);
    assert_eq!(due(Job::ResolveByAge, 0).await, [IssueId(8)]);
    assert_eq!(due(Job::EndSnoozes, 0).await, [IssueId(6)]);
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
    let flood = Flood { minute: 28_333_332, events: 2, thinned: 1 };
    let counted = Issue { last_seen: later, times_seen: 2, flood, ..issue(1, web, 1) };
    let retitled = Issue { title: "KeyError: 'ß'".to_owned(), metadata: serde_json::Map::new(), ..counted.clone() };
    let changed = Issue {
        status: Status::Resolved,
        substatus: None,
        state_since: later,
        inbox: None,
        resolution: Some(Resolution { release: "a@1".to_owned(), in_next: true, current: Some("a@0".to_owned()) }),
        snooze: Some(Snooze { until: Some(later), events: Some(5), ..Snooze::default() }),
        detector_id: Some(-7),
        flood: Flood { minute: 28_333_333, events: 12, thinned: 34 },
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
        handled: vec![handled(key(web, 1), Some(at(1)), NOW)],
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
    assert_eq!(store.handled(&[key(web, 1)]).await.expect("looks up"), []);
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

/// Activities come newest first.
pub async fn activities_come_newest_first(store: &impl MetaStore) {
    let Place { web, .. } = Place::make(store, "acme").await;
    let happened = |id, kind, secs| Activity {
        issue_id: IssueId(id),
        kind,
        data: json!({"assignee": "\"7\"", "n": [secs]}),
        cause: if secs > 1 { Cause::User { id: UserId(7) } } else { Cause::Job { job: Job::ToOngoing } },
        at: NOW.plus(Duration::from_secs(secs)),
    };
    let resolved = happened(1, ActivityKind::SetResolved, 1);
    let again = happened(1, ActivityKind::SetRegression, 1);
    let assigned = happened(1, ActivityKind::Assigned, 2);
    let activities = vec![assigned.clone(), resolved.clone(), happened(2, ActivityKind::SetIgnored, 3), again.clone()];
    apply(store, Changes { created: vec![issue(1, web, 1), issue(2, web, 2)], activities, ..Changes::default() }).await;

    let all = store.activities(IssueId(1), 10).await.expect("lists");
    assert_eq!(all, [assigned.clone(), again, resolved], "at the same time the later one is newer");
    assert_eq!(store.activities(IssueId(1), 1).await.expect("lists"), [assigned]);
    assert_eq!(store.activities(IssueId(3), 1).await.expect("lists"), []);
}

/// Retention forgets counted occurrences and counters of earlier hours, and nothing else.
pub async fn retention_forgets_whole_hours(store: &impl MetaStore) {
    let Place { web, .. } = Place::make(store, "acme").await;
    let start = Timestamp::from_secs(HOUR * 3600);
    let (old, young) = (key(web, 1), key(web, 2));
    apply(
        store,
        Changes {
            created: vec![issue(1, web, 1)],
            counts: vec![hours(1, HOUR - 2, 1), hours(1, HOUR - 1, 1), hours(1, HOUR, 1)],
            handled: vec![handled(old, Some(at(1)), Timestamp(start.0 - 1)), handled(young, Some(at(2)), start)],
            ..Changes::default()
        },
    )
    .await;
    store.expire(start.plus(Duration::from_mins(30))).await.expect("forgets");
    assert_eq!(store.hourly_counts(&[IssueId(1)], 0).await.expect("looks up"), [(IssueId(1), HOUR, 1)]);
    assert_eq!(store.handled(&[old, young]).await.expect("looks up").len(), 1);
    assert_eq!(get(store, 1).await, Some(issue(1, web, 1)));
}
