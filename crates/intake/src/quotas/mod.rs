//! Quotas and rate limits (`reference/ingest-protocol.md` §9): counted in the request, before it is answered.
//!
//! [`counters`] counts in memory, [`header`] tells clients, and [`kept`] lets a restart go on with what was counted.

mod counters;
mod header;
mod kept;

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use nuthatch_protocol::{Clock, DataCategory, Item, ItemAttributes, ItemType, Position, Timestamp};
use nuthatch_store::{
    projects::{Project, ProjectKey},
    quotas::{Quota, QuotaRule, QuotaScope, QuotaUsage},
};

pub(crate) use counters::ActiveQuota;
use counters::{COUNTERS_MAX, Counters, QuotaKey, Taken};
pub(crate) use header::{LimitsMet, RateLimits};
use kept::Kept;

use crate::plan::{Plan, Verdict};

/// Counts what is let through.
pub(crate) struct Quotas {
    counters: Mutex<Counters>,
    /// The note that was written last.
    last_kept: tokio::sync::Mutex<Option<Kept>>,
}

/// What of an envelope is let through.
#[derive(Debug)]
pub(crate) struct Admission {
    /// When it was decided.
    pub(crate) received: Timestamp,
    /// The reason code of each item that is not, in the order of the envelope.
    reasons: Vec<Option<String>>,
    /// The limits it met.
    pub(crate) limits: RateLimits,
    /// What was counted, with the places of the items it was counted for.
    taken: Vec<(Vec<usize>, Vec<Taken>)>,
}

impl Quotas {
    pub(crate) fn new() -> Self {
        Self { counters: Mutex::new(Counters::new(COUNTERS_MAX)), last_kept: tokio::sync::Mutex::default() }
    }

    /// Decides which items of an envelope are let through, and counts those that go to the log (§9.4).
    /// Without room in the log, nothing is.
    pub(crate) fn admit(&self, quotas: &[ActiveQuota], items: &[Item], has_room: bool, clock: &dyn Clock) -> Admission {
        if !has_room {
            let units: Vec<_> = items.iter().map(DataCategory::of_item).collect();
            return self.decide(&[full_log(appended_categories(items))], &units, groups(items), clock);
        }
        // What was uploaded before was counted when it came.
        let unless_uploaded =
            |item: &Item| if item.upload.is_some() { Vec::new() } else { DataCategory::of_item(item) };
        let units: Vec<_> = items.iter().map(unless_uploaded).collect();
        self.decide(quotas, &units, groups(items), clock)
    }

    /// Decides whether a file of so many bytes is let through that comes before its envelope, and counts it.
    pub(crate) fn admit_upload(
        &self,
        quotas: &[ActiveQuota],
        bytes: u64,
        has_room: bool,
        clock: &dyn Clock,
    ) -> Admission {
        let units = DataCategory::of(&ItemType::Attachment, &ItemAttributes::default(), bytes);
        let group = Group { together: vec![0], dependent: Vec::new() };
        if !has_room {
            let full = full_log(units.iter().map(|(category, _)| *category).collect());
            return self.decide(&[full], &[units], vec![group], clock);
        }
        self.decide(quotas, &[units], vec![group], clock)
    }

    fn decide(
        &self,
        quotas: &[ActiveQuota],
        units: &[Vec<(DataCategory, u64)>],
        groups: Vec<Group>,
        clock: &dyn Clock,
    ) -> Admission {
        let (received, reasons) = (clock.now(), vec![None; units.len()]);
        let mut admission = Admission { received, reasons, limits: RateLimits::default(), taken: Vec::new() };
        if quotas.is_empty() {
            return admission;
        }
        let of = |index: usize| units.get(index).map_or(&[][..], Vec::as_slice);
        let mut counters = self.lock();
        // Only now, so that times are in the order in which the counters were asked.
        let now = counters.time(clock.now());
        admission.received = now;
        for group in groups {
            let wanted: Vec<_> = group.together.iter().flat_map(|index| of(*index)).copied().collect();
            match counters.take(quotas, &wanted, now) {
                Ok(taken) => {
                    admission.taken.push((group.together, taken));
                    for index in group.dependent {
                        match counters.take(quotas, of(index), now) {
                            Ok(taken) => admission.taken.push((vec![index], taken)),
                            Err(exceeded) => admission.refuse(&[index], &exceeded),
                        }
                    }
                }
                Err(exceeded) => {
                    admission.refuse(&group.together, &exceeded);
                    admission.refuse(&group.dependent, &exceeded);
                }
            }
        }
        admission
    }

    /// Forgets that items were let through, none of which was accepted after all.
    pub(crate) fn give_back(&self, admission: &Admission) {
        self.give_back_but(admission, &BTreeSet::new());
    }

    /// The same when some were accepted, by their places in the envelope: what was counted for them stays counted.
    pub(crate) fn give_back_but(&self, admission: &Admission, accepted: &BTreeSet<usize>) {
        let mut counters = self.lock();
        for (places, taken) in &admission.taken {
            if !places.iter().any(|place| accepted.contains(place)) {
                counters.give_back(taken);
            }
        }
    }

    /// How much of a quota is used.
    pub(crate) fn usage(&self, quota: &Quota, now: Timestamp) -> QuotaUsage {
        self.lock().usage(QuotaKey::Stored(quota.id), quota.rule.window_secs, now)
    }

