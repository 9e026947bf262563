//! The ledger: what became of everything that was received, and whether its books balance.

use std::collections::BTreeMap;

use async_trait::async_trait;
use nuthatch_protocol::{DataCategory, KeyId, Outcome, Partition, ProjectId, Timestamp, Topic};

use crate::StoreError;

/// Sums of outcomes by minute. What the worker decides is added by [`crate::IssueStore::transact`], in the transaction
/// of its effects, or by [`crate::SettlementStore`] and the stores that settle with it.
#[async_trait]
pub trait OutcomeStore: Send + Sync + 'static {
    /// Sums, by what the query asks and by interval, in this order; sums of nothing are left out.
    async fn outcome_sums(&self, query: &OutcomeQuery) -> Result<Vec<OutcomeSum>, StoreError>;

    /// Puts the minutes of each hour that ended before a time together: they are then counted in its first minute.
    async fn roll_up_outcomes(&self, before: Timestamp) -> Result<(), StoreError>;

    /// Forgets the sums of hours that ended before a time, as retention demands. [`Books`] remember how much that was.
    async fn expire_outcomes(&self, before: Timestamp) -> Result<(), StoreError>;

    /// All that must balance, as it was at one moment.
    async fn books(&self) -> Result<Books, StoreError>;
}

/// Most units that are counted of one project, category and outcome over all times; what is beyond is not counted any more.
/// So no sum can overflow, whatever clients claim.
pub const SUM_MAX: u64 = 1 << 48;

/// How many of some units are counted when so many were before.
pub fn countable(quantity: u64, counted: i64) -> i64 {
    let room = SUM_MAX.saturating_sub(counted.max(0) as u64);
    quantity.min(room) as i64
}

/// Which outcomes, and how they are summed up. Empty lists: all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeQuery {
    /// Projects; always given, so that nobody reads another's. Empty: none.
    pub projects: Vec<ProjectId>,
    /// Keys.
    pub keys: Vec<KeyId>,
    /// Categories.
    pub categories: Vec<DataCategory>,
    /// Outcomes.
    pub outcomes: Vec<Outcome>,
    /// Reasons.
    pub reasons: Vec<String>,
    /// At or after this minute.
    pub from_minute: i64,
    /// Before this minute.
    pub until_minute: i64,
    /// Minutes of an interval, at least 1. Intervals begin at whole multiples of it since the epoch.
    pub interval_minutes: i64,
    /// What is told apart.
    pub by: OutcomeGrouping,
}

/// What sums are told apart by, besides the interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutcomeGrouping {
    /// The project.
    pub project: bool,
    /// The key.
    pub key: bool,
    /// The category.
    pub category: bool,
    /// The outcome.
    pub outcome: bool,
    /// The reason.
    pub reason: bool,
}

/// What a sum is of. What was not asked for is `None`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OutcomeGroup {
    /// The project.
    pub project: Option<ProjectId>,
    /// The key; 0 for what came without one.
    pub key: Option<KeyId>,
    /// The category.
    pub category: Option<DataCategory>,
    /// The outcome.
    pub outcome: Option<Outcome>,
    /// The reason.
    pub reason: Option<String>,
}

/// A sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeSum {
    /// Of what.
    pub group: OutcomeGroup,
    /// First minute of the interval.
    pub start_minute: i64,
    /// Units.
    pub quantity: u64,
}

/// What must balance. An opening is what there was when the ledger began.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Books {
    /// One for each consumer and partition that outcomes came from, in this order.
    pub accounts: Vec<Account>,
    /// By project, category and outcome.
    pub totals: Vec<Total>,
    /// Events that the issues of each project counted, by project.
    pub issue_events: Vec<(ProjectId, u64)>,
    /// Check-ins that wait for their monitor: they have no outcome yet.
    pub waiting_check_ins: i64,
}

/// What a consumer counted of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The consumer.
    pub consumer: String,
    /// The topic.
    pub topic: Topic,
    /// The partition.
    pub partition: Partition,
    /// Records it had applied.
    pub opening: i64,
    /// Records that were counted since.
    pub records: i64,
    /// Units they stand for.
    pub quantity: i64,
    /// Offset of the next record it will apply.
    pub applied: i64,
}

/// The sum of an outcome over all times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    /// The project; 0 for what belongs to none.
    pub project: ProjectId,
    /// The category.
    pub category: DataCategory,
    /// The outcome.
    pub outcome: Outcome,
    /// Units there were.
    pub opening: i64,
    /// Units that were counted since.
    pub quantity: i64,
    /// Units whose minutes retention forgot.
    pub expired: i64,
    /// Messages that brought those units and that retention forgot.
    pub forgotten: i64,
    /// Units in the minutes that are there.
    pub in_minutes: i64,
    /// Messages that are remembered as counted, when this is what was accepted of them.
    pub remembered: i64,
    /// Units of user reports, which count as feedback and are no events of issues.
    pub reports: i64,
}

