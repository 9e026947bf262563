//! Transactions, spans, logs and trace metrics (`reference/ingest-protocol.md` §7.12–§7.15, §11.12).
//!
//! A transaction is an event with spans: [`transaction`] shares the interfaces of error events and adds what only
//! transactions have. What comes by itself or in containers is read by [`trace_items`], entry by entry: a broken one is
//! left out and told, its neighbours stay. Spans have one normal form, wherever they come from: the one in which they
//! stand in transactions; attributes of entries are plain values under their names.

mod attachment;
mod attributes;
mod browser_score;
mod container;
mod description;
mod log;
mod measurements;
mod metric;
mod name;
mod span;
mod times;
mod transaction;

pub use attachment::{TraceAttachment, trace_attachment};
pub use container::{BrokenEntry, Entry, MAX_ENTRIES, TraceItems, trace_items};
pub use transaction::{Transaction, transaction};
