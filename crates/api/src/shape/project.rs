//! Projects (`reference/web-api.md` §3.2).

use std::collections::BTreeMap;

use nuthatch_protocol::{DomainPattern, InvalidDomain};
use nuthatch_store::{
    project_facts::ProjectFacts,
    projects::{self, AllowedDomains},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    auth::scope::Scopes,
    query::present,
    shape::{
        filter::filter_lists,
        organization::{Avatar, Organization},
        scrubbing::ScrubbingRequest,
        team::TeamSummary,
    },
};

/// A project as part of something else.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ProjectSummary {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) slug: String,
    pub(crate) platform: Option<String>,
}

impl From<&projects::Project> for ProjectSummary {
    fn from(project: &projects::Project) -> Self {
        Self {
            id: project.id.to_string(),
            name: project.name.clone(),
            slug: project.slug.clone(),
            platform: project.platform.clone(),
        }
    }
}

/// A project in a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Project {
    pub(crate) id: String,
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) platform: Option<String>,
    pub(crate) date_created: String,
    pub(crate) is_bookmarked: bool,
    pub(crate) is_member: bool,
    pub(crate) features: Vec<String>,
    /// Time of the first event; null while the project waits for it.
    pub(crate) first_event: Option<String>,
    pub(crate) first_transaction_event: bool,
    /// Scopes of the one who asks.
    pub(crate) access: Vec<String>,
    pub(crate) has_access: bool,
    pub(crate) team: Option<TeamSummary>,
    pub(crate) teams: Vec<TeamSummary>,
    pub(crate) platforms: Vec<String>,
    pub(crate) environments: Vec<String>,
    pub(crate) latest_release: Option<ReleaseName>,
    pub(crate) has_user_reports: bool,
    pub(crate) has_sessions: bool,
    pub(crate) has_profiles: bool,
    pub(crate) has_replays: bool,
    pub(crate) has_feedbacks: bool,
    pub(crate) has_new_feedbacks: bool,
    pub(crate) has_monitors: bool,
    pub(crate) has_logs: bool,
    pub(crate) has_flags: bool,
    pub(crate) has_minified_stack_trace: bool,
    pub(crate) has_trace_metrics: bool,
    /// The organization it belongs to.
    pub(crate) organization: Organization,
}

/// The version of a release.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ReleaseName {
    pub(crate) version: String,
}

impl Project {
    pub(crate) fn new(
        project: &projects::Project,
        organization: Organization,
        facts: ProjectFacts,
        scopes: Scopes,
        teams: Vec<TeamSummary>,
    ) -> Self {
        Self {
            id: project.id.to_string(),
            slug: project.slug.clone(),
            name: project.name.clone(),
            platform: project.platform.clone(),
            date_created: project.created.to_string(),
            is_bookmarked: false,
            is_member: true,
            features: Vec::new(),
            first_event: facts.first_event.map(|time| time.to_string()),
            first_transaction_event: facts.has_transactions,
            access: scopes.words(),
            has_access: true,
            team: teams.first().cloned(),
            teams,
            platforms: project.platform.iter().cloned().collect(),
            environments: facts.environments,
            latest_release: facts.latest_release.map(|version| ReleaseName { version }),
            has_user_reports: facts.has_user_reports,
            has_sessions: facts.has_sessions,
            has_profiles: facts.has_profiles,
            has_replays: facts.has_replays,
            has_feedbacks: facts.has_feedback,
            has_new_feedbacks: facts.has_feedback,
            has_monitors: facts.has_monitors,
            has_logs: facts.has_logs,
            has_flags: false,
            has_minified_stack_trace: false,
            has_trace_metrics: facts.has_metrics,
            organization,
        }
    }
}

/// A project with its settings.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProjectDetail {
    #[serde(flatten)]
    pub(crate) row: Project,
    pub(crate) status: String,
    pub(crate) is_internal: bool,
    pub(crate) is_public: bool,
    pub(crate) avatar: Avatar,
    pub(crate) subject_prefix: String,
    pub(crate) allowed_domains: Vec<String>,
    /// Hours without an event after which an issue counts as resolved; 0: never.
    pub(crate) resolve_age: u32,
    pub(crate) data_scrubber: bool,
    pub(crate) data_scrubber_defaults: bool,
    pub(crate) safe_fields: Vec<String>,
    pub(crate) sensitive_fields: Vec<String>,
    #[serde(rename = "scrubIPAddresses")]
    pub(crate) scrub_ip_addresses: bool,
    /// The advanced rules as JSON text; null without any.
    pub(crate) relay_pii_config: Option<String>,
    pub(crate) highlight_tags: Vec<String>,
    pub(crate) grouping_enhancements: String,
    pub(crate) fingerprinting_rules: String,
    pub(crate) processing_issues: u32,
    /// Lists of the inbound filters: `filters:blacklisted_ips`, `filters:releases`, `filters:error_messages`,
    /// `filters:log_messages`, `filters:trace_metric_names` and `sentry:csp_ignored_sources` with one entry a line,
    /// `filters:custom` as a list of conditions; and whether the usual sources of `csp` reports are dropped too,
    /// `sentry:csp_ignored_sources_defaults`.
    pub(crate) options: serde_json::Map<String, serde_json::Value>,
}

