//! Organizations (`reference/web-api.md` §3.1).

use nuthatch_store::projects::{self, OrganizationOptions, Role};
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

use crate::{
    auth::scope::Scopes,
    shape::{project::ProjectSummary, scrubbing::ScrubbingRequest, team::TeamSummary},
};

/// An organization in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Organization {
    pub(crate) id: String,
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) status: OrganizationStatus,
    pub(crate) date_created: String,
    pub(crate) is_early_adopter: bool,
    #[serde(rename = "require2FA")]
    pub(crate) require_2fa: bool,
    pub(crate) require_email_verification: bool,
    pub(crate) avatar: Avatar,
    pub(crate) features: Vec<String>,
    pub(crate) links: OrganizationLinks,
    pub(crate) has_auth_provider: bool,
    pub(crate) allow_member_invite: bool,
    pub(crate) allow_member_project_creation: bool,
    pub(crate) allow_superuser_access: bool,
    /// Scopes of the one who asks.
    pub(crate) access: Vec<String>,
}

/// Status of an organization.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct OrganizationStatus {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// Picture of an organization or project.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Avatar {
    pub(crate) avatar_type: String,
    pub(crate) avatar_uuid: Option<String>,
    pub(crate) avatar_url: Option<String>,
}

impl Avatar {
    pub(crate) fn letters() -> Self {
        Self { avatar_type: "letter_avatar".to_owned(), avatar_uuid: None, avatar_url: None }
    }
}

/// Where an organization lives.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrganizationLinks {
    pub(crate) organization_url: String,
    /// Empty: some clients refuse an address that is not https (`reference/web-api.md` §0.7).
    pub(crate) region_url: String,
}

impl Organization {
    pub(crate) fn new(organization: &projects::Organization, scopes: Scopes, public_url: &Url) -> Self {
        let root = public_url.as_str().trim_end_matches('/');
        Self {
            id: organization.id.to_string(),
            slug: organization.slug.clone(),
            name: organization.name.clone(),
            status: OrganizationStatus { id: "active".to_owned(), name: "active".to_owned() },
            date_created: organization.created.to_string(),
            is_early_adopter: false,
            require_2fa: false,
            require_email_verification: false,
            avatar: Avatar::letters(),
            features: Vec::new(),
            links: OrganizationLinks {
                organization_url: format!("{root}/organizations/{}/", organization.slug),
                region_url: String::new(),
            },
            has_auth_provider: false,
            allow_member_invite: false,
            allow_member_project_creation: true,
            allow_superuser_access: false,
            access: scopes.words(),
        }
    }
}

/// An organization with what belongs to it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrganizationDetail {
    #[serde(flatten)]
    pub(crate) row: Organization,
    /// Role of the one who asks.
    pub(crate) role: String,
    pub(crate) org_role: String,
    pub(crate) projects: Vec<ProjectSummary>,
    pub(crate) teams: Vec<TeamSummary>,
    pub(crate) default_role: String,
    pub(crate) open_membership: bool,
    pub(crate) allow_shared_issues: bool,
    pub(crate) enhanced_privacy: bool,
    /// Whether it requires that its projects scrub by the settings of scrubbing; and so on for those that follow.
    pub(crate) data_scrubber: bool,
    pub(crate) data_scrubber_defaults: bool,
    pub(crate) sensitive_fields: Vec<String>,
    pub(crate) safe_fields: Vec<String>,
    #[serde(rename = "scrubIPAddresses")]
    pub(crate) scrub_ip_addresses: bool,
    /// The advanced rules as JSON text; null without any.
    pub(crate) relay_pii_config: Option<String>,
    pub(crate) scrape_java_script: bool,
    pub(crate) store_crash_reports: i64,
}

impl OrganizationDetail {
    pub(crate) fn new(
        row: Organization,
        role: Role,
        options: &OrganizationOptions,
        projects: &[projects::Project],
        teams: Vec<TeamSummary>,
    ) -> Self {
        let scrubbing = &options.scrubbing;
        let rules = scrubbing.relay_pii_config.clone();
        Self {
            row,
            role: role.as_str().to_owned(),
            org_role: role.as_str().to_owned(),
            projects: projects.iter().map(ProjectSummary::from).collect(),
            teams,
            default_role: Role::Member.as_str().to_owned(),
            open_membership: true,
            allow_shared_issues: false,
            enhanced_privacy: false,
            data_scrubber: scrubbing.data_scrubber,
            data_scrubber_defaults: scrubbing.data_scrubber_defaults,
            sensitive_fields: scrubbing.sensitive_fields.clone(),
            safe_fields: scrubbing.safe_fields.clone(),
            scrub_ip_addresses: scrubbing.scrub_ip_addresses,
            relay_pii_config: rules.map(|rules| serde_json::Value::Object(rules).to_string()),
            scrape_java_script: false,
            store_crash_reports: 0,
        }
    }
}

/// What of an organization can be changed. What is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct OrganizationRequest {
    pub(crate) name: Option<String>,
    /// What is required of all projects: what is switched on here is on for each, lists are added to theirs, and advanced
    /// rules come before theirs.
    #[serde(flatten)]
    pub(crate) scrubbing: ScrubbingRequest,
}
