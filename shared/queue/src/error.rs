//! What can go wrong, and what to do about it.

use tokio_postgres::error::SqlState;

/// An operation on the queue that did not happen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No queue of that name; create it first.
    #[error("Queue {0} does not exist")]
    UnknownQueue(String),
    /// A value that the queue refuses; nothing was written.
    #[error("{field} {problem}")]
    Invalid {
        /// The option that holds the value, by its camelCase name.
        field: &'static str,
        /// What is wrong with it and what would be right.
        problem: String,
    },
    /// A queue of policy `key_strict_fifo` orders jobs by key, so each needs one.
    #[error("key_strict_fifo queues require a singletonKey")]
    KeyRequired,
    /// Another job holds the place that this one would take under the queue's policy;
    /// try again once it is done.
    #[error("another job of the queue holds this job's place: {0}")]
    Conflict(#[source] tokio_postgres::Error),
    /// A job of a flow was not created, and so none was: its id exists, or its queue's
    /// policy has no place for it.
    #[error(
        "one or more jobs could not be created: an id exists, or a queue's policy has no place"
    )]
    Refused,
    /// A schedule's expression or time zone that cannot be read.
    #[error("schedule: {0}")]
    Schedule(String),
    /// The schema is missing or too old; the message says what to do.
    #[error("{0}")]
    Schema(String),
    /// A row that this version cannot read: its schema is newer than any known.
    #[error("cannot read a row of the queue: {0}")]
    Row(#[source] tokio_postgres::Error),
    /// A sender's task ended with the runtime that it was made in; make another.
    #[error("the sender has stopped: its runtime is gone")]
    Stopped,
    /// The database refused or could not be reached; the source says why.
    #[error("database: {}", describe(.0))]
    Database(#[source] tokio_postgres::Error),
}

impl Error {
    pub(crate) fn invalid(field: &'static str, problem: impl Into<String>) -> Self {
        Self::Invalid {
            field,
            problem: problem.into(),
        }
    }
}

impl Error {
    /// A queue that was deleted while a job was on its way into it is an unknown one.
    pub(crate) fn of_queue(self, queue: &str) -> Self {
        match self {
            Self::Database(error)
                if error
                    .as_db_error()
                    .is_some_and(|db| db.constraint() == Some("q_fkey")) =>
            {
                Self::UnknownQueue(queue.to_owned())
            }
            error => error,
        }
    }
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.code() {
            Some(&SqlState::UNIQUE_VIOLATION) => Self::Conflict(error),
            _ => Self::Database(error),
        }
    }
}

/// The server's own message where there is one: tokio-postgres says only "db error".
fn describe(error: &tokio_postgres::Error) -> String {
    error
        .as_db_error()
        .map_or_else(|| error.to_string(), |db| db.message().to_owned())
}
