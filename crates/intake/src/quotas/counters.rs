//! Counting against quotas (`reference/ingest-protocol.md` §9.1): exact, in memory, in bounded memory. Pure: the time comes
//! from the caller.

use std::collections::BTreeMap;

use nuthatch_protocol::{DataCategory, KeyId, QuotaId, Timestamp};
use nuthatch_store::quotas::{QuotaRule, QuotaUsage};
use serde::{Deserialize, Serialize};

/// Most counters. There is one for each quota and each project or key it counts apart, so that a server has few; above,
/// those whose windows end first begin anew.
pub(crate) const COUNTERS_MAX: usize = 100_000;

/// So long a quota that lets nothing through tells clients to wait, in seconds.
const CLOSED_SECS: u64 = 60;

const SECOND: i64 = 1_000_000;

/// Names a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum QuotaKey {
    /// One that somebody made.
    Stored(QuotaId),
    /// The limit of a key.
    OfKey(KeyId),
    /// What there is room for in the log.
    Log,
}

/// A quota as it is for one sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ActiveQuota {
    /// Which.
    pub(crate) key: QuotaKey,
    /// The organization, project or key that is counted.
    pub(crate) instance: u64,
    /// What it says.
    pub(crate) rule: QuotaRule,
}

/// A quota that does not let units through, and for how many seconds from now it will not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exceeded<'q> {
    pub(crate) quota: &'q ActiveQuota,
    pub(crate) retry_secs: u64,
}

/// Names a counter: the quota, and the organization, project or key that is counted.
pub(super) type CounterKey = (QuotaKey, u64);

/// Units that were counted, so that they can be given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taken {
    counter: CounterKey,
    ends_secs: i64,
    amount: u64,
}

/// What was let through in the window that ends at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counter {
    pub(super) ends_secs: i64,
    pub(super) used: u64,
    /// The limit that was exceeded, if one was: it holds until the window ends, unless it is raised.
    pub(super) exceeded: Option<u64>,
}

impl Counter {
    fn is_open(&self, now: Timestamp) -> bool {
        self.ends_secs.saturating_mul(SECOND) > now.0
    }
}

/// The counters of all quotas.
#[derive(Debug)]
pub(crate) struct Counters {
    by_key: BTreeMap<CounterKey, Counter>,
    max: usize,
    /// When they were looked at to be kept.
    kept_at: Timestamp,
}

impl Counters {
    /// No counter, and room for so many.
    pub(crate) fn new(max: usize) -> Self {
        Self { by_key: BTreeMap::new(), max, kept_at: Timestamp::default() }
    }

    /// The time of what is let through now: behind the moment in which the counters were kept last, so that it can be told
    /// from what was let through before. A clock that was moved back is followed.
    pub(super) fn time(&self, now: Timestamp) -> Timestamp {
        let behind = Timestamp(self.kept_at.0.saturating_add(1));
        if behind.0.saturating_sub(now.0) > SECOND { now } else { now.max(behind) }
    }

    /// The counters whose windows are not over, to be kept, and the moment in which they say this.
    pub(super) fn open(&mut self, now: Timestamp) -> (Timestamp, Vec<(CounterKey, Counter)>) {
        self.kept_at = self.time(now);
        let open = self.by_key.iter().filter(|(_, counter)| counter.is_open(now));
        (self.kept_at, open.map(|(key, counter)| (*key, *counter)).collect())
    }

    /// Takes over counters that were kept.
    pub(super) fn restore(&mut self, at: Timestamp, kept: &[(CounterKey, Counter)]) {
        self.kept_at = at;
        self.by_key.extend(kept.iter().copied().take(self.max));
    }

    /// Counts units that were let through at a time.
    pub(super) fn count(&mut self, quotas: &[ActiveQuota], units: &[(DataCategory, u64)], at: Timestamp) {
        for quota in quotas.iter().filter(|quota| quota.rule.limit != Some(0)) {
            if let Some(amount) = amount(quota, units) {
                let counter = self.counter(quota, at);
                counter.used = counter.used.saturating_add(amount);
            }
        }
    }

