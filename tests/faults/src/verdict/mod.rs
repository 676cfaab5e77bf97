//! The judgement of a round: what the database says against the simulator's ledger.

mod messages;
mod operation;
mod pacing;

use std::collections::HashMap;

use anyhow::Result;
use telecast_runtime::database;
use tokio_postgres::Client;

use crate::{operators::Campaign, telegram::Call, watch::Seen};

const SECOND: u64 = 1_000_000;

/// An invariant, what was looked at, and what broke it.
pub(crate) struct Check {
    pub(crate) name: &'static str,
    /// Where to look first, if it is broken.
    pub(crate) look: &'static str,
    pub(crate) seen: String,
    pub(crate) broken: Vec<String>,
}

/// A message job as the database has it.
struct Row {
    campaign: String,
    channel: String,
    status: String,
    error_class: String,
    queue_state: Option<String>,
    details: String,
    /// Of each attempt, in order; microseconds since 1970, as all times here.
    dispatches: Vec<u64>,
    /// From each of these on it may have been sent once more.
    doubts: Vec<u64>,
}

impl Row {
    /// Its text in the ledger.
    fn text(&self) -> String {
        format!("{} {}", self.campaign, self.channel)
    }
}

/// What is judged.
pub(crate) struct Evidence<'a> {
    pub(crate) campaigns: &'a [Campaign],
    pub(crate) calls: &'a [Call],
    pub(crate) seen: &'a Seen,
    pub(crate) schedulers: usize,
    pub(crate) telegram_freezes: &'a [(u64, u64)],
    /// Processes that were asked to end, and those of them that did not end well.
    pub(crate) ends: usize,
    pub(crate) unclean_ends: Vec<String>,
    pub(crate) unfinished: Vec<String>,
}

impl Evidence<'_> {
    /// The earliest that a call may have left: while Telegram was frozen it waited there.
    fn left(&self, call: &Call) -> u64 {
        let froze =
            |(from, to): &(u64, u64)| (*from..to + 2 * SECOND).contains(&call.at).then_some(*from);
        self.telegram_freezes
            .iter()
            .filter_map(froze)
            .min()
            .unwrap_or(call.at)
    }
}

/// Checks every invariant.
pub(crate) async fn judge(url: &str, mut evidence: Evidence<'_>) -> Result<Vec<Check>> {
    let client = database::connect(&url.parse()?).await?;
    let rows = message_jobs(&client).await?;
    let mut seen = evidence.seen.clone();
    seen.look(url).await;

    let mut accepted: HashMap<&str, Vec<u64>> = HashMap::new();
    let is_accepted = |call: &&Call| call.message_id.is_some();
    for call in evidence.calls.iter().filter(is_accepted) {
        accepted.entry(&call.text).or_default().push(call.at);
    }
    let ends = std::mem::take(&mut evidence.unclean_ends);
    Ok(vec![
        messages::terminal(&rows, &evidence),
        messages::ledger_agrees(&rows, &accepted),
        messages::duplicates(&rows, &evidence, &accepted),
        messages::queue_jobs(&client, &rows).await?,
        pacing::holds(&client, &evidence).await?,
        pacing::pauses(&client, &evidence).await?,
        pacing::dispatches(&rows, &evidence),
        pacing::calls(&rows, &evidence),
        operation::deeds_audited(&client, &evidence).await?,
        operation::changes_audited(&client).await?,
        operation::counters(&seen),
        operation::connections(&seen, evidence.schedulers),
        operation::memory(&seen),
        operation::files(&seen),
        operation::ends(evidence.ends, ends),
    ])
}

async fn message_jobs(client: &Client) -> Result<Vec<Row>> {
    let rows = client.query(include_str!("message_jobs.sql"), &[]).await?;
    let times = |times: Vec<i64>| times.into_iter().map(i64::unsigned_abs).collect();
    Ok(rows
        .iter()
        .map(|row| Row {
            campaign: row.get("campaign"),
            channel: row.get("channel"),
            status: row.get("status"),
            error_class: row.get("error_class"),
            queue_state: row.get("queue_state"),
            details: row.get("details"),
            dispatches: times(row.get("dispatches")),
            doubts: times(row.get("doubts")),
        })
        .collect())
}
