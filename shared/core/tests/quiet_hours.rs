//! Hours in which a campaign sends nothing: the plan goes around them, a dispatch is
//! held, and a claim refuses.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod common;

use chrono::{DateTime, TimeDelta, Utc};
use common::{
    campaign::{act, bot, claim, dispatch, draft, get, plan, running, sent, settle},
    database, operator,
};
use serde_json::{Value, json};
use telecast_core::{
    Error,
    campaigns::{self, Action, Campaign},
    delivery::Decision,
};
use tokio_postgres::Client;
use uuid::Uuid;

/// Quiet hours in UTC, between these distances from now.
fn quiet(from: TimeDelta, to: TimeDelta) -> Value {
    let at = |distance: TimeDelta| (Utc::now() + distance).format("%H:%M").to_string();
    json!({"from": at(from), "to": at(to), "timezone": "UTC"})
}

async fn update(client: &mut Client, id: Uuid, patch: Value) -> Result<Campaign, Error> {
    let transaction = client.transaction().await.unwrap();
    let patch = serde_json::from_value(patch).unwrap();
    let updated = campaigns::update(&transaction, &operator(), id, patch).await;
    if updated.is_ok() {
        transaction.commit().await.unwrap();
    }
    updated
}

/// A campaign that runs, with these quiet hours.
async fn quiet_campaign(client: &mut Client, channels: i32, rate: i32, hours: Value) -> Uuid {
    let bot = bot(client, "bot").await;
    let id = draft(client, bot, "news", channels, rate).await;
    update(client, id, json!({"quietHours": hours}))
        .await
        .unwrap();
    act(client, id, Action::Start).await.unwrap();
    plan(client, id).await;
    id
}

