//! The issue platform: occurrences and status changes become issues (`reference/issue-platform.md`).
//!
//! A functional core. It takes a batch, a [`Snapshot`] of the state the batch needs (prefetched in a few queries
//! from what [`needs`] names) and the time, and returns [`Changes`]. A store applies them, together with the
//! consumer's position, in one transaction. No I/O, no clock: so it runs in parallel, in a simulator, and in
//! `explain`.
//!
//! [`decode()`] reads a producer's JSON, [`process_occurrence_batch`] decides what messages do, [`apply_action`] what a
//! person does.

pub mod action;
pub mod batch;
mod built_in;
pub mod changes;
mod component;
pub mod decode;
mod group;
pub mod issue;
pub mod issue_type;
mod ledger;
mod lifecycle;
mod occurrence;
pub mod outcome;
pub mod quota;
mod search_text;
mod status_change;

pub use action::{Action, apply_action};
pub use batch::{Routed, needs, process_occurrence_batch};
pub use changes::{Changes, HourlyCount, Needs, Snapshot};
pub use decode::{DecodeError, DecodeReason, Decoded, EmbeddedEvent, LookupOccurrence, decode};
pub use issue::{Activity, ActivityKind, Assignee, Issue, Status, Substatus};
pub use issue_type::IssueType;
pub use outcome::{Counters, DropReason, MessageResult, Outcome, RefuseReason};
pub use quota::Quota;
