//! The handler of the queue `send-message`: claim, send, settle.
#![forbid(unsafe_code)]

mod deliver;
mod files;
mod flood;
mod outcome;
mod pace;
mod prepare;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use deadpool_postgres::Pool;
use futures_util::{StreamExt, stream};
use telecast_core::{
    bots::EncryptionKey,
    delivery::{self, Claim, Context, Decision, FileChanges, MediaUrl, Outcome, Settlement},
};
use telecast_queue::{Job, Queue};
use telecast_runtime::handler::{
    Deadline, Handler, HandlerError, Invocation, InvocationResponse, async_trait,
};
use telecast_telegram::Client;
use uuid::Uuid;

use deliver::{Delivery, StoppedBots};
use files::Files;
use pace::Pace;

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
    stopped: Arc<StoppedBots>,
    pace: Arc<Pace>,
}

/// What is to be written down of an invocation.
struct Batch {
    settled: Vec<Settlement>,
    files: FileChanges,
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
            stopped: Arc::default(),
            pace: Arc::default(),
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
        // What was claimed must be settled: as not tried, where there is no context.
        let contexts = delivery::contexts(&**client, &self.key, &campaigns)
            .await
            .unwrap_or_else(|error| {
                tracing::error!(%error, "could not read what is to be sent; giving back");
                HashMap::new()
            });
        Ok((claims, contexts))
    }

    /// Sends what is to be sent, many at once, and gives what became of each claim.
    async fn send(
        &self,
        claims: &[Claim],
        contexts: &HashMap<Uuid, Context>,
        deadline: Deadline,
    ) -> Batch {
        let (mut settled, ready) = prepare::prepare(claims, contexts);
        let media: HashSet<_> = ready.iter().filter_map(|r| r.media.clone()).collect();
        let files = Files::knowing(self.known_files(&media).await);
        let delivery = Delivery {
            telegram: &self.telegram,
            stopped: &self.stopped,
            pace: &self.pace,
            files: &files,
            deadline,
        };
        let sends: Vec<_> = ready
            .into_iter()
            .map(|ready| delivery.deliver(ready))
            .collect();
        let answers: Vec<_> = stream::iter(sends)
            .buffer_unordered(CONCURRENCY)
            .collect()
            .await;
        let (mut sent, calls): (Vec<Settlement>, Vec<_>) = answers.into_iter().unzip();
        let calls: Vec<_> = calls.into_iter().flatten().collect();
        let busy = flood::busy_channels(&calls);
        for (bot_id, _) in &busy {
            self.stopped.release(*bot_id);
        }
        for settlement in &mut sent {
            let bot_id = contexts.get(&settlement.campaign_id).map(|c| c.bot_id);
            let is_busy = busy
                .iter()
                .any(|(bot, channel)| Some(*bot) == bot_id && *channel == settlement.channel_id);
            let outcome = std::mem::replace(&mut settlement.outcome, Outcome::NotTried);
            settlement.outcome = outcome.in_chat_if(is_busy);
        }
        settled.append(&mut sent);
        Batch {
            settled,
            files: files.into_changes(),
        }
    }

    /// Without them media goes by its URL, which is slower and no worse.
    async fn known_files(&self, media: &HashSet<MediaUrl>) -> HashMap<MediaUrl, String> {
        if media.is_empty() {
            return HashMap::new();
        }
        let known = async {
            let client = self.pool.get().await?;
            Ok::<_, Error>(delivery::known_files(&**client, media).await?)
        };
        known.await.unwrap_or_else(|error| {
            tracing::warn!(%error, "could not look for file ids");
            HashMap::new()
        })
    }

    async fn settle(&self, batch: &Batch) -> Result<(), Error> {
        let mut client = self.pool.get().await?;
        let transaction = client.transaction().await?;
        delivery::settle(&transaction, &self.queue, &batch.settled).await?;
        delivery::change_files(&transaction, &batch.files).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// What was sent must be written down: a database that restarts gets time for it.
    async fn settle_surely(&self, batch: &Batch) -> Result<(), Error> {
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
        let batch = self.send(&claims, &contexts, deadline).await;
        self.settle_surely(&batch).await?;
        let failed = batch
            .settled
            .iter()
            .filter(|settlement| settlement.outcome.error().is_some())
            .map(|settlement| settlement.attempt.id);
        Ok(InvocationResponse::failing(failed))
    }
}
