//! What can go wrong in a pass. The scheduler logs it, waits a moment, and goes on.

use std::time::Duration;

use tokio::time::timeout;

/// A pass that was not made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection could be had.
    #[error("no connection to the database: {0}")]
    Pool(#[from] deadpool_postgres::PoolError),
    /// The database refused.
    #[error("the database failed: {0}")]
    Database(#[from] tokio_postgres::Error),
    /// The queue refused.
    #[error(transparent)]
    Queue(#[from] telecast_queue::Error),
    /// The domain refused.
    #[error(transparent)]
    Core(#[from] telecast_core::Error),
    /// No answer came: the connection is lost, and nobody said so.
    #[error("the database did not answer for {0:?}; the connection is given up")]
    Silent(Duration),
}

/// Waits for a step of a pass, but not for ever: a connection that a partition lost never
/// answers. The pool finds out that it is dead before anybody uses it again.
///
/// # Errors
/// Those of the step, and [`Error::Silent`].
pub(crate) async fn answered<T>(
    step: impl Future<Output = Result<T, Error>>,
    patience: Duration,
) -> Result<T, Error> {
    timeout(patience, step)
        .await
        .unwrap_or(Err(Error::Silent(patience)))
}
