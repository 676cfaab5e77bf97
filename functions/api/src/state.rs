//! What handlers are given.

use std::sync::Arc;

use async_trait::async_trait;
use deadpool_postgres::{Object, Pool};
use telecast_core::bots::EncryptionKey;
use telecast_queue::Queue;
use telecast_runtime::invoke::SchedulerCall;
use telecast_telegram::Client as Telegram;

use crate::{ApiError, Settings, TokenSecret};

/// Wakes the scheduler, so that a campaign starts at once rather than at its next tick.
#[async_trait]
pub trait Kick: Send + Sync + 'static {
    /// Called after the commit, and waited for before the answer: on Lambda nothing runs
    /// after it. What fails here is for the log; the next tick makes up for it.
    async fn kick(&self);
}

#[async_trait]
impl Kick for SchedulerCall {
    async fn kick(&self) {
        if let Err(reason) = self.call().await {
            tracing::info!(reason, "the scheduler was not called; its next tick comes");
        }
    }
}

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
    /// Wakes the scheduler; none where it hears of new jobs by itself (LISTEN).
    pub kick: Option<Arc<dyn Kick>>,
    /// What the installation decided.
    pub settings: Settings,
}

impl App {
    pub(crate) async fn database(&self) -> Result<Object, ApiError> {
        self.pool.get().await.map_err(|error| {
            tracing::error!(%error, "no connection to the database");
            ApiError::unavailable()
        })
    }
}
