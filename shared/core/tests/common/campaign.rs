//! A campaign to work on: bot, channels, batch and template included.

use chrono::{DateTime, Utc};
use serde_json::{Map, json};
use telecast_core::{
    audit::Actor,
    campaigns::{self, Action, Campaign, Mode, NewCampaign, OnUncertain},
    delivery::{self, Claim, Decision, Outcome, Settlement},
};
use telecast_queue::{Job, Queue, limits};
use tokio_postgres::{Client, types::Type};
use uuid::Uuid;

/// A bot whose token is of no use.
pub async fn bot(client: &Client, name: &str) -> Uuid {
    let id = Uuid::now_v7();
    client
        .execute_typed(
            "INSERT INTO bots (id, name, token_sealed) VALUES ($1, $2, '')",
            &[(&id, Type::UUID), (&name, Type::TEXT)],
        )
        .await
        .unwrap();
    id
}

/// A batch of new channels, named after the batch.
pub async fn batch(client: &Client, name: &str, channels: i32) -> Uuid {
    let id = Uuid::now_v7();
    client
        .execute_typed(
            "WITH batch AS (INSERT INTO batches (id, name) VALUES ($1, $2)),
             channel AS (
               INSERT INTO channels (id, username)
               SELECT uuid_v7(), $2 || '_' || i FROM generate_series(1, $3) AS i
               RETURNING id
             )
             INSERT INTO batch_channels (batch_id, channel_id) SELECT $1, id FROM channel",
            &[
                (&id, Type::UUID),
                (&name, Type::TEXT),
                (&channels, Type::INT4),
            ],
        )
        .await
        .unwrap();
    id
}

/// A template of plain text.
pub async fn template(client: &mut Client, name: &str) -> Uuid {
    let transaction = client.transaction().await.unwrap();
    let new = serde_json::from_value(json!({"name": name, "text": "Hello {{title}}"})).unwrap();
    let template = telecast_core::templates::create(&transaction, &Actor::system(), new)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    template.id
}

/// A draft of a campaign by a bot to so many new channels.
pub async fn draft(
    client: &mut Client,
    bot_id: Uuid,
    name: &str,
    channels: i32,
    rate: i32,
) -> Uuid {
    let new = NewCampaign {
        name: name.to_owned(),
        batch_id: batch(client, name, channels).await,
        template_id: template(client, name).await,
        bot_id: Some(bot_id),
        params: Map::new(),
        delivery_rate: rate,
        retry_limit: 3,
        on_uncertain: OnUncertain::Skip,
        mode: Mode::Live,
        test_chat_id: None,
        scheduled_at: None,
        not_after: None,
        quiet_hours: None,
        cron: None,
        timezone: None,
    };
    let transaction = client.transaction().await.unwrap();
    let campaign = campaigns::create(&transaction, &Actor::system(), new)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    campaign.id
}

/// A campaign that was started and planned.
pub async fn running(
    client: &mut Client,
    bot_id: Uuid,
    name: &str,
    channels: i32,
    rate: i32,
) -> Uuid {
    let id = draft(client, bot_id, name, channels, rate).await;
    act(client, id, Action::Start).await.unwrap();
    plan(client, id).await;
    id
}

pub async fn act(
    client: &mut Client,
    id: Uuid,
    action: Action,
) -> Result<Campaign, telecast_core::Error> {
    let transaction = client.transaction().await.unwrap();
    let done = campaigns::act(
        &transaction,
        &Queue::default(),
        &Actor::system(),
        id,
        action,
    )
    .await;
    if done.is_ok() {
        transaction.commit().await.unwrap();
    }
    done
}

pub async fn plan(client: &mut Client, id: Uuid) -> delivery::Planned {
    let transaction = client.transaction().await.unwrap();
    let planned = delivery::plan(&transaction, id).await.unwrap();
    transaction.commit().await.unwrap();
    planned
}

/// Dispatches as if it were `now`.
pub async fn dispatch(client: &Client, max: u32, now: DateTime<Utc>) -> Vec<Job> {
    limits::dispatch(&Queue::default(), client, delivery::QUEUE, max, Some(now))
        .await
        .unwrap()
}

pub async fn claim(client: &Client, jobs: &[Job]) -> Vec<Claim> {
    let attempts: Vec<_> = jobs.iter().map(Job::fence).collect();
    delivery::claim(client, &attempts).await.unwrap()
}

/// Settles claims: those to send with `outcome`, the others as the claim decided.
pub async fn settle(client: &mut Client, claims: &[Claim], outcome: &Outcome) {
    let batch: Vec<Settlement> = claims
        .iter()
        .filter_map(|claim| {
            let outcome = match claim.decision {
                Decision::Send => outcome.clone(),
                decision => decision.outcome()?,
            };
            Some(claim.settle(outcome))
        })
        .collect();
    let transaction = client.transaction().await.unwrap();
    delivery::settle(&transaction, &Queue::default(), &batch)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
}

pub fn sent() -> Outcome {
    Outcome::Sent {
        message_id: Some(7),
        chat: None,
    }
}

pub async fn get(client: &Client, id: Uuid) -> Campaign {
    campaigns::get(client, id).await.unwrap()
}
