//! The scheduler's Lambda shell.

use std::time::Duration;

use telecast_lambda_sim::End;

use super::functions::{Cloud, SetUp};

#[tokio::test]
async fn a_campaign_goes_through_three_minutes_of_which_two_ticks_share_one() {
    let cloud = Cloud::set("Event", SetUp::default()).await;
    // Twenty seconds at least: three minutes of eight.
    let campaign = cloud.campaign("tick", 80, 240).await;
    let first = cloud.tick().await;
    if let End::Answered(answer) = first {
        assert_eq!(answer, r#"{"ended":"DEADLINE"}"#);
    }
    tokio::join!(cloud.tick(), cloud.tick());
    cloud.tick().await;
    cloud.tick_until_completed(campaign).await;
    assert_eq!(cloud.count(campaign, "SENT").await, 80);
    assert_eq!(cloud.ledger().accepted().count(), 80);
    assert_eq!(cloud.ledger().duplicates(), []);
    let metrics = cloud.metrics();
    let of_messages = metrics.iter().find(|line| line["queue"] == "send-message");
    assert!(of_messages.unwrap()["OldestDueSeconds"].is_number());
    assert!(metrics.iter().any(|line| line["FloodWaits"] == 0));
    // Nothing is due: the next one leaves at once.
    loop {
        match cloud.tick().await {
            End::Answered(answer) => break assert_eq!(answer, r#"{"ended":"IDLE"}"#),
            // Its process was too slow on a busy machine.
            End::TimedOut => {}
            end => panic!("{end:?}"),
        }
    }
}

#[tokio::test]
async fn an_invocation_that_is_delivered_twice_sends_once() {
    let set_up = SetUp {
        deliveries: vec![Duration::ZERO; 2],
        ..SetUp::default()
    };
    let cloud = Cloud::set("Event", set_up).await;
    let campaign = cloud.campaign("twice", 40, 600).await;
    cloud.tick_until_completed(campaign).await;
    assert_eq!(cloud.count(campaign, "SENT").await, 40);
    assert_eq!(cloud.ledger().accepted().count(), 40);
    assert_eq!(cloud.ledger().duplicates(), []);
}

#[tokio::test]
async fn a_function_beyond_its_concurrency_is_asked_again_and_no_attempt_is_charged() {
    let set_up = SetUp {
        concurrency: 1,
        // A tick that is killed on a busy machine would leave its jobs to expire.
        minute: Duration::from_secs(60),
        ..SetUp::default()
    };
    let cloud = Cloud::set("RequestResponse", set_up).await;
    let campaign = cloud.campaign("throttled", 60, 6_000).await;
    cloud.tick_until_completed(campaign).await;
    assert_eq!(cloud.count(campaign, "SENT").await, 60);
    assert_eq!(cloud.ledger().duplicates(), []);
    let charged: i64 = cloud
        .stage
        .scalar("SELECT count(*) FROM pgboss.job WHERE name = 'send-message' AND retry_count > 0")
        .await;
    assert_eq!(charged, 0);
}

#[tokio::test]
async fn connections_that_were_cut_while_processes_froze_cost_nothing() {
    let set_up = SetUp {
        concurrency: 1,
        ..SetUp::default()
    };
    let cloud = Cloud::set("Event", set_up).await;
    let first = cloud.campaign("before", 10, 1_200).await;
    cloud.tick_until_completed(first).await;
    cloud
        .stage
        .execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await;
    let second = cloud.campaign("after", 10, 1_200).await;
    cloud.tick_until_completed(second).await;
    assert_eq!(cloud.count(second, "SENT").await, 10);
    assert_eq!(cloud.ledger().duplicates(), []);
    assert!(
        cloud
            .ends()
            .iter()
            .all(|end| matches!(end, End::Answered(_)))
    );
}
