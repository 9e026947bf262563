//! Search syntax, its meaning, and the in-memory executor that every event store is tested against
//! (`reference/web-api.md` §2).

pub mod expr;
pub mod field;
pub mod matches;
pub mod parse;
pub mod pattern;
mod token;
pub mod words;

pub use expr::{Expr, Op, Term, Value};
pub use field::{Column, FREE_TEXT, Field, Text};
pub use matches::matches;
pub use parse::{Grammar, QueryError, parse};
pub use pattern::Pattern;
