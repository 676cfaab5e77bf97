//! Batches of channels.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod common;

use common::{audited, database, operator};
use serde_json::{Value, json};
use telecast_core::{
    Error,
    batches::{self, Batch},
    channels::{self, Channel},
    page::Page,
};
use tokio_postgres::Client;
use uuid::Uuid;

async fn channel(client: &mut Client, name: &str, category: &str) -> Channel {
    let transaction = client.transaction().await.unwrap();
    let new = serde_json::from_value(json!({"username": name, "category": category})).unwrap();
    let channel = channels::create(&transaction, &operator(), new)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    channel
}

async fn create(client: &mut Client, new: Value) -> Result<Batch, Error> {
    let transaction = client.transaction().await.unwrap();
    let new = serde_json::from_value(new).unwrap();
    let batch = batches::create(&transaction, &operator(), new).await?;
    transaction.commit().await.unwrap();
    Ok(batch)
}

async fn update(client: &mut Client, id: Uuid, patch: Value) -> Result<Batch, Error> {
    let transaction = client.transaction().await.unwrap();
    let patch = serde_json::from_value(patch).unwrap();
    let batch = batches::update(&transaction, &operator(), id, patch).await?;
    transaction.commit().await.unwrap();
    Ok(batch)
}

async fn opt_out(client: &Client, channel: &Channel) {
    let sql = "UPDATE channels SET opted_out_at = now() WHERE id = $1::text::uuid";
    common::execute(client, sql, &channel.id.to_string()).await;
}

#[tokio::test]
async fn channels_come_and_go_by_id_and_by_filter() {
    let mut client = database().await;
    let news = channel(&mut client, "news_one", "news").await;
    for (name, category) in [
        ("news_two", "news"),
        ("food_one", "food"),
        ("food_two", "food"),
    ] {
        channel(&mut client, name, category).await;
    }
    let new =
        json!({"name": "all", "add": {"channelIds": [news.id], "filter": {"category": "food"}}});
    let batch = create(&mut client, new).await.unwrap();
    assert_eq!((batch.channels, batch.sendable), (3, 3));

    let patch =
        json!({"remove": {"filter": {"category": "food"}}, "add": {"filter": {"search": "_two"}}});
    let batch = update(&mut client, batch.id, patch).await.unwrap();
    assert_eq!(batch.channels, 3);
    let patch = json!({"name": "some", "remove": {"channelIds": [news.id]}});
    let batch = update(&mut client, batch.id, patch).await.unwrap();
    assert_eq!((batch.name.as_str(), batch.channels), ("some", 2));

    let copy = json!({"name": "copy", "add": {"filter": {"batchId": batch.id}}});
    assert_eq!(create(&mut client, copy).await.unwrap().channels, 2);
    let list = batches::list(&client, Page::default()).await.unwrap();
    let names: Vec<_> = list
        .items
        .iter()
        .map(|batch| (batch.name.as_str(), batch.sendable))
        .collect();
    assert_eq!(names, [("copy", 2), ("some", 2)]);
}

#[tokio::test]
async fn a_channel_that_opted_out_gets_into_no_batch() {
    let mut client = database().await;
    let out = channel(&mut client, "opted_out", "news").await;
    channel(&mut client, "willing", "news").await;
    opt_out(&client, &out).await;

    let by_filter = create(&mut client, json!({"name": "a", "add": {"filter": {}}}))
        .await
        .unwrap();
    assert_eq!(by_filter.channels, 1);
    let by_id = json!({"name": "b", "add": {"channelIds": [out.id]}});
    let error = create(&mut client, by_id).await.unwrap_err();
    assert!(error.to_string().contains("has opted out"), "{error}");
}

#[tokio::test]
async fn a_member_that_opts_out_or_becomes_inactive_is_not_sendable() {
    let mut client = database().await;
    let first = channel(&mut client, "first", "news").await;
    channel(&mut client, "second", "food").await;
    channel(&mut client, "third", "news").await;
    let batch = create(&mut client, json!({"name": "a", "add": {"filter": {}}}))
        .await
        .unwrap();
    opt_out(&client, &first).await;
    common::execute(
        &client,
        "UPDATE channels SET active = false WHERE category = $1",
        "food",
    )
    .await;
    let batch = batches::get(&client, batch.id).await.unwrap();
    assert_eq!((batch.channels, batch.sendable), (3, 1));
}

#[tokio::test]
async fn an_unknown_channel_and_a_name_in_use_are_refused() {
    let mut client = database().await;
    create(&mut client, json!({"name": "a"})).await.unwrap();
    let error = create(&mut client, json!({"name": "a"})).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Conflict {
                code: "NAME_TAKEN",
                ..
            }
        ),
        "{error}"
    );
    let nobody = Uuid::now_v7();
    let error = create(
        &mut client,
        json!({"name": "b", "add": {"channelIds": [nobody]}}),
    )
    .await
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("add.channelIds: channel {nobody} does not exist")
    );
}

#[tokio::test]
async fn a_deleted_batch_leaves_its_channels() {
    let mut client = database().await;
    let news = channel(&mut client, "news_one", "news").await;
    let batch = create(
        &mut client,
        json!({"name": "a", "add": {"channelIds": [news.id]}}),
    )
    .await
    .unwrap();
    let transaction = client.transaction().await.unwrap();
    batches::delete(&transaction, &operator(), batch.id)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    assert!(matches!(
        batches::get(&client, batch.id).await,
        Err(Error::NotFound { .. })
    ));
    assert!(channels::get(&client, news.id).await.is_ok());
    assert_eq!(
        audited(&client).await,
        ["CHANNEL_CREATED", "BATCH_CREATED", "BATCH_DELETED"]
    );
}
