//! Accounts, sessions, tokens.

use async_trait::async_trait;
use nuthatch_protocol::{Timestamp, UserId};

use super::{MemoryMeta, State};
use crate::{
    AccountStore, StoreError,
    accounts::{ApiToken, NewToken, NewUser, SecretHash, Session, User},
    projects::Role,
};

impl State {
    fn add_user(&mut self, user: NewUser) -> Result<User, StoreError> {
        let email = user.email.to_lowercase();
        if self.users.values().any(|other| other.email.to_lowercase() == email) {
            return Err(StoreError::Conflict("this e-mail address"));
        }
        let id = UserId(self.users.len() as u64 + 1);
        let NewUser { email, name, password_hash, created } = user;
        let user = User { id, email, name, password_hash, created };
        self.users.insert(id, user.clone());
        Ok(user)
    }
}

#[async_trait]
impl AccountStore for MemoryMeta {
    async fn create_user(&self, user: NewUser) -> Result<User, StoreError> {
        self.lock().add_user(user)
    }

    async fn users(&self) -> Result<Vec<User>, StoreError> {
        Ok(self.lock().users.values().cloned().collect())
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.lock().users.get(&id).cloned())
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<User>, StoreError> {
        let email = email.to_lowercase();
        Ok(self.lock().users.values().find(|user| user.email.to_lowercase() == email).cloned())
    }

    async fn set_password(&self, id: UserId, password_hash: &str) -> Result<(), StoreError> {
        let mut state = self.lock();
        let user = state.users.get_mut(&id).ok_or(StoreError::NotFound("the user"))?;
        password_hash.clone_into(&mut user.password_hash);
        state.sessions.retain(|_, session| session.user_id != id);
        Ok(())
    }

    async fn create_session(&self, session: Session) -> Result<(), StoreError> {
        let mut state = self.lock();
        if !state.users.contains_key(&session.user_id) {
            return Err(StoreError::NotFound("the user"));
        }
        state.sessions.retain(|_, other| other.expires > session.created);
        state.sessions.insert(session.secret, session);
        Ok(())
    }

    async fn session(&self, secret: &SecretHash, now: Timestamp) -> Result<Option<Session>, StoreError> {
        Ok(self.lock().sessions.get(secret).filter(|session| session.expires > now).copied())
    }

    async fn delete_session(&self, secret: &SecretHash) -> Result<(), StoreError> {
        self.lock().sessions.remove(secret);
        Ok(())
    }

    async fn create_token(&self, token: NewToken) -> Result<ApiToken, StoreError> {
        let mut state = self.lock();
        if !state.users.contains_key(&token.user_id) {
            return Err(StoreError::NotFound("the user"));
        }
        if state.tokens.values().any(|(secret, _)| *secret == token.secret) {
            return Err(StoreError::Conflict("this token"));
        }
        state.last_token += 1;
        let NewToken { secret, last_characters, user_id, name, scopes, created } = token;
        let token = ApiToken { id: state.last_token, last_characters, user_id, name, scopes, created };
        state.tokens.insert(token.id, (secret, token.clone()));
        Ok(token)
    }

    async fn token(&self, secret: &SecretHash) -> Result<Option<ApiToken>, StoreError> {
        Ok(self.lock().tokens.values().find(|(hash, _)| hash == secret).map(|(_, token)| token.clone()))
    }

    async fn tokens(&self, user: UserId) -> Result<Vec<ApiToken>, StoreError> {
        let state = self.lock();
        Ok(state.tokens.values().map(|(_, token)| token).filter(|token| token.user_id == user).cloned().collect())
    }

    async fn delete_token(&self, user: UserId, id: u64) -> Result<bool, StoreError> {
        let mut state = self.lock();
        let is_theirs = state.tokens.get(&id).is_some_and(|(_, token)| token.user_id == user);
        if is_theirs {
            state.tokens.remove(&id);
        }
        Ok(is_theirs)
    }

    async fn put_setup_link(&self, secret: &SecretHash, expires: Timestamp) -> Result<(), StoreError> {
        self.lock().setup_link = Some((*secret, expires));
        Ok(())
    }

    async fn set_up(&self, secret: &SecretHash, user: NewUser, now: Timestamp) -> Result<Option<User>, StoreError> {
        let mut state = self.lock();
        if !state.setup_link.is_some_and(|(hash, expires)| hash == *secret && expires > now) {
            return Ok(None);
        }
        let user = state.add_user(user)?;
        state.setup_link = None;
        let organizations: Vec<_> = state.organizations.keys().copied().collect();
        state.members.extend(organizations.into_iter().map(|organization| ((organization, user.id), Role::Owner)));
        self.config_changed();
        Ok(Some(user))
    }
}
