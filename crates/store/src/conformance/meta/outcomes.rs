//! The ledger of outcomes.

use std::time::Duration;

use nuthatch_issues::{
    Changes, MessageKey,
    changes::{EventFate, Handled},
};
use nuthatch_protocol::{
    DataCategory, EventId, KeyId, Origin, Outcome, Outcomes, Position, ProjectId, Timestamp, Topic,
};

use super::fixture::{NOW, Place, issue, try_apply};
use crate::{
    MetaStore,
    issues::ConsumerPosition,
    outcomes::{Books, OutcomeGroup, OutcomeGrouping, OutcomeQuery},
    settlements::Settlement,
};

fn at(topic: Topic, offset: u64) -> ConsumerPosition {
    let consumer = if topic == Topic::Outcomes { "outcomes" } else { "issues" }.to_owned();
    ConsumerPosition { consumer, position: Position { topic, partition: 0, offset } }
}

/// Minute, project, key, category, outcome, reason, quantity.
type Unit = (i64, Option<ProjectId>, KeyId, DataCategory, Outcome, &'static str, u64);

/// Units of many kinds, one a minute.
fn units(place: Place) -> Vec<Unit> {
    let category = |n: usize| [DataCategory::Error, DataCategory::Attachment, DataCategory::Unknown][n % 3];
    let unit = |n: usize| {
        let project = [Some(place.web), Some(place.api), None][n % 4 % 3];
        // Accepted errors come with the issues that count them.
        let outcome = match (category(n), Outcome::ALL[n % Outcome::ALL.len()]) {
            (DataCategory::Error, Outcome::Accepted) => Outcome::Filtered,
            (_, outcome) => outcome,
        };
        let reason = ["", "duplicate", "x's \u{0} \"y\""][n / 2 % 3];
        (n as i64, project, KeyId(n as u64 % 3), category(n), outcome, reason, n as u64 * 10 + 1)
    };
    (0..150).map(unit).collect()
}

fn first_minute() -> i64 {
    NOW.hours() * 60
}

async fn fill(store: &impl MetaStore, place: Place) -> Outcomes {
    let mut outcomes = Outcomes::default();
    for (minute, project_id, key, category, outcome, reason, quantity) in units(place) {
        let received = Timestamp::from_secs((first_minute() + minute) * 60 + 59);
        let origin = Origin { received, project_id, key_id: (key.0 > 0).then_some(key) };
        outcomes.add(origin.key(category, outcome, reason), quantity);
    }
    let settlement = Settlement { outcomes: outcomes.clone(), ..Settlement::of(at(Topic::Outcomes, 3), 3) };
    store.settle(settlement.clone()).await.expect("adds");
    store.settle(settlement).await.expect("was added before");
    outcomes
}

fn everything(place: Place) -> OutcomeQuery {
    OutcomeQuery {
        projects: vec![place.web, place.api],
        keys: Vec::new(),
        categories: Vec::new(),
        outcomes: Vec::new(),
        reasons: Vec::new(),
        from_minute: first_minute(),
        until_minute: first_minute() + 150,
        interval_minutes: 1,
        by: OutcomeGrouping::default(),
    }
}

async fn total(store: &impl MetaStore, query: &OutcomeQuery) -> u64 {
    store.outcome_sums(query).await.expect("sums").iter().map(|sum| sum.quantity).sum()
}

async fn balanced(store: &impl MetaStore) -> Books {
    let books = store.books().await.expect("reads");
    assert_eq!(books.imbalances(), []);
    books
}

/// Sums are those of a plain filter, whatever is asked; nobody's units are in no project's sums.
pub async fn outcomes_are_summed_as_asked(store: &impl MetaStore) {
    let place = Place::make(store, "acme").await;
    fill(store, place).await;
    assert_eq!(store.position("outcomes", at(Topic::Outcomes, 0).position).await.expect("looks up").offset, 3);
    let by = |n: u32| OutcomeGrouping {
        project: n & 1 > 0,
        key: n & 2 > 0,
        category: n & 4 > 0,
        outcome: n & 8 > 0,
        reason: n & 16 > 0,
    };
    for n in 0..64 {
        let mut query = OutcomeQuery { by: by(n), interval_minutes: [1, 7, 60][n as usize % 3], ..everything(place) };
        if n % 5 == 1 {
            query.projects = vec![place.api];
        }
        if n % 7 == 2 {
            query.keys = vec![KeyId(1), KeyId(2)];
        }
        if n % 3 == 1 {
            query.categories = vec![DataCategory::Error, DataCategory::Unknown];
            query.from_minute += 20;
        }
        if n % 4 == 3 {
            query.outcomes = vec![Outcome::Invalid, Outcome::Accepted];
            query.until_minute -= 9;
        }
        if n % 6 == 5 {
            query.reasons = vec!["duplicate".to_owned(), "x's \u{0} \"y\"".to_owned()];
        }
        let among = |list: &[KeyId], key: KeyId| list.is_empty() || list.contains(&key);
        let mut wanted = std::collections::BTreeMap::new();
        for (minute, project, key, category, outcome, reason, quantity) in units(place) {
            let minute = first_minute() + minute;
            let holds = (query.from_minute..query.until_minute).contains(&minute)
                && project.is_some_and(|project| query.projects.contains(&project))
                && among(&query.keys, key)
                && (query.categories.is_empty() || query.categories.contains(&category))
                && (query.outcomes.is_empty() || query.outcomes.contains(&outcome))
                && (query.reasons.is_empty() || query.reasons.iter().any(|wanted| wanted == reason));
            if holds {
                let group = OutcomeGroup {
                    project: project.filter(|_| query.by.project),
                    key: query.by.key.then_some(key),
                    category: query.by.category.then_some(category),
                    outcome: query.by.outcome.then_some(outcome),
                    reason: query.by.reason.then(|| reason.to_owned()),
                };
                let start = minute / query.interval_minutes * query.interval_minutes;
                *wanted.entry((group, start)).or_insert(0) += quantity;
            }
        }
        let found = store.outcome_sums(&query).await.expect("sums");
        let found: Vec<_> = found.into_iter().map(|sum| ((sum.group, sum.start_minute), sum.quantity)).collect();
        assert_eq!(found, wanted.into_iter().collect::<Vec<_>>(), "{query:?}");
    }
    let nobody = OutcomeQuery { projects: Vec::new(), ..everything(place) };
    assert_eq!(store.outcome_sums(&nobody).await.expect("sums"), []);
}

/// Hours are put together and forgotten whole; the books balance through all of it.
pub async fn outcomes_age(store: &impl MetaStore) {
    let place = Place::make(store, "acme").await;
    let all = fill(store, place).await;
    assert_eq!(balanced(store).await.accounts[0].quantity as u64, all.quantity());
    let before = total(store, &everything(place)).await;
    let second_hour = NOW.plus(Duration::from_hours(1));
    store.roll_up_outcomes(second_hour).await.expect("rolls up");
    store.roll_up_outcomes(second_hour).await.expect("changes nothing");
    let first = OutcomeQuery { until_minute: first_minute() + 60, ..everything(place) };
    let sums = store.outcome_sums(&first).await.expect("sums");
    assert!(sums.iter().all(|sum| sum.start_minute == first_minute()), "{sums:?}");
    let in_first = total(store, &first).await;
    assert_eq!(total(store, &everything(place)).await, before);
    assert!(store.outcome_sums(&everything(place)).await.expect("sums").len() > 10, "later hours stay as they are");
    balanced(store).await;

    store.expire_outcomes(second_hour).await.expect("forgets");
    assert_eq!(total(store, &everything(place)).await, before - in_first);
    store.expire_outcomes(second_hour.plus(Duration::from_hours(5))).await.expect("forgets");
    assert_eq!(total(store, &everything(place)).await, 0);
    let books = balanced(store).await;
    assert_eq!(books.totals.iter().map(|total| total.expired).sum::<i64>() as u64, all.quantity());
}

/// An event of an issue is counted with its effects or not at all, and the books know what retention took.
pub async fn outcomes_move_with_their_effects(store: &impl MetaStore) {
    let place = Place::make(store, "acme").await;
    let origin = Origin { received: NOW, project_id: Some(place.web), key_id: Some(KeyId(1)) };
    let changes = |n: u64| {
        let mut outcomes = Outcomes::default();
        outcomes.add(origin.key(DataCategory::Error, Outcome::Accepted, ""), 1);
        outcomes.add(origin.key(DataCategory::Error, Outcome::Invalid, "duplicate"), 1);
        let key = MessageKey { project_id: place.web, id: EventId([n as u8; 16]), of_event: true };
        let position = Some(at(Topic::IngestEvents, 2 * n).position);
        Changes {
            created: vec![issue(n, place.web, n)],
            handled: vec![Handled { key, position, fate: EventFate::Counted, at: NOW }],
            outcomes,
            ..Changes::default()
        }
    };
    for n in 1..=3 {
        try_apply(store, Some(at(Topic::IngestEvents, 2 * n)), changes(n)).await.expect("fits");
    }
    try_apply(store, Some(at(Topic::IngestEvents, 9)), changes(3)).await.expect_err("the issue exists");
    assert_eq!(total(store, &everything(place)).await, 6);
    let books = balanced(store).await;
    assert_eq!((books.accounts[0].records, books.accounts[0].applied), (6, 6));
    assert_eq!(books.issue_events, [(place.web, 3)]);

    let kept = store.kept_events(None, NOW, 2).await.expect("lists");
    assert_eq!(kept.iter().map(|handled| handled.key.id.0[0]).collect::<Vec<_>>(), [1, 2]);
    let behind = Some((kept[1].key.project_id, kept[1].key.id));
    assert_eq!(store.kept_events(behind, NOW, 9).await.expect("lists").len(), 1);
    assert_eq!(store.kept_events(None, NOW.plus(Duration::from_secs(1)), 9).await.expect("lists"), []);

    // Its id is taken by another message, once the first one's time is over.
    let mut again = changes(3);
    again.created.clear();
    again.outcomes = Outcomes::default();
    again.outcomes.add(origin.key(DataCategory::Error, Outcome::Filtered, "noise"), 1);
    again.handled[0].fate = EventFate::None;
    try_apply(store, Some(at(Topic::IngestEvents, 7)), again).await.expect("fits");
    balanced(store).await;
    store.expire(NOW.plus(Duration::from_hours(1))).await.expect("forgets");
    let books = balanced(store).await;
    assert_eq!(books.totals.iter().map(|total| total.forgotten).sum::<i64>(), 3);
}

/// A number that is changed behind the ledger's back is named.
pub async fn damage_shows_in_the_books(store: &impl MetaStore) {
    let place = Place::make(store, "acme").await;
    fill(store, place).await;
    let books = balanced(store).await;
    let found = |damage: &dyn Fn(&mut Books)| {
        let mut books = books.clone();
        damage(&mut books);
        books.imbalances().iter().map(|found| found.check).collect::<Vec<_>>()
    };
    assert_eq!(found(&|books| books.accounts[0].applied += 1), ["records-of-position"]);
    assert_eq!(found(&|books| books.accounts[0].quantity -= 1), ["outcomes-of-records"]);
    assert_eq!(found(&|books| books.totals[0].in_minutes -= 1), ["minutes"]);
    assert_eq!(found(&|books| books.totals[0].quantity += 1)[..2], ["outcomes-of-records", "minutes"]);
    assert_eq!(found(&|books| books.issue_events.push((place.web, 1))), ["issue-counters"]);
    let error = (DataCategory::Error, Outcome::Accepted);
    let lost = found(&|books| {
        books.totals[0].remembered += 1;
        (books.totals[0].category, books.totals[0].outcome) = error;
    });
    assert!(lost.contains(&"messages"), "{lost:?}");
}
