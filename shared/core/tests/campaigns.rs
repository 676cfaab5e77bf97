//! Campaigns as they are written and started.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod common;

use common::{
    campaign::{act, batch, bot},
    database, execute, operator,
};
use serde_json::json;
use telecast_core::{
    Error,
    campaigns::{self, Action, Campaign},
    templates,
};
use tokio_postgres::Client;
use uuid::Uuid;

/// A template that asks for a price.
async fn template(client: &mut Client) -> Uuid {
    let transaction = client.transaction().await.unwrap();
    let new = serde_json::from_value(json!({"name": "sale", "text": "Now {{params.price}}"}));
    let template = templates::create(&transaction, &operator(), new.unwrap())
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    template.id
}

async fn create(
    client: &mut Client,
    template: Uuid,
    params: serde_json::Value,
) -> Result<Campaign, Error> {
    let bot = bot(client, "bot").await;
    let batch = batch(client, "news", 2).await;
    let new = json!({
        "name": "sale", "batchId": batch, "templateId": template, "botId": bot,
        "params": params, "deliveryRate": 20,
    });
    let transaction = client.transaction().await.unwrap();
    let new = serde_json::from_value(new).unwrap();
    let created = campaigns::create(&transaction, &operator(), new).await;
    if created.is_ok() {
        transaction.commit().await.unwrap();
    }
    created
}

#[tokio::test]
async fn a_campaign_must_fill_in_its_templates_placeholders() {
    let mut client = database().await;
    let template = template(&mut client).await;
    let error = create(&mut client, template, json!({})).await.unwrap_err();
    assert!(
        matches!(&error, Error::Invalid { field, .. } if field == "params"),
        "{error}"
    );
    assert!(error.to_string().contains("price"), "{error}");
}

#[tokio::test]
async fn a_template_that_asks_for_more_since_stops_the_start() {
    let mut client = database().await;
    let template = template(&mut client).await;
    let campaign = create(&mut client, template, json!({"price": 5}))
        .await
        .unwrap();
    execute(
        &client,
        "UPDATE template_versions SET text = $1",
        "Now {{params.price}}, until {{params.day}}",
    )
    .await;
    let error = act(&mut client, campaign.id, Action::Start)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("day"), "{error}");
}
