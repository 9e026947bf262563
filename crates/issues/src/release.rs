//! Which of two releases is the later one, and whether a resolution covers an event's release
//! (`reference/issue-platform.md` §7.7).

use std::cmp::Ordering;

use nuthatch_protocol::{Timestamp, Version, version};
use serde::{Deserialize, Serialize};

/// An issue counts as resolved only from a release on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// The release it was resolved in, or was current then.
    pub release: String,
    /// Whether it is resolved in the one that follows.
    pub in_next: bool,
    /// With `in_next`: the current release when it was resolved, if versions have an order.
    pub current: Option<String>,
}

/// A release of an event or a resolution, with the time it is known since.
pub(crate) struct Dated<'a> {
    pub(crate) version: &'a str,
    pub(crate) date: Option<Timestamp>,
}

impl Resolution {
    /// Whether an event of a release says nothing about the resolution, since it is of code before it. `date_of` tells
    /// since when a release is known. An event without a release counts as older.
    pub(crate) fn covers(&self, event: Option<&str>, date_of: impl Fn(&str) -> Option<Timestamp>) -> bool {
        let dated = |version| Dated { version, date: date_of(version) };
        let Some(event) = event.map(&dated) else { return true };
        let resolved = dated(&self.release);
        if !self.in_next {
            return resolved.version != event.version && is_later(&resolved, &event, true);
        }
        let Some(current) = self.current.as_deref().map(&dated) else {
            return event.version == resolved.version || is_later_by_date(&resolved, &event, false);
        };
        match compare(current.version, event.version) {
            Some(order) => order.is_ge() || compare(resolved.version, event.version) == Some(Ordering::Greater),
            None => current.version == event.version || is_later_by_date(&current, &event, false),
        }
    }
}

fn is_later(a: &Dated<'_>, b: &Dated<'_>, or_equal: bool) -> bool {
    compare(a.version, b.version).map_or_else(|| is_later_by_date(a, b, or_equal), Ordering::is_gt)
}

fn is_later_by_date(a: &Dated<'_>, b: &Dated<'_>, or_equal: bool) -> bool {
    match (a.date, b.date) {
        (Some(a), Some(b)) if or_equal => a >= b,
        (Some(a), Some(b)) => a > b,
        _ => false,
    }
}

/// The order of two versions (`package@1.2.3-rc.1+5`) of one package, if both have one.
pub(crate) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let ((a_package, a), (b_package, b)) = (version::split(a), version::split(b));
    if a_package != b_package {
        return None;
    }
    Some(Version::read(a)?.cmp(&Version::read(b)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_by_meaning() {
        for (smaller, greater) in [
            ("a@1.9.0", "a@1.10.0"),
            ("a@1.0.0-rc.2", "a@1.0.0"),
            ("a@1.0.0-rc.2", "a@1.0.0-rc.10"),
            ("a@1.0.0-1", "a@1.0.0-alpha"),
            ("1.2", "1.2.1"),
        ] {
            assert_eq!(compare(smaller, greater), Some(Ordering::Less), "{smaller} {greater}");
            assert_eq!(compare(greater, smaller), Some(Ordering::Greater), "{smaller} {greater}");
        }
        assert_eq!(compare("a@1.0.0+5", "a@1.0.0+6"), Some(Ordering::Equal));
        for (a, b) in [("a@1.0.0", "b@1.0.0"), ("a@1.0.0", "a@3f2c1d"), ("20260101", "20260102"), ("", "1.0")] {
            assert_eq!(compare(a, b), None, "{a} {b}");
        }
    }

    #[test]
    fn a_resolution_covers_what_is_older() {
        let dates = |version: &str| Some(Timestamp(i64::from(version.bytes().last()?)));
        let in_release = |release: &str| Resolution { release: release.to_owned(), in_next: false, current: None };
        assert!(in_release("a@1.2.0").covers(None, dates));
        assert!(in_release("a@1.2.0").covers(Some("a@1.1.9"), dates));
        assert!(!in_release("a@1.2.0").covers(Some("a@1.2.0"), dates));
        assert!(!in_release("a@1.2.0").covers(Some("a@1.3.0"), dates));
        assert!(in_release("build-5").covers(Some("build-4"), dates));
        assert!(!in_release("build-5").covers(Some("build-6"), dates));
        let in_next = |current: Option<&str>| Resolution {
            release: "a@1.2.0".to_owned(),
            in_next: true,
            current: current.map(str::to_owned),
        };
        assert!(in_next(Some("a@1.2.0")).covers(Some("a@1.2.0"), dates));
        assert!(!in_next(Some("a@1.2.0")).covers(Some("a@1.2.1"), dates));
        assert!(in_next(None).covers(Some("a@1.2.0"), dates));
    }
}
