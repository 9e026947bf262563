//! What happened, in numbers.

use std::{collections::BTreeMap, fmt};

/// How often things happened, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally(BTreeMap<String, u64>);

/// What has to happen in many histories, or they show nothing.
const EXPECTED: [&str; 23] = [
    "appended",
    "repeated",
    "slow",
    "failed",
    "answer lost",
    "died",
    "clock forward",
    "clock back",
    "created",
    "updated",
    "sample",
    "thinned",
    "regressed",
    "status changed",
    "duplicate",
    "dropped: noise",
    "dropped: creation_quota",
    "dropped: rate_limited",
    "dropped: type_mismatch",
    "dropped: group_not_found",
    "refused",
    "unreadable",
    "aged",
];

impl Tally {
    pub(crate) fn count(&mut self, what: impl Into<String>, times: u64) {
        *self.0.entry(what.into()).or_default() += times;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        other.0.iter().for_each(|(what, times)| self.count(what.as_str(), *times));
    }

    /// What should have happened and did not.
    pub(crate) fn never(&self) -> Vec<&'static str> {
        EXPECTED.into_iter().filter(|what| self.0.get(*what).is_none_or(|times| *times == 0)).collect()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<_> = self.0.iter().map(|(what, times)| format!("{times} {what}")).collect();
        f.write_str(&parts.join(", "))
    }
}
