//! Accounts, sessions, tokens. Secrets never reach a store: it keeps hashes of them.

use async_trait::async_trait;
use nuthatch_protocol::{Timestamp, UserId};

use crate::StoreError;

/// SHA-256 of a secret: a session id, a token, a set-up link.
pub type SecretHash = [u8; 32];

/// Accounts and what proves them.
#[async_trait]
pub trait AccountStore: Send + Sync + 'static {
    /// Creates an account. [`StoreError::Conflict`] when the e-mail address is taken (case-insensitive).
    async fn create_user(&self, user: NewUser) -> Result<User, StoreError>;

    /// All accounts, by id.
    async fn users(&self) -> Result<Vec<User>, StoreError>;

    /// An account by id.
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError>;

    /// An account by e-mail address, case-insensitive.
    async fn user_by_email(&self, email: &str) -> Result<Option<User>, StoreError>;

    /// Replaces the password hash and ends all sessions of the account.
    async fn set_password(&self, id: UserId, password_hash: &str) -> Result<(), StoreError>;

    /// Remembers a session.
    async fn create_session(&self, session: Session) -> Result<(), StoreError>;

    /// A session that has not expired.
    async fn session(&self, secret: &SecretHash, now: Timestamp) -> Result<Option<Session>, StoreError>;

    /// Ends a session.
    async fn delete_session(&self, secret: &SecretHash) -> Result<(), StoreError>;

    /// Remembers a token.
    async fn create_token(&self, token: NewToken) -> Result<ApiToken, StoreError>;

    /// A token by its secret.
    async fn token(&self, secret: &SecretHash) -> Result<Option<ApiToken>, StoreError>;

    /// Tokens of an account, by id.
    async fn tokens(&self, user: UserId) -> Result<Vec<ApiToken>, StoreError>;

    /// Removes a token of an account; whether there was one.
    async fn delete_token(&self, user: UserId, id: u64) -> Result<bool, StoreError>;

    /// Remembers the one set-up link, replacing an earlier one.
    async fn put_setup_link(&self, secret: &SecretHash, expires: Timestamp) -> Result<(), StoreError>;

    /// Uses up the set-up link for an account that owns every organization, all or nothing. `None` when the link is not
    /// the right one or has expired; [`StoreError::Conflict`] when the e-mail address is taken.
    async fn set_up(&self, secret: &SecretHash, user: NewUser, now: Timestamp) -> Result<Option<User>, StoreError>;
}

/// An account.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// Id.
    pub id: UserId,
    /// E-mail address, as typed.
    pub email: String,
    /// Name for people.
    pub name: String,
    /// Argon2id hash in PHC format.
    pub password_hash: String,
    /// When it was made.
    pub created: Timestamp,
}

impl std::fmt::Debug for User {
    /// Leaves the password hash out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("id", &self.id).field("email", &self.email).finish_non_exhaustive()
    }
}

/// An account to create.
#[derive(Clone, PartialEq, Eq)]
pub struct NewUser {
    /// E-mail address.
    pub email: String,
    /// Name for people.
    pub name: String,
    /// Argon2id hash in PHC format.
    pub password_hash: String,
    /// Now.
    pub created: Timestamp,
}

/// A session of the web page.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// Hash of the secret in the cookie.
    pub secret: SecretHash,
    /// Whose.
    pub user_id: UserId,
    /// When it began.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
}

/// A token to create.
#[derive(Clone, PartialEq, Eq)]
pub struct NewToken {
    /// Hash of the secret.
    pub secret: SecretHash,
    /// Last four characters of the secret, to recognise it.
    pub last_characters: String,
    /// Whose.
    pub user_id: UserId,
    /// Name for people.
    pub name: String,
    /// Scopes such as `event:read` (`reference/web-api.md` §1.2).
    pub scopes: Vec<String>,
    /// Now.
    pub created: Timestamp,
}

/// A personal token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// Id.
    pub id: u64,
    /// Last four characters of the secret.
    pub last_characters: String,
    /// Whose.
    pub user_id: UserId,
    /// Name for people.
    pub name: String,
    /// Scopes.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created: Timestamp,
}
