//! Definitions of issue types.

use async_trait::async_trait;
use nuthatch_issues::{IssueType, issue_type::FIRST_DEFINED};
use nuthatch_protocol::{OrganizationId, TypeId};

use super::{MemoryMeta, State};
use crate::{
    IssueTypeStore, StoreError,
    issue_types::{IssueTypes, NO_TYPE},
};

impl State {
    fn definitions(&self, organization: OrganizationId) -> Vec<IssueType> {
        let of = self.issue_types.range((organization, TypeId(0))..=(organization, TypeId(u32::MAX)));
        of.map(|(_, issue_type)| issue_type.clone()).collect()
    }

    fn has_issues(&self, id: TypeId) -> bool {
        self.issues.values().any(|issue| issue.type_id == id)
    }
}

#[async_trait]
impl IssueTypeStore for MemoryMeta {
    async fn issue_types(&self, organization: OrganizationId) -> Result<Vec<IssueType>, StoreError> {
        Ok(self.lock().definitions(organization))
    }

    async fn create_issue_type(
        &self,
        organization: OrganizationId,
        issue_type: IssueType,
    ) -> Result<IssueType, StoreError> {
        let mut state = self.lock();
        if !state.organizations.contains_key(&organization) {
            return Err(StoreError::NotFound("the organization"));
        }
        IssueTypes::new(state.definitions(organization)).check_new(&issue_type.slug)?;
        let id = state.last_type.map_or(FIRST_DEFINED, |last| TypeId(last.0 + 1));
        let issue_type = IssueType { id, ..issue_type };
        state.last_type = Some(id);
        state.issue_types.insert((organization, id), issue_type.clone());
        self.config_changed();
        Ok(issue_type)
    }

    async fn put_issue_type(&self, organization: OrganizationId, issue_type: IssueType) -> Result<(), StoreError> {
        let mut state = self.lock();
        if !state.organizations.contains_key(&organization) {
            return Err(StoreError::NotFound("the organization"));
        }
        IssueTypes::new(state.definitions(organization)).check_change(&issue_type)?;
        state.issue_types.insert((organization, issue_type.id), issue_type);
        self.config_changed();
        Ok(())
    }

    async fn remove_issue_type(&self, organization: OrganizationId, id: TypeId) -> Result<(), StoreError> {
        let mut state = self.lock();
        if !state.issue_types.contains_key(&(organization, id)) {
            return Err(StoreError::NotFound(NO_TYPE));
        }
        if id >= FIRST_DEFINED && state.has_issues(id) {
            return Err(StoreError::InUse(NO_TYPE));
        }
        state.issue_types.remove(&(organization, id));
        self.config_changed();
        Ok(())
    }
}
