//! Issue types and their rules.

use std::collections::BTreeMap;

use nuthatch_issues::{
    IssueType as Model, Quota,
    issue_type::{EvidenceField, EvidenceFormat, FIRST_DEFINED, NoiseRule},
    quota::WINDOW_MAX_SECS,
};
use nuthatch_protocol::{Priority, TypeId};
use nuthatch_store::issue_types::IssueTypes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{error::ApiError, query::present};

/// Longest slug of a type or category, in characters.
const SLUG_MAX_CHARS: usize = 64;
/// Longest name of a type, or label of evidence, in characters.
const NAME_MAX_CHARS: usize = 100;
/// Longest description, in characters.
const DESCRIPTION_MAX_CHARS: usize = 2000;
/// Most sightings that a noise rule waits for, and most issues that a quota allows.
const COUNT_MAX: u64 = 1_000_000;
/// Longest time after which a noise rule forgets, in seconds: 30 days.
const NOISE_EXPIRY_MAX_SECS: u32 = 30 * 24 * 3600;
/// Most granules of a quota's window: so many counters are kept for a project and type.
const GRANULES_MAX: u32 = 1440;
/// Most fields of evidence.
const EVIDENCE_MAX: usize = 50;
/// Longest key of evidence, in characters.
const EVIDENCE_KEY_MAX_CHARS: usize = 200;

/// An issue type with its rules.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IssueType {
    /// The number that occurrences carry.
    #[serde(rename = "type")]
    pub(crate) number: u32,
    /// The name that searches use, and that occurrences may carry instead of the number.
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) category: String,
    /// The category it had before; searches for that one find it too.
    pub(crate) former_category: Option<String>,
    /// `high`, `medium` or `low`.
    pub(crate) default_priority: String,
    /// Null: the first sighting makes an issue.
    pub(crate) noise: Option<IssueTypeNoise>,
    /// Null: any number of issues.
    pub(crate) creation_quota: Option<IssueTypeQuota>,
    /// Whether noise and quota only hold for occurrences of producers. So it is with the type `error`: an error that an
    /// application reports itself becomes an issue at once, and any number of them do.
    pub(crate) limits_producers_only: bool,
    /// Whether occurrences of it are taken without a feature being on.
    pub(crate) is_released: bool,
    /// Whether lists show its issues without being asked for the type or category.
    pub(crate) is_listed: bool,
    /// Whether silence resolves its issues, in projects that want that.
    pub(crate) auto_resolves: bool,
    /// Whether its archived issues may escalate by their rate.
    pub(crate) escalates: bool,
    /// Whether people may change status and priority.
    pub(crate) is_editable: bool,
    /// Whether anybody is told about its issues.
    pub(crate) notifies: bool,
    /// Whether a detector owns its issues.
    pub(crate) has_detector: bool,
    /// Which evidence is shown, in this order, and how.
    pub(crate) evidence: Vec<IssueTypeEvidence>,
    /// Whether it is there without a definition.
    pub(crate) is_built_in: bool,
    /// Whether the organization changed the rules of a built-in type; removing the definition resets them.
    pub(crate) is_overridden: bool,
}

/// How often something must be seen before it becomes an issue.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct IssueTypeNoise {
    /// The sighting of this number makes the issue.
    pub(crate) ignore_limit: u64,
    /// Sightings are forgotten after so many seconds without another.
    pub(crate) expiry_secs: u32,
}

/// How many issues of the type a project may get.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct IssueTypeQuota {
    /// Most in a window; 0: none at all.
    pub(crate) limit: u64,
    /// Length of the window, in seconds; at most a day.
    pub(crate) window_secs: u32,
    /// What was used comes back in steps of so many seconds.
    pub(crate) granularity_secs: u32,
}

/// How a part of the evidence is shown.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct IssueTypeEvidence {
    /// Key in `evidence_data`, or the name of an entry of `evidence_display`.
    pub(crate) key: String,
    /// What people read instead of the key.
    #[serde(default)]
    pub(crate) label: Option<String>,
    /// `text`, `code`, `number`, `duration_ms`, `bytes`, `time` or `url`.
    #[serde(default)]
    #[schema(value_type = String)]
    pub(crate) format: EvidenceFormat,
}

impl IssueType {
    pub(crate) fn new(issue_type: &Model, types: &IssueTypes) -> Self {
        let is_built_in = issue_type.id < FIRST_DEFINED;
        Self {
            number: issue_type.id.0,
            slug: issue_type.slug.clone(),
            name: issue_type.name.clone(),
            description: issue_type.description.clone(),
            category: issue_type.category.clone(),
            former_category: issue_type.former_category.clone(),
            default_priority: issue_type.default_priority.as_str().to_owned(),
            noise: issue_type
                .noise
                .map(|noise| IssueTypeNoise { ignore_limit: noise.ignore_limit, expiry_secs: noise.expiry_secs }),
            limits_producers_only: issue_type.id == TypeId::ERROR,
            creation_quota: issue_type.creation_quota.map(|quota| IssueTypeQuota {
                limit: quota.limit,
                window_secs: quota.window_secs,
                granularity_secs: quota.granularity_secs,
            }),
            is_released: issue_type.is_released,
            is_listed: issue_type.is_listed,
            auto_resolves: issue_type.auto_resolves,
            escalates: issue_type.escalates,
            is_editable: issue_type.is_editable,
            notifies: issue_type.notifies,
            has_detector: issue_type.has_detector,
            evidence: issue_type
                .evidence
                .iter()
                .map(|field| IssueTypeEvidence {
                    key: field.key.clone(),
                    label: field.label.clone(),
                    format: field.format,
                })
                .collect(),
            is_built_in,
            is_overridden: is_built_in && types.defines(issue_type.id),
        }
    }
}

