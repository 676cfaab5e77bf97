//! What comes at the wrong moment: a cancellation in mid-attempt, an attempt that was
//! given up, two transactions at once. No message may be lost or wait for ever.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod common;

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use common::{
    campaign::{act, bot, claim, dispatch, draft, get, plan, running, sent, settle},
    database, database_twice, operator, scalar,
};
use serde_json::json;
use telecast_core::{
    campaigns::{self, Action, Status},
    delivery::{Claim, Decision, Outcome},
};
use tokio_postgres::Client;
use uuid::Uuid;

/// A campaign with one message, which is claimed.
async fn claimed(client: &mut Client) -> (Uuid, Vec<Claim>) {
    let bot = bot(client, "bot").await;
    let id = running(client, bot, "news", 1, 60).await;
    let claims = again(client, 1).await;
    assert_eq!(claims[0].decision, Decision::Send);
    (id, claims)
}

/// Dispatches so many minutes from now, and claims.
async fn again(client: &Client, minutes: i64) -> Vec<Claim> {
    let jobs = dispatch(client, 1, Utc::now() + TimeDelta::minutes(minutes)).await;
    assert_eq!(jobs.len(), 1);
    // Told time is ahead of the database's: the lease counts from now.
    client
        .batch_execute("UPDATE pgboss.job SET started_on = now() WHERE state = 'active'")
        .await
        .unwrap();
    let mut jobs = jobs;
    for job in &mut jobs {
        let sql = "SELECT started_on FROM pgboss.job WHERE id = $1";
        job.started_on = client.query_one(sql, &[&job.id]).await.unwrap().get(0);
    }
    claim(client, &jobs).await
}

/// The handler of the active queue job died: its lease is over.
async fn expire(client: &Client) {
    client
        .batch_execute(
            "UPDATE pgboss.job SET state = 'retry', start_after = now() WHERE state = 'active';
             UPDATE limits SET tat = 'epoch'",
        )
        .await
        .unwrap();
}

async fn restart(client: &Client, on_uncertain: &str, retry_limit: i32) {
    client
        .execute(
            "UPDATE campaigns SET on_uncertain = $1, retry_limit = $2",
            &[&on_uncertain, &retry_limit],
        )
        .await
        .unwrap();
}

#[tokio::test]
async fn what_goes_back_after_a_pause_and_a_cancellation_is_cancelled() {
    let mut client = database().await;
    let (id, claims) = claimed(&mut client).await;
    act(&mut client, id, Action::Pause).await.unwrap();
    act(&mut client, id, Action::Cancel).await.unwrap();
    settle(&mut client, &claims, &Outcome::Transient("502".to_owned())).await;
    let claims = again(&client, 10).await;
    assert_eq!(claims[0].decision, Decision::Cancelled);
    settle(&mut client, &claims, &sent()).await;
    let counts = get(&client, id).await.counts;
    assert_eq!((counts.pending, counts.cancelled), (0, 1));
}

#[tokio::test]
async fn a_cancellation_finds_what_a_dead_handler_was_sending_uncertain() {
    let mut client = database().await;
    let (id, claims) = claimed(&mut client).await;
    expire(&client).await;
    act(&mut client, id, Action::Cancel).await.unwrap();
    let counts = get(&client, id).await.counts;
    assert_eq!((counts.pending, counts.uncertain), (0, 1));
    // It was only late.
    settle(&mut client, &claims, &sent()).await;
    let counts = get(&client, id).await.counts;
    assert_eq!((counts.uncertain, counts.sent), (0, 1));
}

