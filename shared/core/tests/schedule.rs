//! When a campaign begins: at its time, or not at all.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod common;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use common::{
    campaign::{act, bot, draft, get, plan},
    database, operator,
};
use serde_json::{Value, json};
use telecast_core::{
    Error,
    campaigns::{self, Action, Campaign, QuietHours, Status, timetable},
    delivery::Planned,
};
use tokio_postgres::Client;
use uuid::Uuid;

/// A draft with two channels, and these changes to it.
async fn draft_with(client: &mut Client, patch: Value) -> (Uuid, Result<Campaign, Error>) {
    let bot = bot(client, "bot").await;
    let id = draft(client, bot, "news", 2, 20).await;
    let transaction = client.transaction().await.unwrap();
    let patch = serde_json::from_value(patch).unwrap();
    let updated = campaigns::update(&transaction, &operator(), id, patch).await;
    if updated.is_ok() {
        transaction.commit().await.unwrap();
    }
    (id, updated)
}

/// When the queue jobs of starts are due.
async fn starts(client: &Client) -> Vec<DateTime<Utc>> {
    client
        .query_typed(
            "SELECT start_after FROM pgboss.job WHERE name = 'start-campaign' ORDER BY created_on",
            &[],
        )
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect()
}

#[tokio::test]
async fn a_start_waits_for_its_time_also_after_a_pause() {
    let mut client = database().await;
    let time = Utc::now().trunc_subsecs(3) + TimeDelta::days(2);
    let (id, updated) = draft_with(&mut client, json!({"scheduledAt": time})).await;
    assert_eq!(updated.unwrap().scheduled_at, Some(time));
    act(&mut client, id, Action::Start).await.unwrap();
    act(&mut client, id, Action::Pause).await.unwrap();
    let campaign = act(&mut client, id, Action::Resume).await.unwrap();
    assert_eq!(campaign.status, Status::Queued);
    assert_eq!(starts(&client).await, [time, time]);
}

#[tokio::test]
async fn a_start_in_time_is_planned() {
    let mut client = database().await;
    let time = Utc::now() + TimeDelta::hours(1);
    let (id, _) = draft_with(&mut client, json!({"notAfter": time})).await;
    act(&mut client, id, Action::Start).await.unwrap();
    assert_eq!(plan(&mut client, id).await, Planned::Now { total: 2 });
}

#[tokio::test]
async fn a_start_that_comes_too_late_is_missed_and_sends_nothing() {
    let mut client = database().await;
    let time = Utc::now() - TimeDelta::hours(1);
    let (id, _) = draft_with(&mut client, json!({"notAfter": time})).await;
    act(&mut client, id, Action::Start).await.unwrap();
    assert_eq!(plan(&mut client, id).await, Planned::Missed);
    let campaign = get(&client, id).await;
    assert_eq!(
        (campaign.status, campaign.counts.total),
        (Status::Missed, 0)
    );
    assert!(campaign.finished_at.is_some());
    assert_eq!(plan(&mut client, id).await, Planned::Before);
}

#[tokio::test]
async fn a_paused_campaign_whose_time_runs_out_is_missed() {
    let mut client = database().await;
    let time = Utc::now() - TimeDelta::hours(1);
    let (id, _) = draft_with(&mut client, json!({"notAfter": time})).await;
    act(&mut client, id, Action::Start).await.unwrap();
    act(&mut client, id, Action::Pause).await.unwrap();
    assert_eq!(plan(&mut client, id).await, Planned::Missed);
    assert_eq!(get(&client, id).await.pause_reason, None);
}

#[tokio::test]
async fn a_campaign_cannot_be_scheduled_after_it_is_missed() {
    let mut client = database().await;
    let time = Utc::now() + TimeDelta::hours(2);
    let patch = json!({"scheduledAt": time, "notAfter": time - TimeDelta::hours(1)});
    let (_, updated) = draft_with(&mut client, patch).await;
    assert!(updated.unwrap_err().to_string().contains("scheduledAt"));
}

#[tokio::test]
async fn a_timetable_tells_what_the_plan_then_does() {
    let mut client = database().await;
    let bot = bot(&client, "bot").await;
    let id = draft(&mut client, bot, "news", 40, 2).await;
    // Five minutes of quiet begin two minutes from now: 40 messages take 20.
    let begins = Utc::now() + TimeDelta::minutes(2);
    let hours = json!({
        "from": begins.format("%H:%M").to_string(),
        "to": (begins + TimeDelta::minutes(5)).format("%H:%M").to_string(),
        "timezone": "UTC",
    });
    let quiet: QuietHours = serde_json::from_value(hours.clone()).unwrap();
    let transaction = client.transaction().await.unwrap();
    let patch = serde_json::from_value(json!({"quietHours": hours})).unwrap();
    campaigns::update(&transaction, &operator(), id, patch)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    act(&mut client, id, Action::Start).await.unwrap();
    plan(&mut client, id).await;
    let slots: Vec<DateTime<Utc>> = client
        .query("SELECT slot FROM jobs ORDER BY position", &[])
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    let places: Vec<i64> = (0..40).collect();
    let step = timetable::step(2, 25);
    let told = timetable::times(&client, slots[0], step, &places, Some(&quiet))
        .await
        .unwrap();
    // Slots lie on whole milliseconds, and carry the number of their plan.
    for (slot, told) in slots.iter().zip(&told) {
        assert!(
            (*slot - told).abs() < TimeDelta::milliseconds(5),
            "{slot} {told}"
        );
    }
    assert!(slots[39] - slots[0] > TimeDelta::minutes(24), "it waited");
}
