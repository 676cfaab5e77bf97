//! Whole campaigns through real processes, judged by the simulator's ledger.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "a test stops where it cannot go on"
)]

mod support;

use std::fmt::Write;

use reqwest::Method;
use serde_json::{Value, json};
use support::{
    campaign::Api,
    process::{TOKEN, Up, telecast},
};
use telecast_telegram_sim::{Behaviour, Config, Simulator};

async fn simulator(channels: u32) -> Simulator {
    let config = Config {
        chats: channels,
        tokens: vec![TOKEN.to_owned()],
        ..Config::default()
    };
    Simulator::start(config).await.unwrap()
}

fn channels(count: u32) -> String {
    let mut csv = "username,title\n".to_owned();
    for number in 1..=count {
        writeln!(csv, "sim_channel_{number},Channel {number}").unwrap();
    }
    csv
}

#[test]
fn a_demonstration_delivers_every_message_at_the_rate_asked_for() {
    let output = telecast()
        .args([
            "demo",
            "--channels",
            "100",
            "--rate",
            "1200",
            "--once",
            "--json",
        ])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["status"], "COMPLETED");
    assert_eq!(
        (&report["sent"], &report["failed"]),
        (&json!(100), &json!(0))
    );
    assert_eq!(
        (&report["uncertain"], &report["duplicates"]),
        (&json!(0), &json!(0))
    );
    let rate = report["ratePerMinute"].as_f64().unwrap();
    assert!((1140.0..=1260.0).contains(&rate), "{report}");
    assert!(report["elapsedSeconds"].as_f64().unwrap() > 4.0, "{report}");
}

#[tokio::test]
async fn of_500_channels_each_bad_one_is_told_apart_and_nothing_is_lost_or_sent_twice() {
    let folder = tempfile::tempdir().unwrap();
    let simulator = simulator(500).await;
    for number in 11..=15 {
        let chat = format!("@sim_channel_{number}");
        simulator
            .script(&chat, [Behaviour::Kicked.forever()])
            .unwrap();
    }
    for number in 21..=23 {
        let chat = format!("@sim_channel_{number}");
        simulator
            .script(&chat, [Behaviour::Unknown.forever()])
            .unwrap();
    }
    simulator
        .script("@sim_channel_31", [Behaviour::HangBefore.forever()])
        .unwrap();
    simulator
        .script("@sim_channel_32", [Behaviour::HangAfter.forever()])
        .unwrap();
    let up = Up::start(folder.path(), &simulator.base_url());
    let api = Api::sign_in(&up.url).await;
    let report = api.import(channels(500)).await;
    assert_eq!(report["inserted"], 500, "{report}");
    let campaign = api.start_campaign(1400).await;
    let counts = api.until_completed(&campaign).await;
    assert_eq!(
        counts,
        json!({"total": 500, "pending": 0, "sent": 490, "failed": 8, "skipped": 0, "uncertain": 2, "cancelled": 0})
    );
    let ledger = simulator.ledger();
    assert_eq!(ledger.duplicates(), []);
    // The 490, and the one that was accepted before its chat went silent.
    assert_eq!(ledger.accepted().count(), 491);
    let (_, inactive) = api
        .call(Method::GET, "/api/channels?active=false", &Value::Null)
        .await;
    assert_eq!(inactive["items"].as_array().unwrap().len(), 5, "{inactive}");
    assert!(up.terminate(), "it ends cleanly");
}

#[tokio::test]
async fn a_campaign_survives_kill_9_and_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let simulator = simulator(100).await;
    let up = Up::start(folder.path(), &simulator.base_url());
    let api = Api::sign_in(&up.url).await;
    api.import(channels(100)).await;
    let campaign = api.start_campaign(1200).await;
    simulator.until_accepted(40).await;
    up.kill();
    let up = Up::start(folder.path(), &simulator.base_url());
    let api = Api::sign_in(&up.url).await;
    let counts = api.until_completed(&campaign).await;
    let (sent, uncertain) = (
        counts["sent"].as_i64().unwrap(),
        counts["uncertain"].as_i64().unwrap(),
    );
    assert_eq!(sent + uncertain, 100, "{counts}");
    let ledger = simulator.ledger();
    assert_eq!(ledger.duplicates(), []);
    // What is uncertain was under way at the moment of the kill.
    assert!(ledger.accepted().count() as i64 >= sent, "{counts}");
    assert!(uncertain <= 5, "{counts}");
}

#[tokio::test]
async fn a_bad_row_costs_itself_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let simulator = simulator(0).await;
    let up = Up::start(folder.path(), &simulator.base_url());
    let api = Api::sign_in(&up.url).await;
    let csv = "username,title\ngood_one,A\n,no name\nhttps://t.me/+secret,private\ngood_two,Б\n";
    let report = api.import(csv.to_owned()).await;
    assert_eq!(
        (&report["inserted"], &report["rejected"]),
        (&json!(2), &json!(2)),
        "{report}"
    );
    let lines: Vec<_> = report["rejectedLines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["line"].as_u64().unwrap())
        .collect();
    assert_eq!(lines, [3, 4]);
}

#[tokio::test]
async fn bad_templates_and_campaigns_without_channels_are_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let simulator = simulator(0).await;
    let up = Up::start(folder.path(), &simulator.base_url());
    let api = Api::sign_in(&up.url).await;
    for (text, place) in [
        ("Hello {{nobody}}", "line 1, column 9"),
        ("First line\n<b>never closed", "line 2, column 1"),
    ] {
        let template = json!({"name": "bad", "text": text, "parseMode": "HTML"});
        let (status, answer) = api.call(Method::POST, "/api/templates", &template).await;
        assert_eq!(status, 400, "{answer}");
        assert!(
            answer["error"]["message"].as_str().unwrap().contains(place),
            "{answer}"
        );
    }
    let batch = api.create("/api/batches", json!({"name": "empty"})).await;
    let template = api
        .create("/api/templates", json!({"name": "ok", "text": "Hello"}))
        .await;
    let campaign =
        json!({"name": "none", "batchId": batch, "templateId": template, "deliveryRate": 20});
    let id = api.create("/api/campaigns", campaign).await;
    let start = json!({"action": "start"});
    let (status, answer) = api
        .call(Method::POST, &format!("/api/campaigns/{id}/action"), &start)
        .await;
    assert_eq!(status, 409, "{answer}");
    assert_eq!(answer["error"]["code"], "NO_ACTIVE_CHANNELS");
}
