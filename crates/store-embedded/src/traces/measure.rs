//! What is remembered of the values of a group: as much as its aggregates need, in bounded memory, in a form that can
//! be merged in any order.

use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use nuthatch_query::FieldValue;
use nuthatch_store::traces::order_of;
use rustc_hash::FxHashMap;

/// Most numbers that are kept as they are; more are counted by size.
const EXACT_MAX: usize = 64;
/// Bits that are left out of numbers that are counted by size: those that stay tell numbers apart that differ by more
/// than 1 in 128.
const SIZE_SHIFT: u32 = 45;
/// Most different values that are counted exactly; the number of more is estimated from these, to within a few in a
/// hundred.
const UNIQUE_MAX: usize = 2048;

/// Numbers of a group.
#[derive(Debug, Clone)]
pub(super) struct Numbers {
    count: u64,
    sum: f64,
    least: f64,
    most: f64,
    sizes: Sizes,
}

#[derive(Debug, Clone)]
enum Sizes {
    /// Nobody asks for percentiles.
    Unneeded,
    Exact(Vec<f64>),
    /// How many numbers there are of each size.
    Counted(FxHashMap<i64, u64>),
}

impl Numbers {
    /// None yet.
    pub(super) fn new(with_percentiles: bool) -> Self {
        let sizes = if with_percentiles { Sizes::Exact(Vec::new()) } else { Sizes::Unneeded };
        Self { count: 0, sum: 0.0, least: f64::INFINITY, most: f64::NEG_INFINITY, sizes }
    }

    pub(super) fn add(&mut self, number: f64) {
        self.count += 1;
        self.sum += number;
        self.least = self.least.min(number);
        self.most = self.most.max(number);
        self.sizes.add(number);
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.least = self.least.min(other.least);
        self.most = self.most.max(other.most);
        match other.sizes {
            Sizes::Unneeded => {}
            Sizes::Exact(numbers) => {
                for number in numbers {
                    self.sizes.add(number);
                }
            }
            Sizes::Counted(counts) => {
                self.sizes.count();
                for (size, count) in counts {
                    self.sizes.add_counted(size, count);
                }
            }
        }
    }

    pub(super) fn sum(&self) -> Option<f64> {
        (self.count > 0).then_some(self.sum)
    }

    pub(super) fn mean(&self) -> Option<f64> {
        self.sum().map(|sum| sum / self.count as f64)
    }

    pub(super) fn least(&self) -> Option<f64> {
        (self.count > 0).then_some(self.least)
    }

    pub(super) fn most(&self) -> Option<f64> {
        (self.count > 0).then_some(self.most)
    }

    /// The smallest number that is at least as large as a part of them.
    pub(super) fn percentile(&self, part: f64) -> Option<f64> {
        let rank = ((part * self.count as f64).ceil() as u64).max(1);
        match &self.sizes {
            Sizes::Unneeded => None,
            Sizes::Exact(numbers) => {
                let mut numbers = numbers.clone();
                numbers.sort_unstable_by(f64::total_cmp);
                numbers.get(rank as usize - 1).copied()
            }
            Sizes::Counted(counts) => {
                let mut counts: Vec<(i64, u64)> = counts.iter().map(|(size, count)| (*size, *count)).collect();
                counts.sort_unstable();
                let mut below = 0;
                let found = counts.into_iter().find(|(_, count)| {
                    below += count;
                    below >= rank
                });
                found.map(|(size, _)| middle_of(size).clamp(self.least, self.most))
            }
        }
    }
}

impl Sizes {
    fn add(&mut self, number: f64) {
        match self {
            Self::Unneeded => {}
            Self::Exact(numbers) if numbers.len() < EXACT_MAX => numbers.push(number),
            Self::Exact(_) => {
                self.count();
                self.add_counted(size_of_number(number), 1);
            }
            Self::Counted(_) => self.add_counted(size_of_number(number), 1),
        }
    }

