//! Errors as a JavaScript client sees them.

use serde::Serialize;
use telecast_queue::Error;
use tokio_postgres::error::SqlState;

/// `{"message", "code"}`.
#[derive(Debug, Serialize)]
pub(crate) struct Fault {
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
}

impl Fault {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: None,
        }
    }

    /// An argument that the client refuses before it asks the database.
    pub(crate) fn assertion(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: Some("ERR_ASSERTION".to_owned()),
        }
    }

    pub(crate) fn is_missing_table(&self) -> bool {
        let missing = [SqlState::UNDEFINED_TABLE, SqlState::INVALID_SCHEMA_NAME];
        missing
            .iter()
            .any(|state| self.code.as_deref() == Some(state.code()))
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let code = match &error {
            Error::Database(source) | Error::Conflict(source) => source.as_db_error(),
            Error::Invalid { .. } => return Self::assertion(error.to_string()),
            _ => None,
        };
        match code {
            Some(db) => Self {
                message: db.message().to_owned(),
                code: Some(db.code().code().to_owned()),
            },
            None => Self::new(error.to_string()),
        }
    }
}

/// What JavaScript calls an assertion.
pub(crate) fn assert(condition: bool, message: impl Into<String>) -> Result<(), Fault> {
    if condition {
        Ok(())
    } else {
        Err(Fault::assertion(message))
    }
}
