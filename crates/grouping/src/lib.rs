//! Which events belong together, and what to call them (`reference/grouping.md`).
//!
//! [`group`] looks at a canonical event and gives its hashes in the order of look-up, the variants that explain
//! them part by part, and the title, culprit and metadata that an issue shows. [`row`] and [`occurrence`] put the
//! result into what the event store keeps and what the issue platform takes. [`transaction_items`] and [`trace_item`]
//! make the rows of spans, log lines and metrics.

pub mod component;
mod config;
mod crash;
mod culprit;
mod exception;
mod fingerprint;
mod frame;
mod function_name;
mod grouping;
mod in_app;
mod occurrence;
mod parametrize;
mod platform;
mod row;
mod stacktrace;
mod strategy;
mod title;
mod trace_item;
mod variant;

pub use component::Component;
pub use config::{Config, FrameRule, Matcher};
pub use grouping::{Grouping, group};
pub use in_app::mark_frames;
pub use occurrence::occurrence;
pub use platform::Family;
pub use row::{row, trace};
pub use trace_item::{trace_item, transaction_items};
pub use variant::{Variant, VariantKind};