#[tokio::test]
async fn a_queue_job_whose_message_was_settled_late_still_ends() {
    let mut client = database().await;
    let (id, first) = claimed(&mut client).await;
    expire(&client).await;
    settle(&mut client, &first, &sent()).await;
    assert_eq!(get(&client, id).await.status, Status::Completed);
    client
        .batch_execute("UPDATE campaigns SET finished_at = now() - interval '1 hour'")
        .await
        .unwrap();
    let limits = "SELECT count(*) FROM limits WHERE id LIKE 'campaign/%'";
    for left in [1, 0] {
        let upkeep = client.transaction().await.unwrap();
        campaigns::remove_idle_limits(&upkeep).await.unwrap();
        upkeep.commit().await.unwrap();
        assert_eq!(scalar::<i64>(&client, limits).await, left);
        if left == 1 {
            let claims = again(&client, 2).await;
            assert_eq!(claims[0].decision, Decision::Settled);
            settle(&mut client, &claims, &Outcome::Settled).await;
        }
    }
    let state: String = scalar(
        &client,
        "SELECT state::text FROM pgboss.job WHERE name = 'send-message'",
    )
    .await;
    assert_eq!(state, "completed");
}

#[tokio::test]
async fn what_may_have_been_sent_once_never_ends_as_not_sent() {
    let transient = Outcome::Transient("502".to_owned());
    let uncertain = Outcome::Uncertain("timed out".to_owned());
    // A time-out, then a cancellation while it waits to be sent again.
    let mut client = database().await;
    let (id, first) = claimed(&mut client).await;
    restart(&client, "RESEND", 3).await;
    settle(&mut client, &first, &uncertain).await;
    act(&mut client, id, Action::Cancel).await.unwrap();
    let counts = get(&client, id).await.counts;
    assert_eq!((counts.cancelled, counts.uncertain), (0, 1));
    // A dead handler, then a failure of the attempt after it.
    let mut client = database().await;
    let (id, _) = claimed(&mut client).await;
    restart(&client, "RESEND", 1).await;
    expire(&client).await;
    let second = again(&client, 2).await;
    assert_eq!(second[0].decision, Decision::Send);
    settle(&mut client, &second, &transient).await;
    let counts = get(&client, id).await.counts;
    assert_eq!((counts.failed, counts.uncertain), (0, 1));
    // A dead handler, then a pause, then a cancellation that comes before the claim.
    let mut client = database().await;
    let (id, _) = claimed(&mut client).await;
    restart(&client, "RESEND", 3).await;
    act(&mut client, id, Action::Pause).await.unwrap();
    expire(&client).await;
    client
        .batch_execute("UPDATE limits SET held_until = 'epoch'")
        .await
        .unwrap();
    let second = again(&client, 2).await;
    assert_eq!(second[0].decision, Decision::NotRunning);
    settle(&mut client, &second, &Outcome::NotTried).await;
    act(&mut client, id, Action::Cancel).await.unwrap();
    let counts = get(&client, id).await.counts;
    assert_eq!((counts.cancelled, counts.uncertain), (0, 1));
}

#[tokio::test]
async fn an_attempt_that_reports_late_is_believed_while_another_is_under_way() {
    let mut client = database().await;
    let (id, first) = claimed(&mut client).await;
    restart(&client, "RESEND", 3).await;
    expire(&client).await;
    let second = again(&client, 2).await;
    assert_eq!(second[0].decision, Decision::Send);
    settle(&mut client, &first, &sent()).await;
    settle(&mut client, &second, &Outcome::Transient("502".to_owned())).await;
    let campaign = get(&client, id).await;
    assert_eq!(
        (campaign.counts.sent, campaign.status),
        (1, Status::Completed)
    );
}

#[tokio::test]
async fn a_handler_that_dies_each_time_sends_no_more_often_than_is_retried() {
    let mut client = database().await;
    let (_, first) = claimed(&mut client).await;
    restart(&client, "RESEND", 1).await;
    expire(&client).await;
    let second = again(&client, 2).await;
    assert_eq!((first[0].attempts, second[0].attempts), (0, 1));
    assert_eq!(second[0].decision, Decision::Send);
    expire(&client).await;
    assert_eq!(again(&client, 3).await[0].decision, Decision::Uncertain);
}

#[tokio::test]
async fn settling_twice_charges_once() {
    let mut client = database().await;
    let (_, claims) = claimed(&mut client).await;
    for _ in 0..2 {
        settle(&mut client, &claims, &Outcome::Transient("502".to_owned())).await;
    }
    assert_eq!(scalar::<i32>(&client, "SELECT attempts FROM jobs").await, 1);
}

