//! Brings a database to this version's schema.

use tokio_postgres::Client;

mod embedded {
    refinery::embed_migrations!("../../migrations");
}

/// Any number: the key under which all migrating processes exclude each other.
const MIGRATION_LOCK: i64 = 0x7465_6c65_6361_7374;

/// A migration that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The lock could not be had; try again once the database is up.
    #[error("could not lock the database for migration: {0}")]
    Lock(#[source] tokio_postgres::Error),
    /// A migration failed; nothing of it was applied. The message says which and why.
    #[error("could not migrate the database: {0}")]
    Migrate(#[from] refinery::Error),
}

/// Applies what is missing, in order, each migration in its own transaction;
/// gives the names of those applied now. Safe to run twice and to run at once
/// from many places: `lock` and `client` are two connections, and an open
/// transaction on `lock` holds an advisory lock meanwhile. (A lock of the
/// session would get lost behind a transaction pooler; this one does not.)
pub async fn migrate(lock: &mut Client, client: &mut Client) -> Result<Vec<String>, MigrateError> {
    let guard = lock.transaction().await.map_err(MigrateError::Lock)?;
    guard
        .execute_typed(
            "SELECT pg_advisory_xact_lock($1)",
            &[(&MIGRATION_LOCK, tokio_postgres::types::Type::INT8)],
        )
        .await
        .map_err(MigrateError::Lock)?;
    let report = embedded::migrations::runner().run_async(client).await?;
    guard.commit().await.map_err(MigrateError::Lock)?;
    Ok(report
        .applied_migrations()
        .iter()
        .map(ToString::to_string)
        .collect())
}
