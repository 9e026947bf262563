//! Nuthatch: error tracking in one binary. This crate is the outermost layer: command line, configuration, wiring of
//! the ports to their adapters. It is the only one that names adapters and reads the clock.

pub mod bench;
pub mod cli;
pub mod client;
pub mod config;
pub mod geoip;
pub mod sample;
pub mod scenario;
pub mod server;

/// The clock of the machine.
#[expect(clippy::disallowed_methods, reason = "this is the one place where the clock is read")]
pub fn now() -> nuthatch_protocol::Timestamp {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    nuthatch_protocol::Timestamp(since_epoch.as_micros() as i64)
}

/// Random bytes for secrets and ids, from the operating system.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes);
    bytes
}