    /// Goes over to counting.
    fn count(&mut self) {
        if let Self::Exact(numbers) = self {
            let numbers = std::mem::take(numbers);
            *self = Self::Counted(FxHashMap::default());
            for number in numbers {
                self.add_counted(size_of_number(number), 1);
            }
        }
    }

    fn add_counted(&mut self, size: i64, more: u64) {
        if let Self::Counted(counts) = self {
            *counts.entry(size).or_default() += more;
        }
    }
}

fn size_of_number(number: f64) -> i64 {
    order_of(Some(number)) >> SIZE_SHIFT
}

/// The number in the middle of a size.
fn middle_of(size: i64) -> f64 {
    let order = (size << SIZE_SHIFT) | (1 << (SIZE_SHIFT - 1));
    // The mapping of numbers to their order undoes itself.
    f64::from_bits((order ^ (((order >> 63) as u64) >> 1) as i64) as u64)
}

/// Different values of a group: the smallest of their hashes. When these are all, they are exact; otherwise the largest
/// of them says how densely the hashes lie.
#[derive(Debug, Clone, Default)]
pub(super) struct Unique(BTreeSet<u64>);

impl Unique {
    pub(super) fn add(&mut self, hash: u64) {
        if self.0.len() == UNIQUE_MAX && self.0.last().is_some_and(|largest| hash > *largest) {
            return;
        }
        if self.0.insert(hash) && self.0.len() > UNIQUE_MAX {
            self.0.pop_last();
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for hash in &other.0 {
            self.add(*hash);
        }
    }

    pub(super) fn count(&self) -> f64 {
        match self.0.last() {
            Some(largest) if self.0.len() == UNIQUE_MAX => {
                ((UNIQUE_MAX - 1) as f64 / (*largest as f64 / u64::MAX as f64)).round()
            }
            _ => self.0.len() as f64,
        }
    }
}

/// A hash that is the same in all parts of the store.
pub(super) fn hash_of(value: &FieldValue) -> u64 {
    let mut hasher = DefaultHasher::new();
    match value {
        FieldValue::Boolean(value) => value.hash(&mut hasher),
        FieldValue::Number(number) => number.to_bits().hash(&mut hasher),
        FieldValue::Text(text) => text.hash(&mut hasher),
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers(all: &[f64]) -> Numbers {
        let mut numbers = Numbers::new(true);
        for number in all {
            numbers.add(*number);
        }
        numbers
    }

    proptest! {
        #[test]
        fn percentiles_are_close_and_do_not_depend_on_the_order(
            mut all in prop::collection::vec(-1e9..1e9_f64, 1..300),
            cut in 0..300_usize,
            part in 0.0..1.0_f64,
        ) {
            let (a, b) = all.split_at(cut.min(all.len()));
            let (mut one, mut other) = (numbers(a), numbers(b));
            let percentile = numbers(&all).percentile(part).unwrap();
            one.merge(numbers(b));
            other.merge(numbers(a));
            prop_assert_eq!(one.percentile(part), Some(percentile));
            prop_assert_eq!(other.percentile(part), Some(percentile));
            all.sort_by(f64::total_cmp);
            let exact = all[((part * all.len() as f64).ceil() as usize).max(1) - 1];
            let bound = if all.len() <= EXACT_MAX { 0.0 } else { exact.abs() / 128.0 };
            prop_assert!((percentile - exact).abs() <= bound, "{} {}", percentile, exact);
        }
    }

    #[test]
    fn many_different_values_are_estimated() {
        let (mut even, mut odd) = (Unique::default(), Unique::default());
        for n in 0..50_000_u32 {
            let of_half = if n % 2 == 0 { &mut even } else { &mut odd };
            of_half.add(hash_of(&FieldValue::Number(n.into())));
        }
        even.merge(&odd);
        assert!((even.count() - 50_000.0).abs() < 5000.0, "{}", even.count());
        let mut few = Unique::default();
        for n in 0..3000_u32 {
            few.add(hash_of(&FieldValue::Number((n % 1000).into())));
        }
        assert!((few.count() - 1000.0).abs() < 0.5, "{}", few.count());
    }
}
