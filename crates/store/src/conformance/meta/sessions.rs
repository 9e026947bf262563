//! Sessions and the releases they make known.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use nuthatch_issues::Changes;
use nuthatch_protocol::{
    DataCategory, EventId, Origin, Outcome, Position, ProjectId, SessionState, SessionUpdate, Timestamp, Topic, Units,
    session::{Durations, HealthChange, HealthTally, SessionPlace, SessionStatus, SessionUser, merge},
};
use nuthatch_query::{Expr, Op, Term, Value};

use super::{
    fixture::{NOW, Place, apply, issue},
    settlements::sums,
};
use crate::{
    MetaStore,
    issues::ConsumerPosition,
    releases::{Release, ReleaseChange, ReleaseFacts, ReleaseOutcome, ReleasePut},
    sessions::{SessionGrouping, SessionQuery, SessionSum, UserTally},
    settlements::{Counted, Settlement},
};

const HOUR: Duration = Duration::from_hours(1);

fn settlement(offset: u64, records: u64) -> Settlement {
    let position = Position { topic: Topic::IngestSessions, partition: 0, offset };
    let consumer = ConsumerPosition { consumer: "sessions".to_owned(), position };
    Settlement::of(consumer, records)
}

fn counted(place: Place, what: SessionUpdate) -> Counted<SessionUpdate> {
    let origin = Origin { received: NOW, project_id: Some(place.web), key_id: None };
    Counted { what, units: Units { origin, counts: vec![(DataCategory::Session, 1)] } }
}

/// The id of a record.
fn record(n: usize) -> EventId {
    EventId((n as u128).to_be_bytes())
}

fn session_place(place: Place, n: usize) -> SessionPlace {
    SessionPlace {
        project_id: [place.web, place.api][n % 2],
        release: ["web@1.0", "web@2.0 \u{0} \"x\"", "other"][n / 2 % 3].to_owned(),
        environment: ["", "production"][n / 6 % 2].to_owned(),
    }
}

/// Updates of many kinds: sixty sessions with three updates each, which agree in nothing, and some that were counted.
fn updates(place: Place) -> Vec<SessionUpdate> {
    let mut random = 7_u64;
    let mut next = move |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % below
    };
    let one = move |n: usize| {
        let started = NOW.minus(HOUR * next(50) as u32);
        if n % 10 == 9 {
            let tally = HealthTally { sessions: 9, errored: 5, crashed: 1, ..HealthTally::default() };
            let user = (next(2) == 0).then_some(SessionUser(3));
            let hour = started.hours();
            let changes = vec![HealthChange { place: session_place(place, n), hour, user, tally }];
            return SessionUpdate::Counted { record: record(n), changes };
        }
        let state = SessionState {
            place: session_place(place, n % 60 + 2 * next(2)),
            started,
            timestamp: started.plus(Duration::from_secs(next(3) as u64)),
            seq: [0, 1, 2, u64::MAX - 1][next(4)],
            status: SessionStatus::ALL[next(SessionStatus::ALL.len())],
            errors: [0, 0, 1, u64::MAX][next(4)],
            duration_ms: (next(3) > 0).then(|| next(1 << 20) as u64),
            user: [None, Some(SessionUser(u64::MAX)), Some(SessionUser(2))][next(3)],
            is_anr: next(2) == 0,
        };
        SessionUpdate::One { sid: EventId([(n % 60) as u8; 16]), state }
    };
    (0..180).map(one).collect()
}

/// What each session was in the end, and what was counted without one.
fn final_counts(updates: &[SessionUpdate]) -> Vec<HealthChange> {
    let mut states: BTreeMap<_, SessionState> = BTreeMap::new();
    let mut counts = Vec::new();
    for update in updates {
        match update {
            SessionUpdate::Counted { changes, .. } => counts.extend(changes.iter().cloned()),
            SessionUpdate::One { sid, state } => {
                let key = (state.place.project_id, *sid);
                let state = merge(states.get(&key), state.clone()).0;
                states.insert(key, state);
            }
        }
    }
    counts.extend(states.into_values().map(|state| HealthChange {
        place: state.place.clone(),
        hour: state.started.hours(),
        user: state.user,
        tally: state.tally(),
    }));
    counts
}

