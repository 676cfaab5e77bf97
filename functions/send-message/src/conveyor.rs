//! An invocation's way: its jobs are claimed in groups, sent, and settled as answers
//! come, all at once. So little is under way at any moment, and a process that dies
//! leaves little uncertain; a chat that hangs delays nobody else's settlement.

use std::{
    collections::{HashMap, HashSet},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use telecast_core::delivery::{self, Context, Decision, Settlement};
use telecast_queue::Job;
use telecast_runtime::handler::Deadline;
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    Error, SendMessage,
    deliver::{Delivery, Ready},
    files::Files,
    prepare,
    tally::Tally,
};

/// Messages of one invocation that are under way at once.
const CONCURRENCY: usize = 64;

/// Messages that are claimed in one statement.
const GROUP: usize = 16;

/// What came next.
enum Step {
    Claimed(Result<(Vec<Settlement>, Vec<Ready>), Error>),
    Answered(Box<Settlement>),
    Settled(Result<(), Error>),
}

/// The contexts of an invocation's campaigns; each is read once.
#[derive(Default)]
struct Contexts(Mutex<HashMap<Uuid, Arc<Context>>>);

impl Contexts {
    fn known(&self) -> MutexGuard<'_, HashMap<Uuid, Arc<Context>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn without(&self, campaigns: impl Iterator<Item = Uuid>) -> Vec<Uuid> {
        let known = self.known();
        let unknown: HashSet<Uuid> = campaigns.filter(|id| !known.contains_key(id)).collect();
        unknown.into_iter().collect()
    }

    fn learn(&self, contexts: HashMap<Uuid, Context>) {
        let contexts = contexts
            .into_iter()
            .map(|(id, context)| (id, Arc::new(context)));
        self.known().extend(contexts);
    }
}

impl SendMessage {
    /// Works off the jobs of an invocation; gives the ids of those that failed.
    ///
    /// # Errors
    /// The first failure of the database. What it concerns is left to expiry; the
    /// other jobs are settled all the same.
    pub(crate) async fn convey(
        &self,
        jobs: &[Job],
        deadline: Deadline,
    ) -> Result<Vec<Uuid>, Error> {
        let (contexts, files) = (Contexts::default(), Files::default());
        let delivery = Delivery {
            telegram: &self.telegram,
            stopped: &self.stopped,
            pace: &self.pace,
            calls: &self.calls,
            files: &files,
            deadline,
        };
        let mut groups = jobs.chunks(GROUP);
        let mut steps: FuturesUnordered<BoxFuture<'_, Step>> = FuturesUnordered::new();
        let (mut is_claiming, mut is_settling, mut under_way) = (false, false, 0);
        let mut answered: Vec<Settlement> = Vec::new();
        let mut failed = Vec::new();
        let mut tally = Tally::default();
        let mut outcome = Ok(());
        loop {
            if !is_claiming
                && under_way + GROUP <= CONCURRENCY
                && let Some(group) = groups.next()
            {
                is_claiming = true;
                let claimed = self.claim(group, &contexts, &files).map(Step::Claimed);
                steps.push(claimed.boxed());
            }
            // One settlement at a time: what is answered meanwhile goes with the next.
            if !is_settling && !answered.is_empty() {
                is_settling = true;
                let batch = mem::take(&mut answered);
                let is_failed = |settlement: &&Settlement| settlement.outcome.error().is_some();
                failed.extend(batch.iter().filter(is_failed).map(|s| s.attempt.id));
                tally.count(&batch);
                let settled = self.settle_surely(batch, files.take_changes());
                steps.push(settled.map(Step::Settled).boxed());
            }
            match steps.next().await {
                None => {
                    tally.report();
                    return outcome.map(|()| failed);
                }
                Some(Step::Claimed(claimed)) => {
                    is_claiming = false;
                    match claimed {
                        Ok((settled, ready)) => {
                            answered.extend(settled);
                            under_way += ready.len();
                            steps.extend(ready.into_iter().map(|ready| {
                                let answer = delivery.deliver(ready);
                                answer.map(Box::new).map(Step::Answered).boxed()
                            }));
                        }
                        Err(error) => outcome = outcome.and(Err(error)),
                    }
                }
                Some(Step::Answered(settlement)) => {
                    under_way -= 1;
                    answered.push(*settlement);
                }
                Some(Step::Settled(settled)) => {
                    is_settling = false;
                    outcome = outcome.and(settled);
                }
            }
        }
    }

    /// Claims a group: what is settled without a call, and what is ready to be sent.
    async fn claim(
        &self,
        jobs: &[Job],
        contexts: &Contexts,
        files: &Files,
    ) -> Result<(Vec<Settlement>, Vec<Ready>), Error> {
        let attempts: Vec<_> = jobs.iter().map(Job::fence).collect();
        let client = self.pool.get().await?;
        let asked = Instant::now();
        let claims = delivery::claim(&**client, &attempts).await?;
        let to_send = claims
            .iter()
            .filter(|claim| claim.decision == Decision::Send);
        let unknown = contexts.without(to_send.map(|claim| claim.campaign_id));
        if !unknown.is_empty() {
            // What was claimed must be settled: as not tried, where there is no context.
            match delivery::contexts(&**client, &self.key, &unknown).await {
                Ok(read) => contexts.learn(read),
                Err(error) => {
                    tracing::error!(%error, "could not read what is to be sent; giving back");
                }
            }
        }
        let (settled, ready) = prepare::prepare(claims, asked, &contexts.known());
        let media: HashSet<_> = ready.iter().filter_map(|r| r.media.clone()).collect();
        // Without file ids media goes by its URL, which is slower and no worse.
        match delivery::known_files(&**client, &media).await {
            Ok(known) => files.know(known),
            Err(error) => tracing::warn!(%error, "could not look for file ids"),
        }
        Ok((settled, ready))
    }
}
