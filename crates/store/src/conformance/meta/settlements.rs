//! Settling of batches.

use std::time::Duration;

use nuthatch_protocol::{
    DataCategory, EventId, KeyId, LetterId, Origin, Outcome, Position, ProjectId, Timestamp, Topic, Units,
};

use super::fixture::{NOW, Place, letter};
use crate::{
    MetaStore,
    dead_letters::LetterScope,
    issues::ConsumerPosition,
    outcomes::{OutcomeGrouping, OutcomeQuery, SUM_MAX},
    settlements::{Counted, ItemKey, SeenItem, Settlement},
};

/// A settlement of a consumer of transactions that moves it to an offset.
pub(super) fn settlement(topic: Topic, offset: u64, records: u64) -> Settlement {
    let consumer =
        ConsumerPosition { consumer: "tester".to_owned(), position: Position { topic, partition: 0, offset } };
    Settlement::of(consumer, records)
}

/// One unit of a project.
pub(super) fn one(project: ProjectId, category: DataCategory, received: Timestamp) -> Units {
    let origin = Origin { received, project_id: Some(project), key_id: Some(KeyId(1)) };
    Units { origin, counts: vec![(category, 1)] }
}

/// What a project's units of a category became: outcome, reason, quantity.
pub(super) async fn sums(
    store: &impl MetaStore,
    project: ProjectId,
    category: DataCategory,
) -> Vec<(Outcome, String, u64)> {
    let query = OutcomeQuery {
        projects: vec![project],
        keys: Vec::new(),
        categories: vec![category],
        outcomes: Vec::new(),
        reasons: Vec::new(),
        from_minute: 0,
        until_minute: i64::MAX / 2,
        interval_minutes: 1_000_000_000,
        by: OutcomeGrouping { outcome: true, reason: true, ..OutcomeGrouping::default() },
    };
    let sums = store.outcome_sums(&query).await.expect("sums");
    let words = |group: crate::outcomes::OutcomeGroup| (group.outcome.expect("asked"), group.reason.expect("asked"));
    sums.into_iter()
        .map(|sum| {
            let (outcome, reason) = words(sum.group);
            (outcome, reason, sum.quantity)
        })
        .collect()
}

/// A settlement counts, keeps letters, remembers replays and moves; a repeated one changes nothing; the books balance.
pub async fn batches_are_settled_once(store: &impl MetaStore) {
    let place = Place::make(store, "acme").await;
    let mut batch = settlement(Topic::IngestTransactions, 2, 2);
    batch.outcomes.extend(one(place.web, DataCategory::Session, NOW).became(Outcome::Filtered, "noise"));
    batch.letters.push(letter(7, Some(place.web), "invalid_json"));
    let replay = ItemKey::of_replay(place.web, LetterId(1 << 40));
    let position = Position { topic: Topic::IngestTransactions, partition: 0, offset: 1 };
    batch.replays.push((SeenItem { key: replay, position }, NOW));
    batch.releases.insert((place.web, "web@1.0".to_owned()), NOW);
    for _ in 0..2 {
        store.settle(batch.clone()).await.expect("settles");
    }
    let start = Position { offset: 0, ..batch.consumer.position };
    assert_eq!(store.position("tester", start).await.expect("looks up").offset, 2);
    assert_eq!(sums(store, place.web, DataCategory::Session).await, [(Outcome::Filtered, "noise".to_owned(), 1)]);
    let letters = store.letter_counts(LetterScope::Project(place.web)).await.expect("counts");
    assert_eq!(letters, [("invalid_json".to_owned(), 1)]);
    let later = SeenItem { key: replay, position: Position { offset: 2, ..position } };
    let mut next = Settlement { replays: vec![(later, NOW)], ..settlement(Topic::IngestTransactions, 3, 1) };
    next.releases = batch.releases.keys().map(|release| (release.clone(), NOW.plus(Duration::from_secs(1)))).collect();
    store.settle(next).await.expect("settles");
    let releases = store.releases(&[place.web, place.api], None).await.expect("lists");
    let releases: Vec<_> =
        releases.iter().map(|known| (known.project_id, known.version.as_str(), known.date)).collect();
    assert_eq!(releases, [(place.web, "web@1.0", NOW)], "known since it was first named");
    let found = store.first_positions(&[replay, ItemKey::of_replay(place.web, LetterId(1))]).await.expect("looks up");
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [(replay, position)], "the first one stays");
    store.forget_items(NOW.plus(Duration::from_secs(1))).await.expect("forgets");
    assert!(store.first_positions(&[replay]).await.expect("looks up").is_empty());
    assert_eq!(store.books().await.expect("reads").imbalances(), []);
}

