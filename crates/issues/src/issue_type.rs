//! Issue types: rules as data (`reference/issue-platform.md` §9).

use std::sync::LazyLock;

use nuthatch_protocol::{Priority, TypeId};
use serde::{Deserialize, Serialize};

use crate::built_in::TYPES;

/// What the platform does with occurrences of a type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueType {
    /// The number in messages.
    pub id: TypeId,
    /// The name in the API.
    pub slug: String,
    /// The name for people.
    pub description: String,
    /// Category slug in the API.
    pub category: String,
    /// Priority of a new issue whose occurrence names none.
    pub default_priority: Priority,
}

static BUILT_IN: LazyLock<Vec<IssueType>> = LazyLock::new(|| {
    let issue_type =
        |(id, slug, description, category, default_priority): (u32, &str, &str, &str, Priority)| IssueType {
            id: TypeId(id),
            slug: slug.to_owned(),
            description: description.to_owned(),
            category: category.to_owned(),
            default_priority,
        };
    TYPES.into_iter().map(issue_type).collect()
});

impl IssueType {
    /// Errors.
    pub fn error() -> Self {
        Self {
            id: TypeId::ERROR,
            slug: "error".to_owned(),
            description: "Error".to_owned(),
            category: "error".to_owned(),
            default_priority: Priority::Medium,
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_types_are_found_by_number() {
        for issue_type in IssueType::built_in() {
            assert_eq!(IssueType::built_in_by_id(issue_type.id), Some(issue_type));
        }
        assert_eq!(IssueType::built_in_by_id(TypeId::ERROR), Some(&IssueType::error()));
        assert_eq!(IssueType::built_in_by_id(TypeId(1017)), None, "retired types are unknown");
    }
}