/// The sums that a query must have.
fn expected(counts: &[HealthChange], query: &SessionQuery) -> Vec<SessionSum> {
    let mut sums: BTreeMap<_, SessionSum> = BTreeMap::new();
    let mut users: BTreeMap<_, [BTreeSet<SessionUser>; 6]> = BTreeMap::new();
    for HealthChange { place, hour, user, tally } in counts {
        let in_time = *hour >= query.from_hour && *hour < query.until_hour;
        if !in_time || !query.means(place) {
            continue;
        }
        let key = (query.group(place), query.start_of(*hour));
        let sum = sums.entry(key.clone()).or_default();
        (sum.group, sum.start_hour) = key.clone();
        sum.health += tally;
        let sets = users.entry(key).or_default();
        let kinds = [tally.sessions, tally.errored, tally.crashed, tally.abnormal, tally.unhandled, tally.anr];
        for (set, _) in sets.iter_mut().zip(kinds).filter(|(_, count)| *count > 0) {
            set.extend(*user);
        }
    }
    let sums = sums.into_iter().map(|(key, mut sum)| {
        if !query.with_durations {
            sum.health.durations = Durations::default();
        }
        if query.with_users {
            let [all, errored, crashed, abnormal, unhandled, anr] = &users[&key];
            let is_bad = |user: &&SessionUser| [crashed, abnormal, unhandled].iter().any(|set| set.contains(user));
            let count = |set: &BTreeSet<SessionUser>| set.len() as u64;
            sum.users = UserTally {
                users: count(all),
                errored: count(errored),
                only_errored: errored.iter().filter(|user| !is_bad(user)).count() as u64,
                crashed: count(crashed),
                abnormal: count(abnormal),
                unhandled: count(unhandled),
                anr: count(anr),
            };
        }
        sum
    });
    sums.collect()
}

fn everything(place: Place) -> SessionQuery {
    SessionQuery {
        projects: vec![place.web, place.api],
        filter: Expr::all(),
        from_hour: NOW.hours() - 100,
        until_hour: NOW.hours() + 1,
        interval_hours: None,
        by: SessionGrouping::default(),
        with_users: true,
        with_durations: true,
    }
}

fn term(key: &str, op: Op) -> Expr {
    Expr::Term(Term { key: key.to_owned(), op })
}

/// Sums are those of the final states, whatever is asked, and however the updates were put into batches.
pub async fn sessions_are_summed_as_asked(store: &impl MetaStore) {
    let place = Place::make(store, "acme").await;
    let updates = updates(place);
    let (mut offset, mut rest) = (0, &updates[..]);
    while !rest.is_empty() {
        let (batch, later) = rest.split_at(rest.len().min(1 + offset as usize % 40));
        offset += batch.len() as u64;
        let records = batch.len() as u64;
        let batch: Vec<_> = batch.iter().map(|update| counted(place, update.clone())).collect();
        store.apply_sessions(batch.clone(), settlement(offset, records)).await.expect("applies");
        store.apply_sessions(batch, settlement(offset, records)).await.expect("was applied before");
        rest = later;
    }
    let counts = final_counts(&updates);
    let text = |text: &str| Value::Text(text.to_owned());
    let filters = [
        Expr::all(),
        term("release", Op::In(vec![text("web@1.0"), text("other")])),
        term("release", Op::Like("WEB*".to_owned())),
        Expr::Not(Box::new(term("environment", Op::Exists))),
        term("environment", Op::In(vec![text("production")])),
        term("user", Op::Exists),
    ];
    for n in 0..96 {
        let query = SessionQuery {
            projects: if n % 5 == 1 { vec![place.api] } else { vec![place.web, place.api] },
            filter: filters[n / 8 % filters.len()].clone(),
            from_hour: NOW.hours() - [100, 20][n / 4 % 2],
            until_hour: NOW.hours() + 1 - [0, 7][n / 3 % 2],
            interval_hours: [None, Some(1), Some(24)][n % 3],
            by: SessionGrouping { project: n & 1 > 0, release: n & 2 > 0, environment: n & 4 > 0 },
            with_users: n % 4 != 1,
            with_durations: n % 4 != 2,
        };
        let found = store.session_sums(&query).await.expect("sums");
        assert_eq!(found, expected(&counts, &query), "{query:?}");
    }
    let nobody = SessionQuery { projects: Vec::new(), ..everything(place) };
    assert_eq!(store.session_sums(&nobody).await.expect("sums"), []);
    let has_sessions = async |project| store.project_facts(&[project]).await.expect("reads")[0].has_sessions;
    assert!(has_sessions(place.web).await && !has_sessions(ProjectId(u64::MAX >> 1)).await);
    let books = store.books().await.expect("reads");
    assert_eq!((books.imbalances(), books.accounts[0].quantity), (Vec::new(), 180));
}

