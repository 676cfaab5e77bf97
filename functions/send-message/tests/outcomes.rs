//! Every answer of Telegram, from the simulator to the last row that it changes.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod common;

use common::Stage;
use serde_json::json;
use telecast_core::campaigns::{PauseReason, Status};
use telecast_telegram_sim::Behaviour;

#[tokio::test]
async fn sent() {
    let mut stage = Stage::set().await;
    let id = stage.campaign(&["news"]).await;
    stage
        .execute("UPDATE channels SET error_count = 4 WHERE username = 'news'")
        .await;
    stage.turn().await;
    let job = stage.job("news").await;
    assert_eq!(job.stands(), ("SENT", "completed", 1));
    assert_eq!((job.message_id, job.error_count), (Some(1), 0));
    let ledger = stage.simulator.ledger();
    assert_eq!(ledger.0[0].text, "Hello news");
    assert_eq!(job.chat_id, ledger.0[0].chat_id, "the chat's id is learned");
    let campaign = stage.get(id).await;
    assert_eq!(
        (campaign.status, campaign.counts.sent),
        (Status::Completed, 1)
    );
    assert_eq!(stage.audited("CAMPAIGN_COMPLETED").await, 1);
}

#[tokio::test]
async fn sent_and_deleted_at_once() {
    let mut stage = Stage::set().await;
    stage.campaign(&["news"]).await;
    let description =
        "Internal Server Error: sent message was immediately deleted by the channel".to_owned();
    stage.script(
        "news",
        [Behaviour::Refusal {
            code: 500,
            description,
        }
        .forever()],
    );
    stage.turn().await;
    let job = stage.job("news").await;
    assert_eq!(job.stands(), ("SENT", "completed", 1));
    assert_eq!(job.message_id, None);
}

#[tokio::test]
async fn moved() {
    let mut stage = Stage::set().await;
    stage.campaign(&["group"]).await;
    stage.script("group", [Behaviour::Migrated { chat_id: -1007 }.forever()]);
    stage.turn().await;
    let job = stage.job("group").await;
    assert_eq!(job.stands(), ("SENT", "completed", 1));
    assert_eq!(job.chat_id, Some(-1007));
    let ledger = stage.simulator.ledger();
    assert_eq!(ledger.of_chat("-1007").count(), 1);
    assert_eq!(stage.calls("group"), (1, 0));
}

#[tokio::test]
async fn moved_and_then_in_trouble() {
    let mut stage = Stage::set().await;
    stage.campaign(&["group"]).await;
    stage.script("group", [Behaviour::Migrated { chat_id: -1007 }.forever()]);
    stage
        .simulator
        .script("-1007", [Behaviour::ServerError.once()])
        .unwrap();
    stage.turn().await;
    let job = stage.job("group").await;
    assert_eq!(job.stands(), ("PENDING", "retry", 1));
    assert_eq!((job.chat.as_str(), job.chat_id), ("-1007", Some(-1007)));
    stage.turn().await;
    assert_eq!(stage.job("group").await.stands(), ("SENT", "completed", 2));
    assert_eq!(stage.calls("group"), (1, 0), "the old chat is left alone");
}

#[tokio::test]
async fn wait_for_the_bot() {
    let mut stage = Stage::set().await;
    let id = stage.campaign(&["news"]).await;
    let other = stage.campaign(&["sport"]).await;
    stage.script("news", [Behaviour::BotFlood { seconds: 90 }.once()]);
    stage.script("sport", [Behaviour::BotFlood { seconds: 90 }.once()]);
    stage.turn().await;
    let job = stage.job("news").await;
    assert_eq!(job.stands(), ("PENDING", "created", 0));
    for id in [id, other] {
        let campaign = stage.get(id).await;
        assert_eq!(
            (campaign.status, campaign.pause_reason),
            (Status::Paused, Some(PauseReason::FloodWait))
        );
        assert!(campaign.resumes_at.is_some());
    }
    assert_eq!(stage.audited("FLOOD_WAIT_TRIGGERED").await, 1);
    let told: serde_json::Value = stage
        .scalar("SELECT details FROM audit_logs WHERE action = 'FLOOD_WAIT_TRIGGERED'")
        .await;
    assert_eq!(told["waitTime"], 90);
    assert!(["news", "sport"].contains(&told["channelUsername"].as_str().unwrap()));
    // Nothing goes until it is over, whoever asks.
    let calls = stage.simulator.ledger().0.len();
    stage.now = chrono::Utc::now() + chrono::TimeDelta::seconds(80);
    assert!(stage.dispatch_now().await.is_empty());
    assert_eq!(stage.simulator.ledger().0.len(), calls);
    assert_eq!(stage.simulator.ledger().summary().calls_in_hold, 0);
}

