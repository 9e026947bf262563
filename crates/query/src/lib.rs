//! Search syntax, its meaning, and the in-memory executor that every store is tested against
//! (`reference/web-api.md` §2).

pub mod expr;
pub mod field;
pub mod item_field;
pub mod matches;
pub mod parse;
pub mod pattern;
pub mod row;
mod token;
pub mod words;

pub use expr::{Expr, Op, Term, Value};
pub use field::{Column, FREE_TEXT, Field, HANDLED, Text, is_kept};
pub use item_field::{AttributeType, FieldValue, ItemField};
pub use matches::matches;
pub use parse::{Grammar, QueryError, parse};
pub use pattern::Pattern;
pub use row::{Found, Row};