/// A number that is not what another one says it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imbalance {
    /// Stable word for the check.
    pub check: &'static str,
    /// Where.
    pub place: String,
    /// What the first side says.
    pub expected: i64,
    /// What the second side says.
    pub found: i64,
}

impl Books {
    /// What does not balance. Empty when all is well.
    pub fn imbalances(&self) -> Vec<Imbalance> {
        let accounts = self.accounts.iter().flat_map(Account::imbalances);
        let counted = self.accounts.iter().map(|account| account.quantity).sum();
        let summed = self.totals.iter().map(|total| total.quantity).sum();
        let sum = imbalance("outcomes-of-records", || "all projects".to_owned(), counted, summed);
        let totals = self.totals.iter().flat_map(Total::imbalances);
        accounts.chain(sum).chain(self.check_ins()).chain(totals).chain(self.messages()).chain(self.issues()).collect()
    }

    /// A check-in has its outcome, or waits for it.
    fn check_ins(&self) -> Option<Imbalance> {
        let accounts = self.accounts.iter().filter(|account| account.topic == Topic::IngestMonitors);
        let (records, counted) = accounts
            .fold((0, 0), |(records, counted), account| (records + account.records, counted + account.quantity));
        imbalance("check-ins", || "all projects".to_owned(), records, counted + self.waiting_check_ins)
    }

    /// What was accepted as an event of an issue is what the metadata remembers of it, or has forgotten.
    fn messages(&self) -> impl Iterator<Item = Imbalance> {
        let mut sums: BTreeMap<(ProjectId, bool), (i64, i64)> = BTreeMap::new();
        for total in self.totals.iter().filter(|total| total.is_of_issues()) {
            // Only whether it was an event itself is remembered, not what kind of event.
            let of_event = total.category != DataCategory::Occurrence;
            let (accepted, known) = sums.entry((total.project, of_event)).or_default();
            *accepted += total.of_messages();
            *known += total.remembered + total.forgotten;
        }
        sums.into_iter().filter_map(|((project, of_event), (accepted, known))| {
            let what = if of_event { "events" } else { "occurrences" };
            imbalance("messages", || format!("project {project}, {what}"), accepted, known)
        })
    }

    /// What was accepted as an event of an issue is what the issues count.
    fn issues(&self) -> impl Iterator<Item = Imbalance> {
        let accepted = |project| {
            let of_issues = self.totals.iter().filter(move |total| total.project == project && total.is_of_issues());
            of_issues.map(Total::of_messages).sum()
        };
        let counted = |project| {
            let known = self.issue_events.iter().find(|(known, _)| *known == project);
            known.map_or(0, |(_, events)| i64::try_from(*events).unwrap_or(i64::MAX))
        };
        let mut projects: Vec<ProjectId> = self.totals.iter().map(|total| total.project).collect();
        projects.extend(self.issue_events.iter().map(|(project, _)| *project));
        projects.sort_unstable();
        projects.dedup();
        projects.into_iter().filter_map(move |project| {
            imbalance("issue-counters", || format!("project {project}"), accepted(project), counted(project))
        })
    }
}

impl Account {
    fn imbalances(&self) -> impl Iterator<Item = Imbalance> + use<> {
        let Self { consumer, topic, partition, opening, records, quantity, applied } = self.clone();
        let place = move || format!("consumer {consumer} of {topic}/{partition}");
        let position = imbalance("records-of-position", &place, applied, opening + records);
        // Other records may stand for many units each.
        let units = (topic.is_events() || topic == Topic::IngestOccurrences).then_some(quantity);
        let units = units.and_then(|units| imbalance("one-outcome-each", &place, records, units));
        position.into_iter().chain(units)
    }
}

impl Total {
    /// Whether these are units that an issue counts and the metadata remembers.
    pub fn is_of_issues(&self) -> bool {
        let of_issues = [DataCategory::Error, DataCategory::Security, DataCategory::Feedback, DataCategory::Occurrence];
        self.outcome == Outcome::Accepted && of_issues.contains(&self.category)
    }

    /// Units that messages to the issues brought.
    fn of_messages(&self) -> i64 {
        self.opening + self.quantity - self.reports
    }

    fn imbalances(&self) -> impl Iterator<Item = Imbalance> + use<> {
        let Self { project, category, outcome, .. } = *self;
        let place = move || format!("project {project}, {category}, {outcome}");
        imbalance("minutes", place, self.quantity, self.in_minutes + self.expired).into_iter()
    }
}

fn imbalance(check: &'static str, place: impl Fn() -> String, expected: i64, found: i64) -> Option<Imbalance> {
    (expected != found).then(|| Imbalance { check, place: place(), expected, found })
}