#[tokio::test]
async fn wait_for_a_chat_in_slow_mode() {
    let mut stage = Stage::set().await;
    let id = stage.campaign(&["slow", "news"]).await;
    stage.script("slow", [Behaviour::SlowMode { seconds: 90 }.once()]);
    stage.turn().await;
    let job = stage.job("slow").await;
    assert_eq!(job.stands(), ("PENDING", "created", 0));
    assert!((80.0..=90.0).contains(&job.wait), "{}", job.wait);
    assert_eq!(stage.job("news").await.status, "SENT");
    assert_eq!(stage.get(id).await.status, Status::Running);
    assert_eq!(stage.audited("FLOOD_WAIT_TRIGGERED").await, 0);
    stage.turn().await;
    assert_eq!(stage.job("slow").await.stands(), ("SENT", "completed", 1));
}

#[tokio::test]
async fn channel_gone() {
    for behaviour in [
        Behaviour::Kicked,
        Behaviour::NotMember,
        Behaviour::Deactivated,
    ] {
        let mut stage = Stage::set().await;
        let id = stage.campaign(&["news"]).await;
        stage.script("news", [behaviour.forever()]);
        stage.turn().await;
        let job = stage.job("news").await;
        assert_eq!(job.stands(), ("FAILED", "failed", 1));
        assert_eq!(job.inactive_reason.as_deref(), Some("CHANNEL_GONE"));
        assert!(!job.active);
        assert_eq!(stage.get(id).await.counts.failed, 1);
        assert_eq!(stage.turn().await, 0, "never tried again");
    }
}

#[tokio::test]
async fn channel_rights_and_channel_unsure() {
    let mut stage = Stage::set().await;
    let id = stage.campaign(&["mute", "nowhere"]).await;
    stage.script("mute", [Behaviour::NoRights.forever()]);
    stage.script("nowhere", [Behaviour::Unknown.forever()]);
    stage.turn().await;
    for (chat, class) in [("mute", "CHANNEL_RIGHTS"), ("nowhere", "CHANNEL_UNSURE")] {
        let job = stage.job(chat).await;
        assert_eq!(job.stands(), ("FAILED", "failed", 1));
        assert_eq!(job.error_class.as_deref(), Some(class));
        assert_eq!((job.active, job.error_count), (true, 1));
    }
    let campaign = stage.get(id).await;
    assert_eq!(
        (campaign.status, campaign.counts.failed),
        (Status::Completed, 2)
    );
}

#[tokio::test]
async fn message_bad() {
    let mut stage = Stage::set().await;
    let fields = json!({"deliveryRate": 1});
    let id = stage
        .campaign_with(&["a", "b"], json!({"text": "Hello"}), fields)
        .await;
    for chat in ["a", "b"] {
        let description = "Bad Request: can't parse entities: unsupported start tag".to_owned();
        let refusal = Behaviour::Refusal {
            code: 400,
            description,
        };
        stage.script(chat, [refusal.forever()]);
    }
    assert_eq!(stage.turn().await, 1);
    let campaign = stage.get(id).await;
    assert_eq!(campaign.pause_reason, Some(PauseReason::MessageRejected));
    assert_eq!((campaign.counts.failed, campaign.counts.pending), (1, 1));
    let errors: i64 = stage.scalar("SELECT sum(error_count) FROM channels").await;
    assert_eq!(errors, 0, "it is not the channel's fault");
    assert_eq!(stage.audited("CAMPAIGN_PAUSED").await, 1);
    assert_eq!(stage.turn().await, 0);
    assert_eq!(stage.simulator.ledger().0.len(), 1);
}

#[tokio::test]
async fn an_unknown_refusal_fails_its_message_alone() {
    let mut stage = Stage::set().await;
    let id = stage.campaign(&["odd", "news"]).await;
    let description = "Bad Request: something new".to_owned();
    let refusal = Behaviour::Refusal {
        code: 400,
        description,
    };
    stage.script("odd", [refusal.forever()]);
    stage.turn().await;
    let job = stage.job("odd").await;
    assert_eq!(job.stands(), ("FAILED", "failed", 1));
    assert_eq!(job.error.as_deref(), Some("Bad Request: something new"));
    let counts = stage.get(id).await.counts;
    assert_eq!((counts.sent, counts.failed), (1, 1));
}

