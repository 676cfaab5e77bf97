//! Real processes at real rates, judged by the ledger of a simulator that enforces
//! Telegram's limits: its clock and its judgement, not ours.
//!
//! Here the runs last seconds. The full ones have campaigns of 500 and more, take four
//! minutes, and hold the measured rate to 1 %:
//!
//! ```text
//! TELECAST_PACING=full cargo test -p telecast-send-message --test pacing -- --nocapture --test-threads=1
//! ```
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod common;

use std::{collections::BTreeMap, env, time::Duration};

use common::{Stage, worker::Worker};
use serde_json::json;
use telecast_core::{
    audit::Actor,
    campaigns::{self, CampaignPatch},
};
use telecast_telegram_sim::{Ledger, Limits};
use uuid::Uuid;

/// Not a test: the program of [`Worker`].
#[tokio::test]
#[ignore = "the process that these runs start and kill"]
async fn worker() {
    common::worker::work().await;
}

fn is_full() -> bool {
    env::var("TELECAST_PACING").is_ok_and(|size| size == "full")
}

/// Telegram's limits, and bots at their default rate.
async fn stage() -> Stage {
    let stage = Stage::with(Limits::default(), 25).await;
    // A dead process's messages are taken up after 5 s rather than 60.
    stage
        .execute("UPDATE pgboss.queue SET expire_seconds = 5 WHERE name = 'send-message'")
        .await;
    stage
}

