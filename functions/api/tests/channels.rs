//! Channels over HTTP: import, lists, batches.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod common;

use std::collections::BTreeSet;

use axum::{body::Body, http::StatusCode};
use common::Api;
use serde_json::{Value, json};

#[tokio::test]
async fn an_import_names_bad_lines_and_lands_the_good_ones() {
    let api = Api::start().await;
    let csv = "category,tgstat_url,username,collected_at\n\
        Медиа,https://tgstat.ru/channel/@news_ru,@news_ru,2026-01-31\n\
        Медиа,https://tgstat.ru/channel/AAAA,,2026-01-31\n\
        Медиа,,@news_ru,\n\
        Медиа,,@cooking_ru,\n";
    let report = api.import("text/csv; charset=utf-8", csv).await.ok();
    assert_eq!(report["inserted"], 2);
    assert_eq!(report["duplicateLines"], json!([4]));
    assert_eq!(
        report["rejectedLines"],
        json!([{"line": 3, "field": "username", "message": "is absent, and so is chat_id; a channel needs one of them"}])
    );

    let jsonl = "{\"username\": \"news_ru\", \"title\": \"Новости\"}\n{\"username\": 5}\n{\"chat_id\": -100}\nnonsense\n";
    let report = api.import("application/x-ndjson", jsonl).await.ok();
    assert_eq!(
        (&report["inserted"], &report["updated"], &report["rejected"]),
        (&json!(1), &json!(1), &json!(2))
    );
    let found = api
        .get("/api/channels?search=%D0%9D%D0%9E%D0%92%D0%9E%D0%A1%D0%A2%D0%98")
        .await
        .ok();
    assert_eq!(found["items"][0]["username"], "news_ru");
    assert_eq!(
        api.audited().await,
        ["CHANNELS_IMPORTED", "CHANNELS_IMPORTED"]
    );
}

#[tokio::test]
async fn an_import_without_a_header_or_of_another_type_lands_nothing() {
    let api = Api::start().await;
    let headless = api.import("text/csv", "news_ru,News\n").await;
    assert_eq!(headless.status, StatusCode::BAD_REQUEST);
    assert!(
        headless.message().contains("line 1 must name the columns"),
        "{headless:?}"
    );
    let spreadsheet = api
        .import("application/vnd.ms-excel", "username\nnews_ru\n")
        .await;
    assert_eq!(spreadsheet.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert!(api.audited().await.is_empty());
}

#[tokio::test]
async fn an_import_that_breaks_off_lands_nothing() {
    let api = Api::start().await;
    let chunks = vec![
        Ok("username\nnews_ru\n"),
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)),
    ];
    let body = Body::from_stream(futures_util::stream::iter(chunks));
    let answer = api.import("text/csv", body).await;
    assert_eq!(
        (answer.status, answer.code()),
        (StatusCode::BAD_REQUEST, "BODY_BROKEN")
    );
    assert_eq!(api.get("/api/channels").await.ok()["items"], json!([]));
}

#[tokio::test]
async fn an_import_may_be_larger_than_other_bodies() {
    let api = Api::start().await;
    let row = format!(",{}\n", "x".repeat(900));
    let csv: String = std::iter::once("username,title\n".to_owned())
        .chain((0..2000).map(|n| format!("name_{n}{row}")))
        .collect();
    assert!(csv.len() > 1 << 20);
    assert_eq!(api.import("text/csv", csv).await.ok()["inserted"], 2000);
}

#[tokio::test]
async fn a_list_goes_on_where_its_cursor_says() {
    let api = Api::start().await;
    let csv: String = (0..5)
        .map(|n| format!("{{\"username\":\"name_{n}\"}}\n"))
        .collect();
    api.import("application/jsonl", csv).await.ok();
    let mut seen: Vec<Value> = Vec::new();
    let mut path = "/api/channels?limit=2".to_owned();
    loop {
        let list = api.get(&path).await.ok();
        seen.extend(list["items"].as_array().unwrap().iter().cloned());
        let pagination = &list["pagination"];
        let Some(cursor) = pagination["nextCursor"].as_str() else {
            assert_eq!(pagination["hasMore"], false);
            break;
        };
        assert_eq!(pagination["hasMore"], true);
        path = format!("/api/channels?limit=2&cursor={cursor}");
    }
    assert!(seen.is_sorted_by_key(|channel| std::cmp::Reverse(channel["id"].to_string())));
    let names: BTreeSet<_> = seen
        .iter()
        .map(|channel| channel["username"].to_string())
        .collect();
    assert_eq!((seen.len(), names.len()), (5, 5));
}

