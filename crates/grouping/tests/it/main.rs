//! Which events share an issue, what it is called, and that every decision explains itself.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod hashes;
mod hostile;
mod rows;
mod words;

use nuthatch_grouping::{Config, Grouping, group};
use nuthatch_protocol::Event;
use serde_json::Value;

fn event(value: &Value) -> Event {
    serde_json::from_value(value.clone()).unwrap()
}

fn grouped(value: &Value) -> Grouping {
    group(&event(value), &Config::default())
}