/// Hours and states are forgotten; what is not old enough stays as it is.
pub async fn sessions_age(store: &impl MetaStore) {
    let place = Place::make(store, "acme").await;
    let updates = updates(place);
    let batch = updates.iter().map(|update| counted(place, update.clone())).collect();
    store.apply_sessions(batch, settlement(180, 180)).await.expect("applies");
    let before = NOW.minus(HOUR * 20);
    store.expire_sessions(before, before).await.expect("forgets");
    let mut counts = final_counts(&updates);
    counts.retain(|change| change.hour >= before.hours());
    let query = everything(place);
    assert_eq!(store.session_sums(&query).await.expect("sums"), expected(&counts, &query));

    // Told again, sessions that are remembered change nothing.
    let mut kept: BTreeMap<_, SessionState> = BTreeMap::new();
    let key = |state: &SessionState, sid: &EventId| (state.place.project_id, *sid);
    for update in &updates {
        if let SessionUpdate::One { sid, state } = update {
            let state = merge(kept.get(&key(state, sid)), state.clone()).0;
            kept.insert(key(&state, sid), state);
        }
    }
    kept.retain(|_, state| state.started >= before && state.started.hours() >= before.hours());
    let again = updates.into_iter().filter(|update| match update {
        SessionUpdate::One { sid, state } => kept.contains_key(&key(state, sid)),
        SessionUpdate::Counted { .. } => false,
    });
    let again: Vec<_> = again.map(|update| counted(place, update)).collect();
    assert!(again.len() > 10);
    store.apply_sessions(again, settlement(300, 120)).await.expect("applies");
    assert_eq!(store.session_sums(&query).await.expect("sums"), expected(&counts, &query));

    let later = NOW.plus(HOUR * 2);
    store.expire_sessions(later, later).await.expect("forgets");
    assert!(!store.project_facts(&[place.web]).await.expect("reads")[0].has_sessions);
    assert_eq!(store.session_sums(&query).await.expect("sums"), []);
}

/// A record that counts sessions counts once, in whatever batch it comes again.
pub async fn counted_sessions_count_once(store: &impl MetaStore) {
    let place = Place::make(store, "acme").await;
    let tally = HealthTally { sessions: 3, ..HealthTally::default() };
    let change = HealthChange { place: session_place(place, 0), hour: NOW.hours(), user: None, tally };
    let update = |n| counted(place, SessionUpdate::Counted { record: record(n), changes: vec![change.clone()] });
    store.apply_sessions(vec![update(1), update(1), update(2)], settlement(3, 3)).await.expect("applies");
    store.apply_sessions(vec![update(2)], settlement(4, 1)).await.expect("applies");
    let query = SessionQuery { projects: vec![place.web], ..everything(place) };
    let found = store.session_sums(&query).await.expect("sums");
    assert_eq!(found.iter().map(|sum| sum.health.sessions).collect::<Vec<_>>(), [6]);
    let accepted = (Outcome::Accepted, String::new(), 2);
    let repeated = (Outcome::Invalid, "duplicate".to_owned(), 2);
    assert_eq!(sums(store, place.web, DataCategory::Session).await, [accepted, repeated]);
}

