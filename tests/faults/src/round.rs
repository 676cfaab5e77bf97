//! One seed: everything is started, faults rage, everything heals, the judge speaks.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;
use tokio::sync::Mutex;

use crate::{
    dice::Dice,
    nemesis::Nemesis,
    operators::{Campaign, Channels, Deed, Operator, now},
    stack::Stack,
    telegram::{Telegram, misbehaviour},
    verdict::{Check, Evidence, judge},
    watch::Seen,
};

/// How long campaigns may take to end once everything is healed.
const PATIENCE: Duration = Duration::from_secs(240);

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
    for campaign in &campaigns {
        operator.act(&campaign.id, "start").await?;
    }
    let campaigns = Arc::new(Mutex::new(campaigns));
    let until = Instant::now() + Duration::from_secs(seconds);

    let watch_url = stack.watch_url.clone();
    let watching = tokio::spawn(async move {
        let mut seen = Seen::default();
        while Instant::now() < until {
            seen.look(&watch_url).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        seen
    });
    let meddling = tokio::spawn(meddle(
        operator.clone(),
        Arc::clone(&campaigns),
        Dice::new(seed, 2),
        until,
    ));
    let misbehaving = tokio::spawn(misbehave(
        stack.telegram.clone(),
        campaigns
            .lock()
            .await
            .iter()
            .flat_map(|c| c.channels.clone())
            .collect(),
        Dice::new(seed, 3),
        until,
    ));
    let mut nemesis = Nemesis::new(Dice::new(seed, 4));
    nemesis.rage(&mut stack, until).await?;
    let mut drawn = nemesis.drawn;
    drawn.extend(meddling.await?);
    drawn.extend(misbehaving.await?);
    let seen = watching.await?;
    let mut campaigns = Arc::into_inner(campaigns)
        .map(Mutex::into_inner)
        .unwrap_or_default();

    let unfinished = finish(&operator, &mut campaigns).await;
    let schedulers = stack.schedulers.len();
    let resident_mb: BTreeMap<String, u64> = stack
        .parts()
        .filter_map(|part| Some((part.name.clone(), part.resident_mb()?)))
        .collect();
    let mut unclean_ends = Vec::new();
    for part in stack.schedulers.iter_mut().chain([&mut stack.api]) {
        if part.has_died()? {
            unclean_ends.push(format!("{} died by itself", part.name));
        } else if let Err(error) = tokio::task::block_in_place(|| part.terminate()) {
            unclean_ends.push(format!("{error:#}"));
        }
    }
    let calls = stack.telegram.ledger().await?;
    let evidence = Evidence {
        campaigns: &campaigns,
        calls: &calls,
        seen: &seen,
        schedulers,
        resident_mb: &resident_mb,
        unclean_ends,
        unfinished,
    };
    let checks = judge(&stack.watch_url, evidence).await?;
    Ok(Outcome { drawn, checks })
}

/// Three campaigns, the last of which sends again what is uncertain. They would take four
/// fifths of the time if nothing went wrong.
async fn set_up(
    stack: &Stack,
    operator: &Operator,
    dice: &mut Dice,
    seconds: u64,
) -> Result<Vec<Campaign>> {
    let mut campaigns = Vec::new();
    for (name, resends) in [("first", false), ("second", false), ("third", true)] {
        let rate = dice.between(300, 700);
        let count = (rate * seconds * 4 / 5 / 60).max(10);
        let channels: Channels = (1..=count)
            .map(|number| format!("{name}_{number}"))
            .collect();
        stack.telegram.add_chats(&channels).await?;
        for channel in &channels {
            if dice.one_in(25) {
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

/// The operator resumes what does not resume by itself, until every campaign has ended.
async fn finish(operator: &Operator, campaigns: &mut [Campaign]) -> Vec<String> {
    let began = Instant::now();
    loop {
        let mut open = Vec::new();
        for campaign in campaigns.iter_mut() {
            let (status, reason) = match operator.status(&campaign.id).await {
                Ok(told) => told,
                Err(error) => {
                    open.push(format!("{}: {error:#}", campaign.name));
                    continue;
                }
            };
            if matches!(status.as_str(), "COMPLETED" | "CANCELLED") {
                continue;
            }
            open.push(format!("{} is {status} {reason:?}", campaign.name));
            if status == "PAUSED" && reason.as_deref() != Some("FLOOD_WAIT") {
                let asked = now();
                let done = operator.act(&campaign.id, "resume").await;
                campaign.deeds.push(Deed {
                    action: "resume",
                    rate: None,
                    asked,
                    done: done.is_ok().then(now),
                });
            }
        }
        if open.is_empty() || began.elapsed() > PATIENCE {
            return open;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
