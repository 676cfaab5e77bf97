//! The handler of the queue `send-message`: claim, send, settle.
#![forbid(unsafe_code)]

mod deliver;
mod outcome;

use std::{collections::HashMap, time::Duration};

use deadpool_postgres::Pool;
use futures_util::{StreamExt, stream};
use telecast_core::{
    bots::EncryptionKey,
    delivery::{self, Claim, Context, Decision, Settlement},
};
use telecast_queue::{Job, Queue};
use telecast_runtime::handler::{
    Deadline, Handler, HandlerError, Invocation, InvocationResponse, async_trait,
};
use telecast_telegram::Client;
use uuid::Uuid;

use deliver::{Delivery, StoppedBots};

/// Messages of one invocation that are under way at once.
const CONCURRENCY: usize = 64;

/// Tries to settle a batch. Settling again is harmless, and not settling would make
/// messages uncertain that were sent.
const SETTLE_TRIES: u32 = 5;

/// Delivers message jobs.
#[derive(Clone)]
pub struct SendMessage {
    pool: Pool,
    queue: Queue,
    telegram: Client,
    key: EncryptionKey,
}

/// Why a batch was not settled; its queue jobs expire, and the next attempt finds out.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("no connection to the database: {0}")]
    Pool(#[from] deadpool_postgres::PoolError),
    #[error(transparent)]
    Core(#[from] telecast_core::Error),
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
        }
    }

    async fn claim(&self, jobs: &[Job]) -> Result<(Vec<Claim>, HashMap<Uuid, Context>), Error> {
        let attempts: Vec<_> = jobs.iter().map(Job::fence).collect();
        let client = self.pool.get().await?;
        let claims = delivery::claim(&**client, &attempts).await?;
        let mut campaigns: Vec<Uuid> = claims
            .iter()
            .filter(|claim| claim.decision == Decision::Send)
            .map(|claim| claim.campaign_id)
            .collect();
        campaigns.sort_unstable();
        campaigns.dedup();
        let contexts = delivery::contexts(&**client, &self.key, &campaigns).await?;
        Ok((claims, contexts))
    }

    /// Sends what is to be sent, many at once, and gives what became of each claim.
    async fn send(
        &self,
        claims: &[Claim],
        contexts: &HashMap<Uuid, Context>,
        deadline: Deadline,
    ) -> Vec<Settlement> {
        let stopped = StoppedBots::default();
        let delivery = Delivery {
            telegram: &self.telegram,
            stopped: &stopped,
            deadline,
        };
        let sends: Vec<_> = claims
            .iter()
            .map(|claim| delivery.settle(claim, contexts.get(&claim.campaign_id)))
            .collect();
        stream::iter(sends)
            .buffer_unordered(CONCURRENCY)
            .filter_map(std::future::ready)
            .collect()
            .await
    }

    async fn settle(&self, batch: &[Settlement]) -> Result<(), Error> {
        let mut client = self.pool.get().await?;
        let transaction = client.transaction().await?;
        delivery::settle(&transaction, &self.queue, batch).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// What was sent must be written down: a database that restarts gets time for it.
    async fn settle_surely(&self, batch: &[Settlement]) -> Result<(), Error> {
        let mut pause = Duration::from_millis(100);
        for _ in 1..SETTLE_TRIES {
            let Err(error) = self.settle(batch).await else {
                return Ok(());
            };
            tracing::warn!(%error, "could not settle a batch; trying again");
            tokio::time::sleep(pause).await;
            pause *= 3;
        }
        self.settle(batch).await
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
        let (claims, contexts) = self.claim(&invocation.jobs).await?;
        let settled = self.send(&claims, &contexts, deadline).await;
        self.settle_surely(&settled).await?;
        let failed = settled
            .iter()
            .filter(|settlement| settlement.outcome.error().is_some())
            .map(|settlement| settlement.attempt.id);
        Ok(InvocationResponse::failing(failed))
    }
}
