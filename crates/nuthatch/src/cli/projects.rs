//! `nuthatch project` and `nuthatch key`

use anyhow::Context as _;
use nuthatch_api::dsn;
use nuthatch_protocol::{KeyId, PublicKey};
use nuthatch_store::{
    ProjectStore as _,
    projects::{NewKey, NewProject, Organization, Project, ProjectKey},
};
use nuthatch_store_embedded::meta::EmbeddedMeta;
use serde_json::{Value, json};
use url::Url;

use super::{Context, output::table};
use crate::{now, random_bytes, server::open_meta};

#[derive(clap::Subcommand)]
pub(crate) enum ProjectCommand {
    /// All projects.
    List,
    /// Create a project with a first key.
    Create {
        /// Name in URLs: lower-case letters, digits, dashes.
        slug: String,
        /// Name for people; the slug by default.
        #[arg(long)]
        name: Option<String>,
        /// Platform, for instance `python`.
        #[arg(long)]
        platform: Option<String>,
        /// Slug of the organization; the first by default.
        #[arg(long)]
        organization: Option<String>,
    },
}

pub(crate) async fn project(context: &Context, command: ProjectCommand) -> anyhow::Result<()> {
    let meta = open_meta(&context.config.data.dir)?;
    match command {
        ProjectCommand::List => {
            let projects = all_projects(&meta).await?;
            let value = projects.iter().map(|(organization, project)| shown_project(organization, project)).collect();
            let rows: Vec<_> = projects
                .iter()
                .map(|(o, p)| vec![p.id.to_string(), o.slug.clone(), p.slug.clone(), p.name.clone()])
                .collect();
            context.output.result(&value, || table(&["id", "organization", "project", "name"], &rows));
        }
        ProjectCommand::Create { slug, name, platform, organization } => {
            let sound = !slug.is_empty()
                && slug.len() <= 50
                && slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                && slug.bytes().any(|b| b.is_ascii_lowercase());
            anyhow::ensure!(
                sound,
                "{slug} is not a slug: lower-case letters, digits and dashes, at least one letter, at most 50"
            );
            let organization = self::organization(&meta, organization.as_deref()).await?;
            let name = name.unwrap_or_else(|| slug.clone());
            let (project, key) = meta
                .create_project(NewProject {
                    organization_id: organization.id,
                    slug,
                    name,
                    platform,
                    first_key: PublicKey(random_bytes()),
                    created: now(),
                })
                .await?;
            let dsn = dsn(&url(context)?, &key);
            let mut value = shown_project(&organization, &project);
            value["dsn"] = dsn.as_str().into();
            context.output.result(&value, || format!("created {}\nDSN  {dsn}", project.slug));
        }
    }
    Ok(())
}

#[derive(clap::Subcommand)]
pub(crate) enum KeyCommand {
    /// Keys of a project.
    List {
        /// Slug or id of the project.
        project: String,
    },
    /// Add a key.
    Create {
        /// Slug or id of the project.
        project: String,
        /// Name for people.
        #[arg(long, default_value = "Default")]
        name: String,
    },
    /// Stop accepting a key.
    Disable {
        /// Slug or id of the project.
        project: String,
        /// Id of the key.
        id: u64,
    },
    /// Accept a key again.
    Enable {
        /// Slug or id of the project.
        project: String,
        /// Id of the key.
        id: u64,
    },
}

pub(crate) async fn key(context: &Context, command: KeyCommand) -> anyhow::Result<()> {
    let meta = open_meta(&context.config.data.dir)?;
    let url = url(context)?;
    match command {
        KeyCommand::List { project } => {
            let keys = meta.keys(find(&meta, &project).await?.id).await?;
            let value = keys.iter().map(|key| shown_key(key, &url)).collect();
            let rows: Vec<_> = keys
                .iter()
                .map(|key| {
                    let state = if key.is_active { "active" } else { "disabled" };
                    vec![key.id.to_string(), key.name.clone(), state.to_owned(), dsn(&url, key)]
                })
                .collect();
            context.output.result(&value, || table(&["id", "name", "state", "DSN"], &rows));
        }
        KeyCommand::Create { project, name } => {
            let project_id = find(&meta, &project).await?.id;
            let key = NewKey {
                project_id,
                name,
                public: PublicKey(random_bytes()),
                is_active: true,
                rate_limit: None,
                created: now(),
            };
            let key = meta.create_key(key).await?;
            context.output.result(&shown_key(&key, &url), || dsn(&url, &key));
        }
        KeyCommand::Disable { project, id } => set_active(context, &meta, &project, id, false).await?,
        KeyCommand::Enable { project, id } => set_active(context, &meta, &project, id, true).await?,
    }
    Ok(())
}

async fn set_active(
    context: &Context,
    meta: &EmbeddedMeta,
    project: &str,
    id: u64,
    active: bool,
) -> anyhow::Result<()> {
    let keys = meta.keys(find(meta, project).await?.id).await?;
    let key = keys
        .into_iter()
        .find(|key| key.id == KeyId(id))
        .with_context(|| format!("{project} has no key {id}; see `nuthatch key list {project}`"))?;
    let switch = Box::new(move |key: &mut ProjectKey| {
        key.is_active = active;
        Ok(())
    });
    let key = meta.change_key(key.id, switch).await?;
    let word = if active { "enabled" } else { "disabled" };
    context.output.result(&shown_key(&key, &url(context)?), || format!("{word} key {id}"));
    Ok(())
}

/// The organization of a slug; the first when there is no slug.
pub(super) async fn organization(meta: &EmbeddedMeta, slug: Option<&str>) -> anyhow::Result<Organization> {
    let mut all = meta.organizations().await?.into_iter();
    all.find(|organization| slug.is_none_or(|slug| organization.slug == slug))
        .context("there is no such organization; `nuthatch init` makes the first")
}

async fn all_projects(meta: &EmbeddedMeta) -> anyhow::Result<Vec<(Organization, Project)>> {
    let mut all = Vec::new();
    for organization in meta.organizations().await? {
        let projects = meta.projects(organization.id).await?;
        all.extend(projects.into_iter().map(|project| (organization.clone(), project)));
    }
    Ok(all)
}

pub(super) async fn find(meta: &EmbeddedMeta, wanted: &str) -> anyhow::Result<Project> {
    let projects = all_projects(meta).await?;
    projects
        .into_iter()
        .map(|(_, project)| project)
        .find(|project| project.slug == wanted || project.id.to_string() == wanted)
        .with_context(|| format!("there is no project {wanted}; `nuthatch project list` shows all"))
}

fn url(context: &Context) -> anyhow::Result<Url> {
    context.config.public_url(context.config.server.listen)
}

fn shown_project(organization: &Organization, project: &Project) -> Value {
    json!({"id": project.id, "organization": organization.slug, "project": project.slug, "name": project.name, "platform": project.platform})
}

fn shown_key(key: &ProjectKey, url: &Url) -> Value {
    json!({"id": key.id, "name": key.name, "active": key.is_active, "dsn": dsn(url, key)})
}
