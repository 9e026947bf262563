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
pub mod cause;
pub mod changes;
mod chronicle;
mod component;
pub mod decode;
pub mod flood;
pub mod forecast;
mod group;
pub mod history;
pub mod issue;
pub mod issue_type;
pub mod jobs;
mod ledger;
mod lifecycle;
mod occurrence;
pub mod open_period;
pub mod options;
pub mod outcome;
mod prune;
pub mod quota;
pub mod release;
mod search_text;
pub mod snooze;
mod status_change;

pub use action::{Action, apply_action};
pub use batch::{Routed, needs, process_occurrence_batch};
pub use cause::{Cause, Rule};
pub use changes::{Changes, HourlyCount, MessageKey, Needs, Snapshot};
pub use decode::{
    DecodeError, DecodeReason, Decoded, EmbeddedEvent, LookupOccurrence, TopicRecord, decode, event_user,
};
pub use flood::{Flood, FloodGuard};
pub use forecast::forecast;
pub use issue::{Activity, ActivityKind, Assignee, Issue, Status, Substatus};
pub use issue_type::IssueType;
pub use jobs::{Job, run_job};
pub use ledger::message_key;
pub use lifecycle::effective_status;
pub use options::Options;
pub use outcome::{Counters, DropReason, MessageResult, Outcome, RefuseReason};
pub use quota::Quota;
