//! Intake as SDKs meet it: raw requests into the router, answers and records of the log out of it.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod app;
mod bombs;
mod cases;
mod failures;
mod files;
mod hostile;
mod outcomes;
mod quotas;
mod uploads;
