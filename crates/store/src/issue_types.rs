//! Issue types that organizations define for themselves, and the rules they change of built-in ones.

use async_trait::async_trait;
use nuthatch_issues::{IssueType, issue_type::FIRST_DEFINED};
use nuthatch_protocol::{OrganizationId, TypeId};

use crate::StoreError;

/// Definitions of issue types. One that has the number of a built-in type takes its place in the organization.
#[async_trait]
pub trait IssueTypeStore: Send + Sync + 'static {
    /// The definitions of an organization, by number.
    async fn issue_types(&self, organization: OrganizationId) -> Result<Vec<IssueType>, StoreError>;

    /// Defines a type. It gets the next number of the installation, from [`FIRST_DEFINED`] on, whatever number it
    /// comes with; numbers are never given twice. [`StoreError::Conflict`] when the slug is taken in the organization,
    /// by a built-in type too; [`StoreError::Invalid`] beyond [`DEFINITIONS_MAX`].
    async fn create_issue_type(
        &self,
        organization: OrganizationId,
        issue_type: IssueType,
    ) -> Result<IssueType, StoreError>;

    /// Writes the rules of a type of the organization: one it defined, or a built-in one. [`StoreError::NotFound`] when
    /// the number is neither; [`StoreError::Invalid`] when the slug is another than before, as messages and searches
    /// use it, or beyond [`DEFINITIONS_MAX`].
    async fn put_issue_type(&self, organization: OrganizationId, issue_type: IssueType) -> Result<(), StoreError>;

    /// Removes a definition: a built-in type has its own rules again. A type that was defined goes away, unless there are
    /// issues of it, which would lose their meaning: [`StoreError::InUse`]. [`StoreError::NotFound`] when the
    /// organization has no such definition.
    async fn remove_issue_type(&self, organization: OrganizationId, id: TypeId) -> Result<(), StoreError>;
}

/// Most definitions of an organization.
pub const DEFINITIONS_MAX: usize = 200;

/// The types an organization has: those built in, with its changes, and its own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IssueTypes {
    definitions: Vec<IssueType>,
}

impl IssueTypes {
    /// The types of an organization with these definitions.
    pub fn new(definitions: Vec<IssueType>) -> Self {
        Self { definitions }
    }

    /// All of them, by number.
    pub fn all(&self) -> impl Iterator<Item = &IssueType> {
        let built_in = IssueType::built_in().iter().filter_map(|built_in| self.by_id(built_in.id));
        built_in.chain(self.definitions.iter().filter(|definition| definition.id >= FIRST_DEFINED))
    }

    /// The type of a number.
    pub fn by_id(&self, id: TypeId) -> Option<&IssueType> {
        let definition = self.definitions.iter().find(|definition| definition.id == id);
        definition.or_else(|| IssueType::built_in_by_id(id))
    }

    /// The type of a slug.
    pub fn by_slug(&self, slug: &str) -> Option<&IssueType> {
        self.all().find(|issue_type| issue_type.slug == slug)
    }

    /// Whether the organization has a definition of the number.
    pub fn defines(&self, id: TypeId) -> bool {
        self.definitions.iter().any(|definition| definition.id == id)
    }

    /// Refuses a type that cannot be created next to these, as [`IssueTypeStore::create_issue_type`] says.
    pub fn check_new(&self, slug: &str) -> Result<(), StoreError> {
        if self.by_slug(slug).is_some() {
            return Err(StoreError::Conflict("this slug of an issue type"));
        }
        self.check_room()
    }

    /// Refuses a definition that cannot be written next to these, as [`IssueTypeStore::put_issue_type`] says.
    pub fn check_change(&self, changed: &IssueType) -> Result<(), StoreError> {
        let before = self.by_id(changed.id).ok_or(StoreError::NotFound(NO_TYPE))?;
        if before.slug != changed.slug {
            return Err(StoreError::Invalid(format!("the slug of issue type {} cannot be changed", before.slug)));
        }
        if self.defines(changed.id) { Ok(()) } else { self.check_room() }
    }

    fn check_room(&self) -> Result<(), StoreError> {
        if self.definitions.len() < DEFINITIONS_MAX {
            return Ok(());
        }
        Err(StoreError::Invalid(format!(
            "an organization defines at most {DEFINITIONS_MAX} issue types; remove one first"
        )))
    }
}

/// What [`StoreError::NotFound`] and [`StoreError::InUse`] call it.
pub const NO_TYPE: &str = "the issue type";
