//! Scrubbing: what says too much about people is taken out before anything is stored
//! (`reference/ingest-protocol.md` §13).
//!
//! The [`ScrubSettings`] of a project and of its organization become a [`Scrubber`]: pairs of a selector, which says where,
//! and of rules, which say what is looked for and what is put in its place. The advanced rules come first, those of the
//! organization before those of the project, then the rules of the simple settings.
//! The event is walked once; `_meta` remarks what was done and never keeps what was removed.

mod config;
mod defaults;
mod patterns;
mod place;
mod rule;
mod schema;
mod selector;
mod settings;
mod special;
mod text;
mod types;
mod walk;

use std::sync::Arc;

use nuthatch_protocol::{Event, TraceItemKind};
use serde::Serialize;
use serde_json::{Map, Value};

pub use settings::{ScrubSettings, read_pii_config};

use crate::{Problem, replay};

use self::{
    rule::{Redaction, Rule},
    schema::Node,
    selector::{Match, Selector},
};

/// Something that was taken out of an event, for people who want to see what their rules do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// Where, in the language of selectors.
    pub path: String,
    /// The rule.
    pub rule: String,
    /// How: `x` removed, `s` substituted, `m` masked, `p` hashed.
    pub kind: &'static str,
    /// The value before.
    pub before: Value,
    /// The value afterwards; null when it is gone.
    pub after: Value,
}

/// What remarks put before the names of the organization's rules.
const OF_ORGANIZATION: &str = "organization:";

/// The rules of a project, ready to be applied.
#[derive(Debug, Default)]
pub struct Scrubber {
    applications: Vec<Application>,
    /// Those that can mean a place by its name: no others may touch what is scrubbed only when it is asked for, which is
    /// most of a stack trace.
    naming: Vec<Application>,
    /// Those that are for attached files.
    of_files: Vec<Application>,
    /// Whether the variables of GraphQL requests are taken out.
    graphql: bool,
}

/// Rules and where they apply.
#[derive(Debug, Clone)]
struct Application {
    selector: Selector,
    rules: Vec<Arc<Rule>>,
}

/// What an event is scrubbed as.
fn node_of(event: &Event) -> Node {
    if event.text(&["type"]) == Some(replay::KIND) { Node::Replay } else { Node::Event }
}

impl Scrubber {
    /// Prepares the settings of a project alone. What cannot be used is left out and told, so the rest still protects.
    pub fn new(project: &ScrubSettings) -> (Self, Vec<Problem>) {
        Self::within(&ScrubSettings::nothing(), project)
    }

    /// Prepares the settings of a project with what its organization requires. What cannot be used is left out and told.
    pub fn within(organization: &ScrubSettings, project: &ScrubSettings) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut applications = Vec::new();
        for (owner, settings) in [(OF_ORGANIZATION, organization), ("", project)] {
            if let Some(config) = &settings.relay_pii_config {
                applications.extend(config::read(config, owner, &mut problems));
            }
        }
        applications.extend(defaults::applications(organization, project, &mut problems));
        let naming = applications.iter().filter(|it| it.selector.best() == Match::Named).cloned().collect();
        let of_files = applications.iter().filter(|it| it.selector.names_attachments()).cloned().collect();
        (
            Self { applications, naming, of_files, graphql: organization.data_scrubber || project.data_scrubber },
            problems,
        )
    }

    /// Takes out of the event what the rules say.
    pub fn scrub(&self, event: &mut Event) {
        let node = node_of(event);
        walk::scrub(self, &mut event.0, node, None);
    }

    /// The same, telling each change.
    pub fn explain(&self, event: &mut Event) -> Vec<Change> {
        let mut changes = Vec::new();
        let node = node_of(event);
        walk::scrub(self, &mut event.0, node, Some(&mut changes));
        changes
    }

    /// Takes out of a span, a log line or a metric in normal form what the rules say.
    pub fn scrub_item(&self, kind: TraceItemKind, item: &mut Map<String, Value>) {
        let node = match kind {
            TraceItemKind::Span => Node::Span,
            TraceItemKind::Log => Node::Log,
            TraceItemKind::Metric => Node::Metric,
        };
        walk::scrub(self, item, node, None);
    }

    /// Whether there are rules for attached files.
    pub fn scrubs_attachments(&self) -> bool {
        !self.of_files.is_empty()
    }

    /// The text of an attached file without what rules that name `$attachments` take out of it (§13.7); `None` when they
    /// take out nothing.
    pub fn scrub_attachment(&self, name: &str, text: &str) -> Option<String> {
        if self.of_files.is_empty() {
            return None;
        }
        Some(walk::scrub_file(self, name, text)).filter(|scrubbed| scrubbed != text)
    }

    /// Whether a part of a text with a remark can be what a rule of this name left there.
    fn has_left(&self, rule: &str, letter: &str, text: &str) -> bool {
        let rules = self.applications.iter().flat_map(|application| &application.rules);
        let mut of_name = rules.filter(|known| &*known.id == rule && known.redaction.letter() == letter);
        of_name.any(|known| known.redaction.may_have_made(text))
            || (self.graphql
                && rule == special::GRAPHQL
                && Redaction::Replace(rule::FILTERED.into()).may_have_made(text))
    }
}
