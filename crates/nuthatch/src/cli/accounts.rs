//! `nuthatch user` and `nuthatch token`

use anyhow::Context as _;
use nuthatch_api::{SCOPES, hash_password, last_characters, secret_hash, token_text};
use nuthatch_store::{
    AccountStore as _, ProjectStore as _,
    accounts::{NewToken, NewUser, User},
    projects::Role,
};
use serde_json::json;

use super::{
    Context,
    first_run::password_from_stdin,
    output::table,
    project_tokens::{self, ProjectTokenCommand},
};
use crate::{now, random_bytes, server::open_meta};

#[derive(clap::Subcommand)]
pub(crate) enum UserCommand {
    /// All accounts.
    List,
    /// Create an account; the password comes from standard input.
    Create {
        /// E-mail address.
        email: String,
        /// Name.
        #[arg(long)]
        name: Option<String>,
        /// Slug of the organization to join; every one by default.
        #[arg(long)]
        organization: Option<String>,
        /// What it may do there.
        #[arg(long, value_parser = [Role::Owner.as_str(), Role::Member.as_str()], default_value = Role::Owner.as_str())]
        role: String,
    },
    /// Set a new password, read from standard input, and end the account's sessions.
    Password {
        /// E-mail address.
        email: String,
    },
}

pub(crate) async fn user(context: &Context, command: UserCommand) -> anyhow::Result<()> {
    let meta = open_meta(&context.config.data.dir)?;
    match command {
        UserCommand::List => {
            let users = meta.users().await?;
            let value = users.iter().map(shown).collect();
            let rows: Vec<_> = users.iter().map(|u| vec![u.id.to_string(), u.email.clone(), u.name.clone()]).collect();
            context.output.result(&value, || table(&["id", "email", "name"], &rows));
        }
        UserCommand::Create { email, name, organization, role } => {
            let role = Role::from_word(&role).with_context(|| format!("there is no role {role}"))?;
            let organizations = meta.organizations().await?;
            if let Some(slug) = &organization {
                anyhow::ensure!(organizations.iter().any(|o| &o.slug == slug), "there is no organization {slug}");
            }
            let name = name.unwrap_or_else(|| email.split('@').next().unwrap_or_default().to_owned());
            let password_hash = hash_password(&password_from_stdin()?, random_bytes())?;
            let user = meta.create_user(NewUser { email, name, password_hash, created: now() }).await?;
            for joined in organizations.iter().filter(|o| organization.as_ref().is_none_or(|slug| &o.slug == slug)) {
                meta.add_member(joined.id, user.id, role).await?;
            }
            context.output.result(&shown(&user), || format!("created {} (id {})", user.email, user.id));
        }
        UserCommand::Password { email } => {
            let user = find(&meta, &email).await?;
            meta.set_password(user.id, &hash_password(&password_from_stdin()?, random_bytes())?).await?;
            context.output.result(&shown(&user), || format!("password of {} changed, sessions ended", user.email));
        }
    }
    Ok(())
}

#[derive(clap::Subcommand)]
pub(crate) enum TokenCommand {
    /// Tokens of an account.
    List {
        /// E-mail address.
        email: String,
    },
    /// Create a token; it is shown once.
    Create {
        /// E-mail address.
        email: String,
        /// Name of the token.
        #[arg(long, default_value = "command line")]
        name: String,
        /// Scopes, for instance `event:read`; all by default.
        #[arg(long, value_delimiter = ',')]
        scopes: Vec<String>,
    },
    /// Delete a token.
    Delete {
        /// E-mail address.
        email: String,
        /// Id, as `nuthatch token list` shows it.
        id: u64,
    },
    /// Tokens of projects, for producers of occurrences.
    #[command(subcommand)]
    Project(ProjectTokenCommand),
}

pub(crate) async fn token(context: &Context, command: TokenCommand) -> anyhow::Result<()> {
    let meta = open_meta(&context.config.data.dir)?;
    match command {
        TokenCommand::List { email } => {
            let tokens = meta.tokens(find(&meta, &email).await?.id).await?;
            let value = tokens
                .iter()
                .map(|t| json!({"id": t.id, "name": t.name, "last": t.last_characters, "scopes": t.scopes, "created": t.created}))
                .collect();
            let rows: Vec<_> = tokens
                .iter()
                .map(|t| {
                    vec![t.id.to_string(), t.name.clone(), format!("…{}", t.last_characters), t.created.to_string()]
                })
                .collect();
            context.output.result(&value, || table(&["id", "name", "token", "created"], &rows));
        }
        TokenCommand::Create { email, name, scopes } => {
            let user = find(&meta, &email).await?;
            for scope in &scopes {
                let known = SCOPES.contains(&scope.as_str());
                anyhow::ensure!(known, "there is no scope {scope}; known are {}", SCOPES.join(", "));
            }
            let all = SCOPES.iter().map(|scope| (*scope).to_owned()).collect();
            let token = token_text(random_bytes());
            let created = meta
                .create_token(NewToken {
                    secret: secret_hash(&token),
                    last_characters: last_characters(&token),
                    user_id: user.id,
                    name,
                    scopes: if scopes.is_empty() { all } else { scopes },
                    created: now(),
                })
                .await?;
            let value = json!({"id": created.id, "name": created.name, "scopes": created.scopes, "token": token});
            context.output.result(&value, || format!("{token}\n(shown once)"));
        }
        TokenCommand::Delete { email, id } => {
            let deleted = meta.delete_token(find(&meta, &email).await?.id, id).await?;
            anyhow::ensure!(deleted, "{email} has no token {id}; see `nuthatch token list {email}`");
            context.output.result(&json!({"deleted": id}), || format!("deleted token {id}"));
        }
        TokenCommand::Project(command) => project_tokens::run(context, &meta, command).await?,
    }
    Ok(())
}

async fn find(meta: &nuthatch_store_embedded::meta::EmbeddedMeta, email: &str) -> anyhow::Result<User> {
    meta.user_by_email(email)
        .await?
        .with_context(|| format!("there is no account {email}; `nuthatch user list` shows all"))
}

fn shown(user: &User) -> serde_json::Value {
    json!({"id": user.id, "email": user.email, "name": user.name, "created": user.created})
}
