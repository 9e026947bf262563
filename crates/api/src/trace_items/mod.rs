//! Spans, log lines and metrics as tables and series (`reference/web-api.md` §4.1, §4.2). Pure: what the names in a
//! request mean, and how what the store finds is shown.

pub(crate) mod column;
pub(crate) mod dataset;
pub(crate) mod tree;
pub(crate) mod value;

pub(crate) use column::{Column, Columns};
pub(crate) use dataset::Dataset;
