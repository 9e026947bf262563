//! Secrets and what is kept of them. Only hashes reach a store; texts are compared through their hashes.

use std::fmt::Write as _;

use nuthatch_store::accounts::SecretHash;
use sha2::{Digest as _, Sha256};

/// What personal tokens begin with; scanners for leaked secrets know it.
const TOKEN_PREFIX: &str = "sntryu_";

/// What project tokens begin with.
const PROJECT_TOKEN_PREFIX: &str = "nuthatch_";

/// Bytes of randomness in a secret.
pub const SECRET_BYTES: usize = 32;

/// A personal token from random bytes: `sntryu_` and 64 hex digits (`reference/web-api.md` §1.2).
pub fn token_text(random: [u8; SECRET_BYTES]) -> String {
    format!("{TOKEN_PREFIX}{}", hex(&random))
}

/// A project token from random bytes: `nuthatch_` and 64 hex digits.
pub fn project_token_text(random: [u8; SECRET_BYTES]) -> String {
    format!("{PROJECT_TOKEN_PREFIX}{}", hex(&random))
}

/// Whether a token is that of a project.
pub(crate) fn is_project_token(token: &str) -> bool {
    token.starts_with(PROJECT_TOKEN_PREFIX)
}

/// The last characters of a token, by which people recognise it.
pub fn last_characters(token: &str) -> String {
    token.get(token.len().saturating_sub(4)..).unwrap_or_default().to_owned()
}

/// What a store keeps of a secret: of a token, of a session's cookie, of a set-up link.
pub fn secret_hash(secret: &str) -> SecretHash {
    Sha256::digest(secret.as_bytes()).into()
}

/// The CSRF token that belongs to a session: derived, so that nothing more has to be kept, and one way, so that a
/// page that can read it cannot become the session.
pub(crate) fn csrf_token(session: &str) -> String {
    hex(&secret_hash(&format!("nuthatch csrf {session}")))
}

/// Lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        // Writing to a text cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_have_the_form_that_clients_know() {
        let token = token_text([0xab; 32]);
        assert_eq!(token, format!("sntryu_{}", "ab".repeat(32)));
        assert_eq!(last_characters(&token), "abab");
        assert_ne!(csrf_token("a"), csrf_token("b"));
    }
}
