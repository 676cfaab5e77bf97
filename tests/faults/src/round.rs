//! One seed: everything is started, faults rage, everything heals, the judge speaks.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;
use telecast_runtime::database;
use tokio::sync::Mutex;

use crate::{
    dice::Dice,
    nemesis::Nemesis,
    operators::{Campaign, Channels, Operator},
    stack::Stack,
    telegram::{Call, Telegram, misbehaviour},
    verdict::{Check, Evidence, judge},
    watch::Seen,
};

/// How long campaigns may take to end once everything is healed.
const PATIENCE: Duration = Duration::from_secs(600);

/// What a round gives.
pub(crate) struct Outcome {
    pub(crate) drawn: Vec<String>,
    pub(crate) checks: Vec<Check>,
}

/// Runs a round of `seconds` of faults.
pub(crate) async fn run(seed: u64, seconds: u64, folder: &Path) -> Result<Outcome> {
    let mut stack = Stack::start(folder, &mut Dice::new(seed, 0)).await?;
    let operator = stack.operator().await?;
    let campaigns = set_up(&stack, &operator, &mut Dice::new(seed, 1), seconds).await?;
    let channels: Channels = campaigns.iter().flat_map(|c| c.channels.clone()).collect();
    let campaigns = Arc::new(Mutex::new(campaigns));
    let began = Instant::now();
    let until = began + Duration::from_secs(seconds);

    let watching = tokio::spawn(watch(stack.watch_url.clone(), began, until));
    let meddling = tokio::spawn(meddle(
        operator.clone(),
        Arc::clone(&campaigns),
        Dice::new(seed, 2),
        until,
    ));
    let misbehaving = tokio::spawn(misbehave(
        stack.telegram.clone(),
        channels,
        Dice::new(seed, 3),
        until,
    ));
    let mut nemesis = Nemesis::new(Dice::new(seed, 4));
    nemesis.rage(&mut stack, until).await?;
    let mut drawn = std::mem::take(&mut nemesis.drawn);
    drawn.extend(meddling.await?);
    drawn.extend(misbehaving.await?);
    let seen = watching.await?;
    let mut campaigns = Arc::into_inner(campaigns)
        .map(Mutex::into_inner)
        .unwrap_or_default();

    let unfinished = finish(&operator, &mut campaigns).await;
    wait_for_queue_jobs(&stack.watch_url).await?;
    let schedulers = stack.schedulers.len();
    for part in stack.schedulers.iter_mut().chain([&mut stack.api]) {
        if part.has_died()? {
            let death = format!("{} died by itself", part.name);
            nemesis.unclean_ends.push(death);
        }
        nemesis.retired.extend(part.retire()?);
    }
    nemesis.wait_for_retired().await;
    let ledger = stack.telegram.ledger().await?;
    let calls: Vec<Call> = serde_json::from_str(&ledger)?;
    let evidence = Evidence {
        campaigns: &campaigns,
        calls: &calls,
        seen: &seen,
        schedulers,
        telegram_freezes: &nemesis.telegram_freezes,
        ends: nemesis.ends,
        unclean_ends: nemesis.unclean_ends,
        unfinished,
    };
    let checks = judge(&stack.watch_url, evidence).await?;
    if checks.iter().any(|check| !check.broken.is_empty()) {
        std::fs::write(folder.join("ledger.json"), ledger)?;
        if let Err(error) = stack.postgres.dump(&folder.join("database.sql")) {
            eprintln!("  the database is not kept: {error:#}");
        }
    }
    Ok(Outcome { drawn, checks })
}

/// Looks each second until the time is over.
async fn watch(url: String, began: Instant, until: Instant) -> Seen {
    let half = began + (until - began) / 2;
    let mut seen = Seen::default();
    while Instant::now() < until {
        seen.look(&url).await;
        seen.look_at_processes(usize::from(Instant::now() > half));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    seen
}

/// Three campaigns, the last of which sends again what is uncertain. They would take a third
/// of the time if nothing went wrong. They are started while faults rage.
async fn set_up(
    stack: &Stack,
    operator: &Operator,
    dice: &mut Dice,
    seconds: u64,
) -> Result<Vec<Campaign>> {
    let mut campaigns = Vec::new();
    for (name, resends) in [("first", false), ("second", false), ("third", true)] {
        let rate = dice.between(300, 700);
        let count = (rate * seconds / 3 / 60).max(10);
        let channels: Channels = (1..=count)
            .map(|number| format!("{name}_{number}"))
            .collect();
        stack.telegram.add_chats(&channels).await?;
        for channel in &channels {
            if dice.one_in(50) {
                stack.telegram.script(channel, &misbehaviour(dice)).await?;
            }
        }
        let rate = u32::try_from(rate)?;
        campaigns.push(operator.set_up(name, channels, rate, resends).await?);
    }
    Ok(campaigns)
}

async fn meddle(
    operator: Operator,
    campaigns: Arc<Mutex<Vec<Campaign>>>,
    mut dice: Dice,
    until: Instant,
) -> Vec<String> {
    let mut drawn = Vec::new();
    while Instant::now() < until {
        tokio::time::sleep(dice.millis(500, 4_000)).await;
        let mut campaigns = campaigns.lock().await;
        drawn.push(operator.meddle(&mut dice, &mut campaigns).await);
    }
    drawn
}

async fn misbehave(
    telegram: Telegram,
    channels: Channels,
    mut dice: Dice,
    until: Instant,
) -> Vec<String> {
    let mut drawn = Vec::new();
    let mut wait = 1;
    while Instant::now() < until {
        tokio::time::sleep(dice.millis(500, 3_000)).await;
        // A simulator that is stopped just now hears nothing of it.
        let (told, name) = if dice.one_in(8) {
            let seconds = wait;
            wait = (wait + 1).min(4);
            (
                telegram.flood(seconds).await,
                format!("flood wait: {seconds}s"),
            )
        } else {
            let step = misbehaviour(&mut dice);
            let channel = &channels[dice.place(channels.len())];
            let name = step["type"].as_str().unwrap_or_default().to_owned();
            (telegram.script(channel, &step).await, name)
        };
        if told.is_ok() {
            drawn.push(name);
        }
    }
    drawn
}

/// A queue job whose message was settled late waits for one dispatch more.
async fn wait_for_queue_jobs(url: &str) -> Result<()> {
    let client = database::connect(&url.parse()?).await?;
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        let open = client
            .query(include_str!("verdict/queue_jobs.sql"), &[])
            .await?;
        if open.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Ok(())
}

/// The operator resumes what does not resume by itself, until every campaign has ended.
async fn finish(operator: &Operator, campaigns: &mut [Campaign]) -> Vec<String> {
    let began = Instant::now();
    loop {
        let mut open = Vec::new();
        for campaign in campaigns.iter_mut() {
            let (status, reason, pending) = match operator.status(&campaign.id).await {
                Ok(told) => told,
                Err(error) => {
                    open.push(format!("{}: {error:#}", campaign.name));
                    continue;
                }
            };
            if matches!(status.as_str(), "COMPLETED" | "CANCELLED") && pending == 0 {
                continue;
            }
            let name = &campaign.name;
            open.push(format!("{name} is {status} {reason:?}, {pending} pending"));
            if status == "DRAFT" {
                operator.attempt(campaign, "start", 0).await;
            }
            if status == "PAUSED" && reason.as_deref() != Some("FLOOD_WAIT") {
                operator.attempt(campaign, "resume", 0).await;
            }
        }
        if open.is_empty() || began.elapsed() > PATIENCE {
            return open;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
