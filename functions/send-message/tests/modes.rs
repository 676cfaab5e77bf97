//! Campaigns that reach no channel: tests and dry runs.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod common;

use common::Stage;
use serde_json::json;
use telecast_core::campaigns::Status;
use telecast_telegram_sim::{Kind, NewChat};

#[tokio::test]
async fn a_test_goes_to_the_operators_own_chat() {
    let mut stage = Stage::set().await;
    let own = stage.simulator.add_chat(NewChat {
        id: Some(4242),
        kind: Kind::Private,
        username: None,
    });
    let fields = json!({"mode": "TEST", "testChatId": own});
    let template = json!({"text": "Hello {{username}}"});
    let id = stage.campaign_with(&["a", "b"], template, fields).await;
    assert_eq!(stage.turn().await, 1, "one chat, one message at a time");
    stage.turn().await;
    let ledger = stage.simulator.ledger();
    let mut texts: Vec<&str> = ledger.of_chat("4242").map(|e| e.text.as_str()).collect();
    texts.sort_unstable();
    assert_eq!(texts, ["Hello a", "Hello b"]);
    assert_eq!((stage.calls("a"), stage.calls("b")), ((0, 0), (0, 0)));
    assert_eq!(stage.job("a").await.stands(), ("SENT", "completed", 1));
    assert_eq!(
        stage.job("a").await.chat_id,
        None,
        "the channel is untouched"
    );
    assert_eq!(stage.get(id).await.status, Status::Completed);
}

#[tokio::test]
async fn a_dry_run_sends_nothing_and_writes_down_everything() {
    let mut stage = Stage::set().await;
    let fields = json!({"mode": "DRY_RUN"});
    let template = json!({"text": "Hello {{username}}"});
    let id = stage.campaign_with(&["a", "b"], template, fields).await;
    assert_eq!(stage.turn().await, 2);
    assert!(stage.simulator.ledger().0.is_empty());
    let job = stage.job("a").await;
    assert_eq!(job.stands(), ("SKIPPED", "completed", 0));
    assert_eq!(job.error_class.as_deref(), Some("DRY_RUN"));
    let campaign = stage.get(id).await;
    assert_eq!(
        (campaign.status, campaign.counts.skipped),
        (Status::Completed, 2)
    );
    assert_eq!(stage.audited("CAMPAIGN_COMPLETED").await, 1);
}