impl ProjectDetail {
    pub(crate) fn new(row: Project, project: &projects::Project) -> Self {
        let options = &project.options;
        let scrubbing = &options.scrubbing;
        let rules = scrubbing.relay_pii_config.clone();
        Self {
            row,
            status: "active".to_owned(),
            is_internal: false,
            is_public: false,
            avatar: Avatar::letters(),
            subject_prefix: String::new(),
            allowed_domains: options.allowed_domains.0.clone(),
            resolve_age: project.resolve_age_hours.unwrap_or_default(),
            data_scrubber: scrubbing.data_scrubber,
            data_scrubber_defaults: scrubbing.data_scrubber_defaults,
            safe_fields: scrubbing.safe_fields.clone(),
            sensitive_fields: scrubbing.sensitive_fields.clone(),
            scrub_ip_addresses: scrubbing.scrub_ip_addresses,
            relay_pii_config: rules.map(|rules| serde_json::Value::Object(rules).to_string()),
            highlight_tags: Vec::new(),
            grouping_enhancements: String::new(),
            fingerprinting_rules: String::new(),
            processing_issues: 0,
            options: filter_lists(&options.filters),
        }
    }
}

/// A project to create.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NewProjectRequest {
    /// Name for people.
    pub(crate) name: String,
    /// Name in URLs; made from the name when absent.
    pub(crate) slug: Option<String>,
    pub(crate) platform: Option<String>,
}

/// What of a project can be changed. What is absent stays.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProjectRequest {
    pub(crate) name: Option<String>,
    pub(crate) slug: Option<String>,
    /// Null: none.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub(crate) platform: Option<Option<String>>,
    #[serde(flatten)]
    pub(crate) scrubbing: ScrubbingRequest,
    /// Where browsers may send from: `*`, `example.com`, `*.example.com`, `https://example.com:8443`. None: from nowhere.
    pub(crate) allowed_domains: Option<Vec<String>>,
    /// Lists of the inbound filters, as the answer has them.
    pub(crate) options: Option<serde_json::Map<String, serde_json::Value>>,
    /// Hours without an event after which an issue counts as resolved; 0: never.
    #[schema(maximum = 8784)]
    pub(crate) resolve_age: Option<u32>,
    /// Everything else.
    #[serde(flatten)]
    #[schema(ignore)]
    pub(crate) more: serde_json::Map<String, serde_json::Value>,
}

/// Longest time without an event, in hours: a year.
const RESOLVE_AGE_MAX_HOURS: u32 = 366 * 24;

/// Settings that clients know and nothing here reads: to take them would say that they count.
const UNREAD: [&str; 12] = [
    "subjectPrefix",
    "subjectTemplate",
    "isBookmarked",
    "highlightTags",
    "highlightContext",
    "groupingConfig",
    "groupingEnhancements",
    "fingerprintingRules",
    "secondaryGroupingConfig",
    "defaultEnvironment",
    "digestsMinDelay",
    "digestsMaxDelay",
];

impl ProjectRequest {
    /// The time without an event that is asked for, if one is; tells what is wrong with it.
    pub(crate) fn resolve_age(&self, wrong: &mut BTreeMap<String, String>) -> Option<Option<u32>> {
        let hours = self.resolve_age?;
        if hours > RESOLVE_AGE_MAX_HOURS {
            wrong.insert("resolveAge".to_owned(), format!("expected hours, at most {RESOLVE_AGE_MAX_HOURS}"));
        }
        Some((hours > 0).then_some(hours))
    }

    /// Tells which settings are asked for that are read nowhere. What is empty asks for nothing.
    pub(crate) fn find_unread(&self, wrong: &mut BTreeMap<String, String>) {
        let is_empty = |value: &serde_json::Value| match value {
            serde_json::Value::Null | serde_json::Value::Bool(false) => true,
            serde_json::Value::String(text) => text.is_empty(),
            serde_json::Value::Array(list) => list.is_empty(),
            serde_json::Value::Object(members) => members.is_empty(),
            _ => false,
        };
        for name in UNREAD {
            if self.more.get(name).is_some_and(|value| !is_empty(value)) {
                wrong.insert(name.to_owned(), "not supported yet".to_owned());
            }
        }
    }
}

/// Most patterns of a project.
const DOMAINS_MAX: usize = 100;

/// The patterns, written as one; tells what is wrong, each by its path.
pub(crate) fn read_domains(domains: &[String], wrong: &mut BTreeMap<String, String>) -> AllowedDomains {
    if domains.len() > DOMAINS_MAX {
        wrong.insert("allowedDomains".to_owned(), format!("at most {DOMAINS_MAX} are taken"));
    }
    let mut read = Vec::new();
    for (index, domain) in domains.iter().enumerate().take(DOMAINS_MAX) {
        match domain.parse::<DomainPattern>() {
            Ok(pattern) => read.push(pattern.to_string()),
            Err(InvalidDomain::Empty) => {}
            Err(error) => _ = wrong.insert(format!("allowedDomains.{index}"), error.to_string()),
        }
    }
    AllowedDomains(read)
}