#[tokio::test]
async fn a_channel_is_added_changed_and_opts_out() {
    let api = Api::start().await;
    let new = json!({"username": "https://t.me/news_ru", "title": "News"});
    let id = api.post("/api/channels", new.clone()).await.id();
    assert_eq!(
        api.post("/api/channels", new).await.code(),
        "CHANNEL_EXISTS"
    );
    let private = api
        .post("/api/channels", json!({"username": "https://t.me/+abc"}))
        .await;
    assert_eq!(private.body["error"]["details"]["field"], "username");
    let path = format!("/api/channels/{id}");
    let changed = api.patch(&path, json!({"optedOut": true})).await.ok();
    assert!(changed["optedOutAt"].is_string());

    let batch = json!({"name": "all", "add": {"channelIds": [id]}});
    let refused = api.post("/api/batches", batch).await;
    assert!(refused.message().contains("has opted out"), "{refused:?}");
    assert_eq!(api.audited().await, ["CHANNEL_CREATED", "CHANNEL_UPDATED"]);
}

#[tokio::test]
async fn a_batch_is_filled_shown_and_deleted() {
    let api = Api::start().await;
    let csv = "username,category\nnews_one,news\nnews_two,news\nfood_one,food\n";
    api.import("text/csv", csv).await.ok();
    let new = json!({"name": "news", "add": {"filter": {"category": "news"}}});
    let batch = api.post("/api/batches", new).await.ok();
    assert_eq!(
        (&batch["channels"], &batch["sendable"]),
        (&json!(2), &json!(2))
    );
    let id = batch["id"].as_str().unwrap();
    let members = api.get(&format!("/api/channels?batchId={id}")).await.ok();
    assert_eq!(members["items"].as_array().unwrap().len(), 2);
    let path = format!("/api/batches/{id}");
    let patch = json!({"remove": {"filter": {"search": "two"}}, "description": "less"});
    assert_eq!(api.patch(&path, patch).await.ok()["channels"], 1);
    assert_eq!(api.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(api.get(&path).await.code(), "NOT_FOUND");
}

#[tokio::test]
async fn an_exported_batch_can_be_imported_again() {
    let api = Api::start().await;
    let rows: String = (0..450)
        .map(|n| format!("{{\"username\":\"name_{n}\",\"title\":\"Новости, \\\"{n}\\\"\",\"size\":{n},\"collected_at\":\"2026-01-31\"}}\n"))
        .chain(["{\"chat_id\":-1001}\n".to_owned()])
        .collect();
    api.import("application/jsonl", rows).await.ok();
    let batch = json!({"name": "all", "add": {"filter": {}}});
    let path = format!(
        "/api/batches/{}/export?format=",
        api.post("/api/batches", batch).await.id()
    );
    for (format, content_type) in [("csv", "text/csv"), ("jsonl", "application/jsonl")] {
        let file = api.get(&format!("{path}{format}")).await.ok();
        let report = api
            .import(content_type, file.as_str().unwrap().to_owned())
            .await
            .ok();
        assert_eq!(report["unchanged"], 451, "{format}: {report}");
        assert_eq!(report["rows"], 451);
    }
    assert_eq!(api.get(&format!("{path}xls")).await.code(), "INVALID");
}

#[tokio::test]
async fn a_cloned_batch_has_the_same_channels_but_those_that_opted_out() {
    let api = Api::start().await;
    api.import("text/csv", "username\nnews_one\nnews_two\n")
        .await
        .ok();
    let batch = json!({"name": "all", "description": "both", "add": {"filter": {}}});
    let path = format!(
        "/api/batches/{}/clone",
        api.post("/api/batches", batch).await.id()
    );
    api.sql("UPDATE channels SET opted_out_at = now() WHERE username = 'news_two'")
        .await;
    let copy = api.post(&path, json!({"name": "copy"})).await.ok();
    assert_eq!(
        (&copy["channels"], &copy["description"]),
        (&json!(1), &json!("both"))
    );
    assert_eq!(
        api.post(&path, json!({"name": "copy"})).await.code(),
        "NAME_TAKEN"
    );
}

#[tokio::test]
async fn a_check_has_a_queue_job_for_each_channel_and_is_seen_to_go_on() {
    let api = Api::start().await;
    let bot = json!({"name": "one", "token": common::BOT_TOKEN});
    api.post("/api/bots", bot).await.ok();
    api.import(
        "text/csv",
        "username,category\na_news,news\nb_news,news\nc_food,food\n",
    )
    .await
    .ok();
    let new = json!({"filter": {"category": "news"}});
    let check = api.post("/api/channels/check", new).await;
    assert_eq!(check.status, StatusCode::CREATED);
    let check = check.ok();
    assert_eq!((&check["total"], &check["checked"]), (&json!(2), &json!(0)));
    let path = format!("/api/channel-checks/{}", check["id"].as_str().unwrap());
    assert_eq!(api.get(&path).await.ok(), check);
    assert_eq!(
        api.get("/api/channel-checks").await.ok()["items"],
        json!([check])
    );
    let jobs = api.get("/api/queues/check-channels/jobs").await.ok();
    assert_eq!(jobs["items"].as_array().unwrap().len(), 2);
}