async fn starts(client: &Client) -> Vec<DateTime<Utc>> {
    let sql = "SELECT start_after FROM pgboss.job WHERE name = 'send-message' ORDER BY start_after";
    let rows = client.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Queue jobs that would start in the quiet hours of their campaign.
async fn starts_in_quiet_hours(client: &Client) -> i64 {
    let sql = "SELECT count(*)
         FROM pgboss.job AS q
         JOIN campaigns AS c ON 'campaign/' || c.id = q.group_id
         WHERE quiet_until(q.start_after, c.quiet_from, c.quiet_to, c.quiet_zone) IS NOT NULL";
    client.query_one(sql, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn the_plan_goes_around_them() {
    let mut client = database().await;
    // Ten minutes of work at one a second; three of them, soon, are quiet.
    let hours = quiet(TimeDelta::minutes(3), TimeDelta::minutes(6));
    let id = quiet_campaign(&mut client, 600, 60, hours).await;
    let planned = starts(&client).await;
    assert_eq!(planned.len(), 600);
    assert_eq!(starts_in_quiet_hours(&client).await, 0);
    let took = (planned[599] - planned[0]).as_seconds_f64();
    assert!((took - 600.0 * 1.005 - 180.0).abs() < 3.0, "{took}");
    let eta = get(&client, id).await.eta.unwrap();
    assert!((eta - planned[599]).as_seconds_f64().abs() < 10.0, "{eta}");
}

#[tokio::test]
async fn a_new_rate_and_a_resume_plan_around_them_too() {
    let mut client = database().await;
    let hours = quiet(TimeDelta::minutes(3), TimeDelta::minutes(6));
    let id = quiet_campaign(&mut client, 600, 60, hours).await;
    update(&mut client, id, json!({"deliveryRate": 30}))
        .await
        .unwrap();
    assert_eq!(starts_in_quiet_hours(&client).await, 0);
    act(&mut client, id, Action::Pause).await.unwrap();
    act(&mut client, id, Action::Resume).await.unwrap();
    assert_eq!(starts_in_quiet_hours(&client).await, 0);
    let planned = starts(&client).await;
    let took = (planned[599] - planned[0]).as_seconds_f64();
    assert!((took - 1_200.0 * 1.005 - 180.0).abs() < 6.0, "{took}");
}

#[tokio::test]
async fn what_was_dispatched_before_they_began_goes_back_and_is_held() {
    let mut client = database().await;
    let hours = quiet(TimeDelta::hours(-1), TimeDelta::hours(1));
    let id = quiet_campaign(&mut client, 2, 600, hours).await;
    client
        .batch_execute("UPDATE pgboss.job SET start_after = now() WHERE name = 'send-message'")
        .await
        .unwrap();
    let now = Utc::now() + TimeDelta::seconds(1);
    let jobs = dispatch(&client, 10, now).await;
    assert!(!jobs.is_empty());
    let claims = claim(&client, &jobs).await;
    assert!(
        claims
            .iter()
            .all(|claim| claim.decision == Decision::NotRunning)
    );
    settle(&mut client, &claims, &sent()).await;
    assert_eq!(get(&client, id).await.counts.pending, 2);
    campaigns::hold_quiet(&client).await.unwrap();
    assert!(
        dispatch(&client, 10, Utc::now() + TimeDelta::minutes(30))
            .await
            .is_empty()
    );
    let later = Utc::now() + TimeDelta::minutes(61);
    assert!(!dispatch(&client, 10, later).await.is_empty());
}

#[tokio::test]
async fn a_campaign_without_them_is_never_held() {
    let mut client = database().await;
    let bot = bot(&client, "bot").await;
    running(&mut client, bot, "news", 2, 600).await;
    assert_eq!(campaigns::hold_quiet(&client).await.unwrap(), 0);
}

/// The times between quiet hours, in hours of true time.
async fn awake(client: &Client, origin: &str, from: &str, to: &str) -> Vec<f64> {
    let sql = format!(
        "SELECT extract(epoch FROM length)::float8 / 3600
         FROM awake_times('{origin}', '50 hours', '{from}', '{to}', 'Europe/Berlin')
         ORDER BY begins
         LIMIT 3"
    );
    let rows = client.query(&sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn a_change_to_summer_time_neither_loses_nor_doubles_time() {
    let client = database().await;
    // From six in the evening until noon: eighteen hours, but for the night of the change.
    let spring = awake(&client, "2026-03-27 18:00 Europe/Berlin", "12:00", "18:00").await;
    assert_eq!(spring, [18.0, 17.0, 18.0]);
    let autumn = awake(&client, "2026-10-23 18:00 Europe/Berlin", "12:00", "18:00").await;
    assert_eq!(autumn, [18.0, 19.0, 18.0]);
    let from_within = awake(&client, "2026-06-01 13:00 Europe/Berlin", "12:00", "18:00").await;
    assert_eq!(from_within, [18.0, 18.0, 18.0]);
}

#[tokio::test]
async fn they_may_span_midnight_or_not() {
    let client = database().await;
    for (at, from, to, until) in [
        (
            "2026-06-01 23:30",
            "22:00",
            "08:00",
            Some("2026-06-02 08:00"),
        ),
        (
            "2026-06-02 07:59",
            "22:00",
            "08:00",
            Some("2026-06-02 08:00"),
        ),
        ("2026-06-02 08:00", "22:00", "08:00", None),
        ("2026-06-02 21:59", "22:00", "08:00", None),
        (
            "2026-06-02 13:00",
            "12:00",
            "14:00",
            Some("2026-06-02 14:00"),
        ),
        ("2026-06-02 14:00", "12:00", "14:00", None),
    ] {
        let sql = format!(
            "SELECT to_char(quiet_until('{at} Asia/Tokyo', '{from}', '{to}', 'Asia/Tokyo') AT TIME ZONE 'Asia/Tokyo', 'YYYY-MM-DD HH24:MI')"
        );
        let told: Option<String> = client.query_one(&sql, &[]).await.unwrap().get(0);
        assert_eq!(told.as_deref(), until, "{at}, quiet from {from} to {to}");
    }
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused_and_null_takes_them_away() {
    let mut client = database().await;
    let bot = bot(&client, "bot").await;
    let id = draft(&mut client, bot, "news", 2, 60).await;
    for (hours, field) in [
        (
            json!({"from": "22:00", "to": "22:00", "timezone": "UTC"}),
            "quietHours.to",
        ),
        (
            json!({"from": "22:00", "to": "08:00", "timezone": "Mars/Olympus"}),
            "quietHours.timezone",
        ),
    ] {
        let refused = update(&mut client, id, json!({"quietHours": hours})).await;
        assert!(
            matches!(&refused, Err(Error::Invalid { field: named, .. }) if named == field),
            "{refused:?}"
        );
    }
    let hours = json!({"from": "22:00", "to": "08:00", "timezone": "Europe/Berlin"});
    let campaign = update(&mut client, id, json!({"quietHours": hours}))
        .await
        .unwrap();
    assert_eq!(json!(campaign.quiet_hours), hours);
    let campaign = update(&mut client, id, json!({"name": "other"}))
        .await
        .unwrap();
    assert_eq!(json!(campaign.quiet_hours), hours, "absent changes nothing");
    let campaign = update(&mut client, id, json!({"quietHours": null}))
        .await
        .unwrap();
    assert_eq!(campaign.quiet_hours, None);
}
