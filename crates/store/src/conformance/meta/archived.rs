//! What decides whether archived issues come back.

use std::collections::BTreeMap;

use nuthatch_issues::{Changes, HourlyCount, Issue, Needs, Status, Substatus, forecast::FLOOR, snooze::Snooze};
use nuthatch_protocol::{Hash, IssueId};

use super::{
    fixture::{NOW, Place, apply, issue},
    transact::snapshot,
};
use crate::MetaStore;

/// A snapshot says which of the users asked for an issue has that is archived until it has so many more.
pub async fn awaited_users_are_known(store: &impl MetaStore) {
    let Place { web, .. } = Place::make(store, "acme").await;
    let archived = |id: u64, snooze: Snooze| Issue {
        status: Status::Ignored,
        substatus: Some(Substatus::ArchivedUntilConditionMet),
        snooze: Some(snooze),
        ..issue(id, web, id)
    };
    let windowed = Snooze {
        users: Some(5),
        user_window_mins: Some(60),
        recent_users: vec![(u64::MAX, 1_700_000_000)],
        recent_events: vec![(28_333_333, 2)],
        ..Snooze::default()
    };
    let created = vec![
        archived(1, Snooze { users: Some(5), ..Snooze::default() }),
        archived(2, windowed.clone()),
        archived(3, Snooze { events: Some(5), ..Snooze::default() }),
    ];
    let hash = |n: u64| Hash([n as u8; 16]);
    let hashes = (1..=3).map(|n| (web, hash(n), IssueId(n))).collect();
    let users = (1..=3).map(|n| (IssueId(n), u64::MAX)).collect();
    apply(store, Changes { created, hashes, users, ..Changes::default() }).await;
    assert_eq!(store.issue(IssueId(2)).await.expect("looks up").expect("is there").snooze, Some(windowed));

    let hashes: Vec<_> = (1..=4).map(|n| (web, hash(n))).collect();
    let users = hashes.iter().flat_map(|(project, hash)| [7, u64::MAX].map(|user| (*project, *hash, user))).collect();
    let seen = snapshot(store, Needs { hashes, users, ..Needs::default() }).await;
    assert!(seen.known_users.contains(&(IssueId(1), u64::MAX)), "it has that one");
    assert!(!seen.known_users.contains(&(IssueId(1), 7)), "it does not have that one");
    assert!(seen.known_users.iter().all(|(id, _)| *id == IssueId(1)), "nothing is asked of the others");
}

/// A snapshot holds the hours of issues that are archived until they escalate, where they may come above the floor.
pub async fn hours_of_the_archived_are_read(store: &impl MetaStore) {
    let Place { web, .. } = Place::make(store, "acme").await;
    let waiting = |id| Issue {
        status: Status::Ignored,
        substatus: Some(Substatus::ArchivedUntilEscalating),
        ..issue(id, web, id)
    };
    let now = NOW.hours();
    let day = now.div_euclid(24) * 24;
    let count = |id, hour, count| HourlyCount { issue_id: IssueId(id), hour, count };
    let counts = vec![
        count(1, now, FLOOR),
        count(1, now - 1, 3),
        count(1, day - 14 * 24, 4),
        count(1, day - 14 * 24 - 1, 5),
        count(2, now, FLOOR - 1),
        count(3, now, 1000),
    ];
    let hash = |n: u64| Hash([n as u8; 16]);
    let hashes = (1..=3).map(|n| (web, hash(n), IssueId(n))).collect();
    let created = vec![waiting(1), waiting(2), issue(3, web, 3)];
    apply(store, Changes { created, hashes, counts, ..Changes::default() }).await;

    let asked =
        |forecast_at| Needs { hashes: (1..=3).map(|n| (web, hash(n))).collect(), forecast_at, ..Needs::default() };
    let seen = snapshot(store, asked(Some(NOW))).await;
    let expected = BTreeMap::from([(day - 14 * 24, 4), (now - 1, 3), (now, FLOOR)]);
    assert_eq!(seen.hours.get(&IssueId(1)), Some(&expected));
    assert!(
        seen.hours.get(&IssueId(2)).is_none_or(|hours| hours.get(&now) == Some(&(FLOOR - 1))),
        "one more is not above"
    );
    assert_eq!(seen.hours.get(&IssueId(3)), None, "it is not archived");
    let more = Needs { hashes: [hash(2); 2].map(|hash| (web, hash)).to_vec(), ..asked(Some(NOW)) };
    assert_eq!(snapshot(store, more).await.hours[&IssueId(2)], BTreeMap::from([(now, FLOOR - 1)]));
    assert!(snapshot(store, asked(None)).await.hours.is_empty(), "nobody asked");
}
