//! The tables: made where they are missing, checked where they exist.

use tokio_postgres::GenericClient;
use tokio_postgres::error::SqlState;

use crate::{Connection, Error, Queue};

/// The tables as plain SQL, in schema `pgboss`; also kept as a migration for psql.
pub const SCHEMA_SQL: &str = include_str!("../sql/schema.sql");

/// The schema versions of pg-boss that this crate is tested on; it makes version 42.
pub const VERSIONS: std::ops::RangeInclusive<i32> = 37..=46;

impl Queue {
    /// Makes the tables where they are missing; changes nothing that exists.
    /// Many may call this at once.
    ///
    /// # Errors
    /// [`Error::Schema`] where the schema exists in a version older than [`VERSIONS`].
    pub async fn install(&self, client: &impl GenericClient) -> Result<(), Error> {
        let sql = SCHEMA_SQL.replace("pgboss", self.schema());
        let Err(error) = client.batch_execute(&sql).await else {
            return Ok(());
        };
        match error.as_db_error() {
            Some(db) if *db.code() == SqlState::RAISE_EXCEPTION => Err(Error::Schema(format!(
                "{}. {}",
                db.message(),
                db.hint().unwrap_or_default()
            ))),
            _ => Err(error.into()),
        }
    }

    /// The schema's version.
    ///
    /// # Errors
    /// [`Error::Schema`] where there is none, or one older than [`VERSIONS`].
    pub async fn version(&self, client: &impl Connection) -> Result<i32, Error> {
        let rows = self
            .query(client, "SELECT version FROM {schema}.version", &[])
            .await;
        let schema = self.schema();
        let version: Option<i32> = match rows {
            Ok(rows) => rows.first().map(|row| row.get(0)),
            Err(Error::Database(error)) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => None,
            Err(error) => return Err(error),
        };
        match version {
            Some(version) if version >= *VERSIONS.start() => Ok(version),
            Some(version) => Err(Error::Schema(format!(
                "schema {schema} is at pg-boss version {version}, and this queue needs {} or later: \
                 start pg-boss 12.26 or later on it once",
                VERSIONS.start()
            ))),
            None => Err(Error::Schema(format!(
                "there is no queue in schema {schema}: run its migration, or call install"
            ))),
        }
    }
}
