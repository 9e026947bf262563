//! `nuthatch token project`

use nuthatch_api::{last_characters, project_token_text, secret_hash};
use nuthatch_store::{
    ProjectTokenStore as _,
    project_tokens::{NewProjectToken, ProjectToken},
};
use nuthatch_store_embedded::meta::EmbeddedMeta;
use serde_json::{Value, json};

use super::{Context, output::table, projects::find};
use crate::{now, random_bytes};

#[derive(clap::Subcommand)]
pub(crate) enum ProjectTokenCommand {
    /// Tokens of a project.
    List {
        /// Slug or id of the project.
        project: String,
    },
    /// Create a token that may send occurrences to the project and nothing else; it is shown once.
    Create {
        /// Slug or id of the project.
        project: String,
        /// Name of the token.
        #[arg(long, default_value = "command line")]
        name: String,
    },
    /// Delete a token.
    Delete {
        /// Slug or id of the project.
        project: String,
        /// Id, as `nuthatch token project list` shows it.
        id: u64,
    },
}

pub(crate) async fn run(context: &Context, meta: &EmbeddedMeta, command: ProjectTokenCommand) -> anyhow::Result<()> {
    match command {
        ProjectTokenCommand::List { project } => {
            let tokens = meta.project_tokens(find(meta, &project).await?.id).await?;
            let value = tokens.iter().map(shown).collect();
            let row = |t: &ProjectToken| {
                vec![t.id.to_string(), t.name.clone(), format!("…{}", t.last_characters), t.created.to_string()]
            };
            let rows: Vec<_> = tokens.iter().map(row).collect();
            context.output.result(&value, || table(&["id", "name", "token", "created"], &rows));
        }
        ProjectTokenCommand::Create { project, name } => {
            let text = project_token_text(random_bytes());
            let token = NewProjectToken {
                secret: secret_hash(&text),
                last_characters: last_characters(&text),
                project_id: find(meta, &project).await?.id,
                name,
                created: now(),
            };
            let mut value = shown(&meta.create_project_token(token).await?);
            value["token"] = text.as_str().into();
            context.output.result(&value, || format!("{text}\n(shown once)"));
        }
        ProjectTokenCommand::Delete { project, id } => {
            let deleted = meta.delete_project_token(find(meta, &project).await?.id, id).await?;
            anyhow::ensure!(deleted, "{project} has no token {id}; see `nuthatch token project list {project}`");
            context.output.result(&json!({"deleted": id}), || format!("deleted token {id}"));
        }
    }
    Ok(())
}

fn shown(token: &ProjectToken) -> Value {
    json!({"id": token.id, "name": token.name, "last": token.last_characters, "project": token.project_id, "created": token.created})
}
