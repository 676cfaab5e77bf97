//! Waits: of the bot, of one chat, and how they are told apart.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod common;

use std::time::Duration;

use chrono::Utc;
use common::Stage;
use telecast_core::campaigns::{self, PauseReason, Status};
use telecast_telegram_sim::Behaviour;

/// As the scheduler does it.
async fn resume_due(stage: &Stage) -> usize {
    let mut client = stage.client().await;
    let transaction = client.transaction().await.unwrap();
    let resumed = campaigns::resume_due(&transaction).await.unwrap();
    transaction.commit().await.unwrap();
    resumed.len()
}

/// The flood wait is over, as far as the database and the handler know, and all rates
/// are back.
async fn end_waits(stage: &mut Stage) {
    stage.replace_handler();
    stage
        .execute("UPDATE bots SET ramp = 99, ramp_on = now()")
        .await;
    let mut client = stage.client().await;
    let transaction = client.transaction().await.unwrap();
    assert_eq!(campaigns::speed_up(&transaction).await.unwrap().len(), 1);
    transaction.commit().await.unwrap();
    stage
        .execute(
            "UPDATE limits SET held_until = '-infinity';
             UPDATE campaigns SET resumes_at = now() WHERE pause_reason = 'FLOOD_WAIT'",
        )
        .await;
    assert_eq!(resume_due(stage).await, 1);
}

