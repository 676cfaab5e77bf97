//! The handler of the queue `check-channels`: whether a bot may still write to channels.
#![forbid(unsafe_code)]

mod ask;

use std::{collections::BTreeMap, time::Duration};

use deadpool_postgres::Pool;
use futures_util::future::join_all;
use serde::Deserialize;
use telecast_core::{
    bots::{self, EncryptionKey},
    channels::{
        self,
        check::{self, QUEUE, Settled, Verdict},
    },
};
use telecast_queue::{Failure, Job, Queue, StartAfter};
use telecast_runtime::handler::{
    Deadline, Handler, HandlerError, Invocation, InvocationResponse, async_trait,
};
use telecast_telegram::Client;
use uuid::Uuid;

use ask::{Answer, Asker};

/// For what a bot that Telegram refuses is to check: somebody may save a valid token.
const STOPPED: Duration = Duration::from_secs(60);

/// Checks channels.
#[derive(Clone)]
pub struct CheckChannels {
    pool: Pool,
    queue: Queue,
    telegram: Client,
    key: EncryptionKey,
}

/// What a queue job of this queue holds.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    check_id: Uuid,
    channel_id: Uuid,
}

/// What is to be done with a queue job.
enum Effect {
    Settle(Verdict),
    /// Once more after the queue's own pause; charged.
    Retry(String),
    /// Not before so long; uncharged.
    GiveBack(Duration),
}

impl CheckChannels {
    /// A handler on this database, which opens bots' tokens with `key`.
    pub fn new(pool: Pool, queue: Queue, telegram: Client, key: EncryptionKey) -> Self {
        Self {
            pool,
            queue,
            telegram,
            key,
        }
    }

    /// The jobs of one check: asks about all of them at once, and settles them together.
    async fn check(&self, check_id: Uuid, jobs: Vec<(&Job, Payload)>) -> Result<(), HandlerError> {
        let (bot_id, asker, channels) = {
            let client = self.pool.get().await?;
            let bot_id = check::get(&**client, check_id).await?.bot_id;
            let (bot, token) = bots::get_with_token(&**client, bot_id, &self.key).await?;
            let mut channels = Vec::with_capacity(jobs.len());
            for (_, payload) in &jobs {
                channels.push(channels::get(&**client, payload.channel_id).await?);
            }
            let asker = Asker::new(self.telegram.clone(), bot, token);
            (bot_id, asker, channels)
        };
        let effects: Vec<Effect> = if asker.is_stopped() {
            jobs.iter().map(|_| Effect::GiveBack(STOPPED)).collect()
        } else {
            let answers = join_all(channels.iter().map(|channel| asker.ask(channel))).await;
            let judged = jobs.iter().zip(answers);
            judged
                .map(|((job, _), answer)| effect(job, answer))
                .collect()
        };
        self.apply(bot_id, &jobs, effects).await
    }

    /// All effects in one transaction.
    async fn apply(
        &self,
        bot_id: Uuid,
        jobs: &[(&Job, Payload)],
        effects: Vec<Effect>,
    ) -> Result<(), HandlerError> {
        let mut settled = Vec::new();
        let mut retried = Vec::new();
        let mut given_back = Vec::new();
        let mut wait = Duration::ZERO;
        for ((job, payload), effect) in jobs.iter().zip(effects) {
            match effect {
                Effect::Settle(verdict) => settled.push(Settled {
                    attempt: job.fence(),
                    check_id: payload.check_id,
                    channel_id: payload.channel_id,
                    verdict,
                }),
                Effect::Retry(problem) => {
                    let output = serde_json::json!({"message": problem});
                    retried.push((job.fence(), Some(output)));
                }
                Effect::GiveBack(longer) => {
                    wait = wait.max(longer);
                    given_back.push(job.fence());
                }
            }
        }
        let mut client = self.pool.get().await?;
        let transaction = client.transaction().await?;
        check::settle(&transaction, &self.queue, &settled).await?;
        if !retried.is_empty() {
            let failure = Failure::default();
            self.queue
                .fail_each(&*transaction, QUEUE, retried, &failure)
                .await?;
        }
        if !given_back.is_empty() {
            check::hold(&transaction, bot_id, wait).await?;
            let later = StartAfter::In(wait);
            self.queue
                .release(&*transaction, QUEUE, given_back, Some(&later))
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

/// What an answer means for the attempt that got it.
fn effect(job: &Job, answer: Answer) -> Effect {
    match answer {
        Answer::Clear(verdict) => Effect::Settle(verdict),
        Answer::Wait(wait) => Effect::GiveBack(wait),
        Answer::Trouble(problem) if job.retry_count < job.retry_limit => Effect::Retry(problem),
        Answer::Trouble(problem) => Effect::Settle(Verdict::Unclear(problem)),
    }
}

#[async_trait]
impl Handler for CheckChannels {
    fn queue(&self) -> &'static str {
        QUEUE
    }

    async fn handle(
        &self,
        invocation: Invocation,
        _deadline: Deadline,
    ) -> Result<InvocationResponse, HandlerError> {
        let mut by_check: BTreeMap<Uuid, Vec<(&Job, Payload)>> = BTreeMap::new();
        for job in &invocation.jobs {
            let payload = Payload::deserialize(&job.data)?;
            by_check
                .entry(payload.check_id)
                .or_default()
                .push((job, payload));
        }
        let mut failed = Vec::new();
        for (check_id, jobs) in by_check {
            let ids: Vec<Uuid> = jobs.iter().map(|(job, _)| job.id).collect();
            if let Err(error) = self.check(check_id, jobs).await {
                tracing::error!(%check_id, %error, "could not check channels");
                failed.extend(ids);
            }
        }
        Ok(InvocationResponse::failing(failed))
    }
}
