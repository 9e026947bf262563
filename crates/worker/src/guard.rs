//! A fault of ours in handling a record costs that record: it becomes a dead letter, and the others go on. Otherwise the batch
//! would be read again after each restart and end the worker each time.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::items::Broken;

/// Handling a record panicked; the message is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the server failed to handle it; please report this with what its log says, and replay it with a later release"
)]
pub(crate) struct Panicked;

impl Panicked {
    /// The word for it in dead letters and in the ledger.
    pub(crate) const REASON: &str = "internal_error";
}

impl From<Panicked> for Broken {
    fn from(panicked: Panicked) -> Self {
        Self { reason: Panicked::REASON, message: panicked.to_string(), place: None }
    }
}

/// Does work on one record that changes nothing outside.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| Panicked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_the_cause_of_a_dead_letter() {
        assert_eq!(guarded(|| 7), Ok(7));
        let panicked = guarded(|| panic!("a fault of ours")).map_err(Broken::from);
        assert_eq!(panicked.unwrap_err().reason, "internal_error");
    }
}
