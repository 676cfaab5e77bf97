//! What can go wrong in a pass. The scheduler logs it, waits a moment, and goes on.

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
}