    /// Counts units together: all of them against every quota that covers some of them, or nothing.
    ///
    /// # Errors
    ///
    /// The quotas that do not let them through.
    pub(crate) fn take<'q>(
        &mut self,
        quotas: &'q [ActiveQuota],
        units: &[(DataCategory, u64)],
        now: Timestamp,
    ) -> Result<Vec<Taken>, Vec<Exceeded<'q>>> {
        let (mut taken, mut exceeded) = (Vec::new(), Vec::new());
        for quota in quotas {
            let Some(amount) = amount(quota, units) else { continue };
            if quota.rule.limit == Some(0) {
                exceeded.push(Exceeded { quota, retry_secs: CLOSED_SECS });
                continue;
            }
            let counter = self.counter(quota, now);
            let is_over = |limit: u64| {
                counter.exceeded.is_some_and(|before| limit <= before)
                    || counter.used.checked_add(amount).is_none_or(|sum| sum > limit)
            };
            if let Some(limit) = quota.rule.limit.filter(|limit| is_over(*limit)) {
                counter.exceeded = Some(limit);
                exceeded.push(Exceeded { quota, retry_secs: rest_secs(counter.ends_secs, now) });
            } else {
                let counter_key = (quota.key, quota.instance);
                taken.push(Taken { counter: counter_key, ends_secs: counter.ends_secs, amount });
            }
        }
        if !exceeded.is_empty() {
            return Err(exceeded);
        }
        for Taken { counter, amount, .. } in &taken {
            if let Some(counter) = self.by_key.get_mut(counter) {
                counter.used = counter.used.saturating_add(*amount);
            }
        }
        Ok(taken)
    }

    /// Gives back what was counted and then not accepted after all.
    pub(crate) fn give_back(&mut self, taken: &[Taken]) {
        for Taken { counter, ends_secs, amount } in taken {
            if let Some(counter) = self.by_key.get_mut(counter).filter(|counter| counter.ends_secs == *ends_secs) {
                counter.used = counter.used.saturating_sub(*amount);
            }
        }
    }

    /// What is used of a quota in the present window; the most, where it counts several apart.
    pub(crate) fn usage(&self, key: QuotaKey, window_secs: u32, now: Timestamp) -> QuotaUsage {
        let ends_secs = window_end(window_secs, now);
        let counters = self.by_key.range((key, 0)..=(key, u64::MAX)).map(|(_, counter)| counter);
        let used = counters.filter(|counter| counter.ends_secs == ends_secs).map(|counter| counter.used).max();
        QuotaUsage { used: used.unwrap_or_default(), ends_secs }
    }

    /// The counter of the present window.
    fn counter(&mut self, quota: &ActiveQuota, now: Timestamp) -> &mut Counter {
        let key = (quota.key, quota.instance);
        if self.by_key.len() >= self.max && !self.by_key.contains_key(&key) {
            self.make_room(now);
        }
        let (ends_secs, window_secs) = (window_end(quota.rule.window_secs, now), i64::from(quota.rule.window_secs));
        let counter = self.by_key.entry(key).or_insert(Counter { ends_secs, used: 0, exceeded: None });
        // Who read the time before another and asks after it belongs to the window that has begun. A clock that was moved
        // further back, or another length of the window, begins anew.
        if ends_secs != counter.ends_secs && ends_secs + window_secs != counter.ends_secs {
            *counter = Counter { ends_secs, used: 0, exceeded: None };
        }
        counter
    }

    /// Forgets counters whose windows are over; when that is not enough, an eighth of the others.
    fn make_room(&mut self, now: Timestamp) {
        self.by_key.retain(|_, counter| counter.is_open(now));
        if self.by_key.len() < self.max {
            return;
        }
        let mut ends: Vec<i64> = self.by_key.values().map(|counter| counter.ends_secs).collect();
        let (_, last, _) = ends.select_nth_unstable(self.by_key.len() / 8);
        let (last, mut left) = (*last, self.by_key.len() / 8 + 1);
        self.by_key.retain(|_, counter| {
            let goes = counter.ends_secs <= last && left > 0;
            left -= usize::from(goes);
            !goes
        });
    }
}

/// How much of these units a quota counts; none when it counts nothing of the kind.
fn amount(quota: &ActiveQuota, units: &[(DataCategory, u64)]) -> Option<u64> {
    let covered = units.iter().filter(|(category, _)| quota.rule.covers(*category));
    covered.map(|(_, amount)| *amount).reduce(u64::saturating_add)
}

