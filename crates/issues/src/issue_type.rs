//! Issue types: rules as data (`reference/issue-platform.md` §9). Types are built in or defined at run time; a
//! definition of the same number takes the place of a built-in one.

use std::sync::LazyLock;

use nuthatch_protocol::{Priority, TypeId};
use serde::{Deserialize, Serialize};

use crate::{built_in::BuiltIn, quota::Quota};

/// What the platform does with occurrences of a type, and how people see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueType {
    /// The number in messages.
    pub id: TypeId,
    /// The name in the API and in searches.
    pub slug: String,
    /// The name for people.
    pub name: String,
    /// What it means and what to do about it; may be empty.
    pub description: String,
    /// Slug of the category.
    pub category: String,
    /// Slug of the category it had before: searches for that one find it too.
    pub former_category: Option<String>,
    /// Priority of a new issue whose occurrence names none.
    pub default_priority: Priority,
    /// How often something must be seen before it becomes an issue; `None`: once.
    pub noise: Option<NoiseRule>,
    /// How many issues of the type a project may get; `None`: any number.
    pub creation_quota: Option<Quota>,
    /// Whether every organization has it; others need the feature `organizations:issue-<slug>-ingest`.
    pub is_released: bool,
    /// Whether lists show its issues unless they are asked for the type.
    pub is_listed: bool,
    /// Whether silence resolves its issues, in projects that want that.
    pub auto_resolves: bool,
    /// Whether its archived issues may escalate by their rate.
    pub escalates: bool,
    /// Whether people may change status and priority.
    pub is_editable: bool,
    /// Whether anybody is told about its issues.
    pub notifies: bool,
    /// Whether a detector owns its issues: their open periods then have entries.
    pub has_detector: bool,
    /// Which evidence is shown, and how; what is not named is shown as it comes, after it.
    pub evidence: Vec<EvidenceField>,
}

/// How often something must be seen before it becomes an issue (§7.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoiseRule {
    /// The sighting of this number makes the issue.
    pub ignore_limit: u64,
    /// Sightings are forgotten after so long without another.
    pub expiry_secs: u32,
}

impl NoiseRule {
    /// The rule with the usual expiry, a day.
    pub const fn after(ignore_limit: u64) -> Self {
        Self { ignore_limit, expiry_secs: 24 * 3600 }
    }
}

/// How a part of the evidence is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceField {
    /// Key in `evidence_data`, or the name of an entry of `evidence_display`.
    pub key: String,
    /// What people read instead of the key.
    pub label: Option<String>,
    /// How the value is written.
    pub format: EvidenceFormat,
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceFormat {
    /// As it is.
    #[default]
    Text,
    /// In a fixed-width face: a statement, a path.
    Code,
    /// A number with its digits grouped.
    Number,
    /// Milliseconds, as a duration.
    DurationMs,
    /// Bytes, as a size.
    Bytes,
    /// Seconds since the epoch or RFC 3339, as a time.
    Time,
    /// A web address that may be followed.
    Url,
}

/// The feature that turns pruning of status changes on (§4.4); spelled like this.
pub const PRUNE_FEATURE: &str = "organizations:occurence-consumer-prune-status-changes";

/// Types defined at run time have numbers from here on, those built in lower ones.
pub const FIRST_DEFINED: TypeId = TypeId(100_000);

static BUILT_IN: LazyLock<Vec<IssueType>> = LazyLock::new(|| BuiltIn::ALL.iter().map(BuiltIn::issue_type).collect());

impl IssueType {
    /// A type without any special rule: medium priority, five issues an hour and project.
    pub fn plain(id: TypeId, slug: &str, name: &str, category: &str) -> Self {
        Self {
            id,
            slug: slug.to_owned(),
            name: name.to_owned(),
            description: String::new(),
            category: category.to_owned(),
            former_category: None,
            default_priority: Priority::Medium,
            noise: None,
            creation_quota: Some(Quota::per_hour(5)),
            is_released: true,
            is_listed: true,
            auto_resolves: true,
            escalates: true,
            is_editable: true,
            notifies: true,
            has_detector: false,
            evidence: Vec::new(),
        }
    }

    /// The types that need no definition, by number.
    pub fn built_in() -> &'static [Self] {
        &BUILT_IN
    }

    /// The built-in type of a number.
    pub fn built_in_by_id(id: TypeId) -> Option<&'static Self> {
        BUILT_IN.binary_search_by_key(&id, |issue_type| issue_type.id).ok().and_then(|index| BUILT_IN.get(index))
    }

    /// The feature an organization needs for a type that is not released.
    pub fn feature(&self) -> String {
        format!("organizations:issue-{}-ingest", self.slug.replace('_', "-"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_types_are_found_by_number() {
        for issue_type in IssueType::built_in() {
            assert_eq!(IssueType::built_in_by_id(issue_type.id), Some(issue_type));
            assert!(issue_type.id < FIRST_DEFINED);
        }
        assert_eq!(IssueType::built_in_by_id(TypeId::ERROR).map(|error| error.slug.as_str()), Some("error"));
        assert_eq!(IssueType::built_in_by_id(TypeId(1017)), None, "retired types are unknown");
        assert_eq!(IssueType::built_in().len(), 41);
    }

    #[test]
    fn rules_are_those_of_the_registry() {
        let by_id = |id| IssueType::built_in_by_id(TypeId(id)).unwrap();
        let slow = by_id(1001);
        assert_eq!((slow.noise, slow.default_priority), (Some(NoiseRule::after(100)), Priority::Low));
        assert_eq!((slow.category.as_str(), slow.former_category.as_deref()), ("db_query", Some("performance")));
        assert_eq!(by_id(4001).creation_quota, Some(Quota::per_hour(60_000)));
        assert!(by_id(4001).has_detector && !by_id(8001).is_editable && !by_id(6001).is_listed);
        assert_eq!(by_id(1020).feature(), "organizations:issue-db-query-injection-vulnerability-ingest");
        assert!(!by_id(1020).is_released && by_id(9001).is_released, "test notifications are always taken");
        assert!(!by_id(2011).auto_resolves && by_id(2011).escalates);
        assert!(by_id(11001).auto_resolves && !by_id(11001).escalates);
    }
}
