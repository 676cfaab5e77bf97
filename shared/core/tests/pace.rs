//! How fast campaigns go, in told time: each dispatch is given its `now`, so that
//! twenty minutes take seconds, and the times are those of the dispatches.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod common;

use std::{collections::BTreeMap, ops::Range};

use chrono::{DateTime, TimeDelta, Utc};
use common::{
    campaign::{act, bot, dispatch, draft, plan, running},
    database,
};
use telecast_core::campaigns::Action;
use tokio_postgres::Client;

/// A dispatch each quarter of a second of told time.
const TICK: i64 = 250;

/// When the first message is due: told time begins there, however long planning took.
async fn first_slot(client: &Client) -> DateTime<Utc> {
    let sql = "SELECT min(start_after) FROM pgboss.job WHERE name = 'send-message'";
    client.query_one(sql, &[]).await.unwrap().get(0)
}

/// Dispatches during these seconds after `start`; gives the seconds at which
/// messages left.
async fn run(client: &Client, start: DateTime<Utc>, seconds: Range<i64>) -> Vec<f64> {
    let mut times = Vec::new();
    for tick in seconds.start * 1_000 / TICK..seconds.end * 1_000 / TICK {
        let at = TimeDelta::milliseconds(tick * TICK);
        let jobs = dispatch(client, 100, start + at).await;
        times.extend(jobs.iter().map(|_| at.as_seconds_f64()));
    }
    times
}

/// The most messages in any window of a minute, its end excluded.
fn most_in_a_minute(times: &[f64]) -> usize {
    let in_window = |from: &f64| {
        times
            .iter()
            .filter(|at| (*from..from + 60.0).contains(*at))
            .count()
    };
    times.iter().map(in_window).max().unwrap_or(0)
}

#[tokio::test]
async fn twenty_a_minute_is_never_more_than_twenty_in_any_minute() {
    let mut client = database().await;
    let bot = bot(&client, "bot").await;
    running(&mut client, bot, "news", 120, 20).await;
    let times = run(&client, first_slot(&client).await, 0..370).await;
    assert_eq!(times.len(), 120, "none is lost");
    assert!(most_in_a_minute(&times) <= 20);
    let rate = 119.0 * 60.0 / (times[119] - times[0]);
    assert!((rate - 20.0).abs() <= 0.2, "{rate} a minute");
}

#[tokio::test]
async fn two_hundred_at_ten_a_minute_end_after_twenty_minutes() {
    let mut client = database().await;
    let bot = bot(&client, "bot").await;
    running(&mut client, bot, "news", 200, 10).await;
    let times = run(&client, first_slot(&client).await, 0..1_230).await;
    assert_eq!(times.len(), 200);
    assert!(most_in_a_minute(&times) <= 10);
    // The last one's own step belongs to the run.
    let end = times[199] + 6.0;
    assert!((end - 1_200.0).abs() <= 24.0, "{end} s");
}

#[tokio::test]
async fn ten_minutes_without_a_scheduler_earn_no_burst_and_lose_nothing() {
    let mut client = database().await;
    let bot = bot(&client, "bot").await;
    running(&mut client, bot, "news", 120, 20).await;
    let start = first_slot(&client).await;
    let mut times = run(&client, start, 0..120).await;
    assert!((38..=41).contains(&times.len()), "{}", times.len());
    times.extend(run(&client, start, 720..980).await);
    assert_eq!(times.len(), 120);
    assert!(
        most_in_a_minute(&times) <= 25,
        "{}",
        most_in_a_minute(&times)
    );
}

#[tokio::test]
async fn five_campaigns_share_their_bots_rate_within_five_percent() {
    let mut client = database().await;
    let bot = bot(&client, "bot").await;
    for name in ["a", "b", "c", "d", "e"] {
        running(&mut client, bot, name, 200, 1_200).await;
    }
    // When all five have begun, however long planning them took.
    let sql = "SELECT max(first_slot)
         FROM (SELECT min(start_after) AS first_slot FROM pgboss.job WHERE name = 'send-message' GROUP BY group_id) AS campaign";
    let start: DateTime<Utc> = client.query_one(sql, &[]).await.unwrap().get(0);
    let mut shares: BTreeMap<String, u32> = BTreeMap::new();
    // A hundred a second are asked for; the bot may send 25.
    for tick in 0..200 {
        let now = start + TimeDelta::milliseconds(tick * 100);
        for job in dispatch(&client, 100, now).await {
            *shares
                .entry(job.data["campaignId"].to_string())
                .or_default() += 1;
        }
    }
    assert_eq!(shares.len(), 5);
    let total: u32 = shares.values().sum();
    assert!((490..=503).contains(&total), "{total} in twenty seconds");
    for share in shares.values() {
        let error = f64::from(*share) * 5.0 / f64::from(total) - 1.0;
        assert!(error.abs() <= 0.05, "{shares:?}");
    }
}

#[tokio::test]
async fn a_group_gets_twenty_messages_a_minute_however_many_campaigns_write_to_it() {
    let mut client = database().await;
    let bot = bot(&client, "bot").await;
    running(&mut client, bot, "club", 1, 600).await;
    client
        .batch_execute("UPDATE channels SET kind = 'SUPERGROUP'")
        .await
        .unwrap();
    for number in 0..29 {
        let id = draft(&mut client, bot, &format!("other {number}"), 1, 600).await;
        // To the same group.
        client
            .execute(
                "UPDATE campaigns SET batch_id = (SELECT id FROM batches WHERE name = 'club') WHERE id = $1",
                &[&id],
            )
            .await
            .unwrap();
        act(&mut client, id, Action::Start).await.unwrap();
        plan(&mut client, id).await;
    }
    let times = run(&client, first_slot(&client).await, 0..120).await;
    assert_eq!(times.len(), 30);
    assert!(most_in_a_minute(&times) <= 20);
    assert!(times[29] < 95.0, "{}", times[29]);
}
