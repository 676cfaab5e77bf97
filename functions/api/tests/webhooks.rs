//! Webhooks over HTTP, for administrators.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod common;

use axum::http::StatusCode;
use common::Api;
use serde_json::json;

#[tokio::test]
async fn a_webhook_tells_its_secret_once_and_is_changed_tested_and_deleted() {
    let api = Api::start().await;
    let new = json!({
        "name": "CRM",
        "url": "https://example.com/telecast",
        "events": ["campaign.completed"],
    });
    let created = api.post("/api/webhooks", new.clone()).await;
    assert_eq!(created.status, StatusCode::CREATED);
    let created = created.ok();
    assert!(created["secret"].as_str().unwrap().starts_with("whsec_"));
    let listed = api.get("/api/webhooks").await.ok();
    assert_eq!(listed["items"][0]["name"], "CRM");
    assert!(listed["items"][0].get("secret").is_none());
    assert_eq!(api.post("/api/webhooks", new).await.code(), "NAME_TAKEN");

    let path = format!("/api/webhooks/{}", created["id"].as_str().unwrap());
    let changed = api
        .patch(
            &path,
            json!({"events": ["campaign.flood"], "active": false}),
        )
        .await
        .ok();
    assert_eq!(changed["events"], json!(["campaign.flood"]));
    assert_eq!(changed["active"], json!(false));
    api.patch(&path, json!({"active": true})).await.ok();

    let test = api.post(&format!("{path}/test"), json!({})).await.ok();
    let jobs = api.get("/api/queues/send-webhook/jobs").await.ok();
    assert_eq!(jobs["items"][0]["id"], test["jobId"]);

    assert_eq!(api.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(api.delete(&path).await.status, StatusCode::NOT_FOUND);
    let audited = api.audited().await;
    assert!(audited.iter().all(|action| action.starts_with("WEBHOOK_")));
    assert_eq!(audited.len(), 5, "{audited:?}");
}

#[tokio::test]
async fn a_webhook_wants_a_url_and_known_events() {
    let api = Api::start().await;
    for (field, value) in [
        ("url", json!("example.com/telecast")),
        ("url", json!("ftp://example.com/telecast")),
        ("events", json!([])),
        ("events", json!(["campaign.exploded"])),
    ] {
        let mut new = json!({
            "name": "CRM",
            "url": "https://example.com/telecast",
            "events": ["campaign.completed"],
        });
        new[field] = value.clone();
        let answer = api.post("/api/webhooks", new).await;
        assert_eq!(
            (answer.status, answer.code()),
            (StatusCode::BAD_REQUEST, "INVALID"),
            "{field} {value}"
        );
    }
}
