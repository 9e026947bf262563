//! Passwords: Argon2id, on few threads, so that sign-ins can never take the whole machine.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use tokio::sync::Semaphore;

use crate::error::ApiError;

/// Shortest password, in characters.
pub const PASSWORD_MIN_CHARS: usize = 8;

/// Longest password, in bytes.
pub const PASSWORD_MAX_BYTES: usize = 1024;

/// Passwords hashed at once; each takes 19 MiB and a thread for some tens of milliseconds.
const HASHING_MAX: usize = 2;

/// Requests that wait for a hash; more are turned away.
const WAITING_MAX: usize = 64;

/// A hash that no password has, with the parameters of real ones: what a sign-in to an unknown account is compared
/// with, so that it takes as long as one to a known account.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bnV0aGF0Y2ggbm9ib2R5$c2l0dGEgZXVyb3BhZWEgY2xpbWJzIGRvd253YXI";

/// A password that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too easy to guess.
    #[error("password is shorter than {PASSWORD_MIN_CHARS} characters")]
    TooShort,
    /// Longer than anybody types.
    #[error("password is longer than {PASSWORD_MAX_BYTES} bytes")]
    TooLong,
    /// The hash could not be computed.
    #[error("password cannot be hashed: {0}")]
    Hash(String),
}

/// Refuses passwords that are too short or too long.
pub fn check_password(password: &str) -> Result<(), PasswordError> {
    if password.chars().count() < PASSWORD_MIN_CHARS {
        return Err(PasswordError::TooShort);
    }
    if password.len() > PASSWORD_MAX_BYTES {
        return Err(PasswordError::TooLong);
    }
    Ok(())
}

/// The Argon2id hash of a password in PHC format. Slow on purpose: never call it on a thread that serves.
pub fn hash_password(password: &str, salt: [u8; 16]) -> Result<String, PasswordError> {
    check_password(password)?;
    let hash: argon2::password_hash::phc::PasswordHash = Argon2::default()
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map_err(|error| PasswordError::Hash(error.to_string()))?;
    Ok(hash.to_string())
}

fn matches(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

/// Hashes and compares, a bounded number at once.
pub(crate) struct Passwords {
    running: Semaphore,
    waiting: Semaphore,
}

impl Passwords {
    pub(crate) fn new() -> Self {
        Self { running: Semaphore::new(HASHING_MAX), waiting: Semaphore::new(WAITING_MAX) }
    }

    /// Whether a password is the one of an account; `None` for the hash: there is no such account, which takes as long.
    pub(crate) async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, ApiError> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODY.to_owned());
        let fits = password.len() <= PASSWORD_MAX_BYTES;
        let right = self.run(move || fits && matches(&password, &hash)).await?;
        Ok(right && known)
    }

    /// The hash of a new password.
    pub(crate) async fn hash(&self, password: String, salt: [u8; 16]) -> Result<String, ApiError> {
        check_password(&password).map_err(|error| ApiError::Invalid(error.to_string()))?;
        let hash = self.run(move || hash_password(&password, salt)).await?;
        hash.map_err(|error| ApiError::Internal(error.to_string()))
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
        let _place = self.waiting.try_acquire().map_err(|_| ApiError::TooMany(1))?;
        let closed = |error: tokio::sync::AcquireError| ApiError::Internal(error.to_string());
        let _permit = self.running.acquire().await.map_err(closed)?;
        tokio::task::spawn_blocking(work).await.map_err(|error| ApiError::Internal(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_hashed_with_their_salt() {
        let hash = hash_password("correct horse", [7; 16]).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(matches("correct horse", &hash) && !matches("wrong horse", &hash));
        assert_ne!(hash, hash_password("correct horse", [8; 16]).unwrap());
    }

    #[test]
    fn nobody_has_a_well_formed_hash_with_the_same_cost() {
        let real = hash_password("correct horse", [7; 16]).unwrap();
        let (nobody, real) = (PasswordHash::new(NOBODY).unwrap(), PasswordHash::new(&real).unwrap());
        assert_eq!(nobody.params, real.params);
        assert!(nobody.hash.is_some() && !matches("", NOBODY));
    }

    #[test]
    fn lengths_are_bounded() {
        assert_eq!(check_password("short"), Err(PasswordError::TooShort));
        assert_eq!(check_password(&"x".repeat(1025)), Err(PasswordError::TooLong));
        assert_eq!(check_password("pässword"), Ok(()));
    }
}
