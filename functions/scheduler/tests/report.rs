//! How late the queues are.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

#[path = "../../send-message/tests/common/mod.rs"]
mod common;

use std::time::Duration;

use common::Stage;
use telecast_core::campaigns::Action;
use telecast_queue::Queue;
use telecast_scheduler::{TELECAST, Work, lateness};

fn work(queue: &str) -> Work {
    TELECAST
        .into_iter()
        .find(|work| work.queue == queue)
        .unwrap()
}

async fn late(stage: &Stage, queue: &str) -> Option<Duration> {
    lateness(&Queue::default(), &**stage.client().await, &work(queue))
        .await
        .unwrap()
}

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_queue_is_as_late_as_the_oldest_job_that_its_limits_would_grant() {
    let stage = Stage::set().await;
    assert_eq!(late(&stage, "send-message").await, None);
    let campaign = stage.campaign(&["one", "two"]).await;
    // As if they had been planned, and their limits set, two minutes ago.
    stage
        .execute(
            "UPDATE pgboss.job SET start_after = start_after - interval '2 minutes';
             UPDATE limits SET tat = least(tat, now()) - interval '3 minutes'",
        )
        .await;
    assert!(late(&stage, "send-message").await.unwrap() > MINUTE);
    // Nor is a bot late that has sent all it may today.
    stage
        .execute("UPDATE limits SET daily = 1, day = (now() AT TIME ZONE 'UTC')::date, day_jobs = 1 WHERE queue IS NOT NULL")
        .await;
    assert_eq!(late(&stage, "send-message").await, None);
    stage.execute("UPDATE limits SET daily = NULL").await;
    assert!(late(&stage, "send-message").await.unwrap() > MINUTE);
    // What is held is not due.
    stage.act(campaign, Action::Pause).await.unwrap();
    assert_eq!(late(&stage, "send-message").await, None);
}

#[tokio::test]
async fn a_queue_without_limits_is_as_late_as_its_oldest_due_job() {
    let stage = Stage::set().await;
    assert_eq!(late(&stage, "start-campaign").await, None);
    stage.campaign(&["one"]).await;
    stage
        .execute("UPDATE pgboss.job SET start_after = start_after - interval '2 minutes'")
        .await;
    assert!(late(&stage, "start-campaign").await.unwrap() > MINUTE);
    stage
        .execute("UPDATE pgboss.job SET start_after = now() + interval '2 minutes'")
        .await;
    assert_eq!(late(&stage, "start-campaign").await, None);
}
