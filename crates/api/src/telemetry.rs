//! The API's metrics.

use metrics::counter;

/// Dead letters that somebody removed without replaying them.
pub(crate) fn letters_discarded(count: u64) {
    counter!("nuthatch_dead_letters_discarded_total").increment(count);
}