/// A campaign to so many channels, each named after it.
async fn campaign(stage: &Stage, name: &str, channels: usize, rate: u32) -> Uuid {
    let names: Vec<String> = (0..channels).map(|i| format!("{name}_{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let template = json!({"text": "Hello {{username}}"});
    stage
        .campaign_with(&names, template, json!({"deliveryRate": rate}))
        .await
}

/// Seconds at which messages to channels of this name's campaign were accepted.
fn accepted(ledger: &Ledger, name: &str) -> Vec<f64> {
    let prefix = format!("@{name}_");
    ledger
        .accepted()
        .filter(|entry| entry.chat.starts_with(&prefix))
        .map(|entry| entry.at as f64 / 1e6)
        .collect()
}

/// Messages a minute, between the first and the last.
fn rate(times: &[f64]) -> f64 {
    (times.len() - 1) as f64 * 60.0 / (times[times.len() - 1] - times[0])
}

/// The most in any window of so many seconds.
fn most_in(times: &[f64], seconds: f64) -> usize {
    let in_window = |from: &f64| {
        times
            .iter()
            .filter(|at| (0.0..seconds).contains(&(*at - from)))
            .count()
    };
    times.iter().map(in_window).max().unwrap_or(0)
}

/// Nothing twice; and no call too many, where the machine has nothing else to do: one
/// that is held up for a fifth of a second lets calls arrive together.
fn check_telegrams_limits(ledger: &Ledger) {
    let summary = ledger.summary();
    assert_eq!(summary.duplicates, []);
    let refused = summary.refused.get(&429).copied().unwrap_or(0);
    println!("told to wait: {refused} of {} calls", summary.calls);
    assert!(!is_full() || refused == 0);
}

/// In no window more than the rate and a burst of five. In the short runs a process may be held up for a second, and then send what
/// was dispatched meanwhile.
fn check_windows(title: &str, times: &[f64], asked: f64) {
    let slack = if is_full() { 5.0 } else { 5.0 + asked / 60.0 };
    let (rate, most) = (rate(times), most_in(times, 60.0));
    println!(
        "{title}: {} messages at {rate:.1} a minute of {asked}, most in 60 s {most}",
        times.len()
    );
    for seconds in [5.0, 60.0] {
        let most = most_in(times, seconds);
        assert!(
            most as f64 <= asked * seconds / 60.0 + slack,
            "{most} in {seconds} s"
        );
    }
}

/// The same, and in the full runs the rate to 1 %.
fn check_rate(title: &str, times: &[f64], asked: f64) {
    check_windows(title, times, asked);
    if is_full() {
        let rate = rate(times);
        assert!((rate / asked - 1.0).abs() <= 0.01, "{rate}");
    }
}

#[tokio::test]
async fn one_campaign_goes_at_its_rate() {
    let stage = stage().await;
    let channels = if is_full() { 1_400 } else { 200 };
    campaign(&stage, "news", channels, 1_200).await;
    let _worker = Worker::start(&stage);
    stage.simulator.until_accepted(channels).await;
    let ledger = stage.simulator.ledger();
    check_telegrams_limits(&ledger);
    check_rate("one campaign", &accepted(&ledger, "news"), 1_200.0);
}

#[tokio::test]
async fn five_campaigns_on_five_bots_go_each_at_its_rate() {
    let mut stage = stage().await;
    let channels = if is_full() { 500 } else { 60 };
    let names = ["a", "b", "c", "d", "e"];
    for name in names {
        campaign(&stage, name, channels, 1_200).await;
        stage.bot_id = stage.bot().await;
    }
    let _worker = Worker::start(&stage);
    stage.simulator.until_accepted(channels * 5).await;
    let ledger = stage.simulator.ledger();
    check_telegrams_limits(&ledger);
    for name in names {
        check_rate(
            &format!("campaign {name} of five bots"),
            &accepted(&ledger, name),
            1_200.0,
        );
    }
}

#[tokio::test]
async fn five_campaigns_on_one_bot_share_its_rate() {
    let stage = stage().await;
    let channels = if is_full() { 500 } else { 60 };
    let names = ["a", "b", "c", "d", "e"];
    for name in names {
        campaign(&stage, name, channels, 1_200).await;
    }
    let _worker = Worker::start(&stage);
    // While all five have messages left.
    stage.simulator.until_accepted(channels * 4).await;
    let ledger = stage.simulator.ledger();
    check_telegrams_limits(&ledger);
    let shares: BTreeMap<&str, usize> = names
        .map(|name| (name, accepted(&ledger, name).len()))
        .into();
    println!("shares of one bot: {shares:?}");
    let fair = shares.values().sum::<usize>() as f64 / 5.0;
    for share in shares.values() {
        assert!(
            (*share as f64 - fair).abs() <= (fair * 0.05).max(3.0),
            "{shares:?}"
        );
    }
    stage.simulator.until_accepted(channels * 5).await;
    let ledger = stage.simulator.ledger();
    let times: Vec<f64> = ledger
        .accepted()
        .map(|entry| entry.at as f64 / 1e6)
        .collect();
    check_rate("five campaigns on one bot", &times, 1_500.0);
}

#[tokio::test]
async fn four_schedulers_go_no_faster_than_one_even_when_two_are_killed() {
    let stage = stage().await;
    let channels = if is_full() { 1_400 } else { 200 };
    let id = campaign(&stage, "news", channels, 1_200).await;
    let _survivors = [Worker::start(&stage), Worker::start(&stage)];
    let victims = [Worker::start(&stage), Worker::start(&stage)];
    stage.simulator.until_accepted(channels / 2).await;
    victims.into_iter().for_each(Worker::kill);
    loop {
        let counts = stage.get(id).await.counts;
        if counts.pending == 0 {
            assert_eq!(
                counts.sent + counts.uncertain,
                i32::try_from(channels).unwrap(),
                "{counts:?}"
            );
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let ledger = stage.simulator.ledger();
    check_telegrams_limits(&ledger);
    let times = accepted(&ledger, "news");
    check_windows("four schedulers, two killed", &times, 1_200.0);
}

#[tokio::test]
async fn a_new_rate_holds_at_once() {
    let stage = stage().await;
    let id = campaign(&stage, "news", 100, 30).await;
    let _worker = Worker::start(&stage);
    stage.simulator.until_accepted(2).await;
    let patch: CampaignPatch = serde_json::from_value(json!({"deliveryRate": 1_200})).unwrap();
    let mut client = stage.client().await;
    let transaction = client.transaction().await.unwrap();
    campaigns::update(&transaction, &Actor::system(), id, patch)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    let changed = std::time::Instant::now();
    let before = stage.simulator.ledger().accepted().count();
    // At the old rate these would take forty seconds.
    stage.simulator.until_accepted(before + 20).await;
    let took = changed.elapsed().as_secs_f64();
    println!("a new rate: twenty messages after {took:.2} s, of which one at 1,200 a minute");
    assert!(took < 20.0, "{took}");
}
