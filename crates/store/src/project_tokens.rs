//! Project tokens: what a producer of occurrences proves itself with. They belong to a project, not to an account, and
//! open nothing else.

use async_trait::async_trait;
use nuthatch_protocol::{ProjectId, Timestamp};

use crate::{StoreError, accounts::SecretHash};

/// Tokens of projects.
#[async_trait]
pub trait ProjectTokenStore: Send + Sync + 'static {
    /// Remembers a token. [`StoreError::NotFound`] when there is no such project.
    async fn create_project_token(&self, token: NewProjectToken) -> Result<ProjectToken, StoreError>;

    /// A token by its secret.
    async fn project_token(&self, secret: &SecretHash) -> Result<Option<ProjectToken>, StoreError>;

    /// Tokens of a project, by id.
    async fn project_tokens(&self, project: ProjectId) -> Result<Vec<ProjectToken>, StoreError>;

    /// Removes a token of a project; whether there was one.
    async fn delete_project_token(&self, project: ProjectId, id: u64) -> Result<bool, StoreError>;
}

/// A token to create.
#[derive(Clone, PartialEq, Eq)]
pub struct NewProjectToken {
    /// Hash of the secret.
    pub secret: SecretHash,
    /// Last four characters of the secret, to recognise it.
    pub last_characters: String,
    /// The project it may send to.
    pub project_id: ProjectId,
    /// Name for people.
    pub name: String,
    /// Now.
    pub created: Timestamp,
}

/// A token of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectToken {
    /// Id.
    pub id: u64,
    /// Last four characters of the secret.
    pub last_characters: String,
    /// The project it may send to.
    pub project_id: ProjectId,
    /// Name for people.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
}
