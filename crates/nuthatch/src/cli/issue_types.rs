//! `nuthatch issue-type`

use std::path::PathBuf;

use anyhow::Context as _;
use nuthatch_api::{Definition, issue_type_json, read_issue_type};
use nuthatch_issues::{IssueType, issue_type::FIRST_DEFINED};
use nuthatch_store::{IssueTypeStore as _, issue_types::IssueTypes, projects::Organization};
use nuthatch_store_embedded::meta::EmbeddedMeta;
use serde_json::json;

use super::{Context, input, output::table, projects::organization};
use crate::server::open_meta;

#[derive(clap::Subcommand)]
pub(crate) enum IssueTypeCommand {
    /// All issue types with their rules: built in, changed, and defined by the organization.
    List {
        /// Slug of the organization; the first by default.
        #[arg(long)]
        organization: Option<String>,
    },
    /// Define an issue type, or change the rules of the one with the same slug.
    Define {
        /// File with JSON as `GET /api/0/organizations/{org}/issue-types/{slug}/` answers it; `-` for standard input.
        /// What is left out stays as it is, or is as usual.
        file: PathBuf,
        /// Slug of the organization; the first by default.
        #[arg(long)]
        organization: Option<String>,
    },
    /// Remove a type that has no issues, or give a built-in type its own rules back.
    Remove {
        /// Slug of the type.
        slug: String,
        /// Slug of the organization; the first by default.
        #[arg(long)]
        organization: Option<String>,
    },
}

pub(crate) async fn run(context: &Context, command: IssueTypeCommand) -> anyhow::Result<()> {
    let meta = open_meta(&context.config.data.dir)?;
    match command {
        IssueTypeCommand::List { organization: wanted } => {
            let types = types(&meta, &organization(&meta, wanted.as_deref()).await?).await?;
            let value = types.all().map(|issue_type| issue_type_json(issue_type.id, &types)).collect();
            let rows: Vec<_> = types.all().map(|issue_type| row(issue_type, &types)).collect();
            context.output.result(&value, || table(&["type", "slug", "name", "category", "rules"], &rows));
        }
        IssueTypeCommand::Define { file, organization: wanted } => {
            let organization = organization(&meta, wanted.as_deref()).await?;
            let json = String::from_utf8(input::read(&file)?.into()).context("the file is not UTF-8")?;
            let definition = read_issue_type(&json, &types(&meta, &organization).await?)
                .map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))?;
            let (word, id) = match definition {
                Definition::New(new) => ("defined", meta.create_issue_type(organization.id, new).await?.id),
                Definition::Change(changed) => {
                    meta.put_issue_type(organization.id, changed.clone()).await?;
                    ("changed", changed.id)
                }
            };
            let types = types(&meta, &organization).await?;
            let value = issue_type_json(id, &types).unwrap_or_default();
            let slug = types.by_id(id).map(|issue_type| issue_type.slug.as_str()).unwrap_or_default();
            context.output.result(&value, || format!("{word} {slug} (type {})", id.0));
        }
        IssueTypeCommand::Remove { slug, organization: wanted } => {
            let organization = organization(&meta, wanted.as_deref()).await?;
            let types = types(&meta, &organization).await?;
            let found = types.by_slug(&slug);
            let id =
                found.with_context(|| format!("there is no issue type {slug}; see `nuthatch issue-type list`"))?.id;
            anyhow::ensure!(types.defines(id), "{slug} is built in and unchanged: there is nothing to remove");
            meta.remove_issue_type(organization.id, id).await?;
            let word = if id < FIRST_DEFINED { "reset" } else { "removed" };
            context.output.result(&json!({"removed": slug}), || format!("{word} {slug}"));
        }
    }
    Ok(())
}

async fn types(meta: &EmbeddedMeta, organization: &Organization) -> anyhow::Result<IssueTypes> {
    Ok(IssueTypes::new(meta.issue_types(organization.id).await?))
}

fn row(issue_type: &IssueType, types: &IssueTypes) -> Vec<String> {
    let rules = match (types.defines(issue_type.id), issue_type.id < FIRST_DEFINED) {
        (false, _) => "built in",
        (true, true) => "changed",
        (true, false) => "own",
    };
    let texts = [&issue_type.slug, &issue_type.name, &issue_type.category];
    let mut row = vec![issue_type.id.0.to_string()];
    row.extend(texts.into_iter().cloned());
    row.push(rules.to_owned());
    row
}
