//! The ledger: sums by key, from which everything else is computed.

use std::collections::BTreeMap;

use async_trait::async_trait;
use nuthatch_issues::changes::Handled;
use nuthatch_protocol::{
    DataCategory, KeyId, Outcome, OutcomeKey, Outcomes, Partition, Position, ProjectId, Timestamp, Topic,
};

use super::{MemoryMeta, State};
use crate::{
    OutcomeStore, StoreError,
    issues::ConsumerPosition,
    outcomes::{Account, Books, OutcomeGroup, OutcomeQuery, OutcomeSum, Total, countable},
};

/// Minutes of an hour.
const HOUR: i64 = 60;

/// What a total is of.
type TotalKey = (ProjectId, DataCategory, Outcome);

#[derive(Default)]
pub(super) struct Ledger {
    minutes: BTreeMap<OutcomeKey, u64>,
    totals: BTreeMap<TotalKey, Sums>,
    /// Opening, records and units.
    accounts: BTreeMap<(String, Topic, Partition), (i64, i64, i64)>,
}

#[derive(Default)]
struct Sums {
    quantity: i64,
    expired: i64,
    forgotten: i64,
    reports: i64,
}

fn total_key(key: &OutcomeKey) -> TotalKey {
    (key.project_id.unwrap_or_default(), key.category, key.outcome)
}

/// What a message that is remembered was counted as.
fn counted(handled: &Handled) -> Option<TotalKey> {
    let category = if handled.key.of_event { DataCategory::Error } else { DataCategory::Occurrence };
    handled.fate.is_counted().then_some((handled.key.project_id, category, Outcome::Accepted))
}

impl Ledger {
    /// A message is not remembered any more.
    pub(super) fn forget(&mut self, handled: &Handled) {
        if let Some(key) = counted(handled) {
            self.totals.entry(key).or_default().forgotten += 1;
        }
    }

    /// What a settlement accepts as feedback is a user report.
    pub(super) fn add_report(&mut self, project: ProjectId) {
        self.totals.entry((project, DataCategory::Feedback, Outcome::Accepted)).or_default().reports += 1;
    }
}

impl State {
    /// Counts outcomes of records that a consumer is about to move behind.
    pub(super) fn count(&mut self, outcomes: &Outcomes, records: u64, consumer: &ConsumerPosition) {
        let mut counted_units = 0;
        for (key, quantity) in outcomes.iter() {
            let total = self.ledger.totals.entry(total_key(key)).or_default();
            let quantity = countable(quantity, total.quantity);
            total.quantity += quantity;
            *self.ledger.minutes.entry(key.clone()).or_default() += quantity as u64;
            counted_units += quantity;
        }
        let ConsumerPosition { consumer, position: Position { topic, partition, .. } } = consumer;
        let place = (consumer.clone(), *topic, *partition);
        let opening = self.positions.get(&place).copied().unwrap_or_default() as i64;
        let (_, counted, units) = self.ledger.accounts.entry(place).or_insert((opening, 0, 0));
        *counted += records as i64;
        *units += counted_units;
    }
}

fn wanted(query: &OutcomeQuery, key: &OutcomeKey) -> bool {
    fn among<T: PartialEq>(list: &[T], one: &T) -> bool {
        list.is_empty() || list.contains(one)
    }
    (query.from_minute..query.until_minute).contains(&key.minute)
        && key.project_id.is_some_and(|project| query.projects.contains(&project))
        && among(&query.keys, &key.key_id.unwrap_or_default())
        && among(&query.categories, &key.category)
        && among(&query.outcomes, &key.outcome)
        && (query.reasons.is_empty() || query.reasons.iter().any(|reason| *reason == key.reason))
}

