//! Accounts, sessions, tokens.

use async_trait::async_trait;
use nuthatch_protocol::{Timestamp, UserId};
use nuthatch_store::{
    AccountStore, StoreError,
    accounts::{ApiToken, NewToken, NewUser, SecretHash, Session, User},
    projects::Role,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    EmbeddedMeta,
    column::unsigned,
    error::{Failure, constraint, corrupt, met},
};

const USER: &str = "SELECT id, email, name, password_hash, created FROM user";
const TOKEN: &str = "SELECT id, last_characters, user_id, name, scopes, created FROM token";
const NO_USER: &str = "the user";

fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: UserId(unsigned(row, 0)?),
        email: row.get(1)?,
        name: row.get(2)?,
        password_hash: row.get(3)?,
        created: Timestamp(row.get(4)?),
    })
}

/// A token whose scopes are still JSON.
fn token(row: &Row<'_>) -> rusqlite::Result<(ApiToken, String)> {
    let token = ApiToken {
        id: unsigned(row, 0)?,
        last_characters: row.get(1)?,
        user_id: UserId(unsigned(row, 2)?),
        name: row.get(3)?,
        scopes: Vec::new(),
        created: Timestamp(row.get(5)?),
    };
    Ok((token, row.get(4)?))
}

fn with_scopes((token, scopes): (ApiToken, String)) -> Result<ApiToken, StoreError> {
    let scopes = serde_json::from_str(&scopes).map_err(|e| corrupt(&format!("scopes of token {}: {e}", token.id)))?;
    Ok(ApiToken { scopes, ..token })
}