/// A release is known since the first that named it, and has the issues that were first seen in it.
pub async fn releases_are_listed(store: &impl MetaStore) {
    let place = Place::make(store, "acme").await;
    let of_event = NOW.minus(HOUR * 9);
    let mut first = issue(1, place.web, 1);
    first.first_release = Some("web@2.0".to_owned());
    let mut second = issue(2, place.web, 2);
    second.first_release = first.first_release.clone();
    let changes = Changes {
        created: vec![first, second, issue(3, place.api, 1)],
        releases: vec![(place.web, "web@2.0".to_owned(), of_event), (place.api, "web@2.0".to_owned(), NOW)],
        ..Changes::default()
    };
    apply(store, changes).await;
    let session = |release: &str, started: Timestamp| {
        let place_of = SessionPlace { release: release.to_owned(), ..session_place(place, 0) };
        let tally = HealthTally { sessions: 1, ..HealthTally::default() };
        let change = HealthChange { place: place_of, hour: started.hours(), user: None, tally };
        counted(place, SessionUpdate::Counted { record: record(started.0 as usize), changes: vec![change] })
    };
    let sessions = vec![session("web@1.0", NOW.minus(HOUR * 2)), session("web@2.0", NOW.minus(HOUR * 30))];
    store.apply_sessions(sessions, settlement(2, 2)).await.expect("applies");

    let all = [place.web, place.api];
    let release = |project_id, version: &str, date| Release {
        project_id,
        version: version.to_owned(),
        date,
        facts: ReleaseFacts::default(),
    };
    let whole = Timestamp::from_secs(NOW.minus(HOUR * 2).hours() * 3600);
    let newest = release(place.api, "web@2.0", NOW);
    let (second, third) = (release(place.web, "web@1.0", whole), release(place.web, "web@2.0", of_event));
    let found = store.releases(&all, None).await.expect("lists");
    assert_eq!(found, [newest.clone(), second.clone(), third.clone()]);
    assert_eq!(store.releases(&all, Some("web@2.0")).await.expect("lists"), [newest, third]);
    assert_eq!(store.releases(&[place.web], Some("web@1.0")).await.expect("lists"), [second]);
    assert_eq!(store.releases(&[], None).await.expect("lists"), []);
    let versions = ["web@2.0".to_owned(), "web@1.0".to_owned()];
    assert_eq!(store.new_issues(&all, &versions).await.expect("counts"), [(place.web, "web@2.0".to_owned(), 2)]);
    assert_eq!(store.new_issues(&[place.api], &versions).await.expect("counts"), []);
}

/// A release that somebody makes is there like others; what is said about it is the same for all its projects.
pub async fn releases_are_made_and_changed(store: &impl MetaStore) {
    let place = Place::make(store, "acme").await;
    let all = [place.web, place.api];
    let later = NOW.plus(HOUR);
    let put = async |projects: &[ProjectId], change: ReleaseChange, now| {
        let put = ReleasePut { version: "web@3".to_owned(), projects: projects.to_vec(), change };
        store.put_release(&all, put, now).await.expect("puts")
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(put(&[], ReleaseChange::default(), NOW).await, ReleaseOutcome::Nowhere);
    assert_eq!(store.releases(&all, None).await.expect("lists"), []);
    let first = ReleaseChange { reference: Some(text("abc")), started: Some(Some(NOW)), ..ReleaseChange::default() };
    assert_eq!(put(&[place.web], first, NOW).await, ReleaseOutcome::Created);
    assert_eq!(store.latest_releases(&all).await.expect("lists"), [(place.web, "web@3".to_owned())]);
    let second =
        ReleaseChange { url: Some(text("https://a.example")), archived: Some(true), ..ReleaseChange::default() };
    assert_eq!(put(&[place.api], second, later).await, ReleaseOutcome::Changed);
    assert_eq!(
        put(&[], ReleaseChange { released: Some(Some(later)), ..ReleaseChange::default() }, later).await,
        ReleaseOutcome::Changed
    );
    let facts = ReleaseFacts {
        reference: text("abc"),
        url: text("https://a.example"),
        released: Some(later),
        started: Some(NOW),
        archived: true,
    };
    let found = store.releases(&all, Some("web@3")).await.expect("lists");
    let told: Vec<_> = found.into_iter().map(|release| (release.project_id, release.date, release.facts)).collect();
    let expected = [(place.api, later, facts.clone()), (place.web, NOW, facts.clone())];
    assert_eq!(told, expected, "known since each got it");
    put(&[], ReleaseChange { released: Some(None), ..ReleaseChange::default() }, later).await;
    let found = store.releases(&all, Some("web@3")).await.expect("lists");
    let taken_back = ReleaseFacts { released: None, ..facts };
    assert!(found.iter().all(|release| release.facts == taken_back), "{found:?}");
}