#[tokio::test]
async fn bot_dead() {
    let mut stage = Stage::set().await;
    let id = stage.campaign(&["news"]).await;
    stage
        .simulator
        .revoke("1001:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    stage.turn().await;
    assert_eq!(stage.job("news").await.stands(), ("PENDING", "created", 0));
    let campaign = stage.get(id).await;
    assert_eq!(campaign.pause_reason, Some(PauseReason::BotRejected));
    assert_eq!(campaign.counts.pending, 1);
    let reason: String = stage
        .scalar("SELECT stop_reason FROM bots WHERE stopped_at IS NOT NULL")
        .await;
    assert_eq!(reason, "Unauthorized");
    assert_eq!(stage.turn().await, 0, "the bot is left alone");
}

#[tokio::test]
async fn transient() {
    for behaviour in [Behaviour::ServerError, Behaviour::ServerErrorHtml] {
        let mut stage = Stage::set().await;
        let id = stage.campaign(&["news"]).await;
        stage.script("news", [behaviour.forever()]);
        for (attempt, wait) in [(1, 5.0), (2, 10.0), (3, 20.0)] {
            stage.turn().await;
            let job = stage.job("news").await;
            assert_eq!(job.stands(), ("PENDING", "retry", attempt));
            assert!((wait - 1.0..=wait).contains(&job.wait), "{}", job.wait);
            assert_eq!(job.error_count, 0);
        }
        stage.turn().await;
        let job = stage.job("news").await;
        assert_eq!(job.stands(), ("FAILED", "failed", 4));
        assert_eq!(job.error_count, 1);
        assert_eq!(stage.get(id).await.counts.failed, 1);
        assert_eq!(stage.calls("news"), (4, 0));
    }
}

#[tokio::test]
async fn a_refused_connection_is_transient() {
    let mut stage = Stage::set().await;
    stage.campaign(&["news"]).await;
    stage.handler = telecast_send_message::SendMessage::new(
        stage.pool.clone(),
        telecast_queue::Queue::default(),
        common::telegram("http://127.0.0.1:1"),
        telecast_core::bots::EncryptionKey::new(common::KEY),
    );
    stage.turn().await;
    assert_eq!(stage.job("news").await.stands(), ("PENDING", "retry", 1));
    assert_eq!(stage.calls("news"), (0, 0));
}

#[tokio::test]
async fn uncertain_stays_uncertain() {
    let mut stage = Stage::set().await;
    let id = stage.campaign(&["drop", "hang", "never"]).await;
    stage.script("drop", [Behaviour::AcceptThenDrop.forever()]);
    stage.script("hang", [Behaviour::HangAfter.forever()]);
    stage.script("never", [Behaviour::HangBefore.forever()]);
    stage.turn().await;
    for (chat, accepted) in [("drop", 1), ("hang", 1), ("never", 0)] {
        let job = stage.job(chat).await;
        assert_eq!(job.stands(), ("UNCERTAIN", "completed", 1), "{chat}");
        assert_eq!(stage.calls(chat), (1, accepted), "{chat}");
        assert_eq!(job.error_count, 0, "{chat}");
    }
    assert_eq!(stage.turn().await, 0);
    let campaign = stage.get(id).await;
    assert_eq!(
        (campaign.status, campaign.counts.uncertain),
        (Status::Completed, 3)
    );
}

#[tokio::test]
async fn uncertain_is_sent_again_where_the_operator_said_so() {
    let mut stage = Stage::set().await;
    let fields = json!({"onUncertain": "RESEND"});
    stage
        .campaign_with(&["drop"], json!({"text": "Hello"}), fields)
        .await;
    stage.script("drop", [Behaviour::AcceptThenDrop.once()]);
    stage.turn().await;
    assert_eq!(stage.job("drop").await.stands(), ("PENDING", "retry", 1));
    stage.turn().await;
    assert_eq!(stage.job("drop").await.stands(), ("SENT", "completed", 2));
    assert_eq!(stage.simulator.ledger().duplicates().len(), 1);
}

#[tokio::test]
async fn a_channel_that_opted_out_after_the_plan_gets_nothing() {
    let mut stage = Stage::set().await;
    let id = stage.campaign(&["out", "news"]).await;
    stage
        .execute("UPDATE channels SET opted_out_at = now() WHERE username = 'out'")
        .await;
    stage.turn().await;
    assert_eq!(stage.job("out").await.stands(), ("SKIPPED", "completed", 0));
    assert_eq!(stage.calls("out"), (0, 0));
    assert_eq!(stage.get(id).await.counts.skipped, 1);
}
