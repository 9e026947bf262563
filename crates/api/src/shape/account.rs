//! Accounts, members, tokens (`reference/web-api.md` §1.2, §4.8).

use nuthatch_store::{
    accounts::{self, ApiToken},
    project_tokens::ProjectToken,
    projects::Role,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::producer;

/// An account, as everybody in its organizations sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) username: String,
    pub(crate) email: String,
    pub(crate) avatar_url: Option<String>,
    pub(crate) is_active: bool,
    pub(crate) date_joined: String,
}

impl From<&accounts::User> for User {
    fn from(user: &accounts::User) -> Self {
        Self {
            id: user.id.to_string(),
            name: if user.name.is_empty() { user.email.clone() } else { user.name.clone() },
            username: user.email.clone(),
            email: user.email.clone(),
            avatar_url: None,
            is_active: true,
            date_joined: user.created.to_string(),
        }
    }
}

/// The account that asks.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CurrentUser {
    #[serde(flatten)]
    pub(crate) user: User,
    pub(crate) has_password_auth: bool,
    pub(crate) is_managed: bool,
    pub(crate) is_superuser: bool,
    pub(crate) is_staff: bool,
    pub(crate) has2fa: bool,
    pub(crate) emails: Vec<EmailAddress>,
}

/// An e-mail address of an account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EmailAddress {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) is_verified: bool,
}

impl From<&accounts::User> for CurrentUser {
    fn from(user: &accounts::User) -> Self {
        let email = EmailAddress { id: user.id.to_string(), email: user.email.clone(), is_verified: true };
        Self {
            user: user.into(),
            has_password_auth: true,
            is_managed: false,
            is_superuser: false,
            is_staff: false,
            has2fa: false,
            emails: vec![email],
        }
    }
}

/// A member of an organization.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Member {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) user: User,
    pub(crate) org_role: String,
    pub(crate) role: String,
    pub(crate) pending: bool,
    pub(crate) expired: bool,
    pub(crate) date_created: String,
    pub(crate) invite_status: String,
    pub(crate) inviter_name: Option<String>,
}

impl Member {
    pub(crate) fn new(user: &accounts::User, role: Role) -> Self {
        let shown = User::from(user);
        Self {
            id: shown.id.clone(),
            email: shown.email.clone(),
            name: shown.name.clone(),
            org_role: role.as_str().to_owned(),
            role: role.as_str().to_owned(),
            pending: false,
            expired: false,
            date_created: shown.date_joined.clone(),
            invite_status: "approved".to_owned(),
            inviter_name: None,
            user: shown,
        }
    }
}

/// What the token check answers: who asks and what they may (`reference/web-api.md` §1.2).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenCheck {
    /// Version of the API, `0`.
    pub(crate) version: String,
    /// Null without a token.
    pub(crate) auth: Option<TokenCheckScopes>,
    /// Null when nobody is signed in.
    pub(crate) user: Option<User>,
}

/// Scopes of the credential that asks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenCheckScopes {
    pub(crate) scopes: Vec<String>,
}

/// A token, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Token {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) token_last_characters: String,
    pub(crate) date_created: String,
}

impl From<&ApiToken> for Token {
    fn from(token: &ApiToken) -> Self {
        Self {
            id: token.id.to_string(),
            name: token.name.clone(),
            scopes: token.scopes.clone(),
            token_last_characters: token.last_characters.clone(),
            date_created: token.created.to_string(),
        }
    }
}

impl From<&ProjectToken> for Token {
    fn from(token: &ProjectToken) -> Self {
        Self {
            id: token.id.to_string(),
            name: token.name.clone(),
            scopes: vec![producer::SCOPE.to_owned()],
            token_last_characters: token.last_characters.clone(),
            date_created: token.created.to_string(),
        }
    }
}

/// A new token: the only answer that holds the secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CreatedToken {
    #[serde(flatten)]
    pub(crate) row: Token,
    /// The secret; it cannot be read again.
    pub(crate) token: String,
}

/// What signs in.
#[derive(Deserialize, ToSchema)]
pub(crate) struct LoginRequest {
    /// E-mail address.
    #[serde(alias = "username")]
    pub(crate) email: String,
    pub(crate) password: String,
}

/// What creates the first account.
#[derive(Deserialize, ToSchema)]
pub(crate) struct SetupRequest {
    /// Secret of the one-time set-up link.
    pub(crate) token: String,
    /// Name for people.
    #[serde(default)]
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) password: String,
}

/// A token to create.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct TokenRequest {
    /// Name for people.
    #[serde(default)]
    pub(crate) name: String,
    /// Scopes such as `event:read`.
    pub(crate) scopes: Vec<String>,
}

/// A token of a project to create.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ProjectTokenRequest {
    /// Name for people.
    pub(crate) name: Option<String>,
}