fn insert(connection: &Connection, new: NewUser) -> Result<User, Failure> {
    let id = connection
        .prepare_cached(
            "INSERT INTO user (email, email_lower, name, password_hash, created) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .insert(params![new.email, new.email.to_lowercase(), new.name, new.password_hash, new.created.0])
        .map_err(constraint("this e-mail address", NO_USER))?;
    let NewUser { email, name, password_hash, created } = new;
    Ok(User { id: UserId(id as u64), email, name, password_hash, created })
}

#[async_trait]
impl AccountStore for EmbeddedMeta {
    async fn create_user(&self, new: NewUser) -> Result<User, StoreError> {
        self.writer.write(move |connection| insert(connection, new)).await
    }

    async fn users(&self) -> Result<Vec<User>, StoreError> {
        self.readers
            .read(|connection| {
                let mut statement = connection.prepare_cached(&format!("{USER} ORDER BY id"))?;
                Ok(statement.query_map([], user)?.collect::<Result<_, _>>()?)
            })
            .await
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.readers
            .read(move |connection| {
                let mut statement = connection.prepare_cached(&format!("{USER} WHERE id = ?1"))?;
                Ok(statement.query_row([id.0 as i64], user).optional()?)
            })
            .await
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<User>, StoreError> {
        let email = email.to_lowercase();
        self.readers
            .read(move |connection| {
                let mut statement = connection.prepare_cached(&format!("{USER} WHERE email_lower = ?1"))?;
                Ok(statement.query_row([email], user).optional()?)
            })
            .await
    }

    async fn set_password(&self, id: UserId, password_hash: &str) -> Result<(), StoreError> {
        let password_hash = password_hash.to_owned();
        self.writer
            .write(move |connection| {
                let id = id.0 as i64;
                let rows = connection
                    .prepare_cached("UPDATE user SET password_hash = ?2 WHERE id = ?1")?
                    .execute(params![id, password_hash])?;
                met(rows, NO_USER)?;
                connection.prepare_cached("DELETE FROM session WHERE user_id = ?1")?.execute([id])?;
                Ok(())
            })
            .await
    }

    async fn create_session(&self, session: Session) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                connection.prepare_cached("DELETE FROM session WHERE expires <= ?1")?.execute([session.created.0])?;
                let Session { secret, user_id, created, expires } = session;
                connection
                    .prepare_cached("INSERT OR REPLACE INTO session VALUES (?1, ?2, ?3, ?4)")?
                    .execute(params![secret, user_id.0 as i64, created.0, expires.0])
                    .map_err(constraint("this session", NO_USER))?;
                Ok(())
            })
            .await
    }

    async fn session(&self, secret: &SecretHash, now: Timestamp) -> Result<Option<Session>, StoreError> {
        let secret = *secret;
        self.readers
            .read(move |connection| {
                let mut statement = connection.prepare_cached(
                    "SELECT user_id, created, expires FROM session WHERE secret = ?1 AND expires > ?2",
                )?;
                let session = statement.query_row(params![secret, now.0], |row| {
                    Ok(Session {
                        secret,
                        user_id: UserId(unsigned(row, 0)?),
                        created: Timestamp(row.get(1)?),
                        expires: Timestamp(row.get(2)?),
                    })
                });
                Ok(session.optional()?)
            })
            .await
    }

    async fn delete_session(&self, secret: &SecretHash) -> Result<(), StoreError> {
        let secret = *secret;
        self.writer
            .write(move |connection| {
                connection.prepare_cached("DELETE FROM session WHERE secret = ?1")?.execute([secret])?;
                Ok(())
            })
            .await
    }

    async fn create_token(&self, new: NewToken) -> Result<ApiToken, StoreError> {
        let scopes = serde_json::Value::from(new.scopes.clone()).to_string();
        self.writer
            .write(move |connection| {
                let NewToken { secret, last_characters, user_id, name, scopes: _, created } = &new;
                let id = connection
                    .prepare_cached(
                        "INSERT INTO token (secret, last_characters, user_id, name, scopes, created)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    )?
                    .insert(params![secret, last_characters, user_id.0 as i64, name, scopes, created.0])
                    .map_err(constraint("this token", NO_USER))?;
                let NewToken { secret: _, last_characters, user_id, name, scopes, created } = new;
                Ok(ApiToken { id: id as u64, last_characters, user_id, name, scopes, created })
            })
            .await
    }

    async fn token(&self, secret: &SecretHash) -> Result<Option<ApiToken>, StoreError> {
        let secret = *secret;
        self.readers
            .read(move |connection| {
                let mut statement = connection.prepare_cached(&format!("{TOKEN} WHERE secret = ?1"))?;
                Ok(statement.query_row([secret], token).optional()?.map(with_scopes).transpose()?)
            })
            .await
    }

    async fn tokens(&self, user: UserId) -> Result<Vec<ApiToken>, StoreError> {
        self.readers
            .read(move |connection| {
                let mut statement = connection.prepare_cached(&format!("{TOKEN} WHERE user_id = ?1 ORDER BY id"))?;
                let tokens: Vec<_> = statement.query_map([user.0 as i64], token)?.collect::<Result<_, _>>()?;
                Ok(tokens.into_iter().map(with_scopes).collect::<Result<_, _>>()?)
            })
            .await
    }

    async fn delete_token(&self, user: UserId, id: u64) -> Result<bool, StoreError> {
        self.writer
            .write(move |connection| {
                let mut statement = connection.prepare_cached("DELETE FROM token WHERE id = ?1 AND user_id = ?2")?;
                Ok(statement.execute(params![id as i64, user.0 as i64])? > 0)
            })
            .await
    }

    async fn put_setup_link(&self, secret: &SecretHash, expires: Timestamp) -> Result<(), StoreError> {
        let secret = *secret;
        self.writer
            .write(move |connection| {
                connection
                    .prepare_cached("INSERT OR REPLACE INTO setup_link VALUES (1, ?1, ?2)")?
                    .execute(params![secret, expires.0])?;
                Ok(())
            })
            .await
    }

    async fn set_up(&self, secret: &SecretHash, user: NewUser, now: Timestamp) -> Result<Option<User>, StoreError> {
        let secret = *secret;
        self.configure(move |connection| {
            let mut take = connection.prepare_cached("DELETE FROM setup_link WHERE secret = ?1 AND expires > ?2")?;
            if take.execute(params![secret, now.0])? == 0 {
                return Ok(None);
            }
            let user = insert(connection, user)?;
            connection
                .prepare_cached("INSERT INTO member SELECT id, ?1, ?2 FROM organization")?
                .execute(params![user.id.0 as i64, Role::Owner.as_str()])?;
            Ok(Some(user))
        })
        .await
    }
}