/// Rules of an issue type, to create or change. What is absent stays as it is, or is as usual in a new type: medium
/// priority, no noise rule, five issues an hour and project, everything else on.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct IssueTypeRequest {
    /// 1 to 64 of a-z, 0-9, - and _, beginning with a letter. Needed to create; cannot be changed.
    slug: Option<String>,
    /// Needed to create.
    name: Option<String>,
    description: Option<String>,
    /// Of the form of a slug. Needed to create.
    category: Option<String>,
    #[serde(deserialize_with = "present")]
    former_category: Option<Option<String>>,
    /// `high`, `medium` or `low`.
    default_priority: Option<String>,
    #[serde(deserialize_with = "present")]
    noise: Option<Option<IssueTypeNoise>>,
    #[serde(deserialize_with = "present")]
    creation_quota: Option<Option<IssueTypeQuota>>,
    is_released: Option<bool>,
    is_listed: Option<bool>,
    auto_resolves: Option<bool>,
    escalates: Option<bool>,
    is_editable: Option<bool>,
    notifies: Option<bool>,
    has_detector: Option<bool>,
    evidence: Option<Vec<IssueTypeEvidence>>,
    // What an answer has besides, so that it can be sent back as it came; has no effect.
    #[serde(rename = "type")]
    #[schema(ignore)]
    number: Option<serde::de::IgnoredAny>,
    #[schema(ignore)]
    is_built_in: Option<serde::de::IgnoredAny>,
    #[schema(ignore)]
    is_overridden: Option<serde::de::IgnoredAny>,
    #[schema(ignore)]
    limits_producers_only: Option<serde::de::IgnoredAny>,
}

impl IssueTypeRequest {
    /// The slug it names, if any.
    pub(crate) fn slug(&self) -> Option<&str> {
        self.slug.as_deref()
    }

    /// The type as it is to be created.
    pub(crate) fn create(self) -> Result<Model, ApiError> {
        let missing = [("slug", &self.slug), ("name", &self.name), ("category", &self.category)];
        let missing = missing.into_iter().filter(|(_, text)| text.is_none());
        let wrong: BTreeMap<_, _> = missing.map(|(field, _)| (field.to_owned(), "is missing".to_owned())).collect();
        if !wrong.is_empty() {
            return Err(ApiError::InvalidFields(wrong));
        }
        let slug = self.slug.clone().unwrap_or_default();
        self.change(Model::plain(FIRST_DEFINED, &slug, "", ""))
    }

    /// The type as it is to be.
    pub(crate) fn change(self, mut model: Model) -> Result<Model, ApiError> {
        let mut wrong = BTreeMap::new();
        if self.slug.is_some_and(|slug| slug != model.slug) {
            wrong.insert("slug".to_owned(), "cannot be changed: messages and searches use it".to_owned());
        }
        if let Some(name) = self.name {
            name.trim().clone_into(&mut model.name);
        }
        model.description = self.description.unwrap_or(model.description);
        model.category = self.category.unwrap_or(model.category);
        model.former_category = self.former_category.unwrap_or(model.former_category);
        if let Some(word) = self.default_priority {
            let known = [Priority::Low, Priority::Medium, Priority::High];
            match known.into_iter().find(|priority| priority.as_str() == word) {
                Some(priority) => model.default_priority = priority,
                None => {
                    wrong.insert("defaultPriority".to_owned(), "must be high, medium or low".to_owned());
                }
            }
        }
        if let Some(noise) = self.noise {
            let rule =
                |noise: IssueTypeNoise| NoiseRule { ignore_limit: noise.ignore_limit, expiry_secs: noise.expiry_secs };
            model.noise = noise.map(rule);
        }
        if let Some(quota) = self.creation_quota {
            model.creation_quota = quota.map(|quota| Quota {
                limit: quota.limit,
                window_secs: quota.window_secs,
                granularity_secs: quota.granularity_secs,
            });
        }
        model.is_released = self.is_released.unwrap_or(model.is_released);
        model.is_listed = self.is_listed.unwrap_or(model.is_listed);
        model.auto_resolves = self.auto_resolves.unwrap_or(model.auto_resolves);
        model.escalates = self.escalates.unwrap_or(model.escalates);
        model.is_editable = self.is_editable.unwrap_or(model.is_editable);
        model.notifies = self.notifies.unwrap_or(model.notifies);
        model.has_detector = self.has_detector.unwrap_or(model.has_detector);
        if let Some(evidence) = self.evidence {
            let field = |field: IssueTypeEvidence| EvidenceField {
                key: field.key,
                label: field.label.filter(|label| !label.is_empty()),
                format: field.format,
            };
            model.evidence = evidence.into_iter().map(field).collect();
        }
        check(&model, &mut wrong);
        if wrong.is_empty() { Ok(model) } else { Err(ApiError::InvalidFields(wrong)) }
    }
}

