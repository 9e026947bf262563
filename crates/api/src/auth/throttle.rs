//! Sign-ins per address and account are limited, in bounded memory.

use std::{
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use nuthatch_protocol::Timestamp;
use nuthatch_store::accounts::SecretHash;
use quick_cache::unsync::Cache;

use super::secret::secret_hash;
use crate::error::ApiError;

/// Failed sign-ins to one account from one address in a window.
pub(crate) const PER_ACCOUNT_MAX: u32 = 10;

/// Failed sign-ins from one address in a window, whatever the account.
pub(crate) const PER_ADDRESS_MAX: u32 = 100;

/// How long failures are remembered.
pub(crate) const WINDOW: Duration = Duration::from_mins(15);

/// Most counters that are kept; the ones least used are forgotten first.
const COUNTERS_MAX: usize = 10_000;

/// `None` counts all accounts together.
type Key = (IpAddr, Option<SecretHash>);

#[derive(Clone, Copy)]
struct Window {
    since: Timestamp,
    failures: u32,
}

/// Failed sign-ins.
pub(crate) struct Throttle(Mutex<Cache<Key, Window>>);

impl Throttle {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Cache::new(COUNTERS_MAX)))
    }

    /// Counts an attempt before it is made, so that attempts at the same time count too. [`ApiError::TooMany`] when
    /// there were too many already.
    pub(crate) fn attempt(&self, address: IpAddr, account: &str, now: Timestamp) -> Result<(), ApiError> {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, max) in [(all(address), PER_ADDRESS_MAX), (one(address, account), PER_ACCOUNT_MAX)] {
            let fresh = Window { since: now, failures: 0 };
            let window = counters.get(&key).copied().filter(|w| now < w.since.plus(WINDOW)).unwrap_or(fresh);
            if window.failures >= max {
                let left = window.since.plus(WINDOW).secs() - now.secs();
                return Err(ApiError::TooMany(u64::try_from(left).unwrap_or(0).max(1)));
            }
            counters.insert(key, Window { failures: window.failures + 1, ..window });
        }
        Ok(())
    }

    /// Forgets the failures of an account after a sign-in that succeeded, and takes its attempt back.
    pub(crate) fn succeeded(&self, address: IpAddr, account: &str) {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counters.remove(&one(address, account));
        if let Some(mut window) = counters.get_mut(&all(address)) {
            window.failures = window.failures.saturating_sub(1);
        }
    }
}

fn all(address: IpAddr) -> Key {
    (address, None)
}

fn one(address: IpAddr, account: &str) -> Key {
    (address, Some(secret_hash(&account.to_lowercase())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn an_account_is_closed_to_an_address_for_a_while() {
        let throttle = Throttle::new();
        let now = Timestamp::from_secs(1_000_000);
        for _ in 0..PER_ACCOUNT_MAX {
            throttle.attempt(HERE, "a@example.com", now).unwrap();
        }
        assert!(matches!(throttle.attempt(HERE, "A@example.com", now), Err(ApiError::TooMany(900))));
        throttle.attempt(HERE, "b@example.com", now).unwrap();
        throttle.attempt([10, 0, 0, 1].into(), "a@example.com", now).unwrap();
        throttle.attempt(HERE, "a@example.com", now.plus(WINDOW)).unwrap();
    }

    #[test]
    fn an_address_cannot_go_through_all_accounts() {
        let throttle = Throttle::new();
        let now = Timestamp::from_secs(1_000_000);
        let refused = (0..200).filter(|n| throttle.attempt(HERE, &format!("{n}@example.com"), now).is_err()).count();
        assert_eq!(refused, 100);
    }

    #[test]
    fn success_forgets_failures() {
        let throttle = Throttle::new();
        let now = Timestamp::from_secs(1_000_000);
        for _ in 0..1000 {
            throttle.attempt(HERE, "a@example.com", now).unwrap();
            throttle.succeeded(HERE, "a@example.com");
        }
    }
}
