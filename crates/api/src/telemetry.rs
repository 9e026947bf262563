//! The API's metrics.

use metrics::counter;

/// Dead letters that somebody removed without replaying them. With those that were replayed, dropped and still wait it
/// adds up to those that were refused.
pub(crate) fn letters_discarded(count: u64) {
    counter!("nuthatch_dead_letters_discarded_total").increment(count);
}
