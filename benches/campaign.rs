//! A database with Telecast's tables, and campaigns in it that run.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use telecast_core::{
    audit::Actor,
    bots::{self, EncryptionKey, Identity},
    campaigns::{self, Action},
    delivery, templates,
};
use telecast_queue::Queue;
use tokio::time::Instant;
use tokio_postgres::{NoTls, types::Type};
use uuid::Uuid;

/// Makes the tables; leaves no connection open.
pub async fn migrate(url: &str) -> Result<()> {
    let (mut lock, first) = tokio_postgres::connect(url, NoTls).await?;
    let (mut client, second) = tokio_postgres::connect(url, NoTls).await?;
    let connections = tokio::spawn(async { tokio::join!(first, second) });
    telecast_core::migrate::migrate(&mut lock, &mut client).await?;
    drop((lock, client));
    let (first, second) = connections.await?;
    Ok(first.and(second)?)
}

/// A campaign that runs, to so many new channels, by a bot of its own; gives the time
/// that planning it took, from its begin to the commit.
pub async fn campaign(
    client: &mut tokio_postgres::Client,
    key: &EncryptionKey,
    number: i32,
    channels: i32,
) -> Result<Duration> {
    let transaction = client.transaction().await?;
    let actor = Actor::system();
    let telegram_id = 1000 + number;
    let name = format!("bench{number}");
    let bot = serde_json::from_value(json!({
        "name": name,
        "token": format!("{telegram_id}:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        "ratePerSecond": 1000,
    }))?;
    let identity = Identity {
        telegram_id: telegram_id.into(),
        username: None,
    };
    let bot = bots::create(&transaction, &actor, key, bot, &identity).await?;
    let batch_id = Uuid::now_v7();
    transaction
        .execute_typed(
            "WITH batch AS (INSERT INTO batches (id, name) VALUES ($1, $2)),
             channel AS (
               INSERT INTO channels (id, username)
               SELECT uuid_v7(), $2 || '_' || i FROM generate_series(1, $3) AS i
               RETURNING id
             )
             INSERT INTO batch_channels (batch_id, channel_id) SELECT $1, id FROM channel",
            &[
                (&batch_id, Type::UUID),
                (&name, Type::TEXT),
                (&channels, Type::INT4),
            ],
        )
        .await?;
    let template = json!({"name": name, "text": "<b>{{username}}</b>: hello", "parseMode": "HTML"});
    let template =
        templates::create(&transaction, &actor, serde_json::from_value(template)?).await?;
    let campaign = serde_json::from_value(json!({
        "name": name, "batchId": batch_id, "templateId": template.id,
        "botId": bot.id, "deliveryRate": 60_000,
    }))?;
    let campaign = campaigns::create(&transaction, &actor, campaign).await?;
    campaigns::act(
        &transaction,
        &Queue::default(),
        &actor,
        campaign.id,
        Action::Start,
    )
    .await?;
    // The handler of starts is not here.
    transaction
        .execute_typed("DELETE FROM pgboss.job WHERE name = 'start-campaign'", &[])
        .await?;
    transaction.commit().await?;
    let began = Instant::now();
    let transaction = client.transaction().await?;
    delivery::plan(&transaction, campaign.id).await?;
    transaction.commit().await?;
    Ok(began.elapsed())
}
