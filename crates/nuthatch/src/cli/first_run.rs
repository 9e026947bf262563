//! What a new data directory gets: an organization, a project with a key, and a way to the first account.

use std::io::Read as _;

use anyhow::Context as _;
use nuthatch_api::{
    PASSWORD_MAX_BYTES, SCOPES, check_password, dsn, hash_password, last_characters, secret_hash, token_text,
};
use nuthatch_protocol::PublicKey;
use nuthatch_store::{
    AccountStore as _, MetaStore, ProjectStore as _,
    accounts::{NewToken, NewUser},
    projects::{NewProject, Organization, Project, ProjectKey, Role},
};
use serde_json::json;
use url::Url;

use super::Context;
use crate::{now, random_bytes, server::open_meta};

/// Slug and name of the first organization.
const FIRST_ORGANIZATION: (&str, &str) = ("nuthatch", "Nuthatch");

/// Slug and name of the first project.
const FIRST_PROJECT: (&str, &str) = ("my-project", "My project");

/// How long the link that creates the first account is good for.
const SETUP_LINK_VALID: std::time::Duration = std::time::Duration::from_hours(24);

/// What to tell whoever started the server.
pub(crate) struct FirstRun {
    /// DSN of the first project, if there is a project with an active key.
    pub(crate) dsn: Option<String>,
    /// The link that creates the first account, while there is none.
    pub(crate) setup_link: Option<String>,
}

/// Makes what is missing. Changes nothing on a data directory that has it.
pub(crate) async fn prepare(meta: &dyn MetaStore, url: &Url) -> anyhow::Result<FirstRun> {
    let (_, _, key) = first_project(meta).await?;
    let dsn = key.as_ref().map(|key| dsn(url, key));
    if !meta.users().await?.is_empty() {
        return Ok(FirstRun { dsn, setup_link: None });
    }
    let token = token_text(random_bytes());
    meta.put_setup_link(&secret_hash(&token), now().plus(SETUP_LINK_VALID)).await?;
    let base = url.as_str().trim_end_matches('/');
    Ok(FirstRun { dsn, setup_link: Some(format!("{base}/auth/setup/{token}")) })
}

/// The oldest organization and project with an active key, made when there are none.
async fn first_project(meta: &dyn MetaStore) -> anyhow::Result<(Organization, Project, Option<ProjectKey>)> {
    let organization = match meta.organizations().await?.into_iter().next() {
        Some(organization) => organization,
        None => meta.create_organization(FIRST_ORGANIZATION.0, FIRST_ORGANIZATION.1, now()).await?,
    };
    let project = match meta.projects(organization.id).await?.into_iter().min_by_key(|project| project.id) {
        Some(project) => project,
        None => {
            let (slug, name) = FIRST_PROJECT;
            let project = NewProject {
                organization_id: organization.id,
                slug: slug.to_owned(),
                name: name.to_owned(),
                platform: None,
                first_key: PublicKey(random_bytes()),
                created: now(),
            };
            meta.create_project(project).await?.0
        }
    };
    let key = meta.keys(project.id).await?.into_iter().find(|key| key.is_active);
    Ok((organization, project, key))
}

#[derive(clap::Args)]
pub(crate) struct Args {
    /// E-mail address of the account.
    #[arg(long)]
    email: String,
    /// Name of the account; the part of the address in front of the @ by default.
    #[arg(long)]
    name: Option<String>,
    /// Read the password from standard input.
    #[arg(long, required = true)]
    password_stdin: bool,
    /// Address under which SDKs will reach the server; part of the DSN.
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,
}

/// `nuthatch init`
pub(crate) async fn init(context: &Context, args: Args) -> anyhow::Result<()> {
    debug_assert!(args.password_stdin, "clap requires the flag");
    let meta = open_meta(&context.config.data.dir)?;
    let url = context.config.public_url(context.config.server.listen)?;
    let name = args.name.unwrap_or_else(|| args.email.split('@').next().unwrap_or_default().to_owned());
    let user = meta
        .create_user(NewUser {
            email: args.email,
            name,
            password_hash: hash_password(&password_from_stdin()?, random_bytes())?,
            created: now(),
        })
        .await
        .context("cannot create the account")?;
    let (organization, project, key) = first_project(&meta).await?;
    meta.add_member(organization.id, user.id, Role::Owner).await?;
    let token = token_text(random_bytes());
    meta.create_token(NewToken {
        secret: secret_hash(&token),
        last_characters: last_characters(&token),
        user_id: user.id,
        name: "init".to_owned(),
        scopes: SCOPES.iter().map(|scope| (*scope).to_owned()).collect(),
        created: now(),
    })
    .await?;
    let dsn = key
        .map(|key| dsn(&url, &key))
        .context("the first project has no active key; add one with `nuthatch key create`")?;
    let shown = json!({"organization": organization.slug, "project": project.slug, "dsn": dsn, "token": token});
    context.output.result(&shown, || {
        format!(
            "organization  {}\nproject       {}\nDSN           {dsn}\ntoken         {token}  (shown once)\n",
            organization.slug, project.slug
        )
    });
    Ok(())
}

/// A password from standard input, without the line's end.
pub(crate) fn password_from_stdin() -> anyhow::Result<String> {
    let mut password = String::new();
    std::io::stdin()
        .take(PASSWORD_MAX_BYTES as u64 + 2)
        .read_to_string(&mut password)
        .context("cannot read the password")?;
    let password = password.trim_end_matches(['\r', '\n']).to_owned();
    check_password(&password)?;
    Ok(password)
}
