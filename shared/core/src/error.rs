//! What can go wrong in the domain, in the terms of who asked.

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing; check the id.
    #[error("{what} {id} does not exist")]
    NotFound {
        /// The kind of thing, such as `campaign`.
        what: &'static str,
        /// What was asked for.
        id: String,
    },
    /// The request is sound, but not in the present state; the message says why and what to do.
    #[error("{message}")]
    Conflict {
        /// A stable UPPER_CASE word for programs.
        code: &'static str,
        /// For people.
        message: String,
    },
    /// A field of the request is wrong; the message says how.
    #[error("{field}: {message}")]
    Invalid {
        /// The field, in the API's camelCase, with a path where nested.
        field: String,
        /// What is wrong and what would be right.
        message: String,
    },
    /// PostgreSQL refused or could not be reached; try again once it is up.
    #[error("the database failed: {}", postgres_message(.0))]
    Database(#[from] tokio_postgres::Error),
    /// The queue refused an operation.
    #[error(transparent)]
    Queue(#[from] telecast_queue::Error),
    /// A row holds what this version of the code cannot read; upgrade Telecast or mend the row.
    #[error("the database holds an unreadable {what}: {message}")]
    Corrupt {
        /// Which value.
        what: &'static str,
        /// Why it cannot be read.
        message: String,
    },
}

impl Error {
    /// A missing thing.
    pub fn not_found(what: &'static str, id: impl ToString) -> Self {
        Self::NotFound {
            what,
            id: id.to_string(),
        }
    }

    /// A wrong field.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid {
            field: field.into(),
            message: message.into(),
        }
    }

    /// A request that the present state forbids.
    pub fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::Conflict {
            code,
            message: message.into(),
        }
    }
}

/// The server's own words where there are some: tokio-postgres displays only "db error".
fn postgres_message(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(db) => format!("{} (SQLSTATE {})", db.message(), db.code().code()),
        None => error.to_string(),
    }
}

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;