#[async_trait]
impl OutcomeStore for MemoryMeta {
    async fn outcome_sums(&self, query: &OutcomeQuery) -> Result<Vec<OutcomeSum>, StoreError> {
        let state = self.lock();
        let interval = query.interval_minutes.max(1);
        let mut sums: BTreeMap<(OutcomeGroup, i64), u64> = BTreeMap::new();
        for (key, quantity) in state.ledger.minutes.iter().filter(|(key, _)| wanted(query, key)) {
            let group = OutcomeGroup {
                project: key.project_id.filter(|_| query.by.project),
                key: query.by.key.then_some(key.key_id.unwrap_or(KeyId(0))),
                category: query.by.category.then_some(key.category),
                outcome: query.by.outcome.then_some(key.outcome),
                reason: query.by.reason.then(|| key.reason.to_string()),
            };
            *sums.entry((group, key.minute.div_euclid(interval) * interval)).or_default() += quantity;
        }
        Ok(sums
            .into_iter()
            .map(|((group, start_minute), quantity)| OutcomeSum { group, start_minute, quantity })
            .collect())
    }

    async fn roll_up_outcomes(&self, before: Timestamp) -> Result<(), StoreError> {
        let mut state = self.lock();
        let later = state.ledger.minutes.split_off(&first_of(before.hours() * HOUR));
        let minutes = std::mem::replace(&mut state.ledger.minutes, later);
        for (key, quantity) in minutes {
            let minute = key.minute.div_euclid(HOUR) * HOUR;
            *state.ledger.minutes.entry(OutcomeKey { minute, ..key }).or_default() += quantity;
        }
        Ok(())
    }

    async fn expire_outcomes(&self, before: Timestamp) -> Result<(), StoreError> {
        let mut state = self.lock();
        let later = state.ledger.minutes.split_off(&first_of(before.hours() * HOUR));
        for (key, quantity) in std::mem::replace(&mut state.ledger.minutes, later) {
            state.ledger.totals.entry(total_key(&key)).or_default().expired += quantity as i64;
        }
        Ok(())
    }

    async fn books(&self) -> Result<Books, StoreError> {
        let state = self.lock();
        let accounts = state.ledger.accounts.iter().map(|(place, (opening, records, quantity))| Account {
            consumer: place.0.clone(),
            topic: place.1,
            partition: place.2,
            opening: *opening,
            records: *records,
            quantity: *quantity,
            applied: state.positions.get(place).copied().unwrap_or_default() as i64,
        });
        let mut totals: BTreeMap<TotalKey, Total> = BTreeMap::new();
        let mut total = |key: TotalKey, change: &dyn Fn(&mut Total)| {
            let (project, category, outcome) = key;
            let (opening, quantity, expired, forgotten, in_minutes, remembered, reports) = (0, 0, 0, 0, 0, 0, 0);
            change(totals.entry(key).or_insert(Total {
                project,
                category,
                outcome,
                opening,
                quantity,
                expired,
                forgotten,
                in_minutes,
                remembered,
                reports,
            }));
        };
        for (key, sums) in &state.ledger.totals {
            total(*key, &|total| {
                (total.quantity, total.expired, total.forgotten) = (sums.quantity, sums.expired, sums.forgotten);
                total.reports = sums.reports;
            });
        }
        for (key, quantity) in &state.ledger.minutes {
            total(total_key(key), &|total| total.in_minutes += *quantity as i64);
        }
        for key in state.handled.values().filter_map(counted) {
            total(key, &|total| total.remembered += 1);
        }
        let mut issue_events: BTreeMap<ProjectId, u64> = BTreeMap::new();
        for issue in state.issues.values() {
            *issue_events.entry(issue.project_id).or_default() += issue.times_seen;
        }
        Ok(Books {
            accounts: accounts.collect(),
            totals: totals.into_values().collect(),
            issue_events: issue_events.into_iter().collect(),
            waiting_check_ins: state.waiting_check_ins.len() as i64,
        })
    }
}

/// In front of every key of a minute.
fn first_of(minute: i64) -> OutcomeKey {
    OutcomeKey {
        minute,
        project_id: None,
        key_id: None,
        category: DataCategory::Default,
        outcome: Outcome::Accepted,
        reason: "".into(),
    }
}