#[tokio::test]
async fn a_claim_tells_how_much_of_its_lease_is_left() {
    let mut client = database().await;
    let (_, claims) = claimed(&mut client).await;
    assert_eq!(claims[0].lease, Duration::from_secs(60));
    assert!(claims[0].lease_left <= Duration::from_secs(60));
    assert!(claims[0].lease_left > Duration::from_secs(30));
}

#[tokio::test]
async fn a_limit_stays_where_its_campaign_is_about_to_run_again() {
    let (mut client, mut other) = database_twice().await;
    let (id, claims) = claimed(&mut client).await;
    settle(
        &mut client,
        &claims,
        &Outcome::ChannelRights("no rights".to_owned()),
    )
    .await;
    client
        .batch_execute("UPDATE campaigns SET finished_at = now() - interval '1 hour'")
        .await
        .unwrap();
    let again = client.transaction().await.unwrap();
    campaigns::act(
        &again,
        &telecast_queue::Queue::default(),
        &common::operator(),
        id,
        Action::RetryFailed,
    )
    .await
    .unwrap();
    let upkeep = other.transaction().await.unwrap();
    campaigns::remove_idle_limits(&upkeep).await.unwrap();
    upkeep.commit().await.unwrap();
    again.commit().await.unwrap();
    let limits: i64 = scalar(
        &client,
        "SELECT count(*) FROM limits WHERE id LIKE 'campaign/%'",
    )
    .await;
    assert_eq!(limits, 1);
}

#[tokio::test]
async fn a_new_rate_does_not_hold_up_the_bots_other_campaigns() {
    let (mut client, other) = database_twice().await;
    let bot = bot(&client, "bot").await;
    let id = running(&mut client, bot, "news", 5, 60).await;
    let update = client.transaction().await.unwrap();
    let patch = serde_json::from_value(serde_json::json!({"deliveryRate": 600})).unwrap();
    campaigns::update(&update, &common::operator(), id, patch)
        .await
        .unwrap();
    let free = "SELECT id FROM limits WHERE id LIKE 'bot/%' FOR NO KEY UPDATE SKIP LOCKED";
    assert_eq!(other.query(free, &[]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_campaign_whose_start_failed_for_good_says_so() {
    let mut client = database().await;
    let bot = bot(&client, "bot").await;
    let id = draft(&mut client, bot, "news", 2, 60).await;
    act(&mut client, id, Action::Start).await.unwrap();
    let fail = async |client: &mut Client| {
        let transaction = client.transaction().await.unwrap();
        let failed = campaigns::fail_unstarted(&transaction).await.unwrap();
        transaction.commit().await.unwrap();
        failed
    };
    assert!(fail(&mut client).await.is_empty(), "its start still waits");
    client
        .batch_execute(
            "UPDATE pgboss.job SET state = 'failed', completed_on = now() WHERE name = 'start-campaign'",
        )
        .await
        .unwrap();
    assert_eq!(fail(&mut client).await, [id]);
    let campaign = get(&client, id).await;
    assert_eq!(campaign.status, Status::Failed);
    assert!(campaign.failure.unwrap().contains("start"));
    plan(&mut client, id).await;
    assert_eq!(get(&client, id).await.status, Status::Failed);
}

#[tokio::test]
async fn a_pause_before_the_plan_holds_nothing_once_it_is_over() {
    let mut client = database().await;
    let bot = bot(&client, "bot").await;
    let id = draft(&mut client, bot, "news", 5, 600).await;
    act(&mut client, id, Action::Start).await.unwrap();
    let transaction = client.transaction().await.unwrap();
    let patch = serde_json::from_value(json!({"deliveryRate": 1200})).unwrap();
    campaigns::update(&transaction, &operator(), id, patch)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    act(&mut client, id, Action::Pause).await.unwrap();
    act(&mut client, id, Action::Resume).await.unwrap();
    plan(&mut client, id).await;
    let jobs = dispatch(&client, 10, Utc::now() + TimeDelta::minutes(1)).await;
    assert!(!jobs.is_empty(), "its limit is held");
}
