//! The handler of the queue `send-message`: claim, send, settle.
#![forbid(unsafe_code)]

mod conveyor;
mod deliver;
mod files;
mod flood;
mod outcome;
mod pace;
mod prepare;
mod tally;

use std::{sync::Arc, time::Duration};

use deadpool_postgres::Pool;
use telecast_core::{
    bots::EncryptionKey,
    delivery::{self, FileChanges, Settlement},
};
use telecast_queue::Queue;
use telecast_runtime::handler::{
    Deadline, Handler, HandlerError, Invocation, InvocationResponse, async_trait,
};
use telecast_telegram::Client;

use deliver::StoppedBots;
use flood::Calls;
use pace::Pace;

/// Tries to settle a batch. Settling again is harmless, and not settling would make
/// messages uncertain that were sent.
const SETTLE_TRIES: u32 = 5;

/// For a try. A connection that a partition lost never answers; the next try has another.
const SETTLE_PATIENCE: Duration = Duration::from_secs(5);

/// Delivers message jobs.
#[derive(Clone)]
pub struct SendMessage {
    pool: Pool,
    queue: Queue,
    telegram: Client,
    key: EncryptionKey,
    stopped: Arc<StoppedBots>,
    pace: Arc<Pace>,
    calls: Arc<Calls>,
}

/// Why a batch was not settled; its queue jobs expire, and the next attempt finds out.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("no connection to the database: {0}")]
    Pool(#[from] deadpool_postgres::PoolError),
    #[error(transparent)]
    Core(#[from] telecast_core::Error),
    #[error("the database did not answer for {SETTLE_PATIENCE:?}")]
    Silent,
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Core(error.into())
    }
}

impl SendMessage {
    /// A handler on this database, which opens bots' tokens with `key`.
    pub fn new(pool: Pool, queue: Queue, telegram: Client, key: EncryptionKey) -> Self {
        Self {
            pool,
            queue,
            telegram,
            key,
            stopped: Arc::default(),
            pace: Arc::default(),
            calls: Arc::default(),
        }
    }

    async fn settle(&self, batch: &[Settlement], files: &FileChanges) -> Result<(), Error> {
        let settled = self.try_to_settle(batch, files);
        tokio::time::timeout(SETTLE_PATIENCE, settled)
            .await
            .unwrap_or(Err(Error::Silent))
    }

    async fn try_to_settle(&self, batch: &[Settlement], files: &FileChanges) -> Result<(), Error> {
        let mut client = self.pool.get().await?;
        let transaction = client.transaction().await?;
        delivery::settle(&transaction, &self.queue, batch).await?;
        delivery::change_files(&transaction, files).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// What was sent must be written down: a database that restarts gets time for it.
    async fn settle_surely(&self, batch: Vec<Settlement>, files: FileChanges) -> Result<(), Error> {
        let mut pause = Duration::from_millis(100);
        for _ in 1..SETTLE_TRIES {
            let Err(error) = self.settle(&batch, &files).await else {
                return Ok(());
            };
            tracing::warn!(%error, "could not settle a batch; trying again");
            tokio::time::sleep(pause).await;
            pause *= 3;
        }
        self.settle(&batch, &files).await
    }
}

#[async_trait]
impl Handler for SendMessage {
    fn queue(&self) -> &'static str {
        delivery::QUEUE
    }

    async fn handle(
        &self,
        invocation: Invocation,
        deadline: Deadline,
    ) -> Result<InvocationResponse, HandlerError> {
        let failed = self.convey(&invocation.jobs, deadline).await?;
        Ok(InvocationResponse::failing(failed))
    }
}