    /// The counters to keep, with where the log ended before.
    fn kept(&self, ends: Vec<Position>, clock: &dyn Clock) -> Kept {
        let mut counters = self.lock();
        let (at, open) = counters.open(clock.now());
        Kept::new(at, ends, open)
    }

    /// Takes over what was kept.
    fn restore(&self, kept: &Kept) {
        self.lock().restore(kept.at, &kept.counters);
    }

    /// Counts what was let through by a process before this one.
    fn count(&self, quotas: &[ActiveQuota], units: &[(DataCategory, u64)], at: Timestamp) {
        self.lock().count(quotas, units, at);
    }

    fn lock(&self) -> MutexGuard<'_, Counters> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Admission {
    /// The reason code of an item that is not let through.
    pub(crate) fn reason(&self, index: usize) -> Option<&str> {
        self.reasons.get(index)?.as_deref()
    }

    /// Whether something of the envelope is not let through, and nothing is left that would be processed.
    pub(crate) fn leaves_nothing(&self, items: &[Item]) -> bool {
        let plan = Plan::of(items);
        let is_left = |(index, item): (usize, &Item)| {
            self.reason(index).is_none() && !matches!(plan.verdict(item), Verdict::Skip(_))
        };
        self.reasons.iter().any(Option::is_some) && !items.iter().enumerate().any(is_left)
    }

    /// The longest limit gives the reason; clients are told all of them.
    fn refuse(&mut self, indexes: &[usize], exceeded: &[counters::Exceeded<'_>]) {
        let Some(longest) = exceeded.iter().max_by_key(|one| one.retry_secs) else { return };
        for index in indexes {
            if let Some(reason) = self.reasons.get_mut(*index) {
                *reason = Some(longest.quota.rule.reason_code.clone());
            }
        }
        for one in exceeded {
            self.limits.add(*one);
        }
    }
}

/// Items that are decided about together, by their places in the envelope.
#[derive(Debug, Default)]
struct Group {
    /// All of them are let through or none.
    together: Vec<usize>,
    /// Each needs the ones above to be let through, and then a place of its own.
    dependent: Vec<usize>,
}

/// What belongs together: an event with what hangs on it, the parts of a replay, everything else alone. Only what goes to
/// the log: client reports are never limited, and what is dropped anyway takes no place.
fn groups(items: &[Item]) -> Vec<Group> {
    let is_event = |item: &Item| {
        matches!(
            item.item_type,
            ItemType::Event | ItemType::Transaction | ItemType::Security | ItemType::RawSecurity | ItemType::Feedback
        )
    };
    let (mut event, mut replay, mut others) = (None::<Group>, None::<Group>, Vec::new());
    let has_event = items.iter().any(is_event);
    let plan = Plan::of(items);
    let appended = items.iter().enumerate().filter(|(_, item)| matches!(plan.verdict(item), Verdict::Append(_)));
    for (index, item) in appended {
        match item.item_type {
            _ if is_event(item) => event.get_or_insert_default().together.push(index),
            ItemType::Attachment
            | ItemType::UnrealReport
            | ItemType::FormData
            | ItemType::UserReport
            | ItemType::Profile
                if has_event && !item.is_of_trace() =>
            {
                event.get_or_insert_default().dependent.push(index);
            }
            ItemType::ReplayEvent | ItemType::ReplayRecording | ItemType::ReplayVideo => {
                replay.get_or_insert_default().together.push(index);
            }
            _ => others.push(Group { together: vec![index], dependent: Vec::new() }),
        }
    }
    event.into_iter().chain(replay).chain(others).collect()
}

/// Why nothing is taken when the log holds as much as it may.
const LOG_FULL: &str = "log_full";

/// The categories of what goes to the log.
fn appended_categories(items: &[Item]) -> Vec<DataCategory> {
    let plan = Plan::of(items);
    let appended = items.iter().filter(|item| matches!(plan.verdict(item), Verdict::Append(_)));
    appended.flat_map(DataCategory::of_item).map(|(category, _)| category).collect()
}

/// The limit of a full log, for what was sent: clients are not told to hold back what they did not send.
fn full_log(mut categories: Vec<DataCategory>) -> ActiveQuota {
    categories.sort_unstable();
    categories.dedup();
    let rule = QuotaRule {
        scope: QuotaScope::Organization,
        scope_id: None,
        categories,
        limit: Some(0),
        window_secs: 0,
        reason_code: LOG_FULL.to_owned(),
    };
    ActiveQuota { key: QuotaKey::Log, instance: 0, rule }
}

/// The quotas that what comes with a key is counted against: its own limit, then those of its project and organization
/// that are for it.
pub(crate) fn active_quotas(key: &ProjectKey, project: &Project, quotas: Vec<Quota>) -> Vec<ActiveQuota> {
    let own = key.rate_limit.map(|limit| ActiveQuota {
        key: QuotaKey::OfKey(key.id),
        instance: key.id.0,
        rule: QuotaRule::of_key(key.id, limit),
    });
    let of_others = quotas.into_iter().filter_map(|quota| {
        let instance = match quota.rule.scope {
            QuotaScope::Organization => project.organization_id.0,
            QuotaScope::Project => project.id.0,
            QuotaScope::Key => key.id.0,
        };
        let is_meant =
            quota.project_id.is_none_or(|id| id == project.id) && quota.rule.scope_id.is_none_or(|id| id == instance);
        is_meant.then_some(ActiveQuota { key: QuotaKey::Stored(quota.id), instance, rule: quota.rule })
    });
    own.into_iter().chain(of_others).collect()
}
