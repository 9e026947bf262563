//! Logs that hosting platforms forward (`reference/ingest-protocol.md` §2).

pub(crate) mod heroku;
pub(crate) mod vercel;

/// Largest request, in bytes after decompression.
const REQUEST_MAX_BYTES: usize = 12 << 20;

/// Most lines in one request.
const LINES_MAX: usize = 10_000;
