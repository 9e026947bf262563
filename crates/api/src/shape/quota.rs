//! Quotas (`reference/ingest-protocol.md` §9.1).

use std::collections::BTreeMap;

use nuthatch_protocol::{CategoryUnit, DataCategory, Timestamp};
use nuthatch_store::quotas::{self, QuotaRule, QuotaScope, QuotaUsage, WINDOW_MAX_SECS};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::key::window_bounds;
use crate::{error::ApiError, query::present};

/// Longest reason code, in bytes.
const REASON_MAX_BYTES: usize = 64;

/// How much an organization, a project or a key may send.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Quota {
    pub(crate) id: String,
    /// What counts together: `organization`, `project` or `key`.
    pub(crate) scope: String,
    /// The one project (id) or key (public half) it is for; null: each of them on its own.
    pub(crate) scope_id: Option<String>,
    /// For instance `error`; empty: everything.
    pub(crate) categories: Vec<String>,
    /// Most units in a window; 0: none at all; null: any number, which is counted.
    pub(crate) limit: Option<u64>,
    /// Length of the window in seconds; null where nothing is counted.
    pub(crate) window: Option<u32>,
    /// The word that statistics have for what it refuses.
    pub(crate) reason_code: String,
    /// What is used now; null where nothing is counted, or not by this server.
    pub(crate) usage: Option<Usage>,
}

/// What is used of a quota in the present window.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Usage {
    /// Units that were let through; of the fullest project or key, where each counts on its own.
    pub(crate) used: u64,
    /// When the next window begins.
    pub(crate) resets_at: String,
}

impl From<QuotaUsage> for Usage {
    fn from(usage: QuotaUsage) -> Self {
        Self { used: usage.used, resets_at: Timestamp::from_secs(usage.ends_secs).to_string() }
    }
}

impl Quota {
    /// `scope_id` as it is shown.
    pub(crate) fn new(quota: &quotas::Quota, scope_id: Option<String>, usage: Option<QuotaUsage>) -> Self {
        let rule = &quota.rule;
        let is_counted = rule.limit != Some(0);
        Self {
            id: quota.id.to_string(),
            scope: rule.scope.to_string(),
            scope_id,
            categories: rule.categories.iter().map(ToString::to_string).collect(),
            limit: rule.limit,
            window: is_counted.then_some(rule.window_secs),
            reason_code: rule.reason_code.clone(),
            usage: usage.filter(|_| is_counted).map(Usage::from),
        }
    }
}

/// What a quota is to say: all of it, each time.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QuotaRequest {
    /// `organization`, `project` or `key`; when absent that which the quota belongs to.
    scope: Option<String>,
    /// The one project (id or slug) or key (public half) it is for.
    pub(crate) scope_id: Option<String>,
    /// For instance `error`; all of one unit. Only what refuses everything may leave them out.
    #[serde(default)]
    categories: Vec<String>,
    /// Most units in a window; 0: none at all; null: any number, which is counted.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<u64>)]
    limit: Option<Option<u64>>,
    /// Length of the window in seconds, from 1 to 31 days; not needed for a limit of 0.
    window: Option<u32>,
    /// The word that statistics have for what it refuses: small letters, digits, `_` and `-`.
    reason_code: Option<String>,
}

impl QuotaRequest {
    /// Reads what is asked for, but for `scope_id`, which the caller looks up.
    ///
    /// # Errors
    ///
    /// What is wrong with members, each by its name.
    pub(crate) fn rule(&self, of_project: bool) -> Result<QuotaRule, ApiError> {
        let mut wrong = BTreeMap::new();
        let mut refuse = |member: &str, message: String| _ = wrong.insert(member.to_owned(), message);
        let usual = if of_project { QuotaScope::Project } else { QuotaScope::Organization };
        let possible = QuotaScope::ALL.into_iter().filter(|scope| !of_project || *scope != QuotaScope::Organization);
        let scope = match &self.scope {
            None => usual,
            Some(word) => possible.clone().find(|scope| scope.as_str() == word).unwrap_or_else(|| {
                let words: Vec<&str> = possible.map(QuotaScope::as_str).collect();
                refuse("scope", format!("expected one of: {}", words.join(", ")));
                usual
            }),
        };
        let limit = self.limit.unwrap_or_else(|| {
            refuse("limit", "this is needed: a number, or null to count only".to_owned());
            None
        });
        if limit.is_some_and(|limit| i64::try_from(limit).is_err()) {
            refuse("limit", "the number is too large".to_owned());
        }
        let is_counted = limit != Some(0);
        let mut categories = Vec::new();
        for (index, word) in self.categories.iter().enumerate() {
            match word.parse::<DataCategory>() {
                Ok(category) if category.is_limitable() => categories.push(category),
                _ => refuse(
                    &format!("categories.{index}"),
                    "nothing that comes is counted under this category".to_owned(),
                ),
            }
        }
        categories.sort_unstable();
        categories.dedup();
        let units: Vec<CategoryUnit> = categories.iter().map(|category| category.unit()).collect();
        if is_counted && self.categories.is_empty() {
            refuse("categories", "name what is counted; only a limit of 0 can be for everything".to_owned());
        } else if is_counted && units.windows(2).any(|pair| pair.first() != pair.last()) {
            refuse("categories", "items, bytes and times cannot be counted together".to_owned());
        }
        let window_secs = if is_counted { self.window.unwrap_or_default() } else { 0 };
        if is_counted && !(1..=WINDOW_MAX_SECS).contains(&window_secs) {
            refuse("window", window_bounds());
        }
        let reason_code = match &self.reason_code {
            Some(code) => code.clone(),
            None => usual_reason(scope).to_owned(),
        };
        let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
        if reason_code.is_empty() || reason_code.len() > REASON_MAX_BYTES || !reason_code.chars().all(is_word) {
            let message = format!("expected small letters, digits, `_` and `-`, at most {REASON_MAX_BYTES}");
            refuse("reasonCode", message);
        }
        if !wrong.is_empty() {
            return Err(ApiError::InvalidFields(wrong));
        }
        Ok(QuotaRule { scope, scope_id: None, categories, limit, window_secs, reason_code })
    }
}

/// The reasons that SDKs know.
fn usual_reason(scope: QuotaScope) -> &'static str {
    match scope {
        QuotaScope::Organization => "org_quota",
        QuotaScope::Project => "project_quota",
        QuotaScope::Key => quotas::KEY_QUOTA,
    }
}
