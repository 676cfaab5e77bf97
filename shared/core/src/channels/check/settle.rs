//! What a check found, written down once.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use serde_json::json;
use telecast_queue::{Fence, Queue, limits};
use telecast_telegram::ChatInfo;
use tokio_postgres::{Transaction, types::Type};
use uuid::Uuid;

use super::{QUEUE, bot_limit_id, group_id};
use crate::{
    Result,
    audit::{self, Actor},
    campaigns,
    channels::kind_name,
};

/// What became of one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The bot may write to it; what Telegram told of it.
    Usable(ChatInfo),
    /// It may not; why.
    Unusable(&'static str),
    /// Telegram gave no clear answer, and will not be asked again.
    Unclear(String),
}

/// A channel that was checked.
#[derive(Debug, Clone)]
pub struct Settled {
    /// The attempt of the queue job.
    pub attempt: Fence,
    /// The check.
    pub check_id: Uuid,
    /// The channel.
    pub channel_id: Uuid,
    /// What was found.
    pub verdict: Verdict,
}

/// How many channels of a check were found to be what.
#[derive(Default)]
struct Counts {
    active: i32,
    inactive: i32,
    unclear: i32,
}

/// Completes the queue jobs, and writes and counts what was found by those attempts that
/// still run: an invocation delivered twice counts nothing twice.
pub async fn settle(transaction: &Transaction<'_>, queue: &Queue, batch: &[Settled]) -> Result<()> {
    let attempts = batch.iter().map(|settled| settled.attempt);
    let completed = queue.complete(transaction, QUEUE, attempts, None).await?;
    let completed: HashSet<Uuid> = completed.ids.into_iter().collect();
    let settled: Vec<&Settled> = batch
        .iter()
        .filter(|settled| completed.contains(&settled.attempt.id))
        .collect();
    write_channels(transaction, &settled).await?;
    count(transaction, &settled).await
}

async fn write_channels(transaction: &Transaction<'_>, settled: &[&Settled]) -> Result<()> {
    let (mut ids, mut usable, mut reasons) = (Vec::new(), Vec::new(), Vec::new());
    let (mut chat_ids, mut kinds, mut titles) = (Vec::new(), Vec::new(), Vec::new());
    for settled in settled {
        let (found, reason) = match &settled.verdict {
            Verdict::Usable(found) => (Some(found), None),
            Verdict::Unusable(reason) => (None, Some(*reason)),
            Verdict::Unclear(_) => continue,
        };
        ids.push(settled.channel_id);
        usable.push(found.is_some());
        reasons.push(reason);
        chat_ids.push(found.map(|chat| chat.id));
        kinds.push(found.and_then(|chat| kind_name(chat.kind)));
        titles.push(found.and_then(|chat| chat.title.as_deref()));
    }
    transaction
        .execute_typed(
            include_str!("settle_channels.sql"),
            &[
                (&ids, Type::UUID_ARRAY),
                (&usable, Type::BOOL_ARRAY),
                (&reasons, Type::TEXT_ARRAY),
                (&chat_ids, Type::INT8_ARRAY),
                (&kinds, Type::TEXT_ARRAY),
                (&titles, Type::TEXT_ARRAY),
            ],
        )
        .await?;
    Ok(())
}

async fn count(transaction: &Transaction<'_>, settled: &[&Settled]) -> Result<()> {
    // In the order of ids, as every other settlement locks them.
    let mut counts: BTreeMap<Uuid, Counts> = BTreeMap::new();
    for settled in settled {
        let counts = counts.entry(settled.check_id).or_default();
        match settled.verdict {
            Verdict::Usable(_) => counts.active += 1,
            Verdict::Unusable(_) => counts.inactive += 1,
            Verdict::Unclear(_) => counts.unclear += 1,
        }
    }
    for (id, counts) in counts {
        let rows = transaction
            .query_typed(
                include_str!("count.sql"),
                &[
                    (&id, Type::UUID),
                    (&counts.active, Type::INT4),
                    (&counts.inactive, Type::INT4),
                    (&counts.unclear, Type::INT4),
                ],
            )
            .await?;
        let is_finished = rows.first().map(|row| row.try_get("is_finished"));
        if is_finished.transpose()? == Some(true) {
            limits::remove(transaction, &[group_id(id)]).await?;
            let check = super::get(transaction, id).await?;
            audit::record(
                transaction,
                &Actor::system(),
                "CHANNEL_CHECK_FINISHED",
                "channel check",
                id,
                json!({"after": check}),
            )
            .await?;
        }
    }
    Ok(())
}

/// Telegram asked the bot to wait: its checks and its campaigns do.
pub async fn hold(transaction: &Transaction<'_>, bot_id: Uuid, wait: Duration) -> Result<()> {
    limits::hold(transaction, &campaigns::bot_limit_id(bot_id), wait).await?;
    limits::hold(transaction, &bot_limit_id(bot_id), wait).await?;
    Ok(())
}
