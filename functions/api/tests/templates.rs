//! Templates over HTTP.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod common;

use axum::http::StatusCode;
use common::Api;
use serde_json::json;

#[tokio::test]
async fn an_unknown_placeholder_and_bad_html_are_refused_with_their_place() {
    let api = Api::start().await;
    for (text, place) in [
        ("Hello {{name}}", "line 1, column 9"),
        ("{{title}}\n<b>bold</i>", "line 2, column 8"),
        ("{{title}}\n{{title", "line 2"),
    ] {
        let new = json!({"name": "t", "text": text, "parseMode": "HTML"});
        let refused = api.post("/api/templates", new).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        assert_eq!(refused.body["error"]["details"]["field"], "text");
        assert!(refused.message().contains(place), "{text}: {refused:?}");
    }
    assert!(api.audited().await.is_empty());
}

#[tokio::test]
async fn a_preview_shows_what_a_channel_would_get() {
    let api = Api::start().await;
    let channel = json!({"username": "news_ru", "title": "R&D <news>"});
    let channel = api.post("/api/channels", channel).await.id();
    let new = json!({
        "name": "t", "text": "<b>{{title}}</b> {{params.price}}", "parseMode": "HTML",
        "options": {"buttons": [[{"text": "Open {{username}}", "url": "https://t.me/{{username}}"}]]},
    });
    let path = format!(
        "/api/templates/{}/preview",
        api.post("/api/templates", new).await.id()
    );
    let ask = json!({"channelId": channel, "params": {"price": 5}});
    let preview = api.post(&path, ask).await.ok();
    assert_eq!(preview["text"], "<b>R&amp;D &lt;news&gt;</b> 5");
    assert_eq!(
        preview["options"]["buttons"][0][0]["url"],
        "https://t.me/news_ru"
    );
    assert_eq!(preview["recipient"]["chat"], "@news_ru");

    let without = api.post(&path, json!({"channelId": channel})).await;
    assert_eq!(without.body["error"]["details"]["field"], "params");
    assert!(without.message().contains("params.price"), "{without:?}");
}

#[tokio::test]
async fn versions_are_kept_and_an_unused_template_can_go() {
    let api = Api::start().await;
    let id = api
        .post("/api/templates", json!({"name": "t", "text": "one"}))
        .await
        .id();
    let path = format!("/api/templates/{id}");
    assert_eq!(
        api.patch(&path, json!({"text": "two"})).await.ok()["version"],
        2
    );
    let versions = api.get(&format!("{path}/versions")).await.ok();
    let texts: Vec<_> = versions["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v["text"].clone())
        .collect();
    assert_eq!(texts, ["two", "one"]);
    assert_eq!(api.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(api.get(&path).await.code(), "NOT_FOUND");
    assert_eq!(
        api.audited().await,
        ["TEMPLATE_CREATED", "TEMPLATE_UPDATED", "TEMPLATE_DELETED"]
    );
}
