//! Campaigns to try things on.

use axum::http::Method;
use serde_json::{Value, json};
use telecast_core::{delivery, users::Role};

use super::{Answer, Api, BOT_TOKEN};

/// A bot, a batch of two channels and a template; gives a campaign that uses them.
pub async fn campaign(api: &Api) -> Value {
    api.post("/api/bots", json!({"name": "news", "token": BOT_TOKEN}))
        .await
        .ok();
    api.import("text/csv", "username\nnews_one\nnews_two\n")
        .await
        .ok();
    let batch = json!({"name": "all", "add": {"filter": {}}});
    let batch = api.post("/api/batches", batch).await.id();
    let template = json!({"name": "t", "text": "Hi {{title}} {{params.note}}"});
    let template = api.post("/api/templates", template).await.id();
    json!({"name": "first", "batchId": batch, "templateId": template, "params": {"note": "!"}, "deliveryRate": 60})
}

/// What an operator does to a campaign.
pub async fn act(api: &Api, id: &str, action: &str) -> Answer {
    let path = format!("/api/campaigns/{id}/action");
    let token = Some(api.token(Role::Operator));
    api.call(Method::POST, &path, token, Some(json!({"action": action})))
        .await
}

/// A campaign that was planned: one message job of each of these statuses, to channels of
/// their own, and the campaign in this status.
pub async fn planned(api: &Api, status: &str, pause_reason: &str, jobs: &[&str]) -> String {
    let mut new = campaign(api).await;
    let names: Vec<String> = (0..jobs.len()).map(|n| format!("planned_{n}\n")).collect();
    api.import("text/csv", format!("username\n{}", names.concat()))
        .await
        .ok();
    let filter = json!({"filter": {"search": "planned_"}});
    let batch = json!({"name": "planned", "add": filter});
    new["batchId"] = api.post("/api/batches", batch).await.id().into();
    let id = api.post("/api/campaigns", new).await.id();
    act(api, &id, "start").await.ok();
    let mut client = api.pool.get().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    let campaign_id = id.parse().unwrap();
    delivery::plan(&transaction, campaign_id).await.unwrap();
    transaction.commit().await.unwrap();
    let count = |status: &str| jobs.iter().filter(|job| **job == status).count();
    api.sql(&format!(
        "UPDATE jobs SET status = (string_to_array('{}', ','))[position + 1]
         WHERE campaign_id = '{id}';
         UPDATE campaigns SET
           status = '{status}', pause_reason = nullif('{pause_reason}', ''),
           sent = {}, failed = {}, uncertain = {}
         WHERE id = '{id}'",
        jobs.join(","),
        count("SENT"),
        count("FAILED"),
        count("UNCERTAIN"),
    ))
    .await;
    id
}
