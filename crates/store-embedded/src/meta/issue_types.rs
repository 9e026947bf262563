//! Definitions of issue types, as JSON: they are read whole, by organization.

use async_trait::async_trait;
use nuthatch_issues::{IssueType, issue_type::FIRST_DEFINED};
use nuthatch_protocol::{OrganizationId, TypeId};
use nuthatch_store::{
    IssueTypeStore, StoreError,
    issue_types::{IssueTypes, NO_TYPE},
};
use rusqlite::{Connection, params};

use super::{
    EmbeddedMeta,
    error::{Failure, constraint, corrupt, met},
};

const NO_ORGANIZATION: &str = "the organization";

/// The definitions of an organization, by number.
pub(super) fn definitions(connection: &Connection, organization: OrganizationId) -> Result<Vec<IssueType>, Failure> {
    let mut statement =
        connection.prepare_cached("SELECT id, definition FROM issue_type WHERE organization_id = ?1 ORDER BY id")?;
    let mut rows = statement.query([organization.0 as i64])?;
    let mut definitions = Vec::new();
    while let Some(row) = rows.next()? {
        let id = TypeId(row.get(0)?);
        let json = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
        let definition: IssueType =
            serde_json::from_str(json).map_err(|e| corrupt(&format!("definition of issue type {}: {e}", id.0)))?;
        definitions.push(IssueType { id, ..definition });
    }
    Ok(definitions)
}

fn write(connection: &Connection, organization: OrganizationId, issue_type: &IssueType) -> Result<(), Failure> {
    let definition = serde_json::to_string(issue_type).map_err(|e| StoreError::Invalid(format!("issue type: {e}")))?;
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO issue_type (organization_id, id, slug, definition) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![organization.0 as i64, issue_type.id.0, issue_type.slug, definition])
        .map_err(constraint("this slug of an issue type", NO_ORGANIZATION))?;
    Ok(())
}

#[async_trait]
impl IssueTypeStore for EmbeddedMeta {
    async fn issue_types(&self, organization: OrganizationId) -> Result<Vec<IssueType>, StoreError> {
        self.readers.read(move |connection| definitions(connection, organization)).await
    }

    async fn create_issue_type(
        &self,
        organization: OrganizationId,
        issue_type: IssueType,
    ) -> Result<IssueType, StoreError> {
        self.configure(move |connection| {
            IssueTypes::new(definitions(connection, organization)?).check_new(&issue_type.slug)?;
            let id = connection
                .prepare_cached("UPDATE issue_type_number SET next = max(next, ?1) + 1 RETURNING next - 1")?
                .query_row([FIRST_DEFINED.0], |row| row.get(0))?;
            let issue_type = IssueType { id: TypeId(id), ..issue_type };
            write(connection, organization, &issue_type)?;
            Ok(issue_type)
        })
        .await
    }

    async fn put_issue_type(&self, organization: OrganizationId, issue_type: IssueType) -> Result<(), StoreError> {
        self.configure(move |connection| {
            IssueTypes::new(definitions(connection, organization)?).check_change(&issue_type)?;
            write(connection, organization, &issue_type)
        })
        .await
    }

    async fn remove_issue_type(&self, organization: OrganizationId, id: TypeId) -> Result<(), StoreError> {
        self.configure(move |connection| {
            let key = params![organization.0 as i64, id.0];
            let rows = connection
                .prepare_cached("DELETE FROM issue_type WHERE organization_id = ?1 AND id = ?2")?
                .execute(key)?;
            met(rows, NO_TYPE)?;
            let mut used = connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM issue WHERE type_id = ?1)")?;
            if id >= FIRST_DEFINED && used.query_row([id.0], |row| row.get(0))? {
                return Err(StoreError::InUse(NO_TYPE).into());
            }
            Ok(())
        })
        .await
    }
}
