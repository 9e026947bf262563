//! The format of the database and how older ones come up to it.

use nuthatch_store::StoreError;
use rusqlite::{Connection, TransactionBehavior};

use super::error::Failure;

/// The steps, in order; a database's `user_version` is how many of them it has. A released step never changes.
const MIGRATIONS: [&str; 15] = [
    include_str!("../../migrations/meta/0001_start.sql"),
    include_str!("../../migrations/meta/0002_outcomes.sql"),
    include_str!("../../migrations/meta/0003_project_options.sql"),
    include_str!("../../migrations/meta/0004_platform.sql"),
    include_str!("../../migrations/meta/0005_items.sql"),
    include_str!("../../migrations/meta/0006_files.sql"),
    include_str!("../../migrations/meta/0007_sessions.sql"),
    include_str!("../../migrations/meta/0008_quotas.sql"),
    include_str!("../../migrations/meta/0009_organization_options.sql"),
    include_str!("../../migrations/meta/0010_bounds.sql"),
    include_str!("../../migrations/meta/0011_release_facts.sql"),
    include_str!("../../migrations/meta/0012_trace_attachments.sql"),
    include_str!("../../migrations/meta/0013_reports_in_the_ledger.sql"),
    include_str!("../../migrations/meta/0014_check_ins_and_reports.sql"),
    include_str!("../../migrations/meta/0015_project_facts.sql"),
];

/// Applies the missing steps in one transaction. A database of a newer version is refused untouched.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let applied: i32 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let Some(missing) = usize::try_from(applied).ok().and_then(|applied| MIGRATIONS.get(applied..)) else {
        let known = MIGRATIONS.len();
        return Err(StoreError::Invalid(format!(
            "the metadata database has format {applied}, but this version of nuthatch knows formats up to {known}: \
             start the newer version again, or restore a backup made with this one"
        ))
        .into());
    };
    for step in missing {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", MIGRATIONS.len() as i32)?;
    transaction.commit()?;
    Ok(())
}
