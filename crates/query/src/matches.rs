//! The in-memory executor: whether a row meets a condition. It is the oracle that every store is tested against.

use crate::{Expr, row::Row};

/// Whether a row meets a condition.
///
/// * Values (`level`, `release`, tags, …) are compared as a whole and with case; patterns without. With a number they
///   are compared as numbers, if they are; with a time never.
/// * Texts (`title`, `message`, `stack`, …) are searched by words ([`mod@crate::words`]). One of several values has to
///   be contained; of a pattern every piece between the stars. They know no order.
/// * Numbers are compared as numbers, with a pattern as they are written.
/// * Times know equality and order, ids only equality.
pub fn matches<R: Row + ?Sized>(expr: &Expr, row: &R) -> bool {
    match expr {
        Expr::And(parts) => parts.iter().all(|part| matches(part, row)),
        Expr::Or(parts) => parts.iter().any(|part| matches(part, row)),
        Expr::Not(part) => !matches(part, row),
        Expr::Term(term) => row.field(&term.key).meets(&term.op),
    }
}
