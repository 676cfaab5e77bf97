//! Campaigns that recur: each occurrence is a campaign of its own.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod common;

use chrono::Utc;
use common::{
    campaign::{act, bot, draft, get, plan},
    database, operator,
};
use serde_json::{Value, json};
use telecast_core::{
    Error,
    campaigns::{self, Action, Campaign, Occurrence, Status},
    delivery::Planned,
};
use telecast_queue::{CRON_INTERVAL, Fetch, Queue};
use tokio_postgres::Client;
use uuid::Uuid;

/// A draft with two channels, and these changes to it.
async fn draft_with(client: &mut Client, patch: Value) -> (Uuid, Result<Campaign, Error>) {
    let name = Uuid::now_v7().to_string();
    let bot = bot(client, &name).await;
    let id = draft(client, bot, &name, 2, 20).await;
    let transaction = client.transaction().await.unwrap();
    let patch = serde_json::from_value(patch).unwrap();
    let updated = campaigns::update(&transaction, &operator(), id, patch).await;
    if updated.is_ok() {
        transaction.commit().await.unwrap();
    }
    (id, updated)
}

/// A campaign that was started and recurs each day.
async fn daily(client: &mut Client) -> Uuid {
    let patch = json!({"cron": "30 9 * * *", "timezone": "Europe/Berlin"});
    let (id, updated) = draft_with(client, patch).await;
    updated.unwrap();
    act(client, id, Action::Start).await.unwrap();
    id
}

async fn occur(client: &mut Client, id: Uuid, occurrence: Uuid) -> Occurrence {
    let transaction = client.transaction().await.unwrap();
    let occurred = campaigns::occur(&transaction, &Queue::default(), id, occurrence)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    occurred
}

async fn schedules(client: &Client) -> Vec<String> {
    let schedules = Queue::default()
        .schedules(client, None, None)
        .await
        .unwrap();
    schedules.into_iter().map(|schedule| schedule.key).collect()
}

async fn audited(client: &Client, action: &str) -> i64 {
    let sql = "SELECT count(*) FROM audit_logs WHERE action = $1";
    client.query_one(sql, &[&action]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_started_one_waits_for_its_occurrences_and_each_is_a_campaign() {
    let mut client = database().await;
    let id = daily(&mut client).await;
    let campaign = get(&client, id).await;
    assert_eq!(campaign.status, Status::Queued);
    let next = campaign.next_occurrence.unwrap();
    assert!(next > Utc::now());
    // The occurrence comes due; it is as good as now for the queue.
    let queue = Queue::default();
    queue
        .run_schedules(&client, CRON_INTERVAL, Some(next))
        .await
        .unwrap();
    let jobs = queue
        .fetch(&client, &Fetch::from(campaigns::START_QUEUE))
        .await
        .unwrap();
    assert_eq!(jobs.len(), 1);
    assert_eq!(jobs[0].data, json!({"campaignId": id}));
    let occurred = occur(&mut client, id, jobs[0].id).await;
    assert_eq!(occurred, Occurrence::Started(jobs[0].id));
    assert_eq!(
        plan(&mut client, jobs[0].id).await,
        Planned::Now { total: 2 }
    );
    let occurrence = get(&client, jobs[0].id).await;
    assert_eq!(occurrence.status, Status::Running);
    assert_eq!(occurrence.recurs_as, Some(id));
    assert_eq!((occurrence.cron, occurrence.delivery_rate), (None, 20));
    assert_eq!(
        plan(&mut client, id).await,
        Planned::Before,
        "it has no messages of its own"
    );
}

#[tokio::test]
async fn the_same_occurrence_twice_makes_one_campaign() {
    let mut client = database().await;
    let id = daily(&mut client).await;
    let occurrence = Uuid::now_v7();
    assert_eq!(
        occur(&mut client, id, occurrence).await,
        Occurrence::Started(occurrence)
    );
    client
        .execute(
            "UPDATE campaigns SET status = 'COMPLETED' WHERE id = $1",
            &[&occurrence],
        )
        .await
        .unwrap();
    assert_eq!(
        occur(&mut client, id, occurrence).await,
        Occurrence::Nothing
    );
}

#[tokio::test]
async fn an_occurrence_that_meets_an_earlier_one_is_left_out() {
    let mut client = database().await;
    let id = daily(&mut client).await;
    occur(&mut client, id, Uuid::now_v7()).await;
    assert_eq!(
        occur(&mut client, id, Uuid::now_v7()).await,
        Occurrence::Overlaps
    );
    assert_eq!(audited(&client, "CAMPAIGN_OCCURRENCE_SKIPPED").await, 1);
}

#[tokio::test]
async fn one_that_cannot_start_is_failed_and_says_why() {
    let mut client = database().await;
    let id = daily(&mut client).await;
    client
        .batch_execute("UPDATE channels SET active = false")
        .await
        .unwrap();
    let occurrence = Uuid::now_v7();
    assert_eq!(
        occur(&mut client, id, occurrence).await,
        Occurrence::Failed(occurrence)
    );
    let campaign = get(&client, occurrence).await;
    assert_eq!(campaign.status, Status::Failed);
    assert!(campaign.failure.unwrap().contains("no active channel"));
    assert_eq!(
        get(&client, id).await.status,
        Status::Queued,
        "tomorrow may be better"
    );
}

#[tokio::test]
async fn a_pause_or_a_cancellation_ends_its_schedule_and_a_resume_brings_it_back() {
    let mut client = database().await;
    let id = daily(&mut client).await;
    let scheduled = [id.to_string()];
    assert_eq!(schedules(&client).await, scheduled);
    act(&mut client, id, Action::Pause).await.unwrap();
    assert_eq!(schedules(&client).await, [""; 0]);
    assert_eq!(
        occur(&mut client, id, Uuid::now_v7()).await,
        Occurrence::Nothing
    );
    let resumed = act(&mut client, id, Action::Resume).await.unwrap();
    assert_eq!(resumed.status, Status::Queued);
    assert_eq!(schedules(&client).await, scheduled);
    act(&mut client, id, Action::Cancel).await.unwrap();
    assert_eq!(schedules(&client).await, [""; 0]);
}

#[tokio::test]
async fn what_can_never_recur_is_refused_with_the_field() {
    let mut client = database().await;
    for (patch, field) in [
        (json!({"cron": "at nine"}), "cron"),
        (json!({"cron": "0 0 30 2 *"}), "cron"),
        (
            json!({"cron": "0 9 * * *", "timezone": "Mars/Olympus"}),
            "timezone",
        ),
        (json!({"timezone": "Europe/Berlin"}), "timezone"),
        (
            json!({"cron": "0 9 * * *", "scheduledAt": "2030-01-01T00:00:00Z"}),
            "cron",
        ),
    ] {
        let (_, refused) = draft_with(&mut client, patch.clone()).await;
        assert!(
            matches!(&refused, Err(Error::Invalid { field: named, .. }) if named == field),
            "{patch}: {refused:?}"
        );
    }
    let (id, updated) = draft_with(&mut client, json!({"cron": "0 9 * * *"})).await;
    assert_eq!(updated.unwrap().timezone.as_deref(), Some("UTC"));
    let transaction = client.transaction().await.unwrap();
    let patch = serde_json::from_value(json!({"cron": null})).unwrap();
    let campaign = campaigns::update(&transaction, &operator(), id, patch)
        .await
        .unwrap();
    assert_eq!((campaign.cron, campaign.timezone), (None, None));
}
