//! Who asks, and what they may (`reference/web-api.md` §1.2).

pub(crate) mod access;
pub(crate) mod caller;
pub(crate) mod cookies;
pub(crate) mod password;
pub(crate) mod producer;
pub(crate) mod scope;
pub(crate) mod secret;
pub(crate) mod throttle;
