//! Bots that go slower for a while: after a flood wait, and in their first days.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod common;

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use common::{
    campaign::{bot, claim, dispatch, running, settle},
    database,
};
use telecast_core::{campaigns, delivery::Outcome};
use tokio_postgres::Client;
use uuid::Uuid;

/// The steps of the bot's limit and of the campaign's, in milliseconds.
async fn steps(client: &Client, bot: Uuid, campaign: Uuid) -> (f64, f64) {
    let sql = "SELECT
           max(extract(epoch FROM step)) FILTER (WHERE id = $1)::float8 * 1000,
           max(extract(epoch FROM step)) FILTER (WHERE id = $2)::float8 * 1000
         FROM limits";
    let ids = [campaigns::bot_limit_id(bot), campaigns::group_id(campaign)];
    let row = client.query_one(sql, &[&ids[0], &ids[1]]).await.unwrap();
    (row.get(0), row.get(1))
}

async fn ramp(client: &Client) -> Option<i32> {
    client
        .query_one("SELECT ramp FROM bots", &[])
        .await
        .unwrap()
        .get(0)
}

async fn flood(client: &mut Client, seconds: u64) {
    let jobs = dispatch(client, 1, Utc::now() + TimeDelta::minutes(1)).await;
    let claims = claim(client, &jobs).await;
    let wait = Outcome::FloodWait(Duration::from_secs(seconds));
    settle(client, &claims, &wait).await;
}

/// As if the time for the next tenth had come.
async fn speed_up(client: &mut Client) {
    client
        .batch_execute("UPDATE bots SET ramp_on = now()")
        .await
        .unwrap();
    let transaction = client.transaction().await.unwrap();
    assert_eq!(campaigns::speed_up(&transaction).await.unwrap().len(), 1);
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn after_a_flood_wait_the_rates_are_half_and_grow_back() {
    let mut client = database().await;
    let bot = bot(&client, "bot").await;
    let campaign = running(&mut client, bot, "news", 5, 60).await;
    let (of_bot, of_campaign) = steps(&client, bot, campaign).await;
    flood(&mut client, 30).await;
    assert_eq!(
        steps(&client, bot, campaign).await,
        (of_bot * 2.0, of_campaign * 2.0)
    );
    let transaction = client.transaction().await.unwrap();
    let too_early = campaigns::speed_up(&transaction).await.unwrap();
    transaction.commit().await.unwrap();
    assert!(too_early.is_empty());
    for percent in [Some(60), Some(70), Some(80), Some(90), None] {
        speed_up(&mut client).await;
        assert_eq!(ramp(&client).await, percent);
    }
    assert_eq!(steps(&client, bot, campaign).await, (of_bot, of_campaign));
}

#[tokio::test]
async fn many_answers_of_one_flood_halve_once_and_another_flood_again() {
    let mut client = database().await;
    let bot = bot(&client, "bot").await;
    running(&mut client, bot, "news", 5, 60).await;
    let mut jobs = Vec::new();
    for minute in 1..=3 {
        jobs.extend(dispatch(&client, 1, Utc::now() + TimeDelta::minutes(minute)).await);
    }
    assert_eq!(jobs.len(), 3);
    let claims = claim(&client, &jobs).await;
    for claim in &claims {
        let wait = Outcome::FloodWait(Duration::from_secs(30));
        settle(&mut client, std::slice::from_ref(claim), &wait).await;
    }
    assert_eq!(ramp(&client).await, Some(50));
    // The wait is over; the next flood finds the bot at half of its rates.
    client
        .batch_execute(
            "UPDATE bots SET ramp_on = now() + ramp_every;
             UPDATE limits SET held_until = '-infinity', tat = 'epoch';
             UPDATE campaigns SET status = 'RUNNING', pause_reason = NULL, resumes_at = NULL;
             UPDATE pgboss.job SET start_after = now() WHERE state < 'active'",
        )
        .await
        .unwrap();
    flood(&mut client, 30).await;
    assert_eq!(ramp(&client).await, Some(25));
}

#[tokio::test]
async fn a_bot_that_is_warmed_up_begins_at_a_tenth_and_grows_by_the_day() {
    let mut client = database().await;
    let bot = bot(&client, "bot").await;
    client
        .batch_execute(
            "UPDATE bots SET ramp = 10, ramp_on = now() + interval '1 day', ramp_every = interval '1 day'",
        )
        .await
        .unwrap();
    let campaign = running(&mut client, bot, "news", 5, 60).await;
    assert_eq!(steps(&client, bot, campaign).await.1, 10_050.0);
    speed_up(&mut client).await;
    assert_eq!(ramp(&client).await, Some(20));
    assert_eq!(steps(&client, bot, campaign).await.1, 5_025.0);
    let waits: f64 = client
        .query_one(
            "SELECT extract(epoch FROM ramp_on - now())::float8 FROM bots",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    assert!((86_000.0..=86_400.0).contains(&waits), "{waits}");
}
