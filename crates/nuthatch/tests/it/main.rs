//! The whole product as its users meet it: the real binary, over HTTP and the command line.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod archive;
mod command_line;
mod crash;
mod dead_letters;
mod files;
mod guide;
mod hostile;
mod layers;
mod ledger;
mod operations;
mod overload;
mod produce;
mod quotas;
mod scenarios;
mod server;
mod sessions;
mod sockets;
