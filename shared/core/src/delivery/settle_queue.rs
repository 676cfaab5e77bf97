//! The queue jobs of settled message jobs.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use telecast_queue::{Failure, Fence, Queue, StartAfter};
use tokio_postgres::Transaction;

use super::{QUEUE, QueueEffect, settle::Settled};
use crate::Result;

/// Completes, fails, retries and gives back, each under its fence.
pub(super) async fn settle_queue<'a>(
    transaction: &Transaction<'_>,
    queue: &Queue,
    settled: impl Iterator<Item = &'a Settled<'a>>,
) -> Result<()> {
    let mut complete: Vec<Fence> = Vec::new();
    let mut fail: Vec<(Fence, Option<Value>)> = Vec::new();
    let mut retry: BTreeMap<Duration, Vec<(Fence, Option<Value>)>> = BTreeMap::new();
    let mut give_back: BTreeMap<Duration, Vec<Fence>> = BTreeMap::new();
    for settled in settled {
        let attempt = settled.settlement.attempt;
        let output = settled
            .outcome
            .error()
            .map(|error| json!({"message": error}));
        match settled.effect.queue {
            QueueEffect::Complete => complete.push(attempt),
            QueueEffect::Fail => fail.push((attempt, output)),
            QueueEffect::Retry(delay) => retry.entry(delay).or_default().push((attempt, output)),
            QueueEffect::GiveBack(delay) => give_back.entry(delay).or_default().push(attempt),
        }
    }
    if !complete.is_empty() {
        queue.complete(transaction, QUEUE, complete, None).await?;
    }
    if !fail.is_empty() {
        let terminal = Failure {
            terminal: true,
            ..Failure::default()
        };
        queue.fail_each(transaction, QUEUE, fail, &terminal).await?;
    }
    for (delay, jobs) in retry {
        let later = Failure {
            delay: Some(delay),
            ..Failure::default()
        };
        queue.fail_each(transaction, QUEUE, jobs, &later).await?;
    }
    for (delay, jobs) in give_back {
        let later = StartAfter::In(delay);
        queue
            .release(transaction, QUEUE, jobs, Some(&later))
            .await?;
    }
    Ok(())
}