/// However much clients claim, sums do not overflow, and the books balance.
pub async fn sums_have_a_bound(store: &impl MetaStore) {
    let place = Place::make(store, "acme").await;
    let mut claimed = one(place.web, DataCategory::LogByte, NOW).became(Outcome::ClientDiscard, "other");
    for _ in 0..64 {
        claimed.extend(claimed.clone());
    }
    for offset in 1..=3 {
        let settlement = Settlement { outcomes: claimed.clone(), ..settlement(Topic::Outcomes, offset, 1) };
        store.settle(settlement).await.expect("settles");
    }
    let expected = [(Outcome::ClientDiscard, "other".to_owned(), SUM_MAX)];
    assert_eq!(sums(store, place.web, DataCategory::LogByte).await, expected);
    store.roll_up_outcomes(NOW.plus(Duration::from_hours(2))).await.expect("rolls up");
    assert_eq!(sums(store, place.web, DataCategory::LogByte).await, expected);
    assert_eq!(store.books().await.expect("reads").imbalances(), []);
    store.expire_outcomes(NOW.plus(Duration::from_hours(2))).await.expect("forgets");
    assert_eq!(store.books().await.expect("reads").imbalances(), []);
}

/// The first item of an id counts, in whatever batch; another project's or category's is another item.
pub async fn items_count_once(store: &impl MetaStore) {
    let place = Place::make(store, "acme").await;
    let item = |project_id, category, id: u8, offset, received| {
        let key = ItemKey { project_id, category, id: EventId([id; 16]) };
        let position = Position { topic: Topic::IngestTransactions, partition: 0, offset };
        Counted { what: SeenItem { key, position }, units: one(project_id, category, received) }
    };
    let (transaction, profile) = (DataCategory::Transaction, DataCategory::Profile);
    let old = NOW.minus(Duration::from_hours(48));
    let first = vec![
        item(place.web, transaction, 1, 0, old),
        item(place.web, transaction, 1, 1, NOW),
        item(place.api, transaction, 1, 2, NOW),
    ];
    let second = vec![item(place.web, transaction, 1, 3, NOW), item(place.web, profile, 1, 4, NOW)];
    for _ in 0..2 {
        store.settle_once(first.clone(), settlement(Topic::IngestTransactions, 3, 3)).await.expect("settles");
    }
    store.settle_once(second, settlement(Topic::IngestTransactions, 5, 2)).await.expect("settles");
    let counted = [(Outcome::Accepted, String::new(), 1), (Outcome::Invalid, "duplicate".to_owned(), 2)];
    assert_eq!(sums(store, place.web, transaction).await, counted);
    assert_eq!(sums(store, place.web, profile).await, counted[..1]);
    assert_eq!(store.books().await.expect("reads").imbalances(), []);

    let key = ItemKey { project_id: place.web, category: transaction, id: EventId([1; 16]) };
    let strange = ItemKey { id: EventId([9; 16]), ..key };
    let found = store.first_positions(&[key, strange]).await.expect("looks up");
    assert_eq!(found.into_iter().map(|(key, at)| (key, at.offset)).collect::<Vec<_>>(), [(key, 0)]);

    store.forget_items(NOW.minus(Duration::from_hours(1))).await.expect("forgets");
    assert!(store.first_positions(&[key]).await.expect("looks up").is_empty());
    let kept = ItemKey { project_id: place.api, ..key };
    assert_eq!(store.first_positions(&[kept]).await.expect("looks up").len(), 1);
}