/// Adds what is wrong with a type, by member.
fn check(model: &Model, wrong: &mut BTreeMap<String, String>) {
    let mut expect = |field: &str, holds: bool, expected: String| {
        if !holds {
            wrong.entry(field.to_owned()).or_insert(expected);
        }
    };
    let slug = || format!("must be 1 to {SLUG_MAX_CHARS} of a-z, 0-9, - and _, beginning with a letter");
    let range = |from: u64, to: u64| format!("must be {from} to {to}");
    let length = |text: &str, least: usize, most: usize| (least..=most).contains(&text.chars().count());

    expect("slug", is_slug(&model.slug), slug());
    expect("name", length(&model.name, 1, NAME_MAX_CHARS), format!("must have 1 to {NAME_MAX_CHARS} characters"));
    let description = format!("must have at most {DESCRIPTION_MAX_CHARS} characters");
    expect("description", length(&model.description, 0, DESCRIPTION_MAX_CHARS), description);
    expect("category", is_slug(&model.category), slug());
    expect("formerCategory", model.former_category.as_deref().is_none_or(is_slug), slug());
    if let Some(noise) = model.noise {
        expect("noise.ignoreLimit", (1..=COUNT_MAX).contains(&noise.ignore_limit), range(1, COUNT_MAX));
        let is_bounded = (1..=NOISE_EXPIRY_MAX_SECS).contains(&noise.expiry_secs);
        expect("noise.expirySecs", is_bounded, range(1, NOISE_EXPIRY_MAX_SECS.into()));
    }
    if let Some(Quota { limit, window_secs, granularity_secs }) = model.creation_quota {
        expect("creationQuota.limit", limit <= COUNT_MAX, range(0, COUNT_MAX));
        let is_bounded = (1..=WINDOW_MAX_SECS).contains(&window_secs);
        expect("creationQuota.windowSecs", is_bounded, range(1, WINDOW_MAX_SECS.into()));
        let divides = granularity_secs > 0 && window_secs.checked_rem(granularity_secs) == Some(0);
        let is_bounded = divides && window_secs / granularity_secs <= GRANULES_MAX;
        let expected = format!("must divide windowSecs into 1 to {GRANULES_MAX} equal parts");
        expect("creationQuota.granularitySecs", is_bounded, expected);
    }
    expect("evidence", model.evidence.len() <= EVIDENCE_MAX, format!("must have at most {EVIDENCE_MAX} fields"));
    for (index, field) in model.evidence.iter().enumerate() {
        let path = format!("evidence[{index}].key");
        let key = format!("must have 1 to {EVIDENCE_KEY_MAX_CHARS} characters");
        expect(&path, length(&field.key, 1, EVIDENCE_KEY_MAX_CHARS), key);
        let is_first = model.evidence.iter().position(|other| other.key == field.key) == Some(index);
        expect(&path, is_first, "must not be named twice".to_owned());
        let label = field.label.as_deref().unwrap_or_default();
        let expected = format!("must have at most {NAME_MAX_CHARS} characters");
        expect(&format!("evidence[{index}].label"), length(label, 0, NAME_MAX_CHARS), expected);
    }
}

fn is_slug(text: &str) -> bool {
    let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-' || c == b'_';
    let begins = text.bytes().next().is_some_and(|first| first.is_ascii_lowercase());
    begins && text.len() <= SLUG_MAX_CHARS && text.bytes().all(allowed)
}

/// What the definition of an issue type means in an organization with these types: a new type, or a change of the one
/// with its slug. The text is JSON of the shape that the API takes.
///
/// # Errors
///
/// What is wrong, naming the member.
pub fn read_issue_type(json: &str, types: &IssueTypes) -> Result<Definition, String> {
    let request: IssueTypeRequest = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let read = match request.slug().and_then(|slug| types.by_slug(slug)) {
        Some(known) => request.change(known.clone()).map(Definition::Change),
        None => request.create().map(Definition::New),
    };
    read.map_err(|error| error.to_string())
}

/// An issue type, as [`nuthatch_store::IssueTypeStore`] is to have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Definition {
    /// To be created; the number is to be given.
    New(Model),
    /// To be put in the place of the one with its number.
    Change(Model),
}

/// An issue type as the API shows it.
pub fn issue_type_json(id: TypeId, types: &IssueTypes) -> Option<serde_json::Value> {
    types.by_id(id).and_then(|issue_type| serde_json::to_value(IssueType::new(issue_type, types)).ok())
}
