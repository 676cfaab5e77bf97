//! `telecast demo`: a campaign to simulated channels, through the public API.

use std::{collections::HashMap, fmt::Write, process::ExitCode};

use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};
use deadpool_postgres::Pool;
use serde_json::json;
use telecast_core::campaigns::limit_of_rate;
use telecast_runtime::config::Variables;
use telecast_telegram_sim::Simulator;
use tokio::sync::Mutex;

use crate::{
    args::Demo,
    campaign_client::Client,
    local::{Local, Settings, Telegram},
    report::{Ledger, Report},
    shutdown, watch,
};

const TEMPLATE: &str = "<b>{{title}}</b>, this is Telecast: one message, many channels, \
                        at {{params.rate}} a minute.";

pub(crate) async fn run(demo: Demo) -> Result<ExitCode> {
    let folder = tempfile::Builder::new()
        .prefix("telecast-demo-")
        .tempdir()?;
    let settings = Settings {
        listen: demo.listen,
        data_dir: folder.path().to_owned(),
        // A demonstration touches nobody's data.
        may_use_database_url: false,
        telegram: Telegram::Simulated {
            channels: demo.channels,
            accept_any_username: false,
        },
        cargo_lambda: demo.cargo_lambda,
    };
    let nothing = |_: &str| None;
    let local = Local::start(settings, Variables::new(&nothing)).await?;
    let password = local
        .admin_password
        .clone()
        .context("a new database has no admin yet")?;
    eprintln!(
        "Telecast listens on {} (user admin, password {password})",
        local.url
    );
    let report = tokio::select! {
        report = campaign(&demo, &local, &password) => Some(report?),
        asked = shutdown::asked() => { asked?; None }
    };
    if let Some(report) = &report {
        report.print(demo.json)?;
    }
    if report.is_some() && !demo.once {
        eprintln!("Telecast stays up. Press Ctrl-C to stop.");
        shutdown::asked().await?;
    }
    local.stop().await?;
    let is_whole = report.is_some_and(|report| {
        report.sent == report.total && report.duplicates.is_none_or(|count| count == 0)
    });
    Ok(if is_whole {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn campaign(demo: &Demo, local: &Local, password: &str) -> Result<Report> {
    let client = Client::sign_in(&local.url, password).await?;
    let mut csv = "username,title,category\n".to_owned();
    for number in 1..=demo.channels {
        writeln!(csv, "sim_channel_{number},Channel {number},demo")?;
    }
    client.import(csv).await?;
    let batch = json!({"name": "Demo", "add": {"filter": {}}});
    let template = json!({"name": "Demo", "text": TEMPLATE, "parseMode": "HTML"});
    let campaign = json!({
        "name": "Demo",
        "batchId": client.create("/api/batches", &batch).await?,
        "templateId": client.create("/api/templates", &template).await?,
        "params": {"rate": demo.rate},
        "deliveryRate": demo.rate,
    });
    let id = client.create("/api/campaigns", &campaign).await?;
    client.start(id).await?;
    let client = Mutex::new(client);
    let done = watch::watch(async || client.lock().await.progress(id).await).await?;
    let simulator = local
        .simulator
        .as_ref()
        .context("the demonstration runs against the simulator")?;
    let accepted = accepted(simulator);
    let ledger = Ledger {
        slots_kept: slots_kept(&local.pool, demo.rate, &accepted).await?,
        duplicates: simulator.ledger().duplicates().len() as u64,
    };
    let first_and_last = accepted
        .values()
        .min()
        .copied()
        .zip(accepted.values().max().copied());
    Ok(Report::new(&done, demo.rate, first_and_last, Some(ledger)))
}

/// When each chat's message was accepted, by the simulator's own clock.
fn accepted(simulator: &Simulator) -> HashMap<String, DateTime<Utc>> {
    simulator
        .ledger()
        .accepted()
        .filter_map(|entry| {
            let at = DateTime::from_timestamp_micros(entry.at.try_into().ok()?)?;
            Some((entry.chat.clone(), at))
        })
        .collect()
}

/// Messages that were accepted within a step of their slot: no earlier than jitter
/// allows, no later than what the limit makes good.
async fn slots_kept(
    pool: &Pool,
    rate: i32,
    accepted: &HashMap<String, DateTime<Utc>>,
) -> Result<u64> {
    let limit = limit_of_rate(rate);
    let early = TimeDelta::from_std(limit.step / 5)?;
    let late = TimeDelta::from_std(limit.step.max(limit.tolerance))?;
    let client = pool.get().await?;
    let rows = client
        .query_typed("SELECT recipient->>'chat' AS chat, slot FROM jobs", &[])
        .await?;
    let mut kept = 0;
    for row in rows {
        let slot: DateTime<Utc> = row.try_get("slot")?;
        let at = accepted.get(row.try_get::<_, &str>("chat")?);
        kept += u64::from(at.is_some_and(|at| (slot - early..=slot + late).contains(at)));
    }
    Ok(kept)
}