#[tokio::test]
async fn one_chat_that_waits_while_others_flow_holds_nobody_else() {
    let mut stage = Stage::set().await;
    let names: Vec<String> = (0..10).map(|i| format!("chat_{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let id = stage.campaign(&names).await;
    stage.script("chat_0", [Behaviour::ChatFlood { seconds: 90 }.once()]);
    for name in &names[1..] {
        stage.script(name, [Behaviour::SlowAnswer { millis: 400 }.once()]);
    }
    // It is the first to be called and the first to be answered.
    stage
        .execute(
            "UPDATE pgboss.job AS q SET start_after = now() - interval '1 hour'
             FROM jobs AS m
             WHERE m.id = q.id AND m.recipient->>'chat' = '@chat_0'",
        )
        .await;
    assert_eq!(stage.turn().await, 10);
    let job = stage.job("chat_0").await;
    assert_eq!(job.stands(), ("PENDING", "created", 0));
    assert_eq!(job.error_class.as_deref(), Some("CHAT_WAIT"));
    let campaign = stage.get(id).await;
    assert_eq!(
        (campaign.status, campaign.counts.sent),
        (Status::Running, 9)
    );
    assert_eq!(stage.audited("FLOOD_WAIT_TRIGGERED").await, 0);
    let held: f64 = stage
        .scalar("SELECT extract(epoch FROM held_until - now())::float8 FROM limits WHERE id LIKE 'chat/%' AND held_until > now()")
        .await;
    assert!((80.0..=90.0).contains(&held), "{held}");
}

#[tokio::test]
async fn a_wait_that_meets_the_same_chat_again_while_others_flow_is_the_chats() {
    let mut stage = Stage::set().await;
    let fields = serde_json::json!({"deliveryRate": 1});
    let template = serde_json::json!({"text": "Hello"});
    let id = stage
        .campaign_with(&["busy", "news", "sport"], template, fields)
        .await;
    stage.script(
        "busy",
        [Behaviour::Refusal {
            code: 429,
            description: "Too Many Requests: retry after 40".to_owned(),
        }
        .times(2)],
    );
    let first_is_busy = "UPDATE pgboss.job AS q SET start_after = now() - interval '1 hour'
         FROM jobs AS m
         WHERE m.id = q.id AND m.recipient->>'chat' = '@busy'";
    stage.execute(first_is_busy).await;
    assert_eq!(stage.turn().await, 1);
    assert_eq!(
        stage.get(id).await.pause_reason,
        Some(PauseReason::FloodWait)
    );
    end_waits(&mut stage).await;
    // Another one flows.
    stage
        .execute(
            "UPDATE pgboss.job AS q SET start_after = now() + interval '1 hour'
             FROM jobs AS m
             WHERE m.id = q.id AND m.recipient->>'chat' = '@busy'",
        )
        .await;
    assert_eq!(stage.turn().await, 1);
    assert_eq!(stage.get(id).await.counts.sent, 1);
    stage.execute(first_is_busy).await;
    assert_eq!(stage.turn().await, 1);
    let job = stage.job("busy").await;
    assert_eq!(job.error_class.as_deref(), Some("CHAT_WAIT"));
    assert_eq!(stage.get(id).await.status, Status::Running);
    assert_eq!(stage.audited("FLOOD_WAIT_TRIGGERED").await, 1);
}

#[tokio::test]
async fn three_floods_in_a_row_stop_the_campaign_for_the_operator() {
    let mut stage = Stage::set().await;
    let id = stage.campaign(&["news"]).await;
    for flood in 1..=3 {
        stage.simulator.flood("1001", 0);
        stage.script("news", [Behaviour::BotFlood { seconds: 0 }.once()]);
        stage.turn().await;
        assert_eq!(stage.audited("FLOOD_WAIT_TRIGGERED").await, flood);
        if flood < 3 {
            end_waits(&mut stage).await;
        }
    }
    let campaign = stage.get(id).await;
    assert_eq!(campaign.pause_reason, Some(PauseReason::TooManyFloods));
    assert_eq!(campaign.resumes_at, None);
    assert_eq!(resume_due(&stage).await, 0);
    assert_eq!(stage.job("news").await.attempts, 0);
}

/// A campaign to so many channels meets flood waits, and after each of them messages
/// flow again: how many waits until the operator has to look.
async fn floods_until_stopped(channels: usize) -> usize {
    let mut stage = Stage::set().await;
    let names: Vec<String> = (0..channels).map(|i| format!("chat_{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let template = serde_json::json!({"text": "Hello"});
    let fields = serde_json::json!({"deliveryRate": 1});
    let id = stage.campaign_with(&names, template, fields).await;
    for flood in 1.. {
        stage.simulator.flood("1001", 60);
        stage.turn().await;
        if stage.get(id).await.pause_reason == Some(PauseReason::TooManyFloods) {
            return flood;
        }
        stage.simulator.flood("1001", 0);
        end_waits(&mut stage).await;
        // Each wait is met by another chat.
        stage
            .execute(
                "UPDATE pgboss.job AS q SET start_after = now() + interval '1 day'
                 FROM jobs AS m
                 WHERE m.id = q.id AND m.error_class = 'FLOOD_WAIT'",
            )
            .await;
        let sent = stage.get(id).await.counts.sent;
        stage.turn().await;
        assert!(stage.get(id).await.counts.sent > sent);
    }
    unreachable!("it stops some time")
}

#[tokio::test]
async fn floods_on_a_tenth_of_its_messages_stop_a_campaign_for_the_operator() {
    assert_eq!(floods_until_stopped(30).await, 3);
    assert_eq!(floods_until_stopped(31).await, 4);
}

#[tokio::test]
async fn the_pause_is_seen_while_another_call_of_the_batch_still_hangs() {
    // Both are called at once; only where the one that hangs comes first is there anything
    // to see.
    while !is_seen_while_a_call_hangs().await {}
}

/// False where the flood came first.
async fn is_seen_while_a_call_hangs() -> bool {
    let mut stage = Stage::set().await;
    let id = stage.campaign(&["hangs", "floods"]).await;
    stage.script("hangs", [Behaviour::HangBefore.once()]);
    stage.script("floods", [Behaviour::BotFlood { seconds: 90 }.once()]);
    let jobs = stage.dispatch().await;
    let paused = async {
        while stage.get(id).await.status != Status::Paused {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let handled = stage.handle(jobs);
    tokio::pin!(handled);
    let hangs_came_first = || {
        let ledger = stage.simulator.ledger();
        ledger.0.first().is_some_and(|call| call.chat == "@hangs")
    };
    tokio::select! {
        () = paused => {}
        _ = &mut handled => assert!(!hangs_came_first(), "the pause came after the client's time-out"),
    }
    if !hangs_came_first() {
        return false;
    }
    assert_eq!(
        stage.get(id).await.pause_reason,
        Some(PauseReason::FloodWait)
    );
    handled.await;
    let hangs = stage.job("hangs").await;
    assert_eq!((hangs.status.as_str(), hangs.attempts), ("UNCERTAIN", 1));
    true
}

#[tokio::test]
async fn messages_that_were_accepted_before_a_flood_do_not_end_its_row() {
    let mut stage = Stage::set().await;
    let names: Vec<String> = (0..70).map(|i| format!("chat_{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let id = stage.campaign(&names).await;
    // Sixty-four at once; this one is among the last.
    stage.script("chat_0", [Behaviour::BotFlood { seconds: 90 }.once()]);
    stage
        .execute(
            "UPDATE pgboss.job AS q SET start_after = now() + interval '30 seconds'
             FROM jobs AS m
             WHERE m.id = q.id AND m.recipient->>'chat' = '@chat_0'",
        )
        .await;
    stage.turn().await;
    let sent = stage.get(id).await.counts.sent;
    assert!((1..70).contains(&sent), "{sent}");
    let streak: i32 = stage.scalar("SELECT flood_streak FROM campaigns").await;
    assert_eq!(streak, 1);
}

#[tokio::test]
async fn no_call_is_made_during_a_hold_and_all_go_after_it() {
    let mut stage = Stage::set().await;
    let id = stage.campaign(&["a", "b", "c"]).await;
    stage.simulator.flood("1001", 2);
    stage.turn_now().await;
    let calls = stage.simulator.ledger().0.len();
    assert!((1..=3).contains(&calls), "{calls}");
    for _ in 0..5 {
        assert_eq!(stage.turn_now().await, 0);
    }
    let until = stage.get(id).await.resumes_at.unwrap();
    let wait = (until - Utc::now()).to_std().unwrap_or_default();
    tokio::time::sleep(wait).await;
    assert_eq!(resume_due(&stage).await, 1);
    while stage.get(id).await.counts.pending > 0 {
        stage.turn_now().await;
    }
    assert_eq!(stage.get(id).await.counts.sent, 3);
    let judged = stage.simulator.ledger().summary();
    assert_eq!((judged.calls_in_hold, judged.accepted), (0, 3));
}
