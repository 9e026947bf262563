//! Counts of sessions, and how long they were.

use std::{
    collections::BTreeMap,
    ops::{AddAssign, Neg},
};

use super::{SessionPlace, SessionUser};

/// Largest relative error of a [quantile](Durations::quantile) and of the [maximum](Durations::max).
pub const DURATION_ERROR: f64 = 0.02;

/// Longest duration of a session, in milliseconds: 30 days. Longer ones are cut.
pub const DURATION_MAX_MS: u64 = 30 * 24 * 3600 * 1000;

/// How many times longer the durations of a class are than those of the one before it.
const CLASS_RATIO: f64 = (1.0 + DURATION_ERROR) / (1.0 - DURATION_ERROR);

/// What is added to the counts of an hour, and to those of a user in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthChange {
    /// Where.
    pub place: SessionPlace,
    /// The hour in which the sessions began, since the epoch.
    pub hour: i64,
    /// Whose sessions they are, if that is known.
    pub user: Option<SessionUser>,
    /// What is added.
    pub tally: HealthTally,
}

/// Counts of sessions. The numbers of a change may be negative, those of a sum never are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HealthTally {
    /// All.
    pub sessions: i64,
    /// With errors, or ended badly: also those below.
    pub errored: i64,
    /// Crashed.
    pub crashed: i64,
    /// Ended without telling.
    pub abnormal: i64,
    /// With an error that nobody caught.
    pub unhandled: i64,
    /// Of the abnormal ones: did not respond.
    pub anr: i64,
    /// How long those were that ended as they should.
    pub durations: Durations,
}

impl HealthTally {
    /// Whether it says nothing.
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    /// With errors, without those that ended badly.
    pub fn only_errored(&self) -> i64 {
        self.errored - self.crashed - self.abnormal - self.unhandled
    }

    /// Without errors.
    pub fn healthy(&self) -> i64 {
        self.sessions - self.errored
    }
}

impl AddAssign<&Self> for HealthTally {
    fn add_assign(&mut self, other: &Self) {
        self.sessions += other.sessions;
        self.errored += other.errored;
        self.crashed += other.crashed;
        self.abnormal += other.abnormal;
        self.unhandled += other.unhandled;
        self.anr += other.anr;
        self.durations += &other.durations;
    }
}

impl Neg for HealthTally {
    type Output = Self;

    fn neg(self) -> Self {
        Self {
            sessions: -self.sessions,
            errored: -self.errored,
            crashed: -self.crashed,
            abnormal: -self.abnormal,
            unhandled: -self.unhandled,
            anr: -self.anr,
            durations: -self.durations,
        }
    }
}

/// How long sessions were: their sum, and a histogram of classes that each are a little longer than the one before, so
/// that quantiles have a bounded relative error and everything can be added and taken away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Durations {
    /// Milliseconds of all together.
    pub sum_ms: i64,
    /// Sessions by class; none is 0.
    pub classes: BTreeMap<u16, i64>,
}

impl Durations {
    /// Adds a session of so many milliseconds.
    pub fn add(&mut self, ms: u64) {
        let ms = ms.min(DURATION_MAX_MS);
        self.sum_ms += ms as i64;
        self.add_class(class_of(ms), 1);
    }

    /// Adds sessions to a class.
    pub fn add_class(&mut self, class: u16, sessions: i64) {
        let count = self.classes.entry(class).or_default();
        *count += sessions;
        if *count == 0 {
            self.classes.remove(&class);
        }
    }

    /// How many sessions there are.
    pub fn count(&self) -> i64 {
        self.classes.values().sum()
    }

    /// Mean in milliseconds; `None` without sessions.
    pub fn average(&self) -> Option<f64> {
        let count = self.count();
        (count > 0).then(|| self.sum_ms as f64 / count as f64)
    }

    /// The duration in milliseconds that a share of the sessions (0 to 1) does not exceed, within [`DURATION_ERROR`];
    /// `None` without sessions.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let wanted = ((self.count() as f64 * share).ceil() as i64).max(1);
        let mut seen = 0;
        self.classes.iter().find_map(|(class, count)| {
            seen += count;
            (seen >= wanted).then(|| duration_of(*class))
        })
    }

    /// The longest in milliseconds, within [`DURATION_ERROR`]; `None` without sessions.
    pub fn max(&self) -> Option<f64> {
        self.classes.last_key_value().map(|(class, _)| duration_of(*class))
    }
}

/// Class 0 is no time at all; class `n` reaches up to the `n-1`th power of the ratio.
fn class_of(ms: u64) -> u16 {
    if ms == 0 { 0 } else { ((ms as f64).ln() / CLASS_RATIO.ln()).ceil() as u16 + 1 }
}

/// The duration that is closest to all of a class, relatively.
fn duration_of(class: u16) -> f64 {
    if class == 0 { 0.0 } else { 2.0 * CLASS_RATIO.powi(i32::from(class) - 1) / (CLASS_RATIO + 1.0) }
}

impl AddAssign<&Self> for Durations {
    fn add_assign(&mut self, other: &Self) {
        self.sum_ms += other.sum_ms;
        for (class, count) in &other.classes {
            self.add_class(*class, *count);
        }
    }
}

impl Neg for Durations {
    type Output = Self;

    fn neg(self) -> Self {
        let classes = self.classes.into_iter().map(|(class, count)| (class, -count)).collect();
        Self { sum_ms: -self.sum_ms, classes }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn quantiles_are_close_to_the_exact_ones(
            mut all in prop::collection::vec((0..32u32).prop_flat_map(|bits| 0..(1_u64 << bits)), 1..200),
            share in 0.0..=1.0f64,
        ) {
            let mut durations = Durations::default();
            for ms in &mut all {
                durations.add(*ms);
                *ms = (*ms).min(DURATION_MAX_MS);
            }
            all.sort_unstable();
            let wanted = ((all.len() as f64 * share).ceil() as usize).max(1);
            let within = |found: Option<f64>, exact: u64| {
                let exact = exact as f64;
                found.is_some_and(|found| (found - exact).abs() <= exact * (DURATION_ERROR + 1e-9))
            };
            prop_assert!(within(durations.quantile(share), all[wanted - 1]), "{:?}", durations.quantile(share));
            prop_assert!(within(durations.max(), all[all.len() - 1]), "{:?}", durations.max());
            let mean = all.iter().sum::<u64>() as f64 / all.len() as f64;
            prop_assert!((durations.average().unwrap_or_default() - mean).abs() < 1e-6 * mean.max(1.0));

            let taken = -durations.clone();
            durations += &taken;
            prop_assert_eq!(durations, Durations::default());
        }
    }

    #[test]
    fn nothing_has_no_duration() {
        let nothing = Durations::default();
        assert_eq!((nothing.average(), nothing.quantile(0.5), nothing.max()), (None, None, None));
    }
}
