//! Project tokens.

use async_trait::async_trait;
use nuthatch_protocol::ProjectId;

use super::MemoryMeta;
use crate::{
    ProjectTokenStore, StoreError,
    accounts::SecretHash,
    project_tokens::{NewProjectToken, ProjectToken},
};

#[async_trait]
impl ProjectTokenStore for MemoryMeta {
    async fn create_project_token(&self, token: NewProjectToken) -> Result<ProjectToken, StoreError> {
        let mut state = self.lock();
        if !state.projects.contains_key(&token.project_id) {
            return Err(StoreError::NotFound("the project"));
        }
        if state.project_tokens.values().any(|(secret, _)| *secret == token.secret) {
            return Err(StoreError::Conflict("this token"));
        }
        state.last_project_token += 1;
        let NewProjectToken { secret, last_characters, project_id, name, created } = token;
        let token = ProjectToken { id: state.last_project_token, last_characters, project_id, name, created };
        state.project_tokens.insert(token.id, (secret, token.clone()));
        Ok(token)
    }

    async fn project_token(&self, secret: &SecretHash) -> Result<Option<ProjectToken>, StoreError> {
        Ok(self.lock().project_tokens.values().find(|(hash, _)| hash == secret).map(|(_, token)| token.clone()))
    }

    async fn project_tokens(&self, project: ProjectId) -> Result<Vec<ProjectToken>, StoreError> {
        let state = self.lock();
        let tokens = state.project_tokens.values().map(|(_, token)| token);
        Ok(tokens.filter(|token| token.project_id == project).cloned().collect())
    }

    async fn delete_project_token(&self, project: ProjectId, id: u64) -> Result<bool, StoreError> {
        let mut state = self.lock();
        let is_theirs = state.project_tokens.get(&id).is_some_and(|(_, token)| token.project_id == project);
        if is_theirs {
            state.project_tokens.remove(&id);
        }
        Ok(is_theirs)
    }
}