/// When the window ends that a time is in, in seconds since the epoch.
fn window_end(window_secs: u32, now: Timestamp) -> i64 {
    let window_secs = i64::from(window_secs.max(1));
    (now.secs().div_euclid(window_secs) + 1).saturating_mul(window_secs)
}

/// The time until then in whole seconds, rounded up.
fn rest_secs(ends_secs: i64, now: Timestamp) -> u64 {
    let rest = ends_secs.saturating_mul(SECOND).saturating_sub(now.0);
    u64::try_from(rest).unwrap_or_default().div_ceil(SECOND as u64).max(1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use nuthatch_store::quotas::QuotaScope;
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

    fn quota(id: u64, categories: &[DataCategory], limit: Option<u64>, window_secs: u32) -> ActiveQuota {
        let (categories, reason_code) = (categories.to_vec(), format!("quota-{id}"));
        let rule =
            QuotaRule { scope: QuotaScope::Project, scope_id: None, categories, limit, window_secs, reason_code };
        ActiveQuota { key: QuotaKey::Stored(QuotaId(id)), instance: 1, rule }
    }

    fn at(secs: f64) -> Timestamp {
        Timestamp(NOW.0 + (secs * 1e6) as i64)
    }

    /// Takes one error; the seconds to wait if there is none to take.
    fn one(counters: &mut Counters, quotas: &[ActiveQuota], now: Timestamp) -> Option<u64> {
        let answer = counters.take(quotas, &[(DataCategory::Error, 1)], now);
        answer.err().map(|exceeded| exceeded.iter().map(|one| one.retry_secs).max().unwrap_or_default())
    }

    #[test]
    fn the_first_one_too_many_waits_for_the_rest_of_the_window_rounded_up() {
        let mut counters = Counters::new(10);
        // 1_700_000_000 is 20 seconds into its minute.
        let quotas = [quota(1, &[DataCategory::Error], Some(2), 60)];
        let mut ask = |secs| one(&mut counters, &quotas, at(secs));
        assert_eq!([ask(0.0), ask(1.0), ask(1.5), ask(39.999)], [None, None, Some(39), Some(1)]);
        assert_eq!(ask(40.0), None, "a new window");
        assert_eq!(ask(39.9), None, "who looked at the clock before belongs to the new window");
        assert_eq!(ask(41.0), Some(59));
        assert_eq!(ask(-3600.0), None, "a clock that was moved begins anew");
    }

    #[test]
    fn what_is_closed_counts_nothing_and_what_is_only_counted_refuses_nothing() {
        let mut counters = Counters::new(10);
        let closed = [quota(1, &[], Some(0), 0), quota(2, &[DataCategory::Error], None, 60)];
        assert_eq!(one(&mut counters, &closed, NOW), Some(60));
        assert_eq!(counters.usage(closed[1].key, 60, NOW).used, 0, "a rejected item consumes nothing");
        for _ in 0..3 {
            assert_eq!(one(&mut counters, &closed[1..], NOW), None);
        }
        assert_eq!(counters.usage(closed[1].key, 60, NOW), QuotaUsage { used: 3, ends_secs: NOW.secs() + 40 });
    }

    #[test]
    fn a_limit_holds_for_the_smaller_too_until_it_is_raised() {
        let mut counters = Counters::new(10);
        let mut quotas = [quota(1, &[DataCategory::Attachment], Some(10), 60)];
        let ask = |counters: &mut Counters, quotas: &[ActiveQuota], bytes| {
            counters.take(quotas, &[(DataCategory::Attachment, bytes), (DataCategory::AttachmentItem, 1)], NOW).is_ok()
        };
        assert!(ask(&mut counters, &quotas, 8));
        assert!(!ask(&mut counters, &quotas, 3));
        assert!(!ask(&mut counters, &quotas, 1), "the clients were told to wait");
        quotas[0].rule.limit = Some(11);
        assert!(ask(&mut counters, &quotas, 3));
        assert!(!ask(&mut counters, &quotas, u64::MAX), "sums do not overflow");
    }

    #[test]
    fn what_was_not_accepted_after_all_is_given_back() {
        let mut counters = Counters::new(10);
        let quotas = [quota(1, &[DataCategory::Error], Some(1), 60)];
        let taken = counters.take(&quotas, &[(DataCategory::Error, 1)], NOW).expect("there is one");
        counters.give_back(&taken);
        assert_eq!(one(&mut counters, &quotas, NOW), None);
        assert_eq!(one(&mut counters, &quotas, at(60.0)), None, "the next window");
        counters.give_back(&taken);
        assert_eq!(one(&mut counters, &quotas, at(60.0)), Some(40), "nothing is given back to another window");
    }

    #[test]
    fn there_are_never_more_counters_than_there_is_room_for() {
        let mut counters = Counters::new(16);
        for id in 1..=100 {
            let quotas = [quota(id, &[DataCategory::Error], Some(1), 60 * id as u32)];
            assert_eq!(one(&mut counters, &quotas, NOW), None);
            assert!(counters.by_key.len() <= 16);
            assert!(one(&mut counters, &quotas, NOW).is_some(), "the newest is there");
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Take(Vec<(DataCategory, u64)>),
        GiveBack(prop::sample::Index),
        Wait(i64),
    }

    /// What was taken, and how much of which quota and window that is.
    type LetThrough = (Vec<Taken>, Vec<((usize, i64), u64)>);

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let category = prop::sample::select(vec![DataCategory::Error, DataCategory::Session, DataCategory::Span]);
        let units = prop::collection::vec((category, 1..4_u64), 0..3);
        let step = prop_oneof![
            6 => units.prop_map(Step::Take),
            1 => any::<prop::sample::Index>().prop_map(Step::GiveBack),
            2 => (0..40_000_000_i64).prop_map(Step::Wait),
        ];
        prop::collection::vec(step, 1..80)
    }

    proptest! {
        /// In no window is more let through than the limit, and while nothing was refused in it, nothing is refused that
        /// would still fit.
        #[test]
        fn a_window_never_lets_more_through_than_its_limit(
            steps in steps(),
            limits in prop::collection::vec((prop::option::of(1..6_u64), 1..90_u32), 1..4),
        ) {
            let of = [&[DataCategory::Error][..], &[DataCategory::Error, DataCategory::Session], &[]];
            let quotas: Vec<ActiveQuota> = limits.iter().zip(1..).map(|((limit, window), id)| {
                quota(id, of[id as usize % 3], *limit, *window)
            }).collect();
            let mut counters = Counters::new(100);
            let (mut now, mut all) = (NOW, Vec::<LetThrough>::new());
            // What was accepted, and whether something was refused, by quota and window.
            let mut sums: BTreeMap<(usize, i64), (u64, bool)> = BTreeMap::new();
            for step in steps {
                match step {
                    Step::Wait(micros) => now.0 += micros,
                    Step::GiveBack(index) => {
                        if !all.is_empty() {
                            let (taken, amounts) = all.remove(index.index(all.len()));
                            counters.give_back(&taken);
                            for (place, amount) in amounts {
                                sums.entry(place).or_default().0 -= amount;
                            }
                        }
                    }
                    Step::Take(units) => {
                        let places = quotas.iter().enumerate().filter_map(|(index, quota)| {
                            let covered = units.iter().filter(|(category, _)| quota.rule.covers(*category));
                            let amount: u64 = covered.map(|(_, amount)| amount).sum();
                            let slot = now.secs() / i64::from(quota.rule.window_secs);
                            (amount > 0).then_some(((index, slot), amount))
                        });
                        let places: Vec<_> = places.collect();
                        let fits = places.iter().all(|((index, slot), amount)| {
                            let (used, refused) = sums.get(&(*index, *slot)).copied().unwrap_or_default();
                            !refused && quotas[*index].rule.limit.is_none_or(|limit| used + amount <= limit)
                        });
                        match counters.take(&quotas, &units, now) {
                            Ok(taken) => {
                                prop_assert!(fits);
                                for (place, amount) in &places {
                                    let (used, _) = sums.entry(*place).or_default();
                                    *used += amount;
                                    prop_assert!(quotas[place.0].rule.limit.is_none_or(|limit| *used <= limit));
                                }
                                all.push((taken, places));
                            }
                            Err(exceeded) => {
                                prop_assert!(!fits);
                                for one in exceeded {
                                    let index = quotas.iter().position(|quota| quota == one.quota).expect("one of them");
                                    let window = i64::from(one.quota.rule.window_secs);
                                    let end = (now.secs() / window + 1) * window * 1_000_000;
                                    prop_assert_eq!(one.retry_secs as i64, (end - now.0 + 999_999) / 1_000_000);
                                    sums.entry((index, now.secs() / window)).or_default().1 = true;
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
