//! What goes over the wire: one module per resource, each with the types of its answers and how they come from the
//! model. Key sets are complete, as strict clients demand (`reference/web-api.md` §0.8): a value that is not there is
//! null, never a missing key.

#![expect(
    clippy::struct_field_names,
    clippy::option_option,
    reason = "names are those on the wire, where null and absent differ"
)]

pub(crate) mod account;
pub(crate) mod activity;
pub(crate) mod dead_letter;
pub(crate) mod event;
pub(crate) mod file;
pub(crate) mod filter;
pub(crate) mod issue;
pub(crate) mod issue_type;
pub(crate) mod key;
pub(crate) mod message;
pub(crate) mod monitor;
pub(crate) mod organization;
pub(crate) mod outcome;
pub(crate) mod people;
pub(crate) mod project;
pub(crate) mod quota;
pub(crate) mod release;
pub(crate) mod scrubbing;
pub(crate) mod session;
pub(crate) mod tag;
pub(crate) mod team;
pub(crate) mod version;
