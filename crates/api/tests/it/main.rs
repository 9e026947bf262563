//! The API as its clients see it: a router over in-memory stores, a fixed clock, and clients with and without
//! credentials.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

mod accounts;
mod app;
mod archive;
mod dead_letters;
mod event_tables;
mod events;
mod files;
mod isolation;
mod issue_types;
mod issues;
mod lists;
mod occurrences;
mod openapi;
mod outcomes;
mod projects;
mod quotas;
mod releases;
mod teams;
mod traces;
