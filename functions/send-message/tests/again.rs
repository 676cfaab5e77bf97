//! An operator has messages sent again.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod common;

use common::Stage;
use telecast_core::campaigns::{Action, Status};
use telecast_telegram_sim::Behaviour;

#[tokio::test]
async fn what_failed_is_sent_again_and_what_was_sent_is_not() {
    let mut stage = Stage::set().await;
    let id = stage.campaign(&["news", "mute", "gone"]).await;
    stage.script("mute", [Behaviour::NoRights.once()]);
    stage.script("gone", [Behaviour::Kicked.once()]);
    stage.turn().await;
    let counts = stage.get(id).await.counts;
    assert_eq!((counts.sent, counts.failed), (1, 2));
    // Meanwhile its idle limit was removed.
    stage
        .execute("DELETE FROM limits WHERE id LIKE 'campaign/%'")
        .await;
    let campaign = stage.act(id, Action::RetryFailed).await.unwrap();
    assert_eq!(campaign.status, Status::Running);
    assert_eq!(
        (campaign.counts.failed, campaign.counts.pending),
        (1, 1),
        "the channel that is gone is left out"
    );
    assert_eq!(stage.turn().await, 1);
    assert_eq!(stage.job("mute").await.stands(), ("SENT", "completed", 1));
    let campaign = stage.get(id).await;
    assert_eq!(
        (campaign.status, campaign.counts.sent),
        (Status::Completed, 2)
    );
    assert!(stage.simulator.ledger().duplicates().is_empty());
    assert_eq!(stage.audited("CAMPAIGN_FAILED_RETRIED").await, 1);
}

#[tokio::test]
async fn what_is_uncertain_is_sent_again_on_the_operators_word() {
    let mut stage = Stage::set().await;
    let id = stage.campaign(&["news", "drop"]).await;
    stage.script("drop", [Behaviour::AcceptThenDrop.once()]);
    stage.turn().await;
    assert_eq!(stage.get(id).await.counts.uncertain, 1);
    stage.act(id, Action::ResendUncertain).await.unwrap();
    assert_eq!(stage.turn().await, 1);
    let campaign = stage.get(id).await;
    assert_eq!(
        (
            campaign.status,
            campaign.counts.sent,
            campaign.counts.uncertain
        ),
        (Status::Completed, 2, 0)
    );
    assert_eq!(stage.calls("drop"), (2, 2));
    assert_eq!(stage.calls("news"), (1, 1));
}

#[tokio::test]
async fn a_paused_campaign_stays_paused_and_sends_again_when_resumed() {
    let mut stage = Stage::set().await;
    let names: Vec<String> = (0..3).map(|i| format!("chat_{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let fields = serde_json::json!({"deliveryRate": 1});
    let template = serde_json::json!({"text": "Hello"});
    let id = stage.campaign_with(&names, template, fields).await;
    for name in &names {
        stage.script(name, [Behaviour::NoRights.once()]);
    }
    assert_eq!(stage.turn().await, 1);
    stage.act(id, Action::Pause).await.unwrap();
    let campaign = stage.act(id, Action::RetryFailed).await.unwrap();
    assert_eq!(
        (campaign.status, campaign.counts.pending),
        (Status::Paused, 3)
    );
    assert_eq!(stage.turn().await, 0);
    stage.act(id, Action::Resume).await.unwrap();
    for _ in 0..10 {
        stage.turn().await;
    }
    let counts = stage.get(id).await.counts;
    assert_eq!((counts.sent, counts.failed, counts.pending), (1, 2, 0));
}

#[tokio::test]
async fn nothing_to_send_again_is_said_and_changes_nothing() {
    let mut stage = Stage::set().await;
    let id = stage.campaign(&["news"]).await;
    stage.turn().await;
    for action in [Action::RetryFailed, Action::ResendUncertain] {
        let error = stage.act(id, action).await.unwrap_err();
        assert!(error.to_string().contains("no message"), "{error}");
    }
    assert_eq!(stage.get(id).await.status, Status::Completed);
}
