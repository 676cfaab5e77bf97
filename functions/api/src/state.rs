//! What handlers are given.

use std::sync::Arc;

use deadpool_postgres::{Object, Pool};
use telecast_core::bots::EncryptionKey;
use telecast_queue::Queue;
use telecast_telegram::Client as Telegram;

use crate::{ApiError, TokenSecret};

/// Wakes the scheduler, so that a campaign starts at once rather than at its next
/// tick. Called after the commit; it must return at once and may do nothing.
pub type Kick = Arc<dyn Fn() + Send + Sync>;

/// What handlers are given. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// Connections to the database.
    pub pool: Pool,
    /// Where a started campaign is put.
    pub queue: Queue,
    /// Signs access tokens.
    pub token_secret: TokenSecret,
    /// Seals bots' tokens.
    pub encryption_key: EncryptionKey,
    /// Asks Telegram who a bot is.
    pub telegram: Telegram,
    /// Wakes the scheduler.
    pub kick: Kick,
}

impl App {
    pub(crate) async fn database(&self) -> Result<Object, ApiError> {
        self.pool.get().await.map_err(|error| {
            tracing::error!(%error, "no connection to the database");
            ApiError::unavailable()
        })
    }
}
